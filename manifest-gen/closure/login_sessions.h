// What a server such as sshd opens for the users that log in: their shells, and what those read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest-gen/closure/root.h"
#include "measure/elf/facts.h"
#include "measure/rootfs/rootfs.h"

namespace cloister::manifest {

// It opens sessions (PAM) and starts the shells of users: "/bin/sh" is for those who have none.
bool opens_login_sessions(const measure::elf::Facts& program);

// `passwd` is the text of passwd(5); `program` asks. All optional.
std::vector<ClosureRoot> login_sessions(std::string_view passwd, const measure::Rootfs& rootfs,
                                        const std::string& program);

}  // namespace cloister::manifest
