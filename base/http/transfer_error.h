// What a failed transfer means: libcurl's code as an Error that names the host and the cause.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "base/http/client.h"

namespace cloister::http {

struct FailedTransfer {
  CURLcode code;
  CURL* easy;             // for the facts libcurl noted on the way
  std::string_view text;  // CURLOPT_ERRORBUFFER, may be empty
  const Url& url;
};

Error transfer_error(const FailedTransfer& failed, const Options& options);

}  // namespace cloister::http
