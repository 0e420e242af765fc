#include "manifest-gen/guest/init/kernel_command_line.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool find_option(const char* text, const char* name, char* out, size_t size) {
  const size_t length = strlen(name);
  bool found = false;
  for (const char* word = text; *word != '\0';) {
    const size_t word_size = strcspn(word, " \n");
    if (word_size > length && strncmp(word, name, length) == 0 && word[length] == '=') {
      const size_t value_size = word_size - length - 1;
      found = value_size < size;
      if (found) {
        memcpy(out, word + length + 1, value_size);
        out[value_size] = '\0';
      }
    }
    word += word_size;
    word += strspn(word, " \n");
  }
  return found;
}

bool kernel_option(const char* name, char* out, size_t size) {
  char text[4096];
  const int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got < 0) return false;
  text[got] = '\0';
  return find_option(text, name, out, size);
}
