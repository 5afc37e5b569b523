#include "agent/screen/markdown.h"

#include <md4c.h>
#include <stdlib.h>
#include <string.h>

#include "agent/screen/table.h"
#include "agent/screen/terminal.h"
#include "base/core/cleanup.h"

enum { DEPTH_MAX = 16 }; /* of quotes and lists; deeper ones look like the last */

/* Attributes that may be on at the same time. */
enum style { STYLE_BOLD, STYLE_ITALIC, STYLE_STRUCK, STYLE_CODE, STYLE_DIM, STYLES };

static const char *const style_codes[] = {
    [STYLE_BOLD] = "1",  [STYLE_ITALIC] = "3", [STYLE_STRUCK] = "9",
    [STYLE_CODE] = "36", [STYLE_DIM] = "2",
};

/* A quote or a list that encloses what is being written. */
struct container {
    const char *prefix; /* of each of its lines */
    bool is_ordered;
    unsigned number;
};

struct render {
    struct buf *out;
    bool with_colours;
    unsigned styles[STYLES];
    struct container containers[DEPTH_MAX];
    unsigned depth;
    bool at_line_start;
    bool needs_gap;     /* a block has ended at the top: a blank line goes before the next */
    const char *marker; /* of the list item whose first line is to come */
    char marker_text[16];
    bool in_table, in_code_block;
    struct table table;
    struct buf cell;
    struct buf link; /* where the link that is open leads */
    size_t link_start;
};

/* ---- writing ---- */

static struct buf *target(struct render *render)
{
    return render->in_table ? &render->cell : render->out;
}

static void write_prefix(struct render *render)
{
    for (unsigned i = 0; i < render->depth; i++) {
        bool is_last = i + 1 == render->depth;
        const char *marker = is_last ? render->marker : NULL;
        buf_append_text(render->out, marker ? marker : render->containers[i].prefix);
    }
    render->marker = NULL;
    render->at_line_start = false;
}

static void write_safe(struct render *render, const char *text, size_t length)
{
    if (length == 0)
        return;
    if (render->at_line_start && !render->in_table)
        write_prefix(render);
    terminal_escape(target(render), text, length, render->in_table ? TERMINAL_LINE : TERMINAL_TEXT,
                    true);
}

static void end_line(struct render *render)
{
    if (render->at_line_start)
        return;
    buf_append_text(render->out, "\n");
    render->at_line_start = true;
}

/* A sequence that turns everything off, and one that turns on what is still wanted. */
static void write_styles(struct render *render)
{
    if (!render->with_colours || render->in_table)
        return;
    buf_append_text(render->out, "\x1b[0");
    for (int i = 0; i < STYLES; i++) {
        if (render->styles[i])
            buf_printf(render->out, ";%s", style_codes[i]);
    }
    buf_append_text(render->out, "m");
}

static void change_style(struct render *render, enum style style, bool on)
{
    if (on && render->at_line_start && !render->in_table)
        write_prefix(render);
    render->styles[style] += on ? 1 : -1U;
    write_styles(render);
}

/* Lines of code keep their blanks. */
static void write_lines(struct render *render, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;
        write_safe(render, text, line);
        if (!end)
            return;
        if (render->at_line_start)
            write_prefix(render);
        end_line(render);
        text = end + 1;
        length -= line + 1;
    }
}

/* ---- blocks ---- */

static void begin_block(struct render *render)
{
    end_line(render);
    if (render->needs_gap && render->depth == 0)
        buf_append_text(render->out, "\n");
    render->needs_gap = false;
}

static void end_block(struct render *render)
{
    end_line(render);
    render->needs_gap |= render->depth == 0;
}

static void push(struct render *render, const char *prefix, bool is_ordered, unsigned number)
{
    begin_block(render);
    if (render->depth < DEPTH_MAX)
        render->containers[render->depth++] = (struct container){prefix, is_ordered, number};
}

static void pop(struct render *render)
{
    end_line(render);
    if (render->depth > 0)
        render->depth--;
    render->needs_gap |= render->depth == 0;
}

static void begin_item(struct render *render)
{
    end_line(render);
    struct container *list = &render->containers[render->depth ? render->depth - 1 : 0];
    if (list->is_ordered)
        snprintf(render->marker_text, sizeof render->marker_text, "%2u. ", list->number++);
    else
        snprintf(render->marker_text, sizeof render->marker_text, "  \u2022 ");
    render->marker = render->marker_text;
}

static void write_rule(struct render *render)
{
    enum { RULE_CHARACTERS = 40 };
    begin_block(render);
    write_prefix(render);
    for (int i = 0; i < RULE_CHARACTERS; i++)
        buf_append_text(render->out, "\u2500");
    end_block(render);
}

static void end_table(struct render *render)
{
    AUTO_BUF struct buf text = {0};
    render->in_table = false;
    table_format(&render->table, &text);
    write_lines(render, text.data ? text.data : "", text.length);
    table_clear(&render->table);
    end_block(render);
}

static int on_block_start(MD_BLOCKTYPE type, void *detail, void *self)
{
    struct render *render = self;
    switch (type) {
    case MD_BLOCK_QUOTE:
        push(render, "\u2502 ", false, 0);
        break;
    case MD_BLOCK_UL:
        push(render, "    ", false, 0);
        break;
    case MD_BLOCK_OL:
        push(render, "    ", true, ((MD_BLOCK_OL_DETAIL *)detail)->start);
        break;
    case MD_BLOCK_LI:
        begin_item(render);
        break;
    case MD_BLOCK_HR:
        write_rule(render);
        break;
    case MD_BLOCK_H:
        begin_block(render);
        change_style(render, STYLE_BOLD, true);
        break;
    case MD_BLOCK_CODE:
        push(render, "    ", false, 0);
        render->in_code_block = true;
        change_style(render, STYLE_CODE, true);
        break;
    case MD_BLOCK_TABLE:
        begin_block(render);
        render->in_table = true;
        break;
    case MD_BLOCK_P:
    case MD_BLOCK_HTML:
        begin_block(render);
        break;
    default:
        break;
    }
    return 0;
}

static int on_block_end(MD_BLOCKTYPE type, void *detail, void *self)
{
    (void)detail;
    struct render *render = self;
    switch (type) {
    case MD_BLOCK_QUOTE:
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        pop(render);
        break;
    case MD_BLOCK_H:
        change_style(render, STYLE_BOLD, false);
        end_block(render);
        break;
    case MD_BLOCK_CODE:
        render->in_code_block = false;
        change_style(render, STYLE_CODE, false);
        pop(render);
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        table_add_cell(&render->table, render->cell.data ? render->cell.data : "");
        buf_clear(&render->cell);
        break;
    case MD_BLOCK_TR:
        table_end_row(&render->table);
        break;
    case MD_BLOCK_TABLE:
        end_table(render);
        break;
    case MD_BLOCK_P:
    case MD_BLOCK_HTML:
        end_block(render);
        break;
    default:
        break;
    }
    return 0;
}

/* ---- spans and text ---- */

static void begin_link(struct render *render, const MD_ATTRIBUTE *where)
{
    buf_clear(&render->link);
    buf_append(&render->link, where->text, where->size);
    render->link_start = target(render)->length;
}

/* Where it leads is said, unless its text says just that. */
static void end_link(struct render *render)
{
    struct buf *out = target(render);
    size_t shown = out->length - render->link_start;
    size_t length = render->link.length;
    bool says_it = shown >= length && length > 0 &&
                   memcmp(out->data + out->length - length, render->link.data, length) == 0;
    if (says_it || length == 0)
        return;
    write_safe(render, " (", 2);
    terminal_escape(out, render->link.data, length, TERMINAL_LINE, true);
    write_safe(render, ")", 1);
}

static void on_span(struct render *render, MD_SPANTYPE type, void *detail, bool begins)
{
    static const enum style styles[] = {[MD_SPAN_EM] = STYLE_ITALIC,
                                        [MD_SPAN_STRONG] = STYLE_BOLD,
                                        [MD_SPAN_CODE] = STYLE_CODE,
                                        [MD_SPAN_DEL] = STYLE_STRUCK};
    switch (type) {
    case MD_SPAN_EM:
    case MD_SPAN_STRONG:
    case MD_SPAN_CODE:
    case MD_SPAN_DEL:
        change_style(render, styles[type], begins);
        break;
    case MD_SPAN_A:
    case MD_SPAN_IMG:
        if (begins)
            begin_link(render, type == MD_SPAN_A ? &((MD_SPAN_A_DETAIL *)detail)->href
                                                 : &((MD_SPAN_IMG_DETAIL *)detail)->src);
        else
            end_link(render);
        break;
    default:
        break;
    }
}

static int on_span_start(MD_SPANTYPE type, void *detail, void *self)
{
    on_span(self, type, detail, true);
    return 0;
}

static int on_span_end(MD_SPANTYPE type, void *detail, void *self)
{
    on_span(self, type, detail, false);
    return 0;
}

static const char *entity_text(const char *entity, size_t length)
{
    static const char *const entities[][2] = {{"&amp;", "&"},   {"&lt;", "<"},  {"&gt;", ">"},
                                              {"&quot;", "\""}, {"&#39;", "'"}, {"&nbsp;", " "}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
        if (strlen(entities[i][0]) == length && memcmp(entities[i][0], entity, length) == 0)
            return entities[i][1];
    }
    return NULL; /* rarer ones are shown as they are written */
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE length, void *self)
{
    struct render *render = self;
    const char *entity = type == MD_TEXT_ENTITY ? entity_text(text, length) : NULL;
    if (entity)
        write_safe(render, entity, strlen(entity));
    else if (type == MD_TEXT_NULLCHAR)
        write_safe(render, "\ufffd", strlen("\ufffd"));
    else if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
        render->in_table ? write_safe(render, " ", 1) : end_line(render);
    else if (render->in_code_block || type == MD_TEXT_HTML)
        write_lines(render, text, length);
    else
        write_safe(render, text, length);
    return 0;
}

static const MD_PARSER parser = {
    .flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEURLAUTOLINKS,
    .enter_block = on_block_start,
    .leave_block = on_block_end,
    .enter_span = on_span_start,
    .leave_span = on_span_end,
    .text = on_text,
};

static void render_block(const char *text, size_t length, bool with_colours, struct buf *out)
{
    struct render render = {.out = out, .with_colours = with_colours, .at_line_start = true};
    if (length > MARKDOWN_BLOCK_BYTES_MAX || md_parse(text, (MD_SIZE)length, &parser, &render) != 0)
        terminal_escape(out, text, length, TERMINAL_TEXT, true);
    table_clear(&render.table);
    buf_free(&render.cell);
    buf_free(&render.link);
}

/* ---- blocks of a stream ---- */

static bool is_blank(const char *line, size_t length)
{
    while (length > 0 && strchr(" \t\r\n", line[length - 1]))
        length--;
    return length == 0;
}

/* Three backticks or tildes, at most three blanks before them. */
static bool is_fence(const char *line, size_t length)
{
    size_t at = 0;
    while (at < length && at < 3 && line[at] == ' ')
        at++;
    return length - at >= 3 &&
           (memcmp(line + at, "```", 3) == 0 || memcmp(line + at, "~~~", 3) == 0);
}

static void show_block(struct markdown_stream *stream, size_t length, struct buf *out)
{
    if (!is_blank(stream->block.data, length)) {
        if (stream->has_shown)
            buf_append_text(out, "\n");
        render_block(stream->block.data, length, stream->with_colours, out);
        stream->has_shown = true;
    }
    buf_consume(&stream->block, length);
    stream->looked = 0;
}

void markdown_feed(struct markdown_stream *stream, const char *text, size_t length, struct buf *out)
{
    buf_append(&stream->block, text, length);
    for (;;) {
        const char *line = stream->block.data + stream->looked;
        size_t left = stream->block.length - stream->looked;
        const char *end = left ? memchr(line, '\n', left) : NULL;
        if (!end)
            return;
        size_t line_length = (size_t)(end - line) + 1;
        stream->in_fence ^= is_fence(line, line_length);
        stream->looked += line_length;
        if (!stream->in_fence && is_blank(line, line_length))
            show_block(stream, stream->looked, out);
    }
}

void markdown_finish(struct markdown_stream *stream, struct buf *out)
{
    if (stream->block.length > 0)
        show_block(stream, stream->block.length, out);
    buf_free(&stream->block);
    *stream = (struct markdown_stream){.with_colours = stream->with_colours};
}

void markdown_render(const char *text, size_t length, bool with_colours, struct buf *out)
{
    struct markdown_stream stream = {.with_colours = with_colours};
    markdown_feed(&stream, text, length, out);
    markdown_finish(&stream, out);
}
