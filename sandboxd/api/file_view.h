/* file_view: entries of a session's data directory on their way into an answer. */
#pragma once

#include <stdbool.h>

#include "base/json/wire.h"
#include "sandboxd/api/dialect.h"
#include "sandboxd/payload/payload.h"

enum {
    /* Most entries and bytes of names in one listing (our limits; the default data directory has at
     * most 20,000 files). */
    FILE_VIEW_ENTRIES_MAX = 200000,
    FILE_VIEW_BYTES_MAX = 16 * 1024 * 1024,
};

struct file_view_entry {
    char *path; /* any bytes but NUL */
    enum file_kind kind;
    uint64_t size_bytes;
    int64_t modified_s;
    uint32_t modified_ns;
};

struct file_view {
    struct file_view_entry *entries;
    size_t count;
    size_t capacity;
    size_t bytes;
    bool too_large; /* entries were dropped */
};

/* What is neither file nor directory is left out, as are uploads that have no name yet. */
void file_view_add(struct file_view *view, const struct file_entry_message *entry);
void file_view_clear(struct file_view *view);
/* Sorts by path and describes each entry; `base` is the directory that was listed. Directories are
 * left out before generation 2, which brought a word for them. */
void file_view_describe(struct file_view *view, const char *base, enum wire_generation generation,
                        struct wire_file_list *ret_list);
/* One entry by itself. The wire_file is to be cleared. */
void file_view_describe_one(const struct file_view_entry *entry, const char *base,
                            enum wire_generation generation, struct wire_file *ret_file);
