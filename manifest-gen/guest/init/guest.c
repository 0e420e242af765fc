#include "manifest-gen/guest/init/guest.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest-gen/guest/init/document.h"
#include "manifest-gen/guest/init/report.h"

static char* read_text(const char* path) {
  struct stat status;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) < 0) refuse_errno("reading", path);
  char* text = malloc((size_t)status.st_size + 1);
  if (text == NULL) refuse("not enough memory for %s", path);
  size_t used = 0;
  while (used < (size_t)status.st_size) {
    const ssize_t got = read(fd, text + used, (size_t)status.st_size - used);
    if (got <= 0) refuse_errno("reading", path);
    used += (size_t)got;
  }
  close(fd);
  text[used] = '\0';
  if (strlen(text) != used) refuse("%s holds a NUL", path);
  return text;
}

// Room for one more at `count`, which doubles whenever it is full.
static void* grow(void* items, size_t count, size_t item_size) {
  if (count != 0 && (count & (count - 1)) != 0) return items;
  const size_t room = count == 0 ? 1 : count * 2;
  void* out = realloc(items, room * item_size);
  if (out == NULL) refuse("not enough memory for the guest document");
  return out;
}

static unsigned long long number(const struct line* line, size_t field, unsigned base,
                                 unsigned long long max) {
  unsigned long long out = 0;
  if (field >= line->count || !parse_number(line->fields[field], base, max, &out))
    refuse("the guest document has a wrong number in a line '%s'", line->key);
  return out;
}

static void want_fields(const struct line* line, size_t count) {
  if (line->count != count)
    refuse("the guest document has %zu fields in a line '%s'", line->count, line->key);
}

static char* only_field(const struct line* line) {
  want_fields(line, 1);
  return line->fields[0];
}

struct words {
  char** items;
  size_t count;
};

static void add_word(struct words* words, char* word) {
  words->items = grow(words->items, words->count, sizeof *words->items);
  words->items[words->count++] = word;
}

static struct listed listed_of(const struct line* line) {
  struct listed out = {.path = line->fields[0]};
  if (strcmp(line->key, "link") == 0) {
    want_fields(line, 2);
    out.type = kListedLink;
    out.target = line->fields[1];
    return out;
  }
  const bool file = strcmp(line->key, "file") == 0;
  want_fields(line, file ? 6 : 4);
  out.type = file ? kListedFile : kListedDirectory;
  out.mode = (mode_t)number(line, 1, 8, 07777);
  out.uid = (uid_t)number(line, 2, 10, UINT_MAX - 1);
  out.gid = (gid_t)number(line, 3, 10, UINT_MAX - 1);
  if (file) out.size = number(line, 4, 10, LLONG_MAX);
  return out;
}

static struct place place_of(const struct line* line) {
  want_fields(line, 4);
  return (struct place){line->fields[0], (mode_t)number(line, 1, 8, 07777),
                        (uid_t)number(line, 2, 10, UINT_MAX - 1),
                        (gid_t)number(line, 3, 10, UINT_MAX - 1)};
}

struct reader {
  struct guest guest;
  struct words argv, env;
  bool ended;
};

// What has one value.
static bool take_single(struct reader* in, const struct line* line) {
  struct guest* out = &in->guest;
  if (strcmp(line->key, "program") == 0) {
    out->program = only_field(line);
  } else if (strcmp(line->key, "workdir") == 0) {
    out->workdir = only_field(line);
  } else if (strcmp(line->key, "hostname") == 0) {
    out->hostname = only_field(line);
  } else if (strcmp(line->key, "network") == 0) {
    out->network = strcmp(only_field(line), "none") != 0;
  } else if (strcmp(line->key, "stop") == 0) {
    want_fields(line, 1);
    out->stop_signal = (int)number(line, 0, 10, 64);
  } else if (strcmp(line->key, "earliest") == 0) {
    want_fields(line, 1);
    out->earliest = (long long)number(line, 0, 10, LLONG_MAX);
  } else if (strcmp(line->key, "user") == 0) {
    want_fields(line, 2);
    out->uid = (uid_t)number(line, 0, 10, UINT_MAX - 1);
    out->gid = (gid_t)number(line, 1, 10, UINT_MAX - 1);
  } else if (strcmp(line->key, "disk") == 0) {
    want_fields(line, 3);
    out->disk =
        (struct disk){line->fields[0], number(line, 1, 10, LLONG_MAX), number(line, 2, 10, LLONG_MAX)};
  } else {
    return false;
  }
  return true;
}

// What may come more than once.
static bool take_repeated(struct reader* in, const struct line* line) {
  struct guest* out = &in->guest;
  if (strcmp(line->key, "argv") == 0) {
    add_word(&in->argv, only_field(line));
  } else if (strcmp(line->key, "env") == 0) {
    add_word(&in->env, only_field(line));
  } else if (strcmp(line->key, "group") == 0) {
    want_fields(line, 1);
    out->groups = grow(out->groups, out->group_count, sizeof *out->groups);
    out->groups[out->group_count++] = (gid_t)number(line, 0, 10, UINT_MAX - 1);
  } else if (strcmp(line->key, "module") == 0) {
    out->modules = grow(out->modules, out->module_count, sizeof *out->modules);
    out->modules[out->module_count++] = only_field(line);
  } else if (strcmp(line->key, "writable") == 0) {
    out->writable = grow(out->writable, out->writable_count, sizeof *out->writable);
    out->writable[out->writable_count++] = place_of(line);
  } else if (strcmp(line->key, "directory") == 0 || strcmp(line->key, "file") == 0 ||
             strcmp(line->key, "link") == 0) {
    out->list = grow(out->list, out->list_count, sizeof *out->list);
    out->list[out->list_count++] = listed_of(line);
  } else {
    return false;
  }
  return true;
}

// The last line counts the list: a document that lost its tail is none.
static void take(struct reader* in, const struct line* line) {
  if (in->ended) refuse("the guest document goes on after its end");
  if (strcmp(line->key, "end") == 0) {
    want_fields(line, 1);
    if (number(line, 0, 10, LLONG_MAX) != in->guest.list_count)
      refuse("the guest document lists %zu names, and says otherwise", in->guest.list_count);
    in->ended = true;
    return;
  }
  if (strcmp(line->key, "port") == 0 || strcmp(line->key, "kernel") == 0) return;  // for the host
  if (!take_single(in, line) && !take_repeated(in, line))
    refuse("the guest document has an unknown line '%s'", line->key);
}

struct guest read_guest(const char* path) {
  struct reader in = {.guest = {.workdir = "/", .hostname = "localhost", .stop_signal = 15}};
  char* text = read_text(path);
  struct line line;
  bool bad = false;
  if (!next_line(&text, &line, &bad) || strcmp(line.key, "cloister-guest") != 0 ||
      line.count != 1 || strcmp(line.fields[0], "1") != 0)
    refuse("%s is no guest document of version 1", path);
  while (next_line(&text, &line, &bad)) take(&in, &line);
  if (bad || !in.ended) refuse("the guest document is incomplete or damaged");
  if (in.guest.program == NULL || in.argv.count == 0) refuse("the guest document names no program");
  add_word(&in.argv, NULL);
  add_word(&in.env, NULL);
  in.guest.argv = in.argv.items;
  in.guest.env = in.env.items;
  return in.guest;
}
