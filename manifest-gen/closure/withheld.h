// What a pattern never grants: secrets, and files that could not be used if they were granted.
#pragma once

#include <string_view>

namespace cloister::manifest {

// A private key, password file or the like, by its name. Trusted files are readable by the host:
// granting one protects nothing, and it rarely belongs into an image at all.
bool looks_secret(std::string_view path);

// The same, or a certificate: what is mounted into containers rather than built into images.
bool looks_like_credential(std::string_view path);

// Files whose bytes at run time are not the image's (container runtimes mount over /etc/hosts,
// /etc/resolv.conf and /etc/hostname), or that Gramine makes useless (Python byte code: its
// timestamp is never right).
bool is_never_valid(std::string_view path);

// Those of them that are the image's own where no container runtime puts its file over them: worth
// a grant when a library asks for just this file.
bool is_mounted_over(std::string_view path);

}  // namespace cloister::manifest
