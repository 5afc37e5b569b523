/* inventory: the files of a session at one moment, and what became of them at another. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json/wire.h"

struct inventory_file {
    char *path; /* below the data directory */
    uint64_t bytes;
    int64_t modified_s;
    int64_t modified_ns;
};

/* Sorted by path. Zeroed is empty. */
struct inventory {
    struct inventory_file *files;
    size_t count;
};
void inventory_clear(struct inventory *inventory);
#define AUTO_INVENTORY __attribute__((cleanup(inventory_clear)))

/* Replaces what is in it. Directories are left out, and so are paths that no listing of regular
 * files has (with "." or ".." as a part). */
void inventory_read(struct inventory *inventory, const struct wire_file_list *list);
/* NULL: it is not there. */
const struct inventory_file *inventory_find(const struct inventory *inventory, const char *path);
/* Whether a file of the later inventory is new or has changed since the earlier one. */
bool inventory_is_news(const struct inventory *earlier, const struct inventory_file *file);
