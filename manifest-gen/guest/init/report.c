#include "manifest-gen/guest/init/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

// One write: lines of several processes do not mix.
static void say(const char* prefix, const char* format, va_list arguments) {
  char line[1024];
  int used = snprintf(line, sizeof line, "cloister-guest: %s", prefix);
  const int room = (int)sizeof line - used - 1;  // for the newline
  const int wanted = vsnprintf(line + used, (size_t)room, format, arguments);
  used += wanted < room ? wanted : room - 1;
  // What is named may come from the image: no control sequences for the host's terminal.
  for (int i = 0; i < used; ++i)
    if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = '?';
  line[used++] = '\n';
  if (write(STDERR_FILENO, line, (size_t)used) < 0) return;  // there is nobody else to tell
}

void report(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say("", format, arguments);
  va_end(arguments);
}

void power_off(void) {
  sync();
  reboot(RB_POWER_OFF);
  reboot(RB_HALT_SYSTEM);
  for (;;) pause();
}

void refuse(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  say("refused: ", format, arguments);
  va_end(arguments);
  power_off();
}

void refuse_errno(const char* what, const char* name) {
  refuse("%s %s: %s", what, name, strerror(errno));
}
