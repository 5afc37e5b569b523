#include "sandboxd/policy/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "sandboxd/policy/constants.h"
#include "sandboxd/policy/document.h"
#include "sandboxd/policy/names.h"

enum { POLICY_NUMBER_MAX = 1023 };

static int read_error(json_t *object, const char *path, struct policy *policy, int *ret_number,
                      struct error *err)
{
    const char *name = NULL;
    char hint[DOCUMENT_HINT_MAX];
    *ret_number = policy->default_error;
    if (json_get_text_optional(object, path, "error", &name, err) < 0)
        return -1;
    if (!name || (*ret_number = names_find_error(name)) >= 0)
        return 0;
    document_hint(name, names_next_error, hint);
    return error_set(err, ERROR_INVALID, "%s.error: unknown error \"%.40s\"%s", path, name, hint);
}

/* A number, a hexadecimal string or a named constant. */
static int read_value(json_t *value, const char *path, uint64_t *ret_value, struct error *err)
{
    char hint[DOCUMENT_HINT_MAX], *end;
    const char *text = json_string_value(value);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret_value = (uint64_t)json_integer_value(value);
        return 0;
    }
    if (!text)
        return error_set(err, ERROR_INVALID,
                         "%s: must be a number from 0 on, a hexadecimal string or the name of a "
                         "constant",
                         path);
    if (constants_find(text, ret_value))
        return 0;
    if (text_starts_with(text, "0x") &&
        strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2) && strlen(text) > 2 &&
        strlen(text) <= 18) {
        *ret_value = strtoull(text, &end, 16);
        return 0;
    }
    document_hint(text, constants_next, hint);
    return error_set(err, ERROR_INVALID, "%s: unknown constant \"%.40s\"%s", path, text, hint);
}

static int read_condition(json_t *value, const char *path, struct filter_condition *ret_condition,
                          struct error *err)
{
    static const char *const known[] = {"argument", "mask", "is", NULL};
    int64_t argument;
    char here[JSON_PATH_TEXT_MAX];
    json_t *mask = json_object_get(value, "mask");
    json_join_path(here, path, "mask");
    if (!json_is_object(value))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (json_refuse_unknown(value, path, known, err) < 0 ||
        json_get_integer(value, path, "argument", 0, 5, &argument, err) < 0)
        return -1;
    ret_condition->argument = (unsigned)argument;
    /* The kernel ignores the upper half of these arguments, so it must not hide anything. */
    ret_condition->mask = 0xFFFFFFFF;
    return mask ? read_value(mask, here, &ret_condition->mask, err) : 0;
}

/* ---- contradictions ---- */

static bool conditions_exclude(const struct filter_condition *a, const struct filter_condition *b)
{
    return a->argument == b->argument && ((a->value ^ b->value) & a->mask & b->mask);
}

/* False when no arguments meet both. */
static bool rules_overlap(const struct filter_rule *a, const struct filter_rule *b)
{
    for (size_t i = 0; i < a->condition_count; i++) {
        for (size_t j = 0; j < b->condition_count; j++) {
            if (conditions_exclude(&a->conditions[i], &b->conditions[j]))
                return false;
        }
    }
    return true;
}

/* True when every call that `special` matches is matched by `general` too. */
static bool rule_covers(const struct filter_rule *general, const struct filter_rule *special)
{
    for (size_t i = 0; i < general->condition_count; i++) {
        const struct filter_condition *g = &general->conditions[i];
        bool implied = false;
        for (size_t j = 0; j < special->condition_count && !implied; j++) {
            const struct filter_condition *s = &special->conditions[j];
            implied = g->argument == s->argument && (g->mask & ~s->mask) == 0 &&
                      ((g->value ^ s->value) & g->mask) == 0;
        }
        if (!implied)
            return false;
    }
    return true;
}

static bool answers_differ(const struct filter_rule *a, const struct filter_rule *b)
{
    return a->allow != b->allow || (!a->allow && a->error_number != b->error_number);
}

static int add_rule(struct policy *policy, const struct filter_rule *rule, const char *path,
                    struct error *err)
{
    if (policy->count == POLICY_RULES_MAX)
        return error_set(err, ERROR_INVALID, "%s: more than %d rules", path, POLICY_RULES_MAX);
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *other = &policy->rules[i];
        if (other->number != rule->number)
            continue;
        if (answers_differ(other, rule) && rules_overlap(other, rule))
            return error_set(
                err, ERROR_INVALID,
                "%s: contradicts calls[%zu], which %s the same call; keep one, or give "
                "them conditions that exclude each other",
                path, other->group, other->allow ? "allows" : "refuses");
        if (rule_covers(other, rule) || rule_covers(rule, other))
            return error_set(err, ERROR_INVALID, "%s: calls[%zu] says the same already; keep one",
                             path, other->group);
    }
    policy->rules[policy->count++] = *rule;
    return 0;
}

/* ---- entries ---- */

static int add_named(struct policy *policy, json_t *names, const char *path,
                     struct filter_rule *rule, struct error *err)
{
    size_t index;
    json_t *name;
    json_array_foreach(names, index, name)
    {
        char here[JSON_PATH_TEXT_MAX], hint[DOCUMENT_HINT_MAX];
        snprintf(here, sizeof here, "%.100s[%zu]", path, index);
        const char *text = json_string_value(name);
        if (!text)
            return error_set(err, ERROR_INVALID, "%s: must be the name of a system call", here);
        rule->number = filter_call_number(text);
        if (rule->number < 0) {
            document_hint(text, names_next_call, hint);
            return error_set(err, ERROR_INVALID, "%s: unknown system call \"%.40s\"%s", here, text,
                             hint);
        }
        if (add_rule(policy, rule, here, err) < 0)
            return -1;
    }
    return 0;
}

static int add_numbered(struct policy *policy, json_t *range, const char *path,
                        struct filter_rule *rule, struct error *err)
{
    json_int_t first = json_integer_value(json_array_get(range, 0));
    json_int_t last = json_integer_value(json_array_get(range, 1));
    if (json_array_size(range) != 2 || first < 1 || last < first || last > POLICY_NUMBER_MAX)
        return error_set(err, ERROR_INVALID,
                         "%s: must be [first, last], with 1 <= first <= last <= %d", path,
                         POLICY_NUMBER_MAX);
    for (json_int_t number = first; number <= last; number++) {
        rule->number = (int)number;
        if (add_rule(policy, rule, path, err) < 0)
            return -1;
    }
    return 0;
}

/* What an entry speaks of. */
struct subject {
    const char *key; /* allow, refuse or refuseNumbers */
    json_t *list;
    json_t *when;
};

/* Adds the rule for each alternative of the conditions from number `index` on: a condition whose
 * "is" is a list stands for as many rules. */
static int expand(struct policy *policy, const struct subject *subject, size_t index,
                  const char *path, struct filter_rule *rule, struct error *err)
{
    char at[JSON_PATH_TEXT_MAX], here[JSON_PATH_TEXT_MAX];
    if (index == json_array_size(subject->when)) {
        json_join_path(at, path, subject->key);
        return strcmp(subject->key, "refuseNumbers") == 0
                   ? add_numbered(policy, subject->list, at, rule, err)
                   : add_named(policy, subject->list, at, rule, err);
    }
    snprintf(at, sizeof at, "%.100s.when[%zu]", path, index);
    if (index == FILTER_CONDITIONS_MAX)
        return error_set(err, ERROR_INVALID, "%s: at most %d conditions", at,
                         FILTER_CONDITIONS_MAX);

    json_t *condition = json_array_get(subject->when, index);
    json_t *is = json_object_get(condition, "is");
    struct filter_condition *c = &rule->conditions[index];
    if (read_condition(condition, at, c, err) < 0)
        return -1;
    json_join_path(here, at, "is");
    size_t alternatives = json_is_array(is) ? json_array_size(is) : 1;
    if (alternatives == 0)
        return error_set(err, ERROR_INVALID, "%s: must not be empty", here);
    for (size_t i = 0; i < alternatives; i++) {
        if (json_is_array(is))
            snprintf(here, sizeof here, "%.100s.is[%zu]", at, i);
        if (read_value(json_is_array(is) ? json_array_get(is, i) : is, here, &c->value, err) < 0)
            return -1;
        if (c->value & ~c->mask)
            return error_set(err, ERROR_INVALID, "%s: can never hold: it has bits outside the mask",
                             here);
        rule->condition_count = index + 1;
        if (expand(policy, subject, index + 1, path, rule, err) < 0)
            return -1;
    }
    return 0;
}

static int read_subject(json_t *entry, const char *path, struct subject *ret_subject,
                        struct error *err)
{
    static const char *const keys[] = {"allow", "refuse", "refuseNumbers"};
    struct subject subject = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *list = NULL;
        if (json_get_array_optional(entry, path, keys[i], &list, err) < 0)
            return -1;
        if (list && subject.list)
            return error_set(err, ERROR_INVALID,
                             "%s: has %s and %s; must have one of allow, refuse and refuseNumbers",
                             path, subject.key, keys[i]);
        if (list)
            subject = (struct subject){.key = keys[i], .list = list};
    }
    if (!subject.list)
        return error_set(err, ERROR_INVALID, "%s: must have one of allow, refuse and refuseNumbers",
                         path);
    if (json_array_size(subject.list) == 0)
        return error_set(err, ERROR_INVALID, "%s.%s: must not be empty", path, subject.key);
    if (json_get_array_optional(entry, path, "when", &subject.when, err) < 0)
        return -1;
    *ret_subject = subject;
    return 0;
}

static int read_entry(struct policy *policy, json_t *entry, const char *path, struct error *err)
{
    static const char *const known[] = {"allow", "refuse", "refuseNumbers", "when", "error",
                                        "why",   NULL};
    const char *why;
    struct subject subject;
    if (!json_is_object(entry))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (json_refuse_unknown(entry, path, known, err) < 0 ||
        json_get_text(entry, path, "why", &why, err) < 0 ||
        read_subject(entry, path, &subject, err) < 0)
        return -1;
    if (!*why)
        return error_set(err, ERROR_INVALID, "%s.why: must say why", path);

    struct filter_rule rule = {
        .allow = strcmp(subject.key, "allow") == 0,
        .group = policy->group_count - 1,
    };
    if (rule.allow && json_object_get(entry, "error"))
        return error_set(err, ERROR_INVALID, "%s.error: is for calls that are refused", path);
    if (!rule.allow && read_error(entry, path, policy, &rule.error_number, err) < 0)
        return -1;
    return expand(policy, &subject, 0, path, &rule, err);
}

int calls_read(json_t *calls, struct policy *policy, struct error *err)
{
    size_t index;
    json_t *entry;
    if (json_array_size(calls) > POLICY_GROUPS_MAX)
        return error_set(err, ERROR_INVALID, "calls: more than %d entries", POLICY_GROUPS_MAX);
    policy->rules = xcalloc(POLICY_RULES_MAX, sizeof *policy->rules);
    policy->groups = xcalloc(json_array_size(calls) + 1, sizeof *policy->groups);
    json_array_foreach(calls, index, entry)
    {
        char path[32];
        struct policy_group *group = &policy->groups[policy->group_count++];
        snprintf(path, sizeof path, "calls[%zu]", index);
        memcpy(group->document, policy->name, sizeof group->document);
        group->index = index;
        group->entry = json_incref(entry);
        if (read_entry(policy, entry, path, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- extending ---- */

static bool speaks_of(const struct policy *policy, int number)
{
    for (size_t i = 0; i < policy->count; i++) {
        if (policy->rules[i].number == number)
            return true;
    }
    return false;
}

int calls_inherit(struct policy *policy, struct policy *parent, struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < parent->count; i++) {
        if (!speaks_of(policy, parent->rules[i].number))
            parent->rules[kept++] = parent->rules[i];
    }
    if (kept + policy->count > POLICY_RULES_MAX)
        return error_set(err, ERROR_INVALID, "extends: more than %d rules together",
                         POLICY_RULES_MAX);
    for (size_t i = 0; i < policy->count; i++) {
        parent->rules[kept] = policy->rules[i];
        parent->rules[kept++].group += parent->group_count;
    }
    size_t groups = parent->group_count + policy->group_count;
    parent->groups = xrealloc(parent->groups, (groups + 1) * sizeof *parent->groups);
    memcpy(parent->groups + parent->group_count, policy->groups,
           policy->group_count * sizeof *policy->groups);
    free(policy->rules);
    free(policy->groups);
    policy->rules = TAKE(parent->rules);
    policy->count = kept;
    policy->groups = TAKE(parent->groups);
    policy->group_count = groups;
    parent->group_count = 0;
    policy_clear(parent);
    return 0;
}

bool calls_match(const struct filter_rule *rule, const uint64_t arguments[6])
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct filter_condition *c = &rule->conditions[i];
        if ((arguments[c->argument] & c->mask) != c->value)
            return false;
    }
    return true;
}
