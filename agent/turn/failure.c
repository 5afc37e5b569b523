#include "agent/turn/failure.h"

#include <ctype.h>
#include <string.h>

#include "base/core/text.h"

/* A part of stderr's last lines is enough: the exception is at the end. */
enum { TAIL_BYTES = 4096 };

static const char closed_network[] = "network is disabled in this session";
static const char timed_out[] = "Request timed out waiting for code execution to complete";
static const char aborted[] = "Execution aborted";

/* Words of an exception, or of a tool that a program ran. The first row that fits decides. */
static const struct {
    const char *words;
    enum failure_kind kind;
} signs[] = {
    {timed_out, FAILURE_TIMEOUT},
    {closed_network, FAILURE_NETWORK},
    {"ModuleNotFoundError", FAILURE_PACKAGE},
    {"No module named", FAILURE_PACKAGE},
    {"pip cannot install", FAILURE_PACKAGE},
    {"No matching distribution found", FAILURE_PACKAGE},
    {"Could not find a version that satisfies", FAILURE_PACKAGE},
    {"gaierror", FAILURE_NETWORK},
    {"Name or service not known", FAILURE_NETWORK},
    {"Temporary failure in name resolution", FAILURE_NETWORK},
    {"Could not resolve host", FAILURE_NETWORK},
    {"unable to resolve host", FAILURE_NETWORK},
    {"Network is unreachable", FAILURE_NETWORK},
    {"No route to host", FAILURE_NETWORK},
    {"urlopen error", FAILURE_NETWORK},
    {"NewConnectionError", FAILURE_NETWORK},
    {"Max retries exceeded with url", FAILURE_NETWORK},
    {"ConnectionError", FAILURE_NETWORK},
    {"ConnectTimeout", FAILURE_NETWORK},
    {"MemoryError", FAILURE_MEMORY},
    {"SyntaxError", FAILURE_SYNTAX},
    {"IndentationError", FAILURE_SYNTAX},
    {"TabError", FAILURE_SYNTAX},
};

/* What a program that reaches for a host has in it. */
static const char *const network_words[] = {"urllib", "requests", "socket",  "http",   "ftplib",
                                            "curl",   "wget",     "smtplib", "urlopen"};

const char *failure_name(enum failure_kind kind)
{
    static const char *const names[FAILURE_KINDS] = {
        [FAILURE_NONE] = "none",       [FAILURE_NETWORK] = "network", [FAILURE_PACKAGE] = "package",
        [FAILURE_TIMEOUT] = "timeout", [FAILURE_MEMORY] = "memory",   [FAILURE_CRASH] = "crash",
        [FAILURE_SYNTAX] = "syntax",   [FAILURE_OTHER] = "exception",
    };
    return names[kind];
}

/* FNV-1a */
static uint64_t hash(uint64_t value, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)data[i]) * 0x100000001b3;
    return value;
}

static const uint64_t hash_start = 0xcbf29ce484222325;

/* The end of a stream without trailing blanks; NULs in it end it early, which only hides words. */
static const char *tail_of(const char *data, size_t length, size_t *ret_length)
{
    while (length > 0 && isspace((unsigned char)data[length - 1]))
        length--;
    size_t start = length > TAIL_BYTES ? length - TAIL_BYTES : 0;
    *ret_length = length - start;
    return data ? data + start : "";
}

static bool has(const char *data, size_t length, const char *words)
{
    return length > 0 && memmem(data, length, words, strlen(words)) != NULL;
}

struct line {
    const char *start;
    size_t length;
};

static struct line last_line(const char *tail, size_t length)
{
    const char *newline = length > 0 ? memrchr(tail, '\n', length) : NULL;
    const char *start = newline ? newline + 1 : tail;
    return (struct line){start, (size_t)(tail + length - start)};
}

static bool is_module_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '.';
}

/* The top of a dotted name: what would have to be installed. */
static void read_module(const char *tail, size_t length, char ret_module[FAILURE_MODULE_BYTES_MAX])
{
    static const struct {
        const char *before;
        char quote;
    } forms[] = {{"No module named '", '\''},
                 {"pip cannot install ", ':'},
                 {"No matching distribution found for ", '\0'},
                 {"requirement ", '\0'}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *found =
            length > 0 ? memmem(tail, length, forms[i].before, strlen(forms[i].before)) : NULL;
        if (!found)
            continue;
        const char *at = found + strlen(forms[i].before);
        size_t count = 0;
        while (at + count < tail + length && is_module_byte(at[count]) && at[count] != '.')
            count++;
        if (count == 0 || count >= FAILURE_MODULE_BYTES_MAX)
            continue;
        memcpy(ret_module, at, count);
        ret_module[count] = '\0';
        return;
    }
}

static enum failure_kind kind_of_text(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (has(text, length, signs[i].words))
            return signs[i].kind;
    }
    return FAILURE_NONE;
}

static bool was_refused_a_host(const struct wire_execution *execution)
{
    for (size_t i = 0; i < execution->refusal_count; i++) {
        if (execution->refusals[i].kind == WIRE_REFUSAL_NETWORK)
            return true;
    }
    return false;
}

static bool reaches_for_hosts(const char *code)
{
    for (size_t i = 0; i < sizeof network_words / sizeof *network_words; i++) {
        if (strstr(code, network_words[i]))
            return true;
    }
    return false;
}

/* A program that catches its exceptions succeeds and prints them. Its words alone prove nothing:
 * they may come from a file that it read. */
static bool caught_a_network_failure(const struct wire_execution *execution, const char *code)
{
    if (was_refused_a_host(execution))
        return true;
    if (!reaches_for_hosts(code))
        return false;
    size_t length;
    const char *output =
        tail_of(execution->standard_output, execution->standard_output_length, &length);
    if (kind_of_text(output, length) == FAILURE_NETWORK)
        return true;
    const char *errors =
        tail_of(execution->standard_error, execution->standard_error_length, &length);
    return kind_of_text(errors, length) == FAILURE_NETWORK;
}

/* The last line names the exception; its context stands before it, and a sentence of the sandbox
 * behind it. */
static enum failure_kind kind_of_error(const char *tail, size_t length)
{
    struct line line = last_line(tail, length);
    if (has(line.start, line.length, closed_network))
        return FAILURE_NETWORK;
    enum failure_kind kind = kind_of_text(line.start, line.length);
    if (kind != FAILURE_NONE)
        return kind;
    /* "Execution aborted" is the last line when memory was short; else a line says how it ended. */
    if (line.length == strlen(aborted) && memcmp(line.start, aborted, line.length) == 0)
        return FAILURE_MEMORY;
    if (has(tail, length, "\nExecution aborted\n") ||
        (length > strlen(aborted) && memcmp(tail, aborted, strlen(aborted)) == 0))
        return FAILURE_CRASH;
    return FAILURE_OTHER;
}

struct failure failure_read(const struct wire_execution *execution, const char *code)
{
    struct failure failure = {.kind = FAILURE_NONE};
    size_t length;
    const char *tail =
        tail_of(execution->standard_error, execution->standard_error_length, &length);
    if (execution->status == WIRE_STATUS_SUCCEEDED) {
        if (caught_a_network_failure(execution, code))
            failure.kind = FAILURE_NETWORK;
    } else {
        failure.kind = kind_of_error(tail, length);
        if (failure.kind == FAILURE_OTHER && was_refused_a_host(execution))
            failure.kind = FAILURE_NETWORK;
    }
    failure.network_is_closed =
        failure.kind == FAILURE_NETWORK &&
        (has(tail, length, closed_network) || was_refused_a_host(execution));
    failure.interpreter_is_gone = execution->status != WIRE_STATUS_SUCCEEDED &&
                                  (failure.kind == FAILURE_CRASH || has(tail, length, aborted));
    if (failure.kind == FAILURE_PACKAGE)
        read_module(tail, length, failure.module);
    struct line line = last_line(tail, length);
    failure.signature = hash(hash_start, line.start, line.length);
    return failure;
}

/* ---- the same program ---- */

/* Several blanks count as one, but at the start of the line: those are Python's blocks. */
static uint64_t hash_line(uint64_t value, const char *line, size_t length)
{
    size_t indent = 0;
    while (indent < length && (line[indent] == ' ' || line[indent] == '\t'))
        indent++;
    while (length > indent && isspace((unsigned char)line[length - 1]))
        length--;
    if (indent == length || line[indent] == '#')
        return value;
    value = hash(value, line, indent);
    for (size_t i = indent; i < length; i++) {
        bool is_blank = line[i] == ' ' || line[i] == '\t';
        if (is_blank && (line[i - 1] == ' ' || line[i - 1] == '\t'))
            continue;
        value = hash(value, is_blank ? " " : line + i, 1);
    }
    return hash(value, "\n", 1);
}

uint64_t failure_fingerprint(const char *code, size_t length)
{
    uint64_t value = hash_start;
    const char *end = code + length;
    while (code < end) {
        const char *newline = memchr(code, '\n', (size_t)(end - code));
        const char *line_end = newline ? newline : end;
        value = hash_line(value, code, (size_t)(line_end - code));
        code = newline ? newline + 1 : end;
    }
    return value;
}
