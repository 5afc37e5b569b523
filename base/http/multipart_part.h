/* multipart_part: the headers of one part, taken apart. Used by multipart only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

/* What a part's headers said. Strings are owned; free with part_headers_clear. */
struct part_headers {
    bool has_disposition;
    char *name;     /* NULL where absent */
    char *filename; /* NULL where absent */
    bool has_extended_filename;
};
void part_headers_clear(struct part_headers *headers);

/* Takes one header line, without its line end, into account. */
int part_headers_read(struct part_headers *headers, const char *line, size_t length,
                      struct error *err);

/* The boundary of a request's Content-Type, checked: it has no line ends. returned */
int multipart_read_boundary(const char *content_type, char **ret_boundary, struct error *err);
