#include "manifest-gen/guest/init/document.h"

#include <string.h>

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// Shorter or as long, so it is done where the text stands.
static bool unescape(char* text) {
  char* out = text;
  for (const char* in = text; *in != '\0'; ++in) {
    if (*in != '\\') {
      *out++ = *in;
      continue;
    }
    if (!is_octal(in[1]) || !is_octal(in[2]) || !is_octal(in[3])) return false;
    const int value = (in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0');
    if (value == 0 || value > 255) return false;
    *out++ = (char)value;
    in += 3;
  }
  *out = '\0';
  return true;
}

bool next_line(char** text, struct line* out, bool* bad) {
  char* line = *text;
  if (*line == '\0') return false;
  char* end = strchr(line, '\n');
  if (end == NULL) {  // the last line ends like the others, or something is missing
    *bad = true;
    return false;
  }
  *end = '\0';
  *text = end + 1;
  out->key = line;
  out->count = 0;
  for (char* space = strchr(line, ' '); space != NULL; space = strchr(space + 1, ' ')) {
    *space = '\0';
    if (out->count == kMaxFields) {
      *bad = true;
      return false;
    }
    out->fields[out->count++] = space + 1;
  }
  for (size_t i = 0; i < out->count; ++i)
    if (!unescape(out->fields[i])) *bad = true;
  return !*bad;
}

bool parse_number(const char* text, unsigned base, unsigned long long max,
                  unsigned long long* out) {
  unsigned long long value = 0;
  if (*text == '\0') return false;
  for (; *text != '\0'; ++text) {
    if (*text < '0' || *text >= (char)('0' + base)) return false;
    const unsigned digit = (unsigned)(*text - '0');
    if (value > (max - digit) / base) return false;
    value = value * base + digit;
  }
  if (value > max) return false;
  *out = value;
  return true;
}
