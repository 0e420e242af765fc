// What PHP reads before any program: php.ini, the directory of further .ini files, and the
// extensions that they name. Each way of running PHP (command line, FPM, CGI, in Apache) has its
// own directory in Debian.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/runtimes/analyzer.h"

namespace cloister::manifest::php {

enum class Sapi { cli, fpm, cgi, apache };

struct ConfigurationRequest {
  Sapi sapi = Sapi::cli;
  std::string version;                  // "8.2"; empty when the program's name does not say
  std::string file;                     // -c: a file or a directory
  bool none = false;                    // -n: no php.ini, no directory of further files
  std::vector<std::string> extensions;  // -d extension=…, -z
};

struct Configuration {
  struct File {
    std::string path, detail, from;
  };
  std::vector<File> files;  // configuration, extensions, what configuration names
  std::vector<std::string> include_path;
  std::vector<std::string> programs;  // auto_prepend_file and its like
  std::string time_zone;              // date.timezone
  std::vector<std::string> unknown;
};

Configuration read_configuration(const AnalyzerScene& scene, const ConfigurationRequest& request);

}  // namespace cloister::manifest::php
