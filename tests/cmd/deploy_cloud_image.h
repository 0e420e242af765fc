// An image as a cloud's launcher is told of it, and names that no text should trip over.
#pragma once

#include <string>

#include "base/text.h"
#include "cmd/deploy/cloud_image.h"

namespace cloister::cmd::test {

// Quotes of every kind, ends of strings, lines and comments, escapes, controls, what turns text
// around, and what lies beyond 16 bits.
inline constexpr const char* kHostile =
    "\"] == \"\" || true //\n'''`${HOME}\\u0041\x1b[31m\x7f\xc2\x85\xe2\x80\xae\xe2\x80\xa8"
    "\xf0\x9f\x94\x92\xf3\xa0\x81\x81";

inline CloudImage cloud_redis() {
  CloudImage out;
  out.digest = cat("sha256:", std::string(64, 'a'));
  out.reference = cat("reg.example/team/redis@", out.digest);
  out.name = "redis";
  out.command = {"redis-server", "/etc/redis.conf"};
  out.env = {{"PATH", "/usr/bin:/bin"}, {"TZ", "UTC"}};
  out.user = "999";
  out.workdir = "/data";
  out.volumes = {"/data"};
  out.ports = {{6379, "tcp"}};
  out.layers = 2;
  return out;
}

}  // namespace cloister::cmd::test
