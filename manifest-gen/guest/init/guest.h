// What the guest document says, as values.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct place {
  const char* path;  // in the root
  mode_t mode;
  uid_t uid;
  gid_t gid;
};

struct listed {
  enum { kListedDirectory, kListedFile, kListedLink } type;
  const char* path;    // in the root
  const char* target;  // links
  mode_t mode;
  uid_t uid;
  gid_t gid;
  unsigned long long size;  // files: bytes
};

struct disk {
  const char* device;                          // "/dev/vda"; null: the root lies in the initramfs
  unsigned long long data_blocks, hash_start;  // of 4096 bytes
};

struct guest {
  const char* program;
  char** argv;  // both end with a null pointer
  char** env;
  uid_t uid;
  gid_t gid;
  gid_t* groups;
  size_t group_count;
  const char* workdir;
  const char* hostname;
  int stop_signal;
  bool network;
  long long earliest;  // seconds since 1970: the clock is never before that
  const char** modules;
  size_t module_count;
  struct place* writable;
  size_t writable_count;
  struct listed* list;
  size_t list_count;
  struct disk disk;
};

// Reads the document; refuses what is not exactly one. Memory is never given back: it lives as long
// as the guest.
struct guest read_guest(const char* path);
