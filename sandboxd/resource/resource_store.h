/* resource_store: pools that were made at run time, kept in the state directory.
 *
 * One file for each, "pool-GUID.json", replaced whole. A file that cannot be read is named in the
 * log and left alone; the others load.
 */
#pragma once

#include "sandboxd/resource/pool_resource.h"

enum {
    RESOURCE_FILE_MAX = 64,      /* bytes of a file's name */
    RESOURCE_FILES_MAX = 1024,   /* looked at */
    RESOURCE_STORE_NOTHING = -1, /* instead of a directory: nothing is kept */
};

/* file is the name that an earlier call or the loading gave; where it is "" it receives a new one.
 */
int resource_store_save(int directory_fd, const struct pool_resource *resource,
                        char file[RESOURCE_FILE_MAX], struct error *err);
/* A file that is not there is removed already. */
int resource_store_remove(int directory_fd, const char *file, struct error *err);

/* Calls on_pool for each; it takes the resource. ERROR_SYSTEM when the directory cannot be read. */
int resource_store_load(int directory_fd,
                        void (*on_pool)(void *self, struct pool_resource *resource,
                                        const char *file),
                        void *self, struct error *err);
