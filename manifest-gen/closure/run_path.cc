// glibc elf/dl-load.c (fillin_rpath, decompose_rpath, _dl_dst_substitute): elements end at ':', in
// LD_LIBRARY_PATH at ';' too; an empty element is the working directory, a wholly empty list is
// none. $NAME is a token only when no letter, digit or '_' follows; values are not looked through
// again.
//
// musl ldso/dynlink.c (path_open, fixup_rpath): elements end at ':' or newline, empty ones do not
// count. Only $ORIGIN is known, whatever follows it; a list with any other '$' is ignored.
#include "manifest-gen/closure/run_path.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "base/text.h"

namespace cloister::manifest {
namespace {

// $LIB as distributions configure it.
constexpr std::string_view kLibNames[] = {"lib/x86_64-linux-gnu", "lib64", "lib"};
// $PLATFORM: glibc prefers its own name for the CPU, where it has one, to the kernel's.
constexpr std::string_view kPlatforms[] = {"haswell", "xeon_phi", "x86_64"};

bool goes_on(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of the token `name` where `text` begins with '$', or 0.
std::size_t token(std::string_view text, std::string_view name) {
  const bool braces = text.substr(1).starts_with('{');
  const std::string_view rest = text.substr(braces ? 2 : 1);
  if (!rest.starts_with(name)) return 0;
  const char after = rest.size() > name.size() ? rest[name.size()] : '\0';
  if (braces) return after == '}' ? name.size() + 3 : 0;
  return goes_on(after) ? 0 : name.size() + 1;
}

struct Expanded {
  std::string text;
  bool lib = false, platform = false;
};

Expanded expand(std::string_view text, std::string_view origin, std::string_view lib,
                std::string_view platform) {
  Expanded out;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find('$'), text.size());
    out.text += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    std::size_t length = 0;
    if ((length = token(text, "ORIGIN")) != 0) {
      out.text += origin;
    } else if ((length = token(text, "LIB")) != 0) {
      out.text += lib;
      out.lib = true;
    } else if ((length = token(text, "PLATFORM")) != 0) {
      out.text += platform;
      out.platform = true;
    } else {
      out.text += '$';
      length = 1;
    }
    text.remove_prefix(length);
  }
  return out;
}

std::span<const std::string_view> lib_values(const TokenValues& tokens) {
  return tokens.lib.empty() ? std::span(kLibNames) : std::span(&tokens.lib, 1);
}

class KnownPlaces {
 public:
  explicit KnownPlaces(std::string_view workdir) : workdir_(workdir) {}

  void add(std::string_view directory, bool elsewhere) {
    if (out.size() >= kMaxRunPathPlaces) return;
    std::string path(directory);
    if (!path.starts_with('/')) path = cat(workdir_, "/", directory);
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (seen_.insert(path).second) out.push_back({std::move(path), elsewhere});
  }
  std::vector<RunPathPlace> out;

 private:
  std::string_view workdir_;
  std::set<std::string> seen_;
};

std::vector<RunPathPlace> glibc_places(std::string_view text, std::string_view separators,
                                       const TokenValues& tokens, std::string_view workdir) {
  KnownPlaces places(workdir);
  while (!text.empty() && places.out.size() < kMaxRunPathPlaces) {
    const std::size_t end = text.find_first_of(separators);
    const std::string_view item = text.substr(0, end);
    for (const std::string_view lib : lib_values(tokens)) {
      bool has_lib = false;
      for (const std::string_view platform : kPlatforms) {
        const Expanded place = expand(item, tokens.origin, lib, platform);
        has_lib = place.lib;
        places.add(place.text, place.lib || place.platform);
        if (!place.platform) break;
      }
      if (!has_lib) break;
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) places.add("", false);  // "a:" ends with an empty element
  }
  return std::move(places.out);
}

std::vector<RunPathPlace> musl_places(std::string_view text, std::string_view workdir) {
  KnownPlaces places(workdir);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(":\n"), text.size());
    if (end > 0) places.add(text.substr(0, end), false);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(places.out);
}

// Nothing when the list holds a '$' that is not $ORIGIN.
std::string musl_origin(std::string_view text, std::string_view origin) {
  static constexpr std::string_view kTokens[] = {"${ORIGIN}", "$ORIGIN"};
  std::string out;
  for (std::size_t at = 0; (at = text.find('$')) != std::string_view::npos;) {
    out += text.substr(0, at);
    text.remove_prefix(at);
    const auto found = std::find_if(std::begin(kTokens), std::end(kTokens),
                                    [&](std::string_view name) { return text.starts_with(name); });
    if (found == std::end(kTokens)) return {};
    out += origin;
    text.remove_prefix(found->size());
  }
  out += text;
  return out;
}

}  // namespace

std::vector<RunPathPlace> run_path_places(LoaderKind kind, std::string_view text,
                                          const TokenValues& tokens, std::string_view workdir) {
  if (kind == LoaderKind::glibc) return glibc_places(text, ":", tokens, workdir);
  return musl_places(musl_origin(text, tokens.origin), workdir);
}

std::vector<RunPathPlace> environment_places(LoaderKind kind, std::string_view text,
                                             const TokenValues& tokens, std::string_view workdir) {
  if (kind == LoaderKind::glibc) return glibc_places(text, ":;", tokens, workdir);
  return musl_places(text, workdir);
}

std::string expand_tokens(std::string_view text, const TokenValues& tokens) {
  return expand(text, tokens.origin, lib_values(tokens).front(), kPlatforms[2]).text;
}

}  // namespace cloister::manifest
