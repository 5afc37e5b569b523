/* listing: a session's files as a table for people. */
#pragma once

#include "base/core/buf.h"
#include "base/json/wire.h"

/* Sorts the files by path and appends the table to out (nothing for no files). Names are hostile
 * bytes: they come out escaped. Directories end in "/". */
void listing_format(struct wire_file_list *list, struct buf *out);
