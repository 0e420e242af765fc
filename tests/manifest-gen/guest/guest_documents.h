// Guest documents made by hand, and at random.
#pragma once

#include <random>
#include <string>

#include "base/digest.h"
#include "manifest-gen/guest/guest_document.h"

namespace cloister::test {

// All kinds of lines, and a root that needs no contents but "x" and "".
inline manifest::GuestDocument small_document() {
  manifest::GuestDocument out;
  out.kernel = "6.1.0-56-cloud-amd64";
  out.plan.program = "/usr/bin/app";
  out.plan.argv = {"app", "--listen", "*:80"};
  out.plan.env = {{"PATH", "/usr/bin"}, {"EMPTY", ""}};
  out.plan.uid = 100;
  out.plan.gid = 101;
  out.plan.groups = {7, 8};
  out.plan.workdir = "/";
  out.plan.hostname = "guest";
  out.plan.stop_signal = 3;
  out.plan.ports = {"80/tcp"};
  out.plan.writable = {{"/tmp", 01777, 0, 0, ""}};
  out.plan.earliest = Seconds(std::chrono::seconds(1'700'000'000));
  out.modules = {"virtio.ko", "virtio_net.ko"};
  out.tree[""] = {};
  out.tree["tmp"].mode = 01777;
  out.tree["usr"] = out.tree["usr/bin"] = {};
  manifest::GuestEntry& app = out.tree["usr/bin/app"];
  app.type = manifest::GuestEntry::Type::file;
  app.mode = 04755;
  app.uid = 3;
  app.gid = 4;
  app.size = 1;
  app.sha256 = sha256("x");
  manifest::GuestEntry& link = out.tree["bin"];
  link.type = manifest::GuestEntry::Type::symlink;
  link.mode = 0777;
  link.link_target = "usr/bin";
  return out;
}

class RandomDocuments {
 public:
  explicit RandomDocuments(std::uint64_t seed) : random_(seed) {}

  manifest::GuestDocument next() {
    manifest::GuestDocument out;
    manifest::GuestPlan& plan = out.plan;
    out.kernel = text();
    plan.program = "/" + text();
    plan.argv.resize(1 + below(4));
    for (std::string& word : plan.argv) word = text();
    for (std::size_t i = below(4); i > 0; --i) plan.env.emplace_back(name(), text());
    plan.uid = id();
    plan.gid = id();
    plan.groups.resize(below(3));
    for (std::uint32_t& group : plan.groups) group = id();
    plan.workdir = "/" + text();
    plan.hostname = text();
    plan.stop_signal = static_cast<int>(1 + below(64));
    plan.network = below(2) == 0;
    plan.ports.resize(below(3));
    for (std::string& port : plan.ports) port = text();
    for (std::size_t i = below(3); i > 0; --i)
      plan.writable.push_back({"/" + text(), mode(), id(), id(), ""});
    plan.earliest = Seconds(std::chrono::seconds(below(1ULL << 33)));
    out.modules.resize(below(3));
    for (std::string& module : out.modules) module = text();
    if (below(3) == 0) out.disk = manifest::DiskLine{"/dev/vda", below(1ULL << 40), below(1 << 20)};
    out.tree[""].mode = mode();
    std::vector<std::string> directories{""};
    for (std::size_t i = below(12); i > 0; --i) {
      const std::string& above = directories[below(directories.size())];
      const std::string path = above + (above.empty() ? "" : "/") + name();
      const auto [at, made] = out.tree.try_emplace(path, entry());
      if (made && at->second.type == manifest::GuestEntry::Type::directory)
        directories.push_back(path);
    }
    return out;
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::uint32_t mode() { return static_cast<std::uint32_t>(below(010000)); }
  std::uint32_t id() { return static_cast<std::uint32_t>(below(0xffffffff)); }
  // Any bytes but NUL, those that must be escaped more often than others.
  std::string text() {
    std::string out(below(9), '\0');
    for (char& c : out)
      c = below(3) == 0 ? " \n\t\\\x7f\x01"[below(6)] : static_cast<char>(1 + below(255));
    return out;
  }
  std::string name() {
    std::string out = "n" + text();
    for (char& c : out)
      if (c == '/' || c == '=') c = '_';
    return out;
  }
  manifest::GuestEntry entry() {
    using Type = manifest::GuestEntry::Type;
    manifest::GuestEntry out;
    out.type = static_cast<Type>(below(3));
    if (out.type == Type::symlink) {
      out.mode = 0777;
      out.link_target = text();
      return out;
    }
    out.mode = mode();
    out.uid = id();
    out.gid = id();
    if (out.type == Type::file) {
      out.size = below(1ULL << 62);
      out.sha256 = sha256(text());
    }
    return out;
  }

  std::mt19937_64 random_;
};

}  // namespace cloister::test
