// The guest document: what to run, as whom, with which places to write to, and the list of what the
// root holds. It lies in the initramfs and is measured with it, so it is believed; written by
// manifest-gen/guest/guest_document.h, which describes it.
//
// A line is a key and its fields, each after one space. In a field the bytes up to 0x20, 0x7f, and
// the backslash stand as a backslash and three octal digits, as in /proc/mounts.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { kMaxFields = 8 };

struct line {
  char* key;
  char* fields[kMaxFields];  // unescaped in place; none holds a NUL
  size_t count;
};

// Takes the next line from *text (a NUL-terminated text that is changed) and moves *text behind it.
// False at the end; `bad` is set when the line is malformed.
bool next_line(char** text, struct line* out, bool* bad);

// A number without sign, all of the text; false otherwise, and above `max`.
bool parse_number(const char* text, unsigned base, unsigned long long max, unsigned long long* out);
