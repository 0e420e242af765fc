// Read off the sources of CPython 3.9 to 3.13 (PyImport_ImportModule and _PyImport_GetModuleAttr
// calls, importlib and pkgutil calls in Lib/), and off traces.
#include "manifest-gen/runtimes/python/implied.h"

#include <algorithm>

namespace cloister::manifest::python {
namespace {

constexpr std::string_view kStart[] = {"encodings",
                                       "encodings.aliases",
                                       "encodings.utf_8",
                                       "encodings.ascii",
                                       "encodings.latin_1",
                                       "codecs",
                                       "io",
                                       "abc",
                                       "site",
                                       "os",
                                       "stat",
                                       "posixpath",
                                       "genericpath",
                                       "_collections_abc",
                                       "_sitebuiltins",
                                       "_bootlocale",
                                       "importlib",
                                       "importlib.util",
                                       "importlib.machinery",
                                       "importlib._abc",
                                       "zipimport",
                                       "warnings",
                                       "linecache",
                                       "traceback",
                                       "threading"};

constexpr Implied kImplied[] = {
    {"_asyncio", "asyncio"},
    {"_collections", "reprlib"},
    {"_datetime", "_strptime"},
    {"_decimal", "numbers"},
    {"_elementtree", "copy"},
    {"_elementtree", "pyexpat"},
    {"_io", "locale"},
    {"_pickle", "_compat_pickle"},
    {"_pickle", "copyreg"},
    {"_sqlite3", "sqlite3.dump"},
    {"_zoneinfo", "zoneinfo._common"},
    {"_zoneinfo", "zoneinfo._tzpath"},
    {"array", "copyreg"},
    {"curses", "_curses"},
    {"datetime", "_strptime"},
    {"distutils", "setuptools._distutils"},
    {"encodings", "codecs"},
    {"pyexpat", "_elementtree"},
    {"runpy", "pkgutil"},
    {"socket", "encodings.idna"},
    {"ssl", "encodings.idna"},
    {"time", "_strptime"},
    {"typing", "collections.abc"},
    {"zipfile", "encodings.cp437"},
    {"zipimport", "encodings.cp437"},
};

constexpr ModuleFile kFiles[] = {
    {"_tkinter", "/usr/share/tcltk/**", "tkinter loads Tcl/Tk's library"},
    {"_tkinter", "/usr/lib/tcl8*/**", "tkinter loads Tcl/Tk's library"},
    {"cryptography", "/usr/lib/x86_64-linux-gnu/ossl-modules/*.so",
     "cryptography loads OpenSSL's legacy provider"},
    {"cryptography", "/usr/lib64/ossl-modules/*.so",
     "cryptography loads OpenSSL's legacy provider"},
    {"distro", "/etc/os-release", "distro reads it"},
    {"gi", "/usr/lib/x86_64-linux-gnu/girepository-1.0/**", "gi reads type libraries"},
    {"jupyter_client", "/usr/share/jupyter/kernels/**", "jupyter_client looks for kernels"},
    {"jupyter_client", "/usr/local/share/jupyter/kernels/**", "jupyter_client looks for kernels"},
    {"lib2to3", "${stdlib}/lib2to3/*.txt", "lib2to3 reads its grammar"},
    {"lib2to3", "${stdlib}/lib2to3/*.pickle", "lib2to3 reads its grammar"},
    {"matplotlib", "/etc/matplotlibrc", "matplotlib reads it"},
    {"matplotlib", "/usr/share/matplotlib/**", "matplotlib's data in Debian"},
    {"mimetypes", "/etc/mime.types", "mimetypes reads it"},
    {"platform", "/etc/os-release", "platform reads it"},
    {"platform", "/usr/bin/uname", "platform.processor() runs it"},
    {"pytz", "/usr/share/zoneinfo/*", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/A*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/B*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/C*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/E*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/I*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/M*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/P*/**", "pytz looks at every time zone"},
    {"pytz", "/usr/share/zoneinfo/U*/**", "pytz looks at every time zone"},
    {"socket", "/etc/gai.conf", "getaddrinfo() reads it"},
    {"socket", "/etc/host.conf", "getaddrinfo() reads it"},
    {"sysconfig", "${stdlib}/_sysconfigdata*.py", "sysconfig imports it under a computed name"},
    {"sysconfig", "/usr/lib/python3/_sysconfigdata*.py",
     "sysconfig imports it under a computed name"},
};

// Sorted.
constexpr std::string_view kForPeople[] = {"cProfile", "doctest", "idlelib", "pdb",    "profile",
                                           "pydoc",    "test",    "tkinter", "turtle", "unittest"};
constexpr std::string_view kImporters[] = {"cProfile", "cgitb", "doctest",  "idlelib",      "pdb",
                                           "profile",  "test",  "unittest", "xmlrpc.server"};

constexpr std::string_view kUnlikely[] = {
    "antigravity", "cProfile", "ensurepip", "idlelib", "lib2to3", "pdb",       "profile",
    "pydoc",       "test",     "this",      "tkinter", "turtle",  "turtledemo"};

constexpr std::string_view kBeside[] = {"__main__", "_tests",    "benchmarks", "conftest", "docs",
                                        "examples", "idle_test", "setup",      "test",     "tests"};

constexpr std::string_view kNoData[] = {".a",   ".am",  ".bat", ".c",   ".cc",    ".cmake", ".cpp",
                                        ".cu",  ".cuh", ".exe", ".f",   ".f90",   ".h",     ".hh",
                                        ".hpp", ".in",  ".la",  ".map", ".o",     ".orig",  ".pc",
                                        ".po",  ".pot", ".ps1", ".pxd", ".pxi",   ".py",    ".pyc",
                                        ".pyf", ".pyi", ".pyo", ".pyx", ".typed", ".whl"};

constexpr std::string_view kNotes[] = {"AUTHORS",   "CHANGES", "CONTRIBUTING", "COPYING",
                                       "INSTALLER", "LICENCE", "LICENSE",      "MANIFEST.in",
                                       "Makefile",  "NOTICE",  "README"};

template <class Table>
bool contains(const Table& table, std::string_view name) {
  return std::find(std::begin(table), std::end(table), name) != std::end(table);
}

}  // namespace

std::span<const std::string_view> start_modules() {
  return kStart;
}
std::span<const Implied> implied_modules() {
  return kImplied;
}
std::span<const ModuleFile> module_files() {
  return kFiles;
}

bool is_left_to_people(std::string_view importer, std::string_view name) {
  return contains(kForPeople, top_level(name)) && top_level(importer) != top_level(name) &&
         !contains(kImporters, importer) && !contains(kImporters, top_level(importer));
}

bool is_distutils_hook(std::string_view module) {
  return top_level(module) == "_distutils_hack";
}

bool is_unlikely_by_name(std::string_view name) {
  return contains(kUnlikely, name);
}

bool is_beside_the_program(std::string_view leaf) {
  return contains(kBeside, leaf);
}

bool is_no_package_data(std::string_view file_name) {
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos && contains(kNoData, file_name.substr(dot))) return true;
  return std::any_of(std::begin(kNotes), std::end(kNotes), [&](std::string_view note) {
    // "README_STARTUP" is a text that a program shows.
    return file_name.starts_with(note) && !file_name.substr(note.size()).starts_with('_');
  });
}

}  // namespace cloister::manifest::python
