/* prompt: what a model is told before it is asked. Pure but for reading the start of a file. */
#pragma once

#include <stdbool.h>

#include "base/core/buf.h"
#include "base/core/error.h"

struct prompt_options {
    bool network_is_open;
    bool has_download;       /* the tool download_file is offered */
    const char *python_tool; /* its name */
};

/* The system message. The same options give the same bytes. */
void prompt_write_system(const struct prompt_options *options, struct buf *out);

/* Appends what a file is: its name in the session, its size, and of text the first lines, fenced.
 * ERROR_MISSING and others: it cannot be read. */
int prompt_describe_file(const char *path, const char *name, struct buf *out, struct error *err);
