// What the guest says on its console, and how it ends. Every line begins with "cloister-guest: ",
// so that it is told from the program's own output.
#pragma once

// One line: printf's format.
void report(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Says why nothing is run, and powers off. Never returns.
_Noreturn void refuse(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Writes what is left to be written, and powers the machine off; without power management it halts.
_Noreturn void power_off(void);

// refuse() with the text of errno.
_Noreturn void refuse_errno(const char* what, const char* name);
