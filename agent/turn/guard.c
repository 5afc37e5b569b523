#include "agent/turn/guard.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    NETWORK_TRIES = 2,  /* the second failure ends the attempts */
    PACKAGE_TRIES = 4,  /* of different packages; of the same one two */
    RESOURCE_TRIES = 3, /* out of time, out of memory, a crash */
    SAME_ERROR_TELL = 2,
    SAME_ERROR_MAX = 3,
    SAME_PROGRAM_MAX = 3, /* runs of one program, when others ran between */
    REPEATS_MAX = 2,      /* programs that were not run again, until tools are taken away */
};

/* ---- what happened ---- */

void guard_note_call(struct guard *guard, int64_t input_tokens, int64_t output_tokens)
{
    guard->model_calls++;
    guard->input_tokens += input_tokens > 0 ? input_tokens : 0;
    guard->output_tokens += output_tokens > 0 ? output_tokens : 0;
}

static unsigned times_missing(const struct guard *guard, const char *module)
{
    unsigned times = 0;
    for (unsigned i = 0; i < guard->module_count && i < GUARD_MODULES_MAX; i++)
        times += strcmp(guard->modules[i], module) == 0;
    return times;
}

void guard_note_run(struct guard *guard, uint64_t fingerprint, const struct failure *failure)
{
    guard->executions++;
    guard->programs[guard->program_count++ % GUARD_PROGRAMS_MAX] = fingerprint;
    guard->failures[failure->kind]++;
    guard->last_failed = failure->kind != FAILURE_NONE;
    if (!guard->last_failed) {
        guard->same_signature = 0;
        return;
    }
    bool is_same = guard->same_signature > 0 && guard->signature == failure->signature;
    guard->same_signature = is_same ? guard->same_signature + 1 : 1;
    guard->signature = failure->signature;
    if (failure->kind == FAILURE_PACKAGE)
        strcpy(guard->modules[guard->module_count++ % GUARD_MODULES_MAX], failure->module);
}

void guard_note_repeat(struct guard *guard)
{
    guard->repeats++;
}

double guard_cost(const struct guard *guard, const struct guard_limits *limits)
{
    return ((double)guard->input_tokens * limits->input_price +
            (double)guard->output_tokens * limits->output_price) /
           1e6;
}

/* ---- what to do ---- */

static const struct guard_decision go = {.verdict = GUARD_GO};

__attribute__((format(printf, 2, 3))) static struct guard_decision
decide(enum guard_verdict verdict, const char *format, ...)
{
    struct guard_decision decision = {.verdict = verdict};
    va_list args;
    va_start(args, format);
    vsnprintf(decision.reason, sizeof decision.reason, format, args);
    va_end(args);
    return decision;
}

__attribute__((format(printf, 2, 3))) static struct guard_decision
with_fact(struct guard_decision decision, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(decision.fact, sizeof decision.fact, format, args);
    va_end(args);
    return decision;
}

static enum guard_verdict fact_or_answer(unsigned times, unsigned most)
{
    return times < most ? GUARD_FACT : GUARD_ANSWER;
}

struct guard_decision guard_before_call(const struct guard *guard,
                                        const struct guard_limits *limits, int64_t now_ms)
{
    int64_t tokens = guard->input_tokens + guard->output_tokens;
    double cost = guard_cost(guard, limits);
    if (limits->model_calls > 0 && guard->model_calls >= limits->model_calls)
        return decide(GUARD_STOP, "the limit of %u model calls in a turn is reached",
                      limits->model_calls);
    if (limits->time_ms > 0 && now_ms - guard->started_ms >= limits->time_ms)
        return decide(GUARD_STOP, "the turn's time of %lld s is over",
                      (long long)limits->time_ms / 1000);
    if (limits->tokens > 0 && tokens >= limits->tokens)
        return decide(GUARD_STOP, "%lld tokens are used; the limit is %lld", (long long)tokens,
                      (long long)limits->tokens);
    if (limits->cost > 0 && cost >= limits->cost)
        return decide(GUARD_STOP, "the turn has cost %.4f; the limit is %.4f", cost, limits->cost);
    if (guard->answer_was_forced)
        return decide(GUARD_ANSWER, "%s", "");
    if (limits->model_calls > 1 && guard->model_calls + 1 == limits->model_calls)
        return with_fact(
            decide(GUARD_ANSWER, "the last of %u model calls: no more tools", limits->model_calls),
            "This is the last step of this turn. Answer now with what you have, and "
            "say what is missing.");
    return go;
}

static unsigned times_run(const struct guard *guard, uint64_t fingerprint)
{
    unsigned times = 0;
    for (unsigned i = 0; i < guard->program_count && i < GUARD_PROGRAMS_MAX; i++)
        times += guard->programs[i] == fingerprint;
    return times;
}

static bool is_last_program(const struct guard *guard, uint64_t fingerprint)
{
    return guard->program_count > 0 &&
           guard->programs[(guard->program_count - 1) % GUARD_PROGRAMS_MAX] == fingerprint;
}

struct guard_decision guard_before_run(const struct guard *guard, uint64_t fingerprint)
{
    bool failed_just_now = guard->last_failed && is_last_program(guard, fingerprint);
    unsigned times = times_run(guard, fingerprint);
    if (!failed_just_now && times < SAME_PROGRAM_MAX)
        return go;
    enum guard_verdict verdict = fact_or_answer(guard->repeats + 1, REPEATS_MAX);
    if (failed_just_now)
        return with_fact(decide(verdict, "the same program that has just failed was not run again"),
                         "Not run: this is the program that has just failed, and nothing has "
                         "changed since. %s",
                         verdict == GUARD_ANSWER ? "Answer now with what you have."
                                                 : "Change it, or answer with what you have.");
    return with_fact(decide(verdict, "the same program was not run for the %uth time", times + 1),
                     "Not run: this program has run %u times in this turn. %s", times,
                     verdict == GUARD_ANSWER ? "Answer now with what you have."
                                             : "Its results are above; go on from there.");
}

static struct guard_decision after_network(const struct guard *guard, const struct failure *failure)
{
    unsigned times = guard->failures[FAILURE_NETWORK];
    if (times >= NETWORK_TRIES)
        return with_fact(
            decide(GUARD_ANSWER, "the sandbox has no network, and %u programs tried it", times),
            "The sandbox has no network. No other host, library or protocol changes that. Answer "
            "now: say that the data could not be fetched, and ask the user to upload it as a "
            "file.");
    /* Azure does not say so, sandboxd does. */
    const char *surely = failure->network_is_closed ? "" : ", as far as can be told";
    return with_fact(decide(GUARD_FACT, "the sandbox has no network%s", surely),
                     "The sandbox has no network%s: this is permanent and applies to every host "
                     "and library. Do not retry. Work with the files in /mnt/data, or ask the user "
                     "to upload what you need as a file.",
                     surely);
}

static struct guard_decision after_package(const struct guard *guard, const struct failure *failure)
{
    bool is_known = failure->module[0] != '\0';
    bool is_repeat = is_known && times_missing(guard, failure->module) > 1;
    bool ends = is_repeat || guard->failures[FAILURE_PACKAGE] >= PACKAGE_TRIES;
    const char *module = is_known ? failure->module : "that package";
    if (ends)
        return with_fact(
            decide(GUARD_ANSWER, "missing packages: %s %s", module, is_repeat ? "again" : "too"),
            "%s is not installed and cannot be: pip is not available. Answer now with what you "
            "have, and say which package is missing.",
            module);
    return with_fact(decide(GUARD_FACT, "%s is not installed in the sandbox", module),
                     "%s is not installed, and pip is not available: packages cannot be added. Use "
                     "an installed package or the standard library.",
                     module);
}

static struct guard_decision after_resource(const struct guard *guard,
                                            const struct failure *failure)
{
    static const struct {
        const char *reason, *fact;
    } texts[FAILURE_KINDS] = {
        [FAILURE_TIMEOUT] = {"the program ran out of time",
                             "The program was stopped at its time limit. Do less in one program: "
                             "fewer rows, fewer iterations, or several steps."},
        [FAILURE_MEMORY] = {"the program ran out of memory",
                            "The program needed more memory than the sandbox has. Work in pieces, "
                            "and read only the columns and rows that you need."},
        [FAILURE_CRASH] = {"the program ended the interpreter",
                           "The program ended the interpreter. Do not exit, exec or kill "
                           "processes."},
    };
    enum failure_kind kind = failure->kind;
    unsigned times = guard->failures[kind];
    enum guard_verdict verdict = fact_or_answer(times, RESOURCE_TRIES);
    return with_fact(decide(verdict, "%s%s", texts[kind].reason, times > 1 ? " again" : ""),
                     "%s%s%s", texts[kind].fact,
                     failure->interpreter_is_gone
                         ? " Python was restarted: all variables and imports are gone, the files "
                           "are still there."
                         : "",
                     verdict == GUARD_ANSWER ? " Answer now with what you have." : "");
}

static struct guard_decision after_same_error(const struct guard *guard)
{
    unsigned times = guard->same_signature;
    if (times < SAME_ERROR_TELL)
        return go;
    if (times < SAME_ERROR_MAX)
        return with_fact(decide(GUARD_FACT, "the same error twice in a row"),
                         "This is the same error as before. Look at the data or the documentation "
                         "before you try again, or do it in another way.");
    return with_fact(decide(GUARD_ANSWER, "the same error %u times in a row", times),
                     "This is the same error %u times in a row. Answer now with what you have, and "
                     "say what did not work.",
                     times);
}

struct guard_decision guard_after_run(const struct guard *guard, const struct failure *failure)
{
    switch (failure->kind) {
    case FAILURE_NONE:
        return go;
    case FAILURE_NETWORK:
        return guard->network_is_open ? after_same_error(guard) : after_network(guard, failure);
    case FAILURE_PACKAGE:
        return after_package(guard, failure);
    case FAILURE_TIMEOUT:
    case FAILURE_MEMORY:
    case FAILURE_CRASH:
        return after_resource(guard, failure);
    default:
        return after_same_error(guard);
    }
}
