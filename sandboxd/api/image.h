/* image: what every session has: the runtime, the kernel and the packages.
 *
 * The zygote says it once, when its imports are done, and the broker passes it on unread. One thing
 * in each line, its parts between tabs, printable ASCII:
 *
 *     runtime NAME VERSION
 *     kernel NAME VERSION URL DESCRIPTION     once; the last two may be empty
 *     package NAME VERSION                    in the order in which they are shown
 *
 * Fuzzed.
 */
#pragma once

#include <stddef.h>

#include "base/core/error.h"
#include "base/json/wire.h"
#include "sandboxd/control/frame.h"

enum { IMAGE_BYTES_MAX = FRAME_PAYLOAD_MAX };

/* Strings are owned, all in `text`. */
struct image {
    char *text; /* NULL: not known yet */
    struct wire_component *runtimes;
    size_t runtime_count;
    struct wire_component *packages;
    size_t package_count;
    struct wire_kernel kernel;
};

/* ERROR_INVALID for what a zygote does not say, ERROR_LIMIT beyond IMAGE_BYTES_MAX. */
int image_read(const void *data, size_t length, struct image *ret_image, struct error *err);
void image_clear(struct image *image);
