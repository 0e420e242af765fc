// The rows of one table of an SQLite 3 database file, without SQLite.
#pragma once

#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace cloister::manifest {

// Calls `row` with the first BLOB column of each row of the ordinary table `name`, in the order of
// the row ids. `corrupt` when a page, cell or record does not fit the format; `limit` beyond
// limits.packages rows; `unresolved` when there is no such table. Time is linear in the file: each
// page is visited once.
Status read_sqlite_blobs(ByteView database, std::string_view name, const Limits& limits,
                         const std::function<Status(ByteView blob)>& row);

}  // namespace cloister::manifest
