// C code imports modules by name: PyImport_ImportModule("copyreg"), and Cython keeps the name of
// each module that it imports as a constant. Names in data are all there is to see; whether one is
// a module the analyser decides, who knows what modules there are. A name without a dot is kept
// only when the standard library has a module of that name: every attribute is such a constant too.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "measure/source/name_set.h"
#include "measure/source/python.h"

namespace cloister::measure::source {
namespace {

constexpr std::size_t kMinName = 2, kMaxModuleName = 100;
constexpr std::size_t kMaxNames = 1024;

// sys.stdlib_module_names of Python 3.8 to 3.13, without what is for other systems, for tests and
// games, and those that are always built in or imported at start; and cffi's C part, which the
// modules that cffi makes import.
constexpr std::string_view kStandard[] = {"__future__",
                                          "_bootlocale",
                                          "_cffi_backend",
                                          "_collections_abc",
                                          "_compat_pickle",
                                          "_compression",
                                          "_contextvars",
                                          "_ctypes",
                                          "_datetime",
                                          "_decimal",
                                          "_hashlib",
                                          "_heapq",
                                          "_interpreters",
                                          "_json",
                                          "_markupbase",
                                          "_osx_support",
                                          "_pickle",
                                          "_posixsubprocess",
                                          "_py_abc",
                                          "_pydatetime",
                                          "_pydecimal",
                                          "_pyio",
                                          "_queue",
                                          "_random",
                                          "_sitebuiltins",
                                          "_sqlite3",
                                          "_strptime",
                                          "_struct",
                                          "_sysconfigdata",
                                          "_threading_local",
                                          "_uuid",
                                          "_weakrefset",
                                          "_zoneinfo",
                                          "abc",
                                          "argparse",
                                          "array",
                                          "ast",
                                          "asyncio",
                                          "base64",
                                          "bisect",
                                          "bz2",
                                          "calendar",
                                          "codecs",
                                          "collections",
                                          "concurrent",
                                          "configparser",
                                          "contextlib",
                                          "contextvars",
                                          "copy",
                                          "copyreg",
                                          "csv",
                                          "ctypes",
                                          "dataclasses",
                                          "datetime",
                                          "decimal",
                                          "difflib",
                                          "dis",
                                          "email",
                                          "encodings",
                                          "enum",
                                          "fnmatch",
                                          "fractions",
                                          "functools",
                                          "getopt",
                                          "getpass",
                                          "gettext",
                                          "glob",
                                          "graphlib",
                                          "gzip",
                                          "hashlib",
                                          "heapq",
                                          "hmac",
                                          "html",
                                          "http",
                                          "imp",
                                          "importlib",
                                          "inspect",
                                          "io",
                                          "ipaddress",
                                          "json",
                                          "keyword",
                                          "linecache",
                                          "locale",
                                          "logging",
                                          "lzma",
                                          "math",
                                          "mimetypes",
                                          "mmap",
                                          "multiprocessing",
                                          "numbers",
                                          "opcode",
                                          "operator",
                                          "optparse",
                                          "pathlib",
                                          "pickle",
                                          "pkgutil",
                                          "platform",
                                          "plistlib",
                                          "pprint",
                                          "queue",
                                          "quopri",
                                          "random",
                                          "reprlib",
                                          "sched",
                                          "secrets",
                                          "select",
                                          "selectors",
                                          "shelve",
                                          "shlex",
                                          "shutil",
                                          "signal",
                                          "socket",
                                          "socketserver",
                                          "sqlite3",
                                          "sre_compile",
                                          "sre_constants",
                                          "sre_parse",
                                          "ssl",
                                          "stat",
                                          "statistics",
                                          "stringprep",
                                          "struct",
                                          "subprocess",
                                          "sysconfig",
                                          "tarfile",
                                          "tempfile",
                                          "textwrap",
                                          "threading",
                                          "timeit",
                                          "token",
                                          "tokenize",
                                          "traceback",
                                          "tracemalloc",
                                          "types",
                                          "typing",
                                          "unicodedata",
                                          "unittest",
                                          "urllib",
                                          "uuid",
                                          "warnings",
                                          "weakref",
                                          "xml",
                                          "zipfile",
                                          "zlib",
                                          "zoneinfo"};

static_assert(std::is_sorted(std::begin(kStandard), std::end(kStandard)));

bool is_standard(std::string_view name) {
  return std::binary_search(std::begin(kStandard), std::end(kStandard), name);
}

// Modules are written in lower case; so classes and their methods are not taken for modules.
constexpr bool is_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}
constexpr std::array<bool, 256> make_parts() {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = c < 128 && is_part(static_cast<char>(c));
  return out;
}
constexpr auto kParts = make_parts();

constexpr std::string_view kSourceEndings[] = {".py", ".pyx", ".pxd", ".pxi", ".c",   ".h",  ".cpp",
                                               ".cc", ".so",  ".hpp", ".f",   ".f90", ".cu", ".o"};

bool dotted_module(std::string_view s) {
  if (s.find('.') == std::string_view::npos) return false;
  for (const std::string_view ending : kSourceEndings)
    if (s.ends_with(ending)) return false;
  char before = '.';
  for (const char c : s) {
    if (before == '.' && (c == '.' || (c >= '0' && c <= '9'))) return false;
    before = c;
  }
  return before != '.';
}

}  // namespace

bool is_python_extension(std::string_view path, std::string_view) {
  if (!path.ends_with(".so")) return false;
  return path.find("python") != std::string_view::npos ||
         path.find("-packages/") != std::string_view::npos ||
         path.find(".cpython-") != std::string_view::npos || path.ends_with(".abi3.so");
}

Facts scan_python_extension(ByteView file, const Limits& limits) {
  NameSet names(limits);
  std::size_t kept = 0;
  const std::string_view text = as_text(file);
  // Between NULs: the constants of C. Code and tables hardly ever look like one.
  std::size_t begin = 0;
  while (begin < text.size() && kept < kMaxNames) {
    std::size_t end = begin;
    while (end < text.size() && kParts[static_cast<unsigned char>(text[end])]) ++end;
    if (end == text.size()) break;
    if (text[end] == '\0' && end - begin >= kMinName && end - begin <= kMaxModuleName) {
      const std::string_view name = text.substr(begin, end - begin);
      if (dotted_module(name) || is_standard(name)) {
        names.add(cat("'", name));
        ++kept;
      }
    }
    // On to the next constant.
    if (text[end] != '\0') end = text.find('\0', end);
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  Facts facts;
  facts.language = Language::python;
  facts.names = names.take();
  return facts;
}

}  // namespace cloister::measure::source
