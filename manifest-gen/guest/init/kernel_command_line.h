// What the kernel was started with: measured, like the initramfs.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The value of the last NAME=VALUE among the words of `text`. False when there is none, or it does
// not fit.
bool find_option(const char* text, const char* name, char* out, size_t size);

// The same of /proc/cmdline.
bool kernel_option(const char* name, char* out, size_t size);
