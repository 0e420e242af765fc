// Manuals: proc(5), process_vm_readv(2).
#include "manifest-gen/rehearse/watch/watched_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "base/text.h"

namespace cloister::manifest {
namespace {

constexpr std::uint64_t kPage = 4096, kKilobyte = 1024;

std::string small_file(const std::string& path) {
  std::string out;
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return out;
  std::array<char, 8192> piece{};
  for (ssize_t got = 0; out.size() < (1U << 20);
       out.append(piece.data(), static_cast<std::size_t>(got))) {
    got = read(fd.get(), piece.data(), piece.size());
    if (got <= 0) break;
  }
  return out;
}

// The number in the line "NAME:  123 kB" of /proc/PID/status; 0: none.
std::uint64_t field(std::string_view status, std::string_view name) {
  const std::string start = cat("\n", name, ":");
  const std::size_t at = status.find(start);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = status.substr(at + start.size());
  while (rest.starts_with('\t') || rest.starts_with(' ')) rest.remove_prefix(1);
  std::uint64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

// "55d0c0e00000-55d0c0e21000 rw-p 00000000 00:00 0    [heap]"
std::uint64_t heap_of(std::string_view maps) {
  const std::size_t mark = maps.find("[heap]");
  if (mark == std::string_view::npos) return 0;
  const std::size_t line = maps.rfind('\n', mark) + 1;  // npos + 1 is 0
  std::uint64_t from = 0, to = 0;
  const char* const end = maps.data() + maps.size();
  const auto first = std::from_chars(maps.data() + line, end, from, 16);
  if (first.ptr == end || *first.ptr != '-') return 0;
  std::from_chars(first.ptr + 1, end, to, 16);
  return to > from ? to - from : 0;
}

// The numbers that a directory of /proc has as names.
std::vector<std::uint64_t> numbers_in(const std::string& path) {
  std::vector<std::uint64_t> out;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return out;
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    std::uint64_t number = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), number).ptr != name.data())
      out.push_back(number);
  }
  closedir(directory);
  return out;
}

std::uint64_t descriptors_of(pid_t process) {
  const auto open_now = numbers_in(cat("/proc/", process, "/fd"));
  return open_now.empty() ? 0 : *std::max_element(open_now.begin(), open_now.end()) + 1;
}

}  // namespace

bool read_bytes_of(pid_t thread, std::uint64_t address, void* out, std::size_t size) {
  const iovec here{out, size}, there{reinterpret_cast<void*>(address), size};
  return process_vm_readv(thread, &here, 1, &there, 1, 0) == static_cast<ssize_t>(size);
}

std::optional<std::string> read_text_of(pid_t thread, std::uint64_t address) {
  std::string out;
  std::array<char, kPage> piece{};
  while (out.size() < PATH_MAX) {
    // Up to the end of a page: the next one need not be there.
    const std::size_t size = kPage - address % kPage;
    if (!read_bytes_of(thread, address, piece.data(), size)) return std::nullopt;
    const void* end = std::memchr(piece.data(), '\0', size);
    const std::size_t length =
        end == nullptr ? size
                       : static_cast<std::size_t>(static_cast<const char*>(end) - piece.data());
    out.append(piece.data(), length);
    if (end != nullptr) return out.size() < PATH_MAX ? std::optional(out) : std::nullopt;
    address += size;
  }
  return std::nullopt;
}

std::string link_of(pid_t thread, const std::string& name) {
  std::array<char, PATH_MAX> target{};
  const std::string path = cat("/proc/", thread, "/", name);
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  return size > 0 ? std::string(target.data(), static_cast<std::size_t>(size)) : std::string();
}

Kin kin_of(pid_t thread) {
  const std::string status = small_file(cat("/proc/", thread, "/status"));
  return {static_cast<pid_t>(field(status, "Tgid")), static_cast<pid_t>(field(status, "PPid"))};
}

std::vector<pid_t> descendants_of(pid_t process) {
  std::vector<pid_t> out;
  std::vector<pid_t> pending{process};
  while (!pending.empty()) {
    const pid_t at = pending.back();
    pending.pop_back();
    for (const std::uint64_t thread : numbers_in(cat("/proc/", at, "/task"))) {
      const std::string children = small_file(cat("/proc/", at, "/task/", thread, "/children"));
      const char* const end = children.data() + children.size();
      for (const char* next = children.data(); next < end;) {
        pid_t child = 0;
        const auto parsed = std::from_chars(next, end, child);
        if (parsed.ec != std::errc()) break;
        out.push_back(child);
        pending.push_back(child);
        next = parsed.ptr < end ? parsed.ptr + 1 : end;  // a blank follows each
      }
    }
  }
  return out;
}

std::uint64_t anonymous_bytes_of(pid_t process) {
  return field(small_file(cat("/proc/", process, "/status")), "RssAnon") * kKilobyte;
}

std::uint64_t threads_of(pid_t process) {
  return field(small_file(cat("/proc/", process, "/status")), "Threads");
}

ProcessPeaks peaks_of(pid_t process) {
  const std::string status = small_file(cat("/proc/", process, "/status"));
  ProcessPeaks out;
  out.resident_bytes = field(status, "VmHWM") * kKilobyte;
  out.virtual_bytes = field(status, "VmPeak") * kKilobyte;
  out.data_bytes = field(status, "VmData") * kKilobyte;
  out.stack_bytes = field(status, "VmStk") * kKilobyte;
  out.threads = field(status, "Threads");
  out.heap_bytes = heap_of(small_file(cat("/proc/", process, "/maps")));
  out.descriptors = descriptors_of(process);
  return out;
}

}  // namespace cloister::manifest
