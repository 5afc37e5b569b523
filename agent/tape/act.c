#include "agent/tape/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tape/speech.h"
#include "base/core/cleanup.h"

enum {
    ACT_JUMPS_MAX = 10000,  /* without an answer between them */
    BYTES_PER_TOKEN = 4,    /* the usual estimate, where the script gives no number */
    PIECE_BYTES_MAX = 1024, /* what a wire adds to one piece of text, and more */
    ESCAPED_BYTES_MAX = 6,  /* of one byte in JSON */
};

struct act {
    const struct script *script;
    const struct script_step *at;
    uint32_t *jumps; /* how often each "repeat" has jumped */
    unsigned answers;
    unsigned calls;
    bool has_chunks; /* given from outside */

    /* what stays until it is changed */
    struct script_chunks chunks;
    const char *model;
    const struct script_step *usage;

    /* the answer under way */
    const struct script_step **content;
    size_t count;
    const struct script_step *headers[REPLY_HEADERS_MAX];
    size_t header_count;
    const struct script_step *finish;
    const struct script_step *cut;
    const struct script_step *error;
};

static const char *first_model(const struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        if (script->steps[i].kind == SCRIPT_MODEL)
            return script->steps[i].name;
    }
    return "script";
}

struct act *act_create(const struct script *script, const struct script_chunks *chunks)
{
    struct act *act = xcalloc(1, sizeof *act);
    act->script = script;
    act->at = script->steps;
    act->jumps = xcalloc(script->count + 1, sizeof *act->jumps);
    act->content = xcalloc(script->count + 1, sizeof *act->content);
    act->model = first_model(script);
    if (chunks) {
        act->has_chunks = true;
        act->chunks = *chunks;
    }
    return act;
}

void act_destroy(struct act *act)
{
    if (!act)
        return;
    free(act->jumps);
    free(act->content);
    free(act);
}

unsigned act_answers(const struct act *act)
{
    return act->answers;
}

const char *act_model(const struct act *act)
{
    return act->model;
}

/* ---- tests ---- */

static const char *subject_text(const struct script_test *test, const struct asked *asked,
                                size_t *ret_length)
{
    const char *text = test->subject == SCRIPT_OBSERVATION ? asked->observation
                       : test->subject == SCRIPT_USER      ? asked->user
                       : test->subject == SCRIPT_SYSTEM    ? asked->system
                                                           : asked->text;
    *ret_length = test->subject == SCRIPT_REQUEST ? asked->length : strlen(text);
    return text;
}

static bool matches(const struct script_test *test, const char *text, size_t length)
{
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)length};
    return regexec(&test->pattern, text, 1, &range, REG_STARTEND) == 0;
}

static bool holds(const struct script_test *test, const struct asked *asked)
{
    size_t length;
    const char *text = subject_text(test, asked, &length);
    if (test->relation == SCRIPT_MATCHES)
        return matches(test, text, length);
    bool contains = test->length == 0 || memmem(text, length, test->text, test->length);
    return contains == (test->relation == SCRIPT_CONTAINS);
}

static int check(const struct script_step *step, const struct asked *asked, struct error *err)
{
    static const char *const subjects[] = {"request", "observation", "user's text", "system text"};
    static const char *const relations[] = {"must contain", "must not contain", "must match"};
    if (holds(&step->test, asked))
        return 0;
    size_t length;
    const char *text = subject_text(&step->test, asked, &length);
    return error_set(err, ERROR_CONFLICT, "line %u: the %s %s \"%.80s\"; it is: %.200s%s",
                     step->line, subjects[step->test.subject], relations[step->test.relation],
                     step->test.text, text, length > 200 ? "..." : "");
}

/* ---- steps ---- */

static bool has_content(const struct act *act)
{
    return act->count > 0 || act->finish || act->cut || act->error || act->header_count > 0;
}

static void take_content(struct act *act, const struct script_step *step)
{
    switch (step->kind) {
    case SCRIPT_HEADER:
        if (act->header_count < REPLY_HEADERS_MAX)
            act->headers[act->header_count++] = step;
        break;
    case SCRIPT_FINISH:
        act->finish = step;
        break;
    case SCRIPT_CUT:
        act->cut = step;
        break;
    case SCRIPT_ERROR:
        act->error = step;
        break;
    case SCRIPT_MODEL:
        act->model = step->name;
        break;
    case SCRIPT_USAGE:
        act->usage = step;
        break;
    case SCRIPT_CHUNKS:
        if (!act->has_chunks)
            act->chunks = step->chunks;
        break;
    default:
        act->content[act->count++] = step;
        break;
    }
}

static bool repeats(struct act *act, const struct script_step *step)
{
    uint32_t *jumps = &act->jumps[step - act->script->steps];
    if (*jumps < step->number) {
        ++*jumps;
        return true;
    }
    *jumps = 0; /* it may be come to again */
    return false;
}

/* One step between answers. */
static int obey(struct act *act, const struct script_step *step, const struct asked *asked,
                struct error *err)
{
    bool jumps = step->kind == SCRIPT_GOTO ||
                 (step->kind == SCRIPT_WHEN && holds(&step->test, asked)) ||
                 (step->kind == SCRIPT_REPEAT && repeats(act, step));
    if (step->kind == SCRIPT_EXPECT && check(step, asked, err) < 0)
        return -1;
    act->at = jumps ? act->script->steps + step->target : step + 1;
    return 0;
}

/* Walks to the end of the next answer. What comes behind it, conditions above all, is for the next
 * request. */
static int gather(struct act *act, const struct asked *asked, struct error *err)
{
    const struct script_step *end = act->script->steps + act->script->count;
    for (unsigned between = 0; act->at < end && !act->error;) {
        const struct script_step *step = act->at;
        if (step->kind < SCRIPT_NEXT) {
            take_content(act, step);
            act->at++;
            continue;
        }
        if (has_content(act))
            break;
        if (++between > ACT_JUMPS_MAX)
            return error_set(err, ERROR_INVALID, "line %u: the script goes round in circles",
                             step->line);
        if (obey(act, step, asked, err) < 0)
            return -1;
    }
    if (!has_content(act))
        return error_set(err, ERROR_MISSING,
                         "the script has %u answers and this request is one "
                         "too many",
                         act->answers);
    return 0;
}

/* ---- the answer ---- */

static void write_failure(const struct script_step *step, struct reply *reply)
{
    if (step->after_ms >= 0) {
        char value[32];
        bool in_ms = step->after_in_ms;
        snprintf(value, sizeof value, "%lld", (long long)step->after_ms / (in_ms ? 1 : 1000));
        reply_add_header(reply, in_ms ? "retry-after-ms" : "Retry-After", value);
    }
    if (step->text && step->text[0] == '{') { /* a body of its own */
        reply->status = (unsigned)step->number;
        reply_add_header(reply, "Content-Type", "application/json");
        buf_append(&reply->body, step->text, step->length);
        reply_end_piece(reply, 0);
    } else {
        speech_write_error(reply, (unsigned)step->number, step->name, step->param, step->text);
    }
}

/* Before anything is written, so that no answer stops at the limit halfway. */
static int measure(const struct act *act, struct error *err)
{
    size_t bytes = PIECE_BYTES_MAX * 8;
    for (size_t i = 0; i < act->count; i++) {
        const struct script_step *step = act->content[i];
        size_t pieces = 4;
        for (size_t at = 0; step->kind != SCRIPT_RAW && at < step->length; pieces++)
            at += step->kind == SCRIPT_CALL
                      ? speech_next_fragment(step->text + at, step->length - at)
                      : speech_next_word(step->text + at, step->length - at);
        /* The Responses API says everything three times. */
        bytes += pieces * PIECE_BYTES_MAX + 3 * ESCAPED_BYTES_MAX * step->length;
        if (bytes > REPLY_BYTES_MAX)
            return error_set(err, ERROR_LIMIT, "line %u: the answer is too long to be sent",
                             step->line);
    }
    return 0;
}

static int write_speech(struct act *act, const struct asked *asked, struct reply *reply,
                        struct error *err)
{
    size_t output_bytes = 0;
    for (size_t i = 0; i < act->count; i++)
        output_bytes += act->content[i]->length;
    struct speech speech = {
        .steps = act->content,
        .count = act->count,
        .model = act->model,
        .finish = act->finish ? act->finish->name : NULL,
        .answer = act->answers + 1,
        .first_call = act->calls + 1,
        .input_tokens = act->usage ? act->usage->number : (int64_t)asked->length / BYTES_PER_TOKEN,
        .output_tokens = act->usage ? act->usage->other : (int64_t)output_bytes / BYTES_PER_TOKEN,
    };
    if (measure(act, err) < 0 || speech_write(&speech, asked, reply, err) < 0)
        return -1;
    for (size_t i = 0; i < act->count; i++)
        act->calls += act->content[i]->kind == SCRIPT_CALL;
    return 0;
}

static void forget_answer(struct act *act)
{
    act->count = act->header_count = 0;
    act->finish = act->cut = act->error = NULL;
}

int act_answer(struct act *act, const struct asked *asked, struct reply *reply, struct error *err)
{
    reply->body.limit = REPLY_BYTES_MAX;
    int result = gather(act, asked, err);
    if (result == 0) {
        for (size_t i = 0; i < act->header_count; i++)
            reply_add_header(reply, act->headers[i]->name, act->headers[i]->text);
        if (act->error)
            write_failure(act->error, reply);
        else
            result = write_speech(act, asked, reply, err);
    }
    if (result == 0) {
        reply_split(reply, &act->chunks);
        if (act->cut)
            reply_cut(reply, (size_t)act->cut->number);
        act->answers++;
    }
    forget_answer(act);
    return result;
}
