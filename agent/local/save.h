/* save: local files that appear complete or not at all.
 *
 * Bytes go to a hidden file beside the target, which gets its name in one step at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

/* Zeroed is nothing under way. */
struct save {
    bool active;
    bool replaces;
    int directory_fd;
    int fd;
    char *name;
    char *temporary;
};

/* ERROR_CONFLICT: the path exists and `replaces` is false. */
int save_begin(struct save *save, const char *path, bool replaces, struct error *err);
int save_write(struct save *save, const char *data, size_t length, struct error *err);
/* Gives the file its name. ERROR_CONFLICT as above, when it came to be meanwhile. Nothing is left
 * under way, whether it worked or not. */
int save_commit(struct save *save, struct error *err);
/* Leaves nothing behind. Harmless when nothing is under way. */
void save_abort(struct save *save);

/* The last part of a path that may come from elsewhere, borrowed from it; NULL when it cannot be
 * the name of a local file ("", ".", ".."). */
const char *save_base_name(const char *path);
