// A digest of a file's content, for the two programs that list one tree: guest_disk.cc what was
// written, guest_disk_init.c what a kernel reads. FNV-1a, which is enough against accidents: the
// bytes that guest_disk.sh changes are not chosen to collide.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LISTING_SEED 0xcbf29ce484222325ULL

static inline uint64_t listing_digest(uint64_t digest, const void* bytes, size_t size) {
  const unsigned char* at = (const unsigned char*)bytes;
  for (size_t i = 0; i < size; ++i) digest = (digest ^ at[i]) * 0x100000001b3ULL;
  return digest;
}
