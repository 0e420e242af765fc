// A registry with the referrers API (distribution-spec 1.1), which Debian's docker-registry lacks:
// in memory, without authentication, on a free port of loopback. Prints its address.
#include <chrono>
#include <cstdio>
#include <thread>

#include "tests/oci/registry/fake_registry.h"

int main() {
  cloister::oci::FakeRegistry registry;
  registry.referrers = true;
  std::printf("%s\n", registry.name().c_str());
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}
