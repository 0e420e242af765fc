// What the program can be asked, as values: read off the declared options, and the one source of
// --help, the manual pages, the reference, the completions and the names that cloister.toml may
// use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cloister::cmd {

struct OptionText {
  std::string heading;             // of option_heading.h
  std::vector<std::string> names;  // "-o", "--output"; of an argument: "IMAGE"
  std::string value;               // "FILE", "text|json"; empty: a flag
  std::vector<std::string> choices;
  bool open = false;  // other values than the choices are taken too
  std::string text, default_value, variable;
  bool argument = false;  // by position
  bool required = false, repeatable = false;
  bool value_optional = false;  // --ra-tls, --ra-tls=CERT:KEY

  // "output" of "-o, --output"; the lower-case name of an argument.
  std::string key() const;
  bool is_flag() const { return value.empty(); }
};

struct CommandText {
  std::string name;  // with all that stands before it: "cloister cache ls"
  std::string summary;
  std::vector<OptionText> arguments, options;  // options by heading, then as they were declared
  std::vector<CommandText> commands;
  std::vector<std::string> examples;  // one command line each

  std::string_view own_name() const;  // "ls"
  const CommandText* find(std::string_view own_name) const;
  const OptionText* option(std::string_view name) const;  // "-o" or "--output"
  std::string usage() const;                              // "cloister cache ls [OPTIONS]"
};

// Whether a value like "FILE|nonce:TEXT" may be a file, or a directory; whether it may be an image.
bool takes_file(const OptionText& option);
bool takes_image(const OptionText& option);

}  // namespace cloister::cmd
