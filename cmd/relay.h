// Passes bytes between a plain connection and a TLS connection, both ways, until both have ended.
#pragma once

#include <functional>

#include "base/net/tls_connection.h"

namespace cloister::cmd {

// `still_good` is asked now and then; its error ends the relay. An end that is none (a broken
// connection, TLS without close_notify) is passed on as one: the client's connection is reset, so
// that nobody takes half an answer for a whole one. Errors: `cancelled`, what broke, what
// `still_good` says.
Status relay(Fd client, net::TlsConnection server, const std::function<Status()>& still_good,
             CancelToken cancel);

}  // namespace cloister::cmd
