/* markdown: a model's answer as text for a terminal, block by block while it arrives (md4c,
 * CommonMark with tables and strike-through).
 *
 * A model's text is hostile: control and formatting characters come out spelled out (terminal.h),
 * raw HTML is shown as it is written, and a link shows where it leads. Only attributes that end
 * with their line's text are used: no cursor movement, no hyperlink sequences.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/core/buf.h"

/* A block longer than this is shown as it is written: the parser's time grows faster than its
 * input (ours). */
enum { MARKDOWN_BLOCK_BYTES_MAX = 64 * 1024 };

/* Appends the whole text. with_colours: bold, italic, dim and colours as escape sequences (ECMA-48
 * SGR); else none. out's limit must be 0. */
void markdown_render(const char *text, size_t length, bool with_colours, struct buf *out);

/* Text that arrives in pieces. Zeroed but for with_colours is the start. */
struct markdown_stream {
    bool with_colours;
    bool in_fence;
    bool has_shown; /* a block has been appended: the next one begins after a blank line */
    struct buf block;
    size_t looked; /* bytes of the block that hold whole lines which have been looked at */
};
/* Appends the blocks that the piece completes. The same text gives the same bytes however it is
 * cut. */
void markdown_feed(struct markdown_stream *stream, const char *text, size_t length,
                   struct buf *out);
/* Appends what is left; the stream is then at its start again. */
void markdown_finish(struct markdown_stream *stream, struct buf *out);
