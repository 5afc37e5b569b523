#include "agent/tape/script.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/core/buf.h"
#include "base/core/text.h"
#include "base/json/json.h"

struct reader {
    struct script *script;
    const char *next; /* the line after the current one */
    const char *end;
    const char *at; /* in the current line */
    const char *line_end;
    unsigned line;
    struct error *err;
};

/* ---- words ---- */

static int wrong(const struct reader *reader, const char *what)
{
    return error_set(reader->err, ERROR_INVALID, "line %u: %s", reader->line, what);
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->line_end && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
}

static bool is_at_end(struct reader *reader)
{
    skip_blanks(reader);
    return reader->at == reader->line_end;
}

/* The next word into a buffer of SCRIPT_WORD_BYTES_MAX; false when there is none or it is too long.
 */
static bool take_word(struct reader *reader, char ret_word[SCRIPT_WORD_BYTES_MAX])
{
    skip_blanks(reader);
    const char *start = reader->at;
    while (reader->at < reader->line_end && *reader->at != ' ' && *reader->at != '\t')
        reader->at++;
    size_t length = (size_t)(reader->at - start);
    if (length == 0 || length >= SCRIPT_WORD_BYTES_MAX || memchr(start, '\0', length))
        return false;
    memcpy(ret_word, start, length);
    ret_word[length] = '\0';
    return true;
}

/* Takes the word if it comes next. */
static bool take_this(struct reader *reader, const char *word)
{
    char found[SCRIPT_WORD_BYTES_MAX];
    const char *before = reader->at;
    if (take_word(reader, found) && strcmp(found, word) == 0)
        return true;
    reader->at = before;
    return false;
}

static int take_name(struct reader *reader, const char *what, char **ret_name)
{
    char word[SCRIPT_WORD_BYTES_MAX];
    if (!take_word(reader, word))
        return error_set(reader->err, ERROR_INVALID, "line %u: %s is missing or too long",
                         reader->line, what);
    free(*ret_name);
    *ret_name = xstrdup(word);
    return 0;
}

static int take_number(struct reader *reader, const char *what, int64_t most, int64_t *ret_number)
{
    char word[SCRIPT_WORD_BYTES_MAX];
    uint64_t number;
    if (!take_word(reader, word) || !text_parse_u64(word, &number) || number > (uint64_t)most)
        return error_set(reader->err, ERROR_INVALID, "line %u: %s must be a number from 0 to %lld",
                         reader->line, what, (long long)most);
    *ret_number = (int64_t)number;
    return 0;
}

static int expect_end(struct reader *reader)
{
    return is_at_end(reader) ? 0 : wrong(reader, "there is more on the line than belongs there");
}

/* ---- text: "..." as JSON has it, <<WORD and the lines up to WORD, or the rest of the line ---- */

static bool next_line(struct reader *reader)
{
    if (reader->next == reader->end)
        return false;
    const char *newline = memchr(reader->next, '\n', (size_t)(reader->end - reader->next));
    reader->at = reader->next;
    reader->line_end = newline ? newline : reader->end;
    reader->next = newline ? newline + 1 : reader->end;
    reader->line++;
    return true;
}

static int take_quoted(struct reader *reader, char **ret_text, size_t *ret_length)
{
    const char *close = reader->at + 1;
    while (close < reader->line_end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= reader->line_end)
        return wrong(reader, "the closing \" is missing");

    AUTO_BUF struct buf list = {0};
    AUTO_JSON json_t *value = NULL;
    struct error err = {0};
    buf_append_text(&list, "[");
    buf_append(&list, reader->at, (size_t)(close + 1 - reader->at));
    buf_append_text(&list, "]");
    if (json_parse_with_nuls(list.data, list.length, SCRIPT_BYTES_MAX, &value, &err) < 0 ||
        json_array_size(value) != 1 || !json_is_string(json_array_get(value, 0)))
        return wrong(reader, "the text in quotes is not a string as JSON has it");
    json_t *string = json_array_get(value, 0);
    *ret_length = json_string_length(string);
    *ret_text = xcalloc(*ret_length + 1, 1);
    memcpy(*ret_text, json_string_value(string), *ret_length);
    reader->at = close + 1;
    return 0;
}

static int take_lines(struct reader *reader, char **ret_text, size_t *ret_length)
{
    char word[SCRIPT_WORD_BYTES_MAX];
    unsigned started = reader->line;
    reader->at += 2;
    if (!take_word(reader, word) || !is_at_end(reader))
        return wrong(reader, "<< needs one word, which then ends the text on a line of its own");

    AUTO_BUF struct buf text = {0};
    while (next_line(reader)) {
        size_t length = (size_t)(reader->line_end - reader->at);
        if (length == strlen(word) && memcmp(reader->at, word, length) == 0) {
            reader->at = reader->line_end;
            *ret_length = text.length;
            *ret_text = buf_take(&text);
            return 0;
        }
        buf_append(&text, reader->at, length);
        buf_append_text(&text, "\n");
    }
    return error_set(reader->err, ERROR_INVALID, "line %u: no line \"%s\" ends this text", started,
                     word);
}

static int take_text(struct reader *reader, char **ret_text, size_t *ret_length)
{
    skip_blanks(reader);
    size_t left = (size_t)(reader->line_end - reader->at);
    if (left == 0)
        return wrong(reader, "the text is missing; \"\" is an empty one");
    if (*reader->at == '"')
        return take_quoted(reader, ret_text, ret_length);
    if (left >= 2 && reader->at[0] == '<' && reader->at[1] == '<')
        return take_lines(reader, ret_text, ret_length);
    *ret_text = xstrndup(reader->at, left);
    *ret_length = strlen(*ret_text); /* up to a NUL: none belongs in a line */
    reader->at = reader->line_end;
    return 0;
}

/* ---- steps ---- */

static struct script_step *add_step(struct script *script, enum script_kind kind, unsigned line)
{
    if (script->count == script->capacity) {
        script->capacity = script->capacity ? 2 * script->capacity : 16;
        script->steps = xrealloc(script->steps, script->capacity * sizeof *script->steps);
    }
    struct script_step *step = &script->steps[script->count++];
    *step = (struct script_step){.kind = kind, .line = line, .after_ms = -1};
    return step;
}

static bool begins_lines(struct reader *reader)
{
    skip_blanks(reader);
    return reader->line_end - reader->at >= 2 && memcmp(reader->at, "<<", 2) == 0;
}

static int read_text(struct reader *reader, struct script_step *step)
{
    bool is_said = step->kind == SCRIPT_SAY || step->kind == SCRIPT_THINK;
    bool drops_end = is_said && begins_lines(reader); /* its last line feed is the script's */
    if (take_text(reader, &step->text, &step->length) < 0)
        return -1;
    if (drops_end && step->length > 0)
        step->text[--step->length] = '\0';
    if (step->kind != SCRIPT_RAW && !text_is_utf8(step->text, step->length))
        return wrong(reader, "the text is not UTF-8");
    return expect_end(reader);
}

/* Lines as the program of {"code": ...}, which saves writing it as a JSON string. */
static void wrap_code(struct script_step *step)
{
    AUTO_JSON json_t *arguments = json_object();
    json_object_set_new(arguments, "code", json_stringn(step->text, step->length));
    free(step->text);
    step->text = json_dumps(arguments, JSON_COMPACT);
    step->length = strlen(step->text);
}

static int read_call(struct reader *reader, struct script_step *step)
{
    if (take_name(reader, "the name of the tool", &step->name) < 0)
        return -1;
    bool is_code = begins_lines(reader);
    if (read_text(reader, step) < 0)
        return -1;
    if (is_code)
        wrap_code(step);
    return 0;
}

static int read_name(struct reader *reader, struct script_step *step)
{
    return take_name(reader, "the name", &step->name) < 0 ? -1 : expect_end(reader);
}

static int read_header(struct reader *reader, struct script_step *step)
{
    if (take_name(reader, "the name of the header", &step->name) < 0)
        return -1;
    size_t length = strlen(step->name);
    if (step->name[length - 1] == ':')
        step->name[length - 1] = '\0';
    if (read_text(reader, step) < 0)
        return -1;
    for (const char *c = step->text; c < step->text + step->length; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return wrong(reader, "a header holds no control characters");
    }
    bool is_token =
        step->name[0] && strspn(step->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_") == strlen(step->name);
    return is_token ? 0 : wrong(reader, "a header's name is made of letters, digits and hyphens");
}

static int read_delay(struct reader *reader, struct script_step *step)
{
    if (take_number(reader, "the delay in ms", SCRIPT_DELAY_MS_MAX, &step->number) < 0)
        return -1;
    return expect_end(reader);
}

/* cut after N bytes */
static int read_cut(struct reader *reader, struct script_step *step)
{
    if (!take_this(reader, "after"))
        return wrong(reader, "write: cut after N bytes");
    if (take_number(reader, "how many bytes", SCRIPT_BYTES_MAX, &step->number) < 0)
        return -1;
    take_this(reader, "bytes");
    return expect_end(reader);
}

/* after 2, after 1500ms */
static int read_after(struct reader *reader, struct script_step *step)
{
    char word[SCRIPT_WORD_BYTES_MAX];
    uint64_t number;
    if (!take_word(reader, word))
        return wrong(reader, "\"after\" needs seconds, or milliseconds as in 1500ms");
    size_t length = strlen(word);
    if (length > 2 && strcmp(word + length - 2, "ms") == 0) {
        step->after_in_ms = true;
        word[length - 2] = '\0';
    }
    if (!text_parse_u64(word, &number) ||
        number > SCRIPT_DELAY_MS_MAX / (step->after_in_ms ? 1 : 1000))
        return wrong(reader, "\"after\" needs seconds, or milliseconds as in 1500ms");
    step->after_ms = (int64_t)number * (step->after_in_ms ? 1 : 1000);
    return 0;
}

/* error 429 [after 2] [code WORD] [param WORD] [MESSAGE] */
static int read_error(struct reader *reader, struct script_step *step)
{
    if (take_number(reader, "the status", 599, &step->number) < 0)
        return -1;
    if (step->number < 200)
        return wrong(reader, "the status must be from 200 to 599");
    while (!is_at_end(reader)) {
        int result;
        if (take_this(reader, "after"))
            result = read_after(reader, step);
        else if (take_this(reader, "code"))
            result = take_name(reader, "the code", &step->name);
        else if (take_this(reader, "param"))
            result = take_name(reader, "the parameter", &step->param);
        else
            return read_text(reader, step);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* usage input N output N */
static int read_usage(struct reader *reader, struct script_step *step)
{
    if (!take_this(reader, "input") ||
        take_number(reader, "the input tokens", JSON_INTEGER_MAX, &step->number) < 0 ||
        !take_this(reader, "output") ||
        take_number(reader, "the output tokens", JSON_INTEGER_MAX, &step->other) < 0)
        return wrong(reader, "write: usage input N output N");
    return expect_end(reader);
}

static int read_chunks(struct reader *reader, struct script_step *step)
{
    skip_blanks(reader);
    AUTO_FREE char *rest = xstrndup(reader->at, (size_t)(reader->line_end - reader->at));
    struct error err = {0};
    if (script_read_chunks(rest, &step->chunks, &err) < 0)
        return wrong(reader, err.message);
    return 0;
}

int script_read_chunks(const char *text, struct script_chunks *ret_chunks, struct error *err)
{
    static const char random[] = "random ";
    struct script_chunks chunks = {0};
    if (strcmp(text, "events") == 0)
        chunks.kind = SCRIPT_BY_EVENT;
    else if (strcmp(text, "whole") == 0)
        chunks.kind = SCRIPT_WHOLE;
    else if (text_starts_with(text, random) &&
             text_parse_u64(text + strlen(random), &chunks.number))
        chunks.kind = SCRIPT_BY_CHANCE;
    else if (text_parse_u64(text, &chunks.number) && chunks.number > 0)
        chunks.kind = SCRIPT_BY_SIZE;
    else
        return error_set(err, ERROR_INVALID,
                         "chunks must be \"events\", \"whole\", a number of bytes, or \"random "
                         "SEED\"");
    *ret_chunks = chunks;
    return 0;
}

/* ---- tests ---- */

/* /PATTERN/ or /PATTERN/i. Repetition in braces and references backwards, which can take a time and
 * memory without bound, are refused. */
static int compile(struct reader *reader, struct script_test *test, const char *pattern,
                   size_t length, bool ignores_case)
{
    if (length == 0 || length > SCRIPT_PATTERN_BYTES_MAX || memchr(pattern, '\0', length))
        return error_set(reader->err, ERROR_INVALID,
                         "line %u: a pattern has 1 to %d bytes and no NUL", reader->line,
                         SCRIPT_PATTERN_BYTES_MAX);
    AUTO_BUF struct buf text = {0};
    unsigned pluses = 0;
    for (size_t i = 0; i < length; i++) {
        bool escapes = pattern[i] == '\\' && i + 1 < length;
        pluses += pattern[i] == '+';
        if (pattern[i] == '{' || (escapes && pattern[i + 1] >= '0' && pattern[i + 1] <= '9'))
            return wrong(reader, "a pattern has no {} and no \\1");
        if (escapes && pattern[i + 1] == '/')
            continue; /* \/ is / */
        buf_append(&text, pattern + i, 1);
        if (escapes)
            buf_append(&text, &pattern[++i], 1);
    }
    if (pluses > SCRIPT_PATTERN_PLUSES_MAX)
        return error_set(reader->err, ERROR_INVALID, "line %u: a pattern has at most %d +",
                         reader->line, SCRIPT_PATTERN_PLUSES_MAX);
    if (regcomp(&test->pattern, text.data,
                REG_EXTENDED | REG_NOSUB | REG_NEWLINE | (ignores_case ? REG_ICASE : 0)) != 0)
        return wrong(reader, "the pattern is not an extended regular expression (man 7 regex)");
    test->has_pattern = true;
    test->text = buf_take(&text);
    test->length = strlen(test->text);
    return 0;
}

static int take_pattern(struct reader *reader, struct script_test *test)
{
    skip_blanks(reader);
    if (reader->at == reader->line_end || *reader->at != '/')
        return wrong(reader, "a pattern stands between slashes: /network/");
    const char *start = reader->at + 1, *close = start;
    while (close < reader->line_end && *close != '/')
        close += *close == '\\' ? 2 : 1;
    if (close >= reader->line_end)
        return wrong(reader, "the pattern's closing / is missing");
    reader->at = close + 1;
    bool ignores_case = reader->at < reader->line_end && *reader->at == 'i';
    reader->at += ignores_case;
    return compile(reader, test, start, (size_t)(close - start), ignores_case);
}

static const char *const subjects[] = {[SCRIPT_REQUEST] = "request",
                                       [SCRIPT_OBSERVATION] = "observation",
                                       [SCRIPT_USER] = "user",
                                       [SCRIPT_SYSTEM] = "system"};

static int take_subject(struct reader *reader, const char *word, struct script_test *test)
{
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        if (strcmp(word, subjects[i]) == 0) {
            test->subject = (enum script_subject)i;
            return 0;
        }
    }
    return wrong(reader, "what is looked at must be request, observation, user or system");
}

static int take_relation(struct reader *reader, struct script_test *test)
{
    if (take_this(reader, "matches")) {
        test->relation = SCRIPT_MATCHES;
        return take_pattern(reader, test);
    }
    if (take_this(reader, "contains"))
        test->relation = SCRIPT_CONTAINS;
    else if (take_this(reader, "lacks"))
        test->relation = SCRIPT_LACKS;
    else
        return wrong(reader, "write contains \"TEXT\", lacks \"TEXT\" or matches /PATTERN/");
    return take_text(reader, &test->text, &test->length);
}

/* when observation matches /x/ goto LABEL */
static int read_when(struct reader *reader, struct script_step *step)
{
    char word[SCRIPT_WORD_BYTES_MAX] = "";
    take_word(reader, word);
    if (take_subject(reader, word, &step->test) < 0 || take_relation(reader, &step->test) < 0)
        return -1;
    if (!take_this(reader, "goto"))
        return wrong(reader, "a condition ends with: goto LABEL (and its text stands in quotes)");
    return read_name(reader, step);
}

/* repeat LABEL 14 times */
static int read_repeat(struct reader *reader, struct script_step *step)
{
    if (take_name(reader, "the label", &step->name) < 0 ||
        take_number(reader, "how often", SCRIPT_REPEAT_MAX, &step->number) < 0)
        return -1;
    take_this(reader, "times");
    return expect_end(reader);
}

static int read_nothing(struct reader *reader, struct script_step *step)
{
    (void)step;
    return expect_end(reader);
}

static const struct {
    const char *word;
    enum script_kind kind;
    int (*read)(struct reader *reader, struct script_step *step);
} rows[] = {
    {"say", SCRIPT_SAY, read_text},      {"think", SCRIPT_THINK, read_text},
    {"call", SCRIPT_CALL, read_call},    {"raw", SCRIPT_RAW, read_text},
    {"delay", SCRIPT_DELAY, read_delay}, {"finish", SCRIPT_FINISH, read_name},
    {"cut", SCRIPT_CUT, read_cut},       {"header", SCRIPT_HEADER, read_header},
    {"error", SCRIPT_ERROR, read_error}, {"model", SCRIPT_MODEL, read_name},
    {"usage", SCRIPT_USAGE, read_usage}, {"chunks", SCRIPT_CHUNKS, read_chunks},
    {"---", SCRIPT_NEXT, read_nothing},  {"label", SCRIPT_LABEL, read_name},
    {"goto", SCRIPT_GOTO, read_name},    {"repeat", SCRIPT_REPEAT, read_repeat},
    {"when", SCRIPT_WHEN, read_when},
};

static int read_expect(struct reader *reader, const char *subject)
{
    struct script_step *step = add_step(reader->script, SCRIPT_EXPECT, reader->line);
    if (take_subject(reader, subject, &step->test) < 0 || take_relation(reader, &step->test) < 0)
        return -1;
    return expect_end(reader);
}

static int read_line(struct reader *reader)
{
    static const char expect[] = "expect-";
    char word[SCRIPT_WORD_BYTES_MAX];
    if (is_at_end(reader) || *reader->at == '#')
        return 0;
    if (reader->script->count == SCRIPT_STEPS_MAX)
        return error_set(reader->err, ERROR_LIMIT, "line %u: a script has at most %d steps",
                         reader->line, SCRIPT_STEPS_MAX);
    if (!take_word(reader, word))
        return wrong(reader, "the word is too long");
    if (text_starts_with(word, expect))
        return read_expect(reader, word + strlen(expect));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(word, rows[i].word) == 0)
            return rows[i].read(reader, add_step(reader->script, rows[i].kind, reader->line));
    }
    return wrong(reader,
                 "a step must begin with say, think, call, raw, delay, finish, cut, header, "
                 "error, model, usage, chunks, ---, label, goto, repeat, when or expect-");
}

/* ---- labels ---- */

static bool is_jump(enum script_kind kind)
{
    return kind == SCRIPT_GOTO || kind == SCRIPT_REPEAT || kind == SCRIPT_WHEN;
}

static bool find_label(const struct script *script, const char *name, size_t *ret_index)
{
    for (size_t i = 0; i < script->count; i++) {
        if (script->steps[i].kind == SCRIPT_LABEL && strcmp(script->steps[i].name, name) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

enum { SCRIPT_JUMPS_MAX = 1000 }; /* each looks at all labels */

static int resolve(struct script *script, struct error *err)
{
    size_t jumps = 0;
    for (size_t i = 0; i < script->count; i++) {
        struct script_step *step = &script->steps[i];
        bool names_label = is_jump(step->kind) || step->kind == SCRIPT_LABEL;
        size_t found;
        if (!names_label)
            continue;
        if (++jumps > SCRIPT_JUMPS_MAX)
            return error_set(err, ERROR_LIMIT, "line %u: a script has at most %d labels and jumps",
                             step->line, SCRIPT_JUMPS_MAX);
        if (!find_label(script, step->name, &found))
            return error_set(err, ERROR_INVALID, "line %u: there is no label %s", step->line,
                             step->name);
        if (step->kind == SCRIPT_LABEL && found != i)
            return error_set(err, ERROR_INVALID, "line %u: the label %s is on line %u already",
                             step->line, step->name, script->steps[found].line);
        step->target = found;
    }
    return 0;
}

int script_read(const char *data, size_t length, struct script **ret_script, struct error *err)
{
    if (length > SCRIPT_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "a script has at most %d bytes", SCRIPT_BYTES_MAX);
    AUTO(script) struct script *script = xcalloc(1, sizeof *script);
    script->steps = xcalloc(1, sizeof *script->steps); /* an empty script has a beginning too */
    struct reader reader = {.script = script, .next = data, .end = data + length, .err = err};
    while (next_line(&reader)) {
        if (read_line(&reader) < 0)
            return -1;
    }
    if (resolve(script, err) < 0)
        return -1;
    *ret_script = TAKE(script);
    return 0;
}

int script_load(const char *path, struct script **ret_script, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "%s", path);
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, SCRIPT_BYTES_MAX, &length, err);
    if (!text || script_read(text, length, ret_script, err) < 0)
        return error_add_context(err, "%s", path);
    return 0;
}

void script_destroy(struct script *script)
{
    if (!script)
        return;
    for (size_t i = 0; i < script->count; i++) {
        struct script_step *step = &script->steps[i];
        if (step->test.has_pattern)
            regfree(&step->test.pattern);
        free(step->test.text);
        free(step->name);
        free(step->param);
        free(step->text);
    }
    free(script->steps);
    free(script);
}
