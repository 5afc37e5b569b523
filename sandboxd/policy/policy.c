#include "sandboxd/policy/policy.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/core/cleanup.h"
#include "base/json/json.h"
#include "sandboxd/policy/calls.h"
#include "sandboxd/policy/document.h"
#include "sandboxd/policy/floor.h"
#include "sandboxd/policy/names.h"
#include "sandboxd/policy/settings.h"

static const char *const kinds[] = {[POLICY_SESSION] = "session", [POLICY_PROCESS] = "process"};

static bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && text[length] == '\0' && length < POLICY_NAME_MAX && *text != '-';
}

static int read_name(json_t *json, struct policy *policy, struct error *err)
{
    const char *name, *description = "";
    if (json_get_text(json, "", "name", &name, err) < 0 ||
        json_get_text_optional(json, "", "description", &description, err) < 0)
        return -1;
    if (!is_name(name))
        return error_set(
            err, ERROR_INVALID,
            "name: is \"%.40s\"; must be 1 to %d lower-case letters, digits and hyphens", name,
            POLICY_NAME_MAX - 1);
    memcpy(policy->name, name, strlen(name) + 1);
    policy->description = xstrdup(description);
    return 0;
}

/* A policy that extends another is of its kind. */
static int read_kind(json_t *json, const struct policy *parent, struct policy *policy,
                     struct error *err)
{
    const char *word = NULL;
    if (json_get_text_optional(json, "", "kind", &word, err) < 0)
        return -1;
    if (!word && !parent)
        return error_set(err, ERROR_INVALID,
                         "kind: is required: \"session\" for guest code, \"process\" "
                         "for a process of the daemon");
    policy->kind = parent ? parent->kind : POLICY_SESSION;
    if (!word)
        return 0;
    if (strcmp(word, kinds[POLICY_SESSION]) == 0)
        policy->kind = POLICY_SESSION;
    else if (strcmp(word, kinds[POLICY_PROCESS]) == 0)
        policy->kind = POLICY_PROCESS;
    else
        return error_set(err, ERROR_INVALID, "kind: is \"%.40s\"; must be session or process",
                         word);
    if (parent && policy->kind != parent->kind)
        return error_set(err, ERROR_INVALID,
                         "kind: is %s, but %s, which it extends, is a %s policy", word,
                         parent->name, kinds[parent->kind]);
    return 0;
}

static int read_default(json_t *json, const struct policy *parent, struct policy *policy,
                        struct error *err)
{
    const char *name = NULL;
    char hint[DOCUMENT_HINT_MAX];
    if (json_get_text_optional(json, "", "default", &name, err) < 0)
        return -1;
    if (!name && !parent)
        return error_set(err, ERROR_INVALID,
                         "default: is required: the error of calls that no entry "
                         "names, as \"EPERM\"");
    policy->default_error = name ? names_find_error(name) : parent->default_error;
    if (policy->default_error >= 0)
        return 0;
    document_hint(name, names_next_error, hint);
    return error_set(err, ERROR_INVALID, "default: unknown error \"%.40s\"%s", name, hint);
}

/* 1 with the parent, 0 where there is none. */
static int read_parent(json_t *json, const struct policy_parents *parents,
                       struct policy *ret_parent, struct error *err)
{
    const char *name = NULL;
    struct error why = {0};
    if (json_get_text_optional(json, "", "extends", &name, err) < 0)
        return -1;
    if (!name)
        return 0;
    if (!parents)
        return error_set(err, ERROR_INVALID, "extends: there is no policy \"%.40s\"", name);
    if (parents->load(parents->self, name, ret_parent, &why) == 0)
        return 1;
    if (why.code == ERROR_MISSING || why.code == ERROR_CONFLICT)
        return error_set(err, ERROR_INVALID, "extends: %s", why.message);
    /* It has its own place already. */
    return error_set(err, ERROR_DENIED, "%s", why.message);
}

static bool may_make_sockets(const struct policy *policy, uint64_t family)
{
    int number = filter_call_number("socket");
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        bool admits = rule->number == number && rule->allow;
        for (size_t k = 0; k < rule->condition_count; k++) {
            const struct filter_condition *condition = &rule->conditions[k];
            admits &= condition->argument != 0 || (family & condition->mask) == condition->value;
        }
        if (admits)
            return true;
    }
    return false;
}

static int read_members(json_t *json, struct policy *parent, struct policy *policy,
                        struct error *err)
{
    json_t *calls = NULL;
    const struct policy *known_parent = *parent->name ? parent : NULL;
    if (read_kind(json, known_parent, policy, err) < 0 ||
        read_default(json, known_parent, policy, err) < 0 ||
        json_get_array_optional(json, "", "calls", &calls, err) < 0)
        return -1;
    if (!calls && !known_parent)
        return error_set(err, ERROR_INVALID, "calls: is required");
    if (settings_read(json, known_parent, policy, err) < 0 || calls_read(calls, policy, err) < 0 ||
        (known_parent && calls_inherit(policy, parent, err) < 0))
        return -1;
    policy->profile.loopback =
        may_make_sockets(policy, AF_INET) || may_make_sockets(policy, AF_INET6);
    return policy->kind == POLICY_SESSION ? floor_check(policy, err) : 0;
}

static int read_document(json_t *json, const struct policy_parents *parents, struct policy *policy,
                         struct error *err)
{
    static const char *const known[] = {
        "$schema", "name",   "description", "kind",        "extends",  "default", "calls",
        "limits",  "mounts", "devices",     "environment", "landlock", NULL};
    struct policy parent = {0};
    if (!json_is_object(json))
        return error_set(err, ERROR_INVALID, "a policy must be an object");
    if (json_refuse_unknown(json, "", known, err) < 0 || read_name(json, policy, err) < 0 ||
        read_parent(json, parents, &parent, err) < 0)
        return -1;
    int result = read_members(json, &parent, policy, err);
    policy_clear(&parent);
    return result;
}

int policy_read(const char *text, size_t length, const char *label,
                const struct policy_parents *parents, struct policy *ret_policy, struct error *err)
{
    AUTO_DOCUMENT struct document document = {0};
    struct policy policy = {0};
    struct error why = {0};
    if (document_parse(label, text, length, &document, err) < 0)
        return -1;
    if (read_document(document.json, parents, &policy, &why) < 0) {
        policy_clear(&policy);
        if (why.code != ERROR_DENIED)
            document_locate(&document, &why);
        return error_set(err, ERROR_INVALID, "%s", why.message);
    }
    *ret_policy = policy;
    return 0;
}

void policy_clear(struct policy *policy)
{
    for (size_t i = 0; i < policy->group_count; i++)
        json_decref(policy->groups[i].entry);
    free(policy->groups);
    free(policy->rules);
    free(policy->description);
    json_decref(policy->settings);
    *policy = (struct policy){0};
}

const struct filter_rule *policy_find(const struct policy *policy, int number,
                                      const uint64_t arguments[6])
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        if (rule->number == number && calls_match(rule, arguments))
            return rule;
    }
    return NULL;
}

int policy_answer(const struct policy *policy, int number, const uint64_t arguments[6])
{
    const struct filter_rule *rule = policy_find(policy, number, arguments);
    if (!rule)
        return policy->default_error;
    return rule->allow ? 0 : rule->error_number;
}

const char *policy_why(const struct policy *policy, const struct filter_rule *rule)
{
    return json_string_value(json_object_get(policy->groups[rule->group].entry, "why"));
}

static int write_profile(const struct policy *policy, int filter_fd, int profile_fd,
                         struct error *err)
{
    AUTO_FREE struct seccomp_filter *filter = xcalloc(1, sizeof *filter);
    if (seccomp_filter_read(filter_fd, filter, err) < 0)
        return -1;
    if (write(profile_fd, &policy->profile, sizeof policy->profile) !=
            (ssize_t)sizeof policy->profile ||
        write(profile_fd, filter->bytes, filter->length) != (ssize_t)filter->length ||
        fcntl(profile_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
            0)
        return error_from_errno(err, "write the profile");
    return 0;
}

static int compile(const struct policy *policy, bool asks, int *ret_fd, struct error *err)
{
    AUTO_CLOSE int filter_fd = -1;
    if ((asks ? filter_compile_asking : filter_compile)(policy->rules, policy->count,
                                                        policy->default_error, &filter_fd, err) < 0)
        return error_add_context(err, "policy %s", policy->name);
    if (policy->kind == POLICY_PROCESS) {
        *ret_fd = TAKE_FD(filter_fd);
        return 0;
    }
    AUTO_CLOSE int profile_fd = memfd_create("profile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (profile_fd < 0)
        return error_from_errno(err, "memfd_create");
    if (write_profile(policy, filter_fd, profile_fd, err) < 0)
        return -1;
    *ret_fd = TAKE_FD(profile_fd);
    return 0;
}

int policy_compile(const struct policy *policy, int *ret_fd, struct error *err)
{
    return compile(policy, false, ret_fd, err);
}

int policy_compile_asking(const struct policy *policy, int *ret_fd, struct error *err)
{
    return compile(policy, true, ret_fd, err);
}
