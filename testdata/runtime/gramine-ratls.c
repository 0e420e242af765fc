// Stands in for gramine-ratls: writes two files and runs the rest of its arguments, as that does.
// What it writes is no certificate.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int leave(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

int main(int argc, char** argv) {
  int next = 3;
  if (argc < 3 || !leave(argv[1], "stand-in certificate\n") || !leave(argv[2], "stand-in key\n"))
    return 2;
  if (next < argc && strcmp(argv[next], "--") == 0) ++next;
  if (next >= argc) return 0;
  execvp(argv[next], argv + next);
  perror("execvp");
  return 1;
}
