#include "refusals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest-gen/guest/init/report.h"

static jmp_buf stopped;
static char reason[1024];

void refuse(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  longjmp(stopped, 1);
}

void refuse_errno(const char* what, const char* name) {
  refuse("%s %s: %s", what, name, strerror(errno));
}

const char* refusal(void) {
  return reason;
}

bool read_guest_or_refuse(const char* path, struct guest* out) {
  if (setjmp(stopped) != 0) return false;
  *out = read_guest(path);
  return true;
}

// --- Memory, in a list

struct block {
  struct block *next, *before;
  max_align_t bytes[];
};
static struct block all = {&all, &all};

void* guest_realloc(void* bytes, size_t size) {
  struct block* old =
      bytes == NULL ? NULL : (struct block*)((char*)bytes - offsetof(struct block, bytes));
  struct block* out = realloc(old, sizeof *out + size);
  if (out == NULL) return NULL;
  if (old == NULL) {
    out->next = all.next;
    out->before = &all;
  }
  out->next->before = out;
  out->before->next = out;
  return out->bytes;
}

void* guest_malloc(size_t size) {
  return guest_realloc(NULL, size);
}

void forget_guests(void) {
  while (all.next != &all) {
    struct block* block = all.next;
    all.next = block->next;
    free(block);
  }
  all.before = &all;
}
