/* script: a model written by hand: what it says, one answer after the other, in a text file.
 *
 * docs/tapes.md describes the language. This module reads the text into steps and says which line
 * is wrong; act.h performs them. Whole script in memory, bounded; nothing is executed here.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/core/cleanup.h"
#include "base/core/error.h"

enum {
    SCRIPT_BYTES_MAX = 8 * 1024 * 1024,
    SCRIPT_STEPS_MAX = 20000,
    SCRIPT_WORD_BYTES_MAX = 128, /* names of tools, labels, codes */
    SCRIPT_PATTERN_BYTES_MAX = 256,
    SCRIPT_PATTERN_PLUSES_MAX = 8, /* regcomp doubles what stands before each */
    SCRIPT_DELAY_MS_MAX = 24 * 3600 * 1000,
    SCRIPT_REPEAT_MAX = 100000,
};

enum script_kind {
    /* what an answer is made of */
    SCRIPT_SAY,
    SCRIPT_THINK,
    SCRIPT_CALL,   /* name: the tool; text: its arguments, as they are sent */
    SCRIPT_RAW,    /* text: bytes of the body as they are sent */
    SCRIPT_DELAY,  /* number: ms before what follows */
    SCRIPT_FINISH, /* name: the reason that is told */
    SCRIPT_CUT,    /* number: the connection ends after so many bytes of the body */
    SCRIPT_HEADER, /* name, text */
    SCRIPT_ERROR,  /* number: status; after_ms; name: code; param; text: message */
    /* what stays until it is changed */
    SCRIPT_MODEL,  /* name */
    SCRIPT_USAGE,  /* number: input tokens; other: output tokens */
    SCRIPT_CHUNKS, /* chunks */
    /* what ends an answer */
    SCRIPT_NEXT,
    SCRIPT_LABEL,  /* name */
    SCRIPT_GOTO,   /* target */
    SCRIPT_REPEAT, /* target; number: how often */
    SCRIPT_WHEN,   /* test; target */
    SCRIPT_EXPECT, /* test */
};

/* How the bytes of an answer are cut into pieces. */
enum script_chunking { SCRIPT_BY_EVENT, SCRIPT_BY_SIZE, SCRIPT_BY_CHANCE, SCRIPT_WHOLE };
struct script_chunks {
    enum script_chunking kind;
    uint64_t number; /* SCRIPT_BY_SIZE: bytes; SCRIPT_BY_CHANCE: the seed */
};
/* Reads "events", "whole", a number of bytes, or "random SEED". */
int script_read_chunks(const char *text, struct script_chunks *ret_chunks, struct error *err);

enum script_subject { SCRIPT_REQUEST, SCRIPT_OBSERVATION, SCRIPT_USER, SCRIPT_SYSTEM };
enum script_relation { SCRIPT_CONTAINS, SCRIPT_LACKS, SCRIPT_MATCHES };
struct script_test {
    enum script_subject subject;
    enum script_relation relation;
    char *text; /* what is looked for, or the pattern */
    size_t length;
    regex_t pattern; /* SCRIPT_MATCHES */
    bool has_pattern;
};

struct script_step {
    enum script_kind kind;
    unsigned line;
    char *name;
    char *param;
    char *text; /* NUL-terminated, may hold NULs */
    size_t length;
    int64_t number;
    int64_t other;
    int64_t after_ms; /* SCRIPT_ERROR: when to come back; -1: not told */
    bool after_in_ms; /* as retry-after-ms, not as Retry-After */
    struct script_chunks chunks;
    struct script_test test;
    size_t target; /* index of the step to go on with */
};

struct script {
    struct script_step *steps; /* never NULL */
    size_t count;
    size_t capacity;
};

/* ERROR_INVALID names the line; ERROR_LIMIT. data is borrowed; the script is returned. */
int script_read(const char *data, size_t length, struct script **ret_script, struct error *err);
/* The same of a file; messages begin with its path. */
int script_load(const char *path, struct script **ret_script, struct error *err);
void script_destroy(struct script *script);
DEFINE_AUTO(script)
