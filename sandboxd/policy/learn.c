#include "sandboxd/policy/learn.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"
#include "sandboxd/policy/constants.h"
#include "sandboxd/policy/describe.h"
#include "sandboxd/policy/floor.h"
#include "sandboxd/policy/names.h"

/* Arguments that policies look at; all others are pointers, sizes and descriptors. */
static const struct watched {
    const char *call;
    size_t count;
    struct {
        unsigned argument;
        const char *mask; /* a constant, or NULL: the lower 32 bits */
    } arguments[LEARN_ARGUMENTS_MAX];
} watched[] = {
    {"clone", 1, {{0, "CLONE_REFUSED"}}},
    {"getsockopt", 2, {{1, NULL}, {2, NULL}}},
    {"ioctl", 1, {{1, NULL}}},
    {"memfd_create", 1, {{1, "MFD_HUGETLB"}}},
    {"mknod", 1, {{1, "S_IFMT"}}},
    {"mknodat", 1, {{2, "S_IFMT"}}},
    {"mmap", 1, {{3, "MAP_HUGETLB"}}},
    {"personality", 1, {{0, NULL}}},
    {"prctl", 1, {{0, NULL}}},
    {"setsockopt", 2, {{1, NULL}, {2, NULL}}},
    {"shmget", 1, {{2, "SHM_HUGETLB"}}},
    {"socket", 3, {{0, NULL}, {1, "SOCK_TYPE_MASK"}, {2, NULL}}},
    {"socketpair", 3, {{0, NULL}, {1, "SOCK_TYPE_MASK"}, {2, NULL}}},
};

static const struct watched *find_watched(int number)
{
    const char *name = names_call(number);
    for (size_t i = 0; name && i < sizeof watched / sizeof *watched; i++) {
        if (strcmp(watched[i].call, name) == 0)
            return &watched[i];
    }
    return NULL;
}

static uint64_t mask_of(const char *constant)
{
    uint64_t mask = 0xFFFFFFFF;
    if (constant)
        constants_find(constant, &mask);
    return mask;
}

/* ---- noting ---- */

void learn_start(struct learn *learn, const struct policy *policy, bool is_strict)
{
    *learn = (struct learn){
        .policy = policy,
        .is_strict = is_strict,
        .calls = xcalloc(LEARN_CALLS_MAX, sizeof *learn->calls),
        .used_groups = xcalloc(policy->group_count + 1, sizeof *learn->used_groups),
    };
}

void learn_clear(struct learn *learn)
{
    free(learn->calls);
    free(learn->used_groups);
}

/* A rule that would allow just that. */
static struct filter_rule rule_of(const struct learn_call *call)
{
    const struct watched *w = find_watched(call->number);
    struct filter_rule rule = {.number = call->number, .allow = true};
    for (size_t i = 0; w && i < w->count; i++)
        rule.conditions[rule.condition_count++] = (struct filter_condition){
            .argument = w->arguments[i].argument,
            .mask = mask_of(w->arguments[i].mask),
            .value = call->values[i],
        };
    return rule;
}

static const char *objection(const struct policy *policy, const struct learn_call *call)
{
    struct filter_rule rule = rule_of(call);
    if (!names_call(call->number))
        return "it has no name here yet";
    return policy->kind == POLICY_SESSION ? floor_object(&rule) : NULL;
}

static struct learn_call *note(struct learn *learn, const struct learn_call *call)
{
    for (size_t i = 0; i < learn->count; i++) {
        struct learn_call *known = &learn->calls[i];
        if (known->number == call->number && known->answer == call->answer &&
            memcmp(known->values, call->values, sizeof call->values) == 0)
            return known;
    }
    if (learn->count == LEARN_CALLS_MAX) {
        learn->forgotten++;
        return NULL;
    }
    struct learn_call *known = &learn->calls[learn->count++];
    *known = *call;
    known->why = objection(learn->policy, call);
    return known;
}

int learn_note(void *self, const struct supervise_call *asked)
{
    struct learn *learn = self;
    if (!asked->is_native) {
        learn->foreign++;
        return learn->is_strict ? ENOSYS : 0;
    }
    const struct watched *w = find_watched(asked->number);
    const struct filter_rule *rule = policy_find(learn->policy, asked->number, asked->arguments);
    struct learn_call call = {
        .number = asked->number,
        .answer = policy_answer(learn->policy, asked->number, asked->arguments),
    };
    for (size_t i = 0; w && i < w->count; i++)
        call.values[i] = asked->arguments[w->arguments[i].argument] & mask_of(w->arguments[i].mask);
    if (rule)
        learn->used_groups[rule->group] = true;
    struct learn_call *known = note(learn, &call);
    if (known)
        known->count++;
    if (learn->is_strict)
        return call.answer;
    return known && known->why ? call.answer : 0;
}

/* ---- the policy ---- */

/* What the interpreter of a session does before and around a program. */
static const char *const always[] = {
    "access",         "brk",          "capget",  "close",    "exit",      "exit_group",
    "fcntl",          "fstat",        "futex",   "getpid",   "getrandom", "getresuid",
    "gettid",         "lseek",        "madvise", "mprotect", "munmap",    "newfstatat",
    "open",           "openat",       "poll",    "read",     "recvmsg",   "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sendmsg", "stat",     "statfs",    "write"};

static json_t *value_of(const struct watched *w, size_t index, const struct learn_call *call)
{
    char word[NAMES_VALUE_MAX];
    uint64_t value = call->values[index];
    names_value(w->call, w->arguments[index].argument, call->values[0], value, word);
    bool is_constant = *word >= 'A' && *word <= 'Z';
    return is_constant || value > INT32_MAX ? json_string(word) : json_integer((json_int_t)value);
}

static json_t *condition_of(const struct watched *w, size_t index, json_t *is)
{
    json_t *condition = json_pack("{s:i}", "argument", (int)w->arguments[index].argument);
    if (w->arguments[index].mask)
        json_object_set_new(condition, "mask", json_string(w->arguments[index].mask));
    json_object_set_new(condition, "is", is);
    return condition;
}

static bool is_allowed(const struct learn_call *call)
{
    return !call->why;
}

/* An earlier one with the same values, whose answer was another. */
static bool is_repeated(const struct learn *learn, size_t index)
{
    const struct learn_call *call = &learn->calls[index];
    for (size_t i = 0; i < index; i++) {
        const struct learn_call *other = &learn->calls[i];
        if (other->number == call->number &&
            memcmp(other->values, call->values, sizeof call->values) == 0)
            return true;
    }
    return false;
}

/* They differ in the last value only: one entry will do. */
static bool is_like(const struct watched *w, const struct learn_call *a, const struct learn_call *b)
{
    return a->number == b->number &&
           memcmp(a->values, b->values, (w->count - 1) * sizeof *a->values) == 0;
}

static void set_why(json_t *entry, const char *reason, uint64_t count)
{
    AUTO_FREE char *why =
        count ? xasprintf("%s; seen %" PRIu64 " time%s", reason, count, count == 1 ? "" : "s")
              : xstrdup(reason);
    json_object_set_new(entry, "why", json_string(why));
}

/* Why the policy in force allows it, or that it does not. */
static char *reason_of(const struct policy *policy, const struct learn_call *call,
                       const struct watched *w)
{
    uint64_t arguments[6] = {0};
    for (size_t i = 0; i < w->count; i++)
        arguments[w->arguments[i].argument] = call->values[i];
    const struct filter_rule *rule = policy_find(policy, call->number, arguments);
    if (call->count == 0)
        return xstrdup("the check after the lock-down");
    if (!rule || !rule->allow)
        return xasprintf("%s refuses it", policy->name);
    return xstrdup(policy_why(policy, rule));
}

/* One value stands alone. */
static json_t *one_or_all(json_t *values)
{
    if (json_array_size(values) != 1)
        return values;
    json_t *only = json_incref(json_array_get(values, 0));
    json_decref(values);
    return only;
}

/* For the watched call number `first` and those like it. */
static json_t *watched_entry(const struct learn *learn, size_t first, const struct watched *w)
{
    const struct learn_call *call = &learn->calls[first];
    json_t *last = json_array(), *when = json_array();
    uint64_t count = 0;
    for (size_t i = first; i < learn->count; i++) {
        const struct learn_call *other = &learn->calls[i];
        if (!is_allowed(other) || !is_like(w, call, other))
            continue;
        count += other->count;
        if (!is_repeated(learn, i))
            json_array_append_new(last, value_of(w, w->count - 1, other));
    }
    for (size_t i = 0; i + 1 < w->count; i++)
        json_array_append_new(when, condition_of(w, i, value_of(w, i, call)));
    json_array_append_new(when, condition_of(w, w->count - 1, one_or_all(last)));
    json_t *entry = json_pack("{s:[s], s:o}", "allow", w->call, "when", when);
    AUTO_FREE char *reason = reason_of(learn->policy, call, w);
    set_why(entry, reason, count);
    return entry;
}

static bool has_earlier_like(const struct learn *learn, size_t index, const struct watched *w)
{
    for (size_t i = 0; i < index; i++) {
        if (is_allowed(&learn->calls[i]) && is_like(w, &learn->calls[i], &learn->calls[index]))
            return true;
    }
    return false;
}

static void add_watched(const struct learn *learn, json_t *calls)
{
    for (size_t i = 0; i < learn->count; i++) {
        const struct watched *w = find_watched(learn->calls[i].number);
        if (w && is_allowed(&learn->calls[i]) && !has_earlier_like(learn, i, w))
            json_array_append_new(calls, watched_entry(learn, i, w));
    }
}

/* The group of the policy in force that allows the call without conditions; group_count: none. */
static size_t group_of(const struct policy *policy, int number)
{
    static const uint64_t nothing[6];
    const struct filter_rule *rule = policy_find(policy, number, nothing);
    return rule && rule->allow ? rule->group : policy->group_count;
}

/* Calls that nothing is asked about, in the groups of the policy in force. */
static void add_group(const struct learn *learn, size_t group, json_t *calls)
{
    const struct policy *policy = learn->policy;
    json_t *names = json_array();
    uint64_t count = 0;
    for (size_t i = 0; i < learn->count; i++) {
        const struct learn_call *call = &learn->calls[i];
        if (find_watched(call->number) || !is_allowed(call) ||
            group_of(policy, call->number) != group)
            continue;
        count += call->count;
        if (!is_repeated(learn, i))
            json_array_append_new(names, json_string(names_call(call->number)));
    }
    if (json_array_size(names) == 0) {
        json_decref(names);
        return;
    }
    json_t *entry = json_pack("{s:o}", "allow", names);
    AUTO_FREE char *reason =
        group == policy->group_count
            ? xasprintf("%s refuses it", policy->name)
            : xstrdup(json_string_value(json_object_get(policy->groups[group].entry, "why")));
    set_why(entry, reason, count);
    json_array_append_new(calls, entry);
}

static bool is_used(const struct learn *learn, const char *name)
{
    int number = filter_call_number(name);
    for (size_t i = 0; i < learn->count; i++) {
        if (learn->calls[i].number == number && is_allowed(&learn->calls[i]))
            return true;
    }
    return false;
}

static void add_always(const struct learn *learn, json_t *calls)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        if (filter_call_number(always[i]) >= 0 && !is_used(learn, always[i]))
            json_array_append_new(names, json_string(always[i]));
    }
    if (json_array_size(names) > 0)
        json_array_append_new(calls, json_pack("{s:o, s:s}", "allow", names, "why",
                                               "the interpreter of a session itself"));
    else
        json_decref(names);
}

/* Refusals with an error of their own make programs fall back. */
static void add_refusals(const struct learn *learn, json_t *old_calls, json_t *calls)
{
    json_t *entry, *name;
    size_t i, j;
    json_array_foreach(old_calls, i, entry)
    {
        json_t *names = json_object_get(entry, "refuse");
        if (json_object_get(entry, "refuseNumbers"))
            json_array_append(calls, entry);
        if (!names)
            continue;
        json_t *left = json_array();
        json_array_foreach(names, j, name)
        {
            if (!is_used(learn, json_string_value(name)))
                json_array_append(left, name);
        }
        json_object_set(entry, "refuse", left);
        if (json_array_size(left) > 0)
            json_array_append(calls, entry);
        json_decref(left);
    }
}

/* The check after the lock-down. */
static void note_always(struct learn *learn)
{
    static const char *const options[] = {"PR_GET_SECCOMP", "PR_GET_NO_NEW_PRIVS",
                                          "PR_CAPBSET_READ", "PR_CAP_AMBIENT", "PR_GET_DUMPABLE"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct learn_call call = {.number = filter_call_number("prctl")};
        constants_find(options[i], &call.values[0]);
        note(learn, &call);
    }
    struct learn_call map = {.number = filter_call_number("mmap")};
    note(learn, &map);
}

struct json_t *learn_document(const struct learn *learn, const char *name, const char *description)
{
    struct learn all = *learn; /* the table has room, and what is added counts nothing */
    json_t *document = describe_as_json(learn->policy), *calls = json_array();
    if (learn->policy->kind == POLICY_SESSION)
        note_always(&all);
    for (size_t group = 0; group <= learn->policy->group_count; group++)
        add_group(&all, group, calls);
    add_watched(&all, calls);
    if (learn->policy->kind == POLICY_SESSION)
        add_always(&all, calls);
    add_refusals(&all, json_object_get(document, "calls"), calls);
    json_object_set_new(document, "name", json_string(name));
    json_object_set_new(document, "description", json_string(description));
    json_object_set_new(document, "calls", calls);
    return document;
}

/* ---- what differs ---- */

/* Programs that get ENOSYS for these try something else, which is seen too. */
static bool is_fallback(const struct learn_call *call)
{
    return call->why && call->answer == ENOSYS;
}

size_t learn_describe_refused(const struct learn *learn, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < learn->count; i++) {
        const struct learn_call *call = &learn->calls[i];
        struct filter_rule rule = rule_of(call);
        const char *name = names_call(call->number);
        if (call->answer == 0 || is_fallback(call))
            continue;
        if (name)
            buf_printf(out, "%s", name);
        else
            buf_printf(out, "call number %d", call->number);
        buf_printf(out, rule.condition_count ? " when " : "");
        describe_conditions(&rule, out);
        buf_printf(out, ": refused with %s, %" PRIu64 " time%s", names_error(call->answer),
                   call->count, call->count == 1 ? "" : "s");
        buf_printf(out, call->why ? " (no policy for sessions may allow it: %s)\n" : "%s\n",
                   call->why ? call->why : "");
        count++;
    }
    if (learn->foreign > 0) {
        buf_printf(out, "calls of another architecture: they end the process, %" PRIu64 " times\n",
                   learn->foreign);
        count++;
    }
    return count;
}

void learn_describe_unused(const struct learn *learn, struct buf *out)
{
    const struct policy *policy = learn->policy;
    for (size_t i = 0; i < policy->group_count; i++) {
        const struct policy_group *group = &policy->groups[i];
        if (!learn->used_groups[i] && json_object_get(group->entry, "allow"))
            buf_printf(out, "%s, calls[%zu]: %s\n", group->document, group->index,
                       json_string_value(json_object_get(group->entry, "why")));
    }
}
