// rpm's database: rpmdb.sqlite, whose table Packages holds one rpm header per package.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "manifest-gen/packages/package.h"

namespace cloister::manifest {

// One header as the database stores it: without magic. `corrupt` when its index does not fit.
Result<Package> parse_rpm_header(ByteView header, const Limits& limits);

// All of them, keys (gpg-pubkey) left out.
Result<std::vector<Package>> parse_rpm_database(ByteView database, const Limits& limits);

}  // namespace cloister::manifest
