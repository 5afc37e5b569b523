#include "sandboxd/policy/describe.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "sandboxd/policy/describe_settings.h"
#include "sandboxd/policy/names.h"

static const char *call_name(int number)
{
    const char *name = names_call(number);
    return name ? name : "?";
}

static const char *error_word(int number)
{
    const char *name = names_error(number);
    return name ? name : "another error";
}

/* ---- conditions ---- */

/* Of setsockopt and getsockopt: it says what their options mean. */
static uint64_t level_of(const struct filter_rule *rule)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        if (rule->conditions[i].argument == 1)
            return rule->conditions[i].value;
    }
    return 0;
}

static void describe_value(const struct filter_rule *rule, size_t index, const char *separator,
                           struct buf *out)
{
    const struct filter_condition *c = &rule->conditions[index];
    char value[NAMES_VALUE_MAX];
    names_value(call_name(rule->number), c->argument, level_of(rule), c->value, value);
    buf_printf(out, "%s%s", separator, value);
}

/* "domain is ", "flags without ": what comes before the values. */
static void describe_subject(const struct filter_rule *rule, size_t index, struct buf *out)
{
    const struct filter_condition *c = &rule->conditions[index];
    char argument[NAMES_ARGUMENT_MAX], mask[NAMES_VALUE_MAX];
    names_argument(call_name(rule->number), c->argument, argument);
    names_value(call_name(rule->number), c->argument, level_of(rule), c->mask, mask);
    buf_printf(out, "%s%s", index ? ", " : "", argument);
    if (c->mask == 0xFFFFFFFF)
        buf_printf(out, " is ");
    else if (c->value == 0)
        buf_printf(out, " without %s", mask);
    else
        buf_printf(out, " & %s is ", mask);
}

static bool is_without(const struct filter_condition *c)
{
    return c->mask != 0xFFFFFFFF && c->value == 0;
}

/* Of an entry's rules for one call: they are all combinations of its values. */
static bool is_sibling(const struct filter_rule *a, const struct filter_rule *b)
{
    return a->group == b->group && a->number == b->number;
}

static bool value_is_repeated(const struct policy *policy, size_t index, size_t condition)
{
    const struct filter_rule *rule = &policy->rules[index];
    for (size_t i = 0; i < index; i++) {
        if (is_sibling(&policy->rules[i], rule) &&
            policy->rules[i].conditions[condition].value == rule->conditions[condition].value)
            return true;
    }
    return false;
}

/* "domain is AF_INET or AF_INET6, protocol is 0": for the rule and its siblings. */
static void describe_siblings(const struct policy *policy, const struct filter_rule *rule,
                              struct buf *out)
{
    for (size_t c = 0; c < rule->condition_count; c++) {
        const char *separator = "";
        describe_subject(rule, c, out);
        for (size_t i = 0; i < policy->count && !is_without(&rule->conditions[c]); i++) {
            if (!is_sibling(&policy->rules[i], rule) || value_is_repeated(policy, i, c))
                continue;
            describe_value(&policy->rules[i], c, separator, out);
            separator = " or ";
        }
    }
}

void describe_conditions(const struct filter_rule *rule, struct buf *out)
{
    for (size_t c = 0; c < rule->condition_count; c++) {
        describe_subject(rule, c, out);
        if (!is_without(&rule->conditions[c]))
            describe_value(rule, c, "", out);
    }
}

/* ---- a whole policy ---- */

/* True when an earlier rule of the group has the same call. */
static bool is_repeated(const struct policy *policy, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (is_sibling(&policy->rules[i], &policy->rules[index]))
            return true;
    }
    return false;
}

/* "read, write"; numbers without a name as "451 to 511". */
static void describe_group_calls(const struct policy *policy, size_t group, struct buf *out)
{
    int first = -1, last = -1;
    const char *separator = "";
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        if (rule->group != group || is_repeated(policy, i))
            continue;
        if (names_call(rule->number)) {
            buf_printf(out, "%s%s", separator, names_call(rule->number));
            separator = ", ";
        } else {
            first = first < 0 ? rule->number : first;
            last = rule->number;
        }
    }
    if (first >= 0)
        buf_printf(out, "%scall numbers %d to %d", separator, first, last);
}

static void describe_group(const struct policy *policy, size_t index, struct buf *out)
{
    const struct policy_group *group = &policy->groups[index];
    const struct filter_rule *any = NULL;
    for (size_t i = 0; i < policy->count && !any; i++) {
        if (policy->rules[i].group == index)
            any = &policy->rules[i];
    }
    if (!any)
        return; /* overridden as a whole */
    if (any->allow)
        buf_printf(out, "\nallowed: ");
    else
        buf_printf(out, "\nrefused with %s: ", error_word(any->error_number));
    describe_group_calls(policy, index, out);
    if (any->condition_count > 0) {
        buf_printf(out, "\n    when ");
        describe_siblings(policy, any, out);
    }
    buf_printf(out, "\n    why: %s (%s, calls[%zu])\n", policy_why(policy, any), group->document,
               group->index);
}

void describe_policy(const struct policy *policy, struct buf *out)
{
    buf_printf(out, "%s, a policy for %s\n", policy->name,
               policy->kind == POLICY_SESSION ? "sessions" : "a process of the daemon");
    if (*policy->description)
        buf_printf(out, "%s\n", policy->description);
    buf_printf(out, "\nCalls that are not named below are refused with %s.\n",
               error_word(policy->default_error));
    for (size_t i = 0; i < policy->group_count; i++)
        describe_group(policy, i, out);
    describe_settings(policy, out);
}

/* ---- one call ---- */

/* "allowed when domain is AF_UNIX" */
static void describe_entry(const struct policy *policy, const struct filter_rule *rule,
                           struct buf *out)
{
    buf_printf(out, "%s%s", rule->allow ? "allowed" : error_word(rule->error_number),
               rule->condition_count ? " when " : "");
    describe_siblings(policy, rule, out);
}

void describe_call(const struct policy *policy, int number, struct buf *out)
{
    bool any = false, always = false;
    buf_printf(out, "%s:\n", policy->name);
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        const struct policy_group *group = &policy->groups[rule->group];
        if (rule->number != number || is_repeated(policy, i))
            continue;
        any = true;
        always = always || rule->condition_count == 0;
        buf_printf(out, "  %s", rule->allow ? "" : "refused with ");
        describe_entry(policy, rule, out);
        buf_printf(out, "\n      why: %s (%s, calls[%zu])\n", policy_why(policy, rule),
                   group->document, group->index);
    }
    if (!any)
        buf_printf(out, "  refused with %s, as every call that no entry names\n",
                   error_word(policy->default_error));
    else if (!always)
        buf_printf(out, "  refused with %s otherwise\n", error_word(policy->default_error));
}

/* ---- two policies ---- */

static bool same_conditions(const struct filter_rule *a, const struct filter_rule *b)
{
    if (a->condition_count != b->condition_count)
        return false;
    for (size_t i = 0; i < a->condition_count; i++) {
        const struct filter_condition *x = &a->conditions[i], *y = &b->conditions[i];
        if (x->argument != y->argument || x->mask != y->mask || x->value != y->value)
            return false;
    }
    return true;
}

static bool same_answer(const struct filter_rule *a, const struct filter_rule *b)
{
    return a->allow == b->allow && (a->allow || a->error_number == b->error_number);
}

static bool has_rule(const struct policy *policy, const struct filter_rule *rule)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *other = &policy->rules[i];
        if (other->number == rule->number && same_answer(other, rule) &&
            same_conditions(other, rule))
            return true;
    }
    /* A rule that repeats the default is none. */
    return !rule->allow && rule->error_number == policy->default_error &&
           rule->condition_count == 0;
}

static bool speaks_of(const struct policy *policy, int number)
{
    for (size_t i = 0; i < policy->count; i++) {
        if (policy->rules[i].number == number)
            return true;
    }
    return false;
}

static bool covers(const struct policy *a, const struct policy *b, int number)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->rules[i].number == number && !has_rule(b, &a->rules[i]))
            return false;
    }
    return true;
}

static bool is_different(const struct policy *a, const struct policy *b, int number)
{
    if (!covers(a, b, number) || !covers(b, a, number))
        return true;
    return a->default_error != b->default_error && (!speaks_of(a, number) || !speaks_of(b, number));
}

/* True when the other policy has neither the rule nor one of its siblings. */
static bool differs_as_a_whole(const struct policy *policy, const struct filter_rule *rule,
                               const struct policy *other)
{
    for (size_t i = 0; i < policy->count; i++) {
        if (is_sibling(&policy->rules[i], rule) && has_rule(other, &policy->rules[i]))
            return false;
    }
    return true;
}

/* What the one says of a call that the other does not. */
static void describe_side(const struct policy *policy, const struct policy *other, int number,
                          struct buf *out)
{
    const char *separator = "";
    bool always = true;
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        if (rule->number != number)
            continue;
        always = rule->condition_count == 0;
        bool whole = differs_as_a_whole(policy, rule, other);
        if (has_rule(other, rule) || (whole && is_repeated(policy, i)))
            continue;
        buf_printf(out, "%s", separator);
        separator = "; ";
        if (whole) {
            describe_entry(policy, rule, out);
            continue;
        }
        buf_printf(out, "%s when ", rule->allow ? "allowed" : error_word(rule->error_number));
        describe_conditions(rule, out);
    }
    if (!*separator)
        buf_printf(out, "%s%s", error_word(policy->default_error), always ? "" : " otherwise");
}

size_t describe_difference(const struct policy *a, const struct policy *b, struct buf *out)
{
    enum { NUMBERS = 1024 };
    size_t count = 0;
    if (a->default_error != b->default_error) {
        count++;
        buf_printf(out, "default: %s: %s | %s: %s\n", a->name, error_word(a->default_error),
                   b->name, error_word(b->default_error));
    }
    for (int number = 0; number < NUMBERS; number++) {
        if ((!speaks_of(a, number) && !speaks_of(b, number)) || !is_different(a, b, number))
            continue;
        count++;
        if (names_call(number))
            buf_printf(out, "%s: ", names_call(number));
        else
            buf_printf(out, "call number %d: ", number);
        buf_printf(out, "%s: ", a->name);
        describe_side(a, b, number, out);
        buf_printf(out, " | %s: ", b->name);
        describe_side(b, a, number, out);
        buf_printf(out, "\n");
    }
    return count + describe_settings_difference(a, b, out);
}

/* ---- as a document ---- */

/* The names that are left of an entry. */
static json_t *left_names(const struct policy *policy, size_t group)
{
    json_t *names = json_array();
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        if (rule->group == group && !is_repeated(policy, i))
            json_array_append_new(names, json_string(call_name(rule->number)));
    }
    return names;
}

/* An entry of numbers stands for ranges of which others may have taken some. */
static void add_ranges(const struct policy *policy, size_t group, json_t *calls)
{
    int first = -1, last = -1;
    for (size_t i = 0; i <= policy->count; i++) {
        bool ends = i == policy->count;
        if (!ends && policy->rules[i].group != group)
            continue;
        int number = ends ? -1 : policy->rules[i].number;
        if (first >= 0 && number != last + 1) {
            json_t *entry = json_copy(policy->groups[group].entry);
            json_object_set_new(entry, "refuseNumbers", json_pack("[i,i]", first, last));
            json_array_append_new(calls, entry);
            first = -1;
        }
        first = first < 0 ? number : first;
        last = number;
    }
}

static void add_entry(const struct policy *policy, size_t group, json_t *calls)
{
    json_t *entry = policy->groups[group].entry;
    if (json_object_get(entry, "refuseNumbers")) {
        add_ranges(policy, group, calls);
        return;
    }
    json_t *names = left_names(policy, group);
    if (json_array_size(names) == 0) {
        json_decref(names);
        return;
    }
    json_t *copy = json_copy(entry);
    json_object_set_new(copy, json_object_get(entry, "allow") ? "allow" : "refuse", names);
    /* It may come from a policy with another default. */
    for (size_t i = 0; i < policy->count; i++) {
        const struct filter_rule *rule = &policy->rules[i];
        if (rule->group == group && !rule->allow)
            json_object_set_new(copy, "error", json_string(error_word(rule->error_number)));
    }
    json_array_append_new(calls, copy);
}

struct json_t *describe_as_json(const struct policy *policy)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < policy->group_count; i++)
        add_entry(policy, i, calls);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", policy->name, "description",
                                 policy->description, "kind",
                                 policy->kind == POLICY_SESSION ? "session" : "process", "default",
                                 error_word(policy->default_error), "calls", calls);
    if (policy->kind == POLICY_SESSION)
        json_object_update(document, policy->settings);
    return document;
}
