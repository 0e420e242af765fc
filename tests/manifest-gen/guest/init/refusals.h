// read_guest() for tests: what the first process refuses is an answer here, and not the end of the
// machine. Not thread-safe.
#pragma once

#include <stdbool.h>

#include "manifest-gen/guest/init/guest.h"

#ifdef __cplusplus
extern "C" {
#endif

// False when it refused; the reason is refusal() until the next call.
bool read_guest_or_refuse(const char* path, struct guest* out);
const char* refusal(void);
// Gives back what all guests that were read consist of.
void forget_guests(void);

#ifdef __cplusplus
}
#endif
