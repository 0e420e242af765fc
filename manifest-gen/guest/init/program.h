// The program: started with its rights and no others, looked after until it ends.
#pragma once

#include "manifest-gen/guest/init/guest.h"

// Starts it, passes signals on, reaps what it leaves behind; reports how it ended, and powers off.
_Noreturn void run_program(const struct guest* guest);
