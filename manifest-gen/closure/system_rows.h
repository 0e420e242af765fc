// Files that libraries open on their own, with nobody naming them: one row each. What they come to
// for a closure: system_files.h.
#pragma once

#include <span>
#include <string_view>

namespace cloister::manifest {

// What makes a row apply: a function that something imports (under glibc alone, or by a program and
// not only by a library that it happens to link), or a library.
enum class When { imports, glibc_imports, program_imports, library, musl };

struct SystemRow {
  When when;
  std::string_view names;  // alternatives, separated by blanks; '*' as in a pattern
  std::string_view path;   // "$LIB" stands for each directory of libraries
  std::string_view reason;
};

// Functions that other rules ask about too.
inline constexpr std::string_view kClock =
    "localtime localtime_r __localtime64_r mktime mktime64 timelocal tzset strftime *strftime_l "
    "wcsftime *wcsftime_l ctime ctime_r getdate getdate_r *syslog*";
inline constexpr std::string_view kUsers = "getpw* setpwent cuserid getlogin* wordexp";
inline constexpr std::string_view kGroups = "getgr* setgrent initgroups";
inline constexpr std::string_view kHosts = "getaddrinfo gethostby* gethostent getnameinfo";
inline constexpr std::string_view kFonts = "Fc*";

std::span<const SystemRow> system_rows();

}  // namespace cloister::manifest
