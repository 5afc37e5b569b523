/* image: what a session sees of the machine, from images/NAME/image.json. Read once, by the broker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

enum { IMAGE_PATHS_MAX = 64, IMAGE_MODULES_MAX = 64 };

struct image {
    char *paths[IMAGE_PATHS_MAX]; /* shown read-only in every session */
    size_t path_count;
    char *modules[IMAGE_MODULES_MAX]; /* imported ahead, where installed */
    size_t module_count;
};
int image_load(int fd, struct image *ret_image, struct error *err);
void image_clear(struct image *image);

/* A zygote's command line: its name, the missing layers, then the modules. NULL-terminated; yours
 * to free, borrows the modules. */
const char **image_zygote_arguments(const struct image *image, bool with_modules);
