/* document: one policy file while it is read, and messages that say where in it they are. */
#pragma once

#include <jansson.h>

#include "base/core/error.h"

struct document {
    const char *label; /* borrowed; names the file in messages */
    const char *text;  /* borrowed */
    size_t length;
    json_t *json;
};

/* ERROR_INVALID with "LABEL:LINE:COLUMN: ...". */
int document_parse(const char *label, const char *text, size_t length,
                   struct document *ret_document, struct error *err);
void document_clear(struct document *document);
#define AUTO_DOCUMENT __attribute__((cleanup(document_clear)))

/* "calls[3].why: must be a string" becomes "LABEL:17: calls[3].why: must be a string". Returns -1.
 */
int document_locate(const struct document *document, struct error *err);

/* The word among those of `next` (which is called until it says NULL) that somebody may have meant
 * who wrote `text`, into ret_text as "; did you mean \"open\"?", or "" where none is like it. */
enum { DOCUMENT_HINT_MAX = 80 };
void document_hint(const char *text, const char *(*next)(size_t index),
                   char ret_text[DOCUMENT_HINT_MAX]);
