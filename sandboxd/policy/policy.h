/* policy: policy and image files, from JSON to what the sandbox takes.
 *
 * Runs in: the broker, once, before the first frame. The files are ours and are still read
 * strictly: an unknown member, call or constant is an error that names its JSON path.
 */
#pragma once

#include "sandboxd/sandbox/seccomp.h"

/* The format: policy/README.md. */
struct policy {
    struct seccomp_rule *rules;
    size_t count;
    int default_error;
};
int policy_load(int fd, struct policy *ret_policy, struct error *err);
void policy_clear(struct policy *policy);

enum { IMAGE_PATHS_MAX = 64, IMAGE_MODULES_MAX = 64 };

struct image {
    char *paths[IMAGE_PATHS_MAX]; /* shown read-only in every session */
    size_t path_count;
    char *modules[IMAGE_MODULES_MAX]; /* imported ahead, where installed */
    size_t module_count;
};
int image_load(int fd, struct image *ret_image, struct error *err);
void image_clear(struct image *image);
