/* multipart: a streaming multipart/form-data parser (RFC 7578, and what real clients send).
 *
 * Quoted and bare boundaries, names and filenames; part headers in any case; filename*=utf-8''...
 * (RFC 5987) wins over filename; raw UTF-8 and %22 and backslash escapes inside quoted filenames; a
 * preamble; parts without Content-Type; empty parts. Memory is bounded: header bytes per part and
 * one buffer of a boundary's length. Fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

enum {
    MULTIPART_BOUNDARY_MAX = 70,           /* RFC 2046 */
    MULTIPART_PARTS_MAX = 16,              /* our limit */
    MULTIPART_HEADER_BYTES_MAX = 8 * 1024, /* per part, our limit */
};

struct multipart_part {
    const char *name;     /* UTF-8, "" where absent */
    const char *filename; /* UTF-8, NULL where absent; may hold slashes: the caller judges it */
};

/* Each returns 0 to go on or -1 with *err set to stop: multipart_feed then returns the same. */
struct multipart_handler {
    void *self;
    int (*on_part)(void *self, const struct multipart_part *part, struct error *err);
    int (*on_data)(void *self, const char *data, size_t length, struct error *err);
    int (*on_part_end)(void *self, struct error *err);
};

struct multipart;

/* content_type is the request's header, NULL where absent. ERROR_INVALID when it is not
 * multipart/form-data with a usable boundary. returned */
int multipart_create(const char *content_type, const struct multipart_handler *handler,
                     struct multipart **ret_multipart, struct error *err);
void multipart_destroy(struct multipart *multipart);

/* Any piece of the body, of any size. ERROR_INVALID: malformed; ERROR_LIMIT: one of the limits
 * above. After an error every further call returns an error. */
int multipart_feed(struct multipart *multipart, const char *data, size_t length, struct error *err);
/* The body is over. ERROR_INVALID when the closing boundary never came. */
int multipart_finish(struct multipart *multipart, struct error *err);
