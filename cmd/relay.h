// Passes bytes between a plain connection and a TLS connection, both ways, until both have ended.
#pragma once

#include <functional>

#include "base/net/tls_connection.h"

namespace cloister::cmd {

// `still_good` is asked before each step, however much flows; its error ends the relay. An end that
// is none (a broken connection, TLS without close_notify) is an error; the caller resets the
// client's connection, so that nobody takes half an answer for a whole one. A server that takes no
// more may still have an answer: it is passed on, and how it ends decides. Errors: `cancelled`,
// what broke, what `still_good` says.
Status relay(const Fd& client, net::TlsConnection server, const std::function<Status()>& still_good,
             CancelToken cancel);

}  // namespace cloister::cmd
