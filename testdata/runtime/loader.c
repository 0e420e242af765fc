/* Stand-in for Gramine's untrusted SGX loader: same place, same way of linking (a PIE that needs
 * libprotobuf-c and libc), same arguments (LIBPAL init APPLICATION). It starts no enclave: it only
 * reports what the real one would have opened. */
#include <stdio.h>
#include <string.h>

const char* protobuf_c_version(void);

static int report(const char* what, const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    printf("  %-9s %s: cannot be opened\n", what, path);
    return 1;
  }
  long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  fclose(file);
  printf("  %-9s %s: %ld bytes\n", what, path, size);
  return 0;
}

int main(int argc, char** argv) {
  char path[4096];
  int missing = 0;
  if (argc < 4 || strcmp(argv[2], "init") != 0) {
    fprintf(stderr, "usage: loader LIBPAL init APPLICATION [ARG...]\n");
    return 2;
  }
  printf("stand-in for Gramine's loader (libprotobuf-c %s): would start", protobuf_c_version());
  for (int i = 3; i < argc; ++i) printf(" %s", argv[i]);
  printf("\n");
  missing += report("libpal", argv[1]);
  snprintf(path, sizeof path, "%s.manifest.sgx", argv[3]);
  missing += report("manifest", path);
  snprintf(path, sizeof path, "%s.sig", argv[3]);
  missing += report("sigstruct", path);
  return missing == 0 ? 0 : 1;
}
