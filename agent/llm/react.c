/* The answer: LangChain's ReActSingleInputOutputParser, read as it comes. */
#include "agent/llm/react.h"

#include <ctype.h>
#include <string.h>

#include "base/core/cleanup.h"

void react_parser_begin(struct react_parser *parser, const struct tool_shapes *shapes,
                        bool answer_only)
{
    *parser = (struct react_parser){.shapes = shapes, .answer_only = answer_only};
    parser->raw.limit = ANSWER_TEXT_BYTES_MAX;
}

void react_parser_clear(struct react_parser *parser)
{
    buf_free(&parser->raw);
}

/* ---- marks ---- */

enum mark { MARK_NONE, MARK_PARTIAL, MARK_ACTION, MARK_INPUT, MARK_ANSWER, MARK_STOP };

struct cursor {
    const char *at;
    const char *end;
};

/* How far a word goes with the text: all of it, or to the end of the text, or not. */
static enum mark take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word), left = (size_t)(c->end - c->at);
    size_t compared = left < length ? left : length;
    if (memcmp(c->at, word, compared) != 0)
        return MARK_NONE;
    c->at += compared;
    return compared == length ? MARK_ACTION : MARK_PARTIAL;
}

/* \s*\d*\s*, within a bound: half a mark is looked at again with every piece that comes. */
static void skip_number(struct cursor *c)
{
    enum { NUMBER_BYTES_MAX = 64 };
    const char *stop = c->end - c->at > NUMBER_BYTES_MAX ? c->at + NUMBER_BYTES_MAX : c->end;
    while (c->at < stop && isspace((unsigned char)*c->at))
        c->at++;
    while (c->at < stop && isdigit((unsigned char)*c->at))
        c->at++;
    while (c->at < stop && isspace((unsigned char)*c->at))
        c->at++;
}

/* Action\s*\d*\s*: and Action\s*\d*\s*Input\s*\d*\s*: */
static enum mark take_action(struct cursor *c)
{
    enum mark word = take_word(c, "Action");
    if (word != MARK_ACTION)
        return word;
    skip_number(c);
    if (take_word(c, ":") == MARK_ACTION)
        return MARK_ACTION;
    if (c->at == c->end)
        return MARK_PARTIAL;
    word = take_word(c, "Input");
    if (word != MARK_ACTION)
        return word;
    skip_number(c);
    if (c->at == c->end)
        return MARK_PARTIAL;
    return take_word(c, ":") == MARK_ACTION ? MARK_INPUT : MARK_NONE;
}

/* The mark that begins here; *ret_length is its length. */
static enum mark mark_at(const struct buf *raw, size_t at, size_t *ret_length)
{
    struct cursor c = {raw->data + at, raw->data + raw->length};
    enum mark mark = MARK_NONE;
    if (*c.at == 'A') {
        mark = take_action(&c);
    } else if (*c.at == 'F') {
        mark = take_word(&c, "Final Answer:");
        mark = mark == MARK_ACTION ? MARK_ANSWER : mark;
    } else if (*c.at == '\n') {
        mark = take_word(&c, REACT_STOP);
        mark = mark == MARK_ACTION ? MARK_STOP : mark;
    }
    *ret_length = (size_t)(c.at - raw->data) - at;
    return mark;
}

/* ---- as it comes ---- */

/* Tells what has been scanned; blanks at its end wait for more. */
static int tell_scanned(struct react_parser *parser, struct assembly *assembly, struct error *err)
{
    const char *data = parser->raw.data;
    size_t start = parser->told, end = parser->ink_end;
    while (!parser->has_told && start < end && isspace((unsigned char)data[start]))
        start++;
    if (end <= start)
        return 0;
    parser->has_told = true;
    parser->told = end;
    return parser->state == REACT_ANSWER
               ? assembly_answer(assembly, data + start, end - start, err)
               : assembly_reasoning(assembly, data + start, end - start, err);
}

static void enter(struct react_parser *parser, enum react_state state, size_t at)
{
    parser->state = state;
    parser->scanned = parser->told = at;
    parser->has_told = false;
}

/* One character that begins no mark. */
static void take_character(struct react_parser *parser)
{
    if (!isspace((unsigned char)parser->raw.data[parser->scanned]))
        parser->ink_end = parser->scanned + 1;
    parser->scanned++;
}

/* A whole mark that counts in this state changes it; any other is text. */
static int take_mark(struct react_parser *parser, struct assembly *assembly, enum mark mark,
                     size_t at, size_t length, struct error *err)
{
    bool is_thinking = parser->state == REACT_THINKING;
    bool waits_for_input = parser->state == REACT_ACTION;
    if (is_thinking && (mark == MARK_ACTION || mark == MARK_ANSWER) &&
        tell_scanned(parser, assembly, err) < 0)
        return -1;
    if (is_thinking && mark == MARK_ACTION) {
        enter(parser, REACT_ACTION, at + length);
        parser->action_start = at + length;
    } else if (waits_for_input && mark == MARK_INPUT) {
        enter(parser, REACT_INPUT, at + length);
        parser->action_end = at;
        parser->input_start = at + length;
    } else if ((is_thinking || waits_for_input) && mark == MARK_ANSWER) {
        enter(parser, REACT_ANSWER, at + length);
    } else {
        take_character(parser);
    }
    return 0;
}

static void cut(struct react_parser *parser, size_t at)
{
    parser->raw.length = at;
    parser->raw.data[at] = '\0';
    parser->is_cut = true;
}

/* at_end: no more comes, so that half a mark is none. */
static int scan(struct react_parser *parser, struct assembly *assembly, bool at_end,
                struct error *err)
{
    while (parser->scanned < parser->raw.length) {
        size_t length, at = parser->scanned;
        enum mark mark = mark_at(&parser->raw, at, &length);
        if (mark == MARK_PARTIAL && !at_end)
            break;
        if (mark == MARK_STOP)
            cut(parser, at);
        else if (mark == MARK_NONE || mark == MARK_PARTIAL)
            take_character(parser);
        else if (take_mark(parser, assembly, mark, at, length, err) < 0)
            return -1;
    }
    if (parser->state == REACT_THINKING || parser->state == REACT_ANSWER)
        return tell_scanned(parser, assembly, err);
    return 0;
}

static int on_text(void *self, struct assembly *assembly, const char *text, size_t length,
                   struct error *err)
{
    struct react_parser *parser = self;
    if (parser->is_cut || length == 0)
        return 0;
    if (!assembly_append(&parser->raw, text, length))
        return error_set(err, ERROR_LIMIT, "the model's text is longer than %zu bytes",
                         parser->raw.limit);
    return scan(parser, assembly, false, err);
}

/* ---- the end ---- */

/* Models write the tool's name with quotes, brackets or a full stop. */
static char *action_name(const struct react_parser *parser)
{
    static const char around[] = " \t\r\n\"'`[]*.";
    const char *start = parser->raw.data + parser->action_start;
    const char *end = parser->raw.data + parser->action_end;
    while (start < end && strchr(around, *start))
        start++;
    while (end > start && strchr(around, end[-1]))
        end--;
    return xstrndup(start, (size_t)(end - start));
}

/* An answer behind the input is made up, since the tool has not run yet. */
static size_t input_end(const struct react_parser *parser)
{
    static const char answer[] = "\nFinal Answer:";
    const char *start = parser->raw.data + parser->input_start;
    const char *made_up =
        memmem(start, parser->raw.length - parser->input_start, answer, strlen(answer));
    return made_up ? (size_t)(made_up - parser->raw.data) : parser->raw.length;
}

static char *unknown_tool(const struct tool_shapes *shapes, const char *name)
{
    AUTO_BUF struct buf names = {0};
    for (size_t i = 0; i < shapes->count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", shapes->items[i].name);
    return xasprintf("%.64s is not a valid tool, try one of [%s].", name,
                     names.data ? names.data : "");
}

static int end_with_call(struct react_parser *parser, struct assembly *assembly, struct error *err)
{
    AUTO_BUF struct buf arguments = {0};
    AUTO_FREE char *name = action_name(parser);
    AUTO_FREE char *problem = NULL;
    struct error unreadable = {0};
    size_t end = input_end(parser);
    const struct tool_shape *shape = tool_shapes_find(parser->shapes, name);
    if (!shape)
        problem = unknown_tool(parser->shapes, name);
    else if (arguments_read_text(shape, parser->raw.data + parser->input_start,
                                 end - parser->input_start, &arguments, &unreadable) < 0)
        problem = xstrdup(unreadable.message);
    buf_append(&assembly->text, parser->raw.data, end);
    return assembly_whole_call(assembly, name, arguments.data ? arguments.data : "{}", problem,
                               err);
}

/* Neither an action nor an answer. LangChain's words, as handle_parsing_errors has them observed.
 */
static int end_without_form(struct react_parser *parser, struct assembly *assembly,
                            struct error *err)
{
    const char *problem = parser->state == REACT_ACTION
                              ? "Invalid Format: Missing 'Action Input:' after 'Action:'"
                              : "Invalid Format: Missing 'Action:' after 'Thought:'";
    if (parser->answer_only) {
        parser->state = REACT_ANSWER;
        parser->told = 0;
        parser->has_told = false;
        return tell_scanned(parser, assembly, err);
    }
    if (parser->raw.length > 0)
        buf_append(&assembly->text, parser->raw.data, parser->raw.length);
    if (assembly->call_count > 0 || assembly->finish == LLM_FINISH_FILTER)
        return 0;
    return assembly_whole_call(assembly, REACT_EXCEPTION, "{}", problem, err);
}

static int on_end(void *self, struct assembly *assembly, struct error *err)
{
    struct react_parser *parser = self;
    if (scan(parser, assembly, true, err) < 0)
        return -1;
    switch (parser->state) {
    case REACT_ANSWER:
        return 0;
    case REACT_INPUT:
        return end_with_call(parser, assembly, err);
    case REACT_THINKING:
    case REACT_ACTION:
        break;
    }
    return end_without_form(parser, assembly, err);
}

struct assembly_filter react_parser_filter(struct react_parser *parser)
{
    return (struct assembly_filter){parser, on_text, on_end};
}

bool react_has_action(const char *text)
{
    struct buf raw = {.data = (char *)text, .length = strlen(text)};
    bool has_action = false;
    for (size_t at = 0, length; at < raw.length; at++) {
        enum mark mark = mark_at(&raw, at, &length);
        has_action = has_action || mark == MARK_ACTION;
        if (mark == MARK_INPUT && has_action)
            return true;
    }
    return false;
}
