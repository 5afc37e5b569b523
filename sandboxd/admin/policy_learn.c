/* policy learn, policy try: what a program asks of the kernel, and whether a policy lets it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/core/cleanup.h"
#include "sandboxd/admin/policy_command.h"
#include "sandboxd/policy/learn.h"

static int watch(struct learn *learn, const struct policy *policy, bool is_strict,
                 const char *const *command, int *ret_status)
{
    struct error err = {0};
    learn_start(learn, policy, is_strict);
    if (supervise_run((char *const *)(uintptr_t)command, learn_note, learn, ret_status, &err) == 0)
        return 0;
    learn_clear(learn);
    return policy_command_fail(&err);
}

/* Returns whether there is something to say. */
static bool report_end(const char *command, int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "sandboxd: %s ended by signal %d\n", command, WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        fprintf(stderr, "sandboxd: %s ended with status %d\n", command, WEXITSTATUS(status));
    return status != 0;
}

/* Returns whether something was refused. */
static bool report_refused(const struct learn *learn)
{
    AUTO_BUF struct buf text = {0};
    size_t count = learn_describe_refused(learn, &text);
    fprintf(stderr, count ? "policy %s refuses:\n%s" : "policy %s lets all of it pass\n%s",
            learn->policy->name, count ? text.data : "");
    if (learn->forgotten > 0)
        fprintf(stderr, "sandboxd: more than %d different calls; %llu were not noted\n",
                LEARN_CALLS_MAX, (unsigned long long)learn->forgotten);
    return count > 0;
}

static void report_unused(const struct learn *learn)
{
    AUTO_BUF struct buf text = {0};
    learn_describe_unused(learn, &text);
    if (text.length > 0)
        fprintf(stderr, "entries of policy %s that were not needed:\n%s", learn->policy->name,
                text.data);
}

/* As our own are written: an entry in a line. */
static void write_array(const char *member, json_t *array, struct buf *out)
{
    size_t index;
    json_t *entry;
    buf_printf(out, "  \"%s\": [", member);
    json_array_foreach(array, index, entry)
    {
        char *text = json_dumps(entry, 0);
        buf_printf(out, "%s\n    %s", index ? "," : "", text);
        free(text);
    }
    buf_printf(out, "\n  ]");
}

static void write_document(json_t *document, struct buf *out)
{
    const char *member, *separator = "{\n";
    json_t *value;
    json_object_foreach(document, member, value)
    {
        buf_append_text(out, separator);
        separator = ",\n";
        if (json_is_array(value)) {
            write_array(member, value, out);
            continue;
        }
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        buf_printf(out, "  \"%s\": %s", member, text);
        free(text);
    }
    buf_append_text(out, "\n}\n");
}

/* It has to be one that a daemon would take. */
static int print_document(const struct learn *learn, const char *name, const char *command)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *description = xasprintf("What %.200s asks of the kernel.", command);
    struct policy policy;
    struct error err = {0};
    json_t *document = learn_document(learn, name, description);
    write_document(document, &text);
    json_decref(document);
    if (policy_read(text.data, text.length, "the policy that was learned", NULL, &policy, &err) < 0)
        return policy_command_fail(&err);
    policy_clear(&policy);
    fputs(text.data, stdout);
    return POLICY_GOOD;
}

int policy_command_learn(const struct policy *policy, const char *name, const char *const *command)
{
    struct learn learn;
    int ended = 0;
    int status = watch(&learn, policy, false, command, &ended);
    if (status != 0)
        return status;
    status = print_document(&learn, name, command[0]);
    report_end(command[0], ended);
    if (report_refused(&learn))
        status = POLICY_FINDING;
    report_unused(&learn);
    learn_clear(&learn);
    return status;
}

int policy_command_try(const struct policy *policy, const char *const *command)
{
    struct learn learn;
    int ended = 0;
    int status = watch(&learn, policy, true, command, &ended);
    if (status != 0)
        return status;
    bool failed = report_end(command[0], ended);
    bool refused = report_refused(&learn);
    learn_clear(&learn);
    return failed || refused ? POLICY_FINDING : POLICY_GOOD;
}
