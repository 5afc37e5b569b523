#include "sandboxd/policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "sandboxd/policy/constants.h"

enum { POLICY_BYTES_MAX = 256 * 1024, POLICY_RULES_MAX = 2048, POLICY_NUMBER_MAX = 1023 };

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EAFNOSUPPORT", EAFNOSUPPORT}};

static int find_error(json_t *object, const char *path, const char *key, int *ret_number,
                      struct error *err)
{
    const char *name;
    if (json_get_text(object, path, key, &name, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, name) == 0) {
            *ret_number = errors[i].number;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "%s.%s: unknown error %s", path, key, name);
}

/* A number, a hexadecimal string or a named constant. */
static int read_value(json_t *value, const char *path, const char *key, uint64_t *ret_value,
                      struct error *err)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *ret_value = (uint64_t)json_integer_value(value);
        return 0;
    }
    const char *text = json_string_value(value);
    if (!text)
        return error_set(err, ERROR_INVALID, "%s.%s: must be a number or a constant", path, key);
    if (constants_find(text, ret_value))
        return 0;
    char *end;
    if (text_starts_with(text, "0x")) {
        *ret_value = strtoull(text, &end, 16);
        if (*end == '\0')
            return 0;
    }
    return error_set(err, ERROR_INVALID, "%s.%s: unknown constant %s", path, key, text);
}

static int read_condition(json_t *value, const char *path, struct seccomp_condition *ret_condition,
                          struct error *err)
{
    static const char *const known[] = {"argument", "mask", "is", NULL};
    int64_t argument;
    json_t *mask = json_object_get(value, "mask");
    if (json_refuse_unknown(value, path, known, err) < 0 ||
        json_get_integer(value, path, "argument", 0, 5, &argument, err) < 0)
        return -1;
    ret_condition->argument = (unsigned)argument;
    /* The kernel ignores the upper half of these arguments, so it must not hide anything. */
    ret_condition->mask = 0xFFFFFFFF;
    return mask ? read_value(mask, path, "mask", &ret_condition->mask, err) : 0;
}

static int add_rule(struct policy *policy, const struct seccomp_rule *rule, struct error *err)
{
    if (policy->count == POLICY_RULES_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d rules", POLICY_RULES_MAX);
    policy->rules[policy->count++] = *rule;
    return 0;
}

static int add_named(struct policy *policy, json_t *names, const char *path,
                     struct seccomp_rule *rule, struct error *err)
{
    size_t index;
    json_t *name;
    json_array_foreach(names, index, name)
    {
        const char *text = json_string_value(name);
        rule->number = text ? seccomp_call_number(text) : -1;
        if (rule->number < 0)
            return error_set(err, ERROR_INVALID, "%s[%zu]: unknown call %s", path, index,
                             text ? text : "(not a string)");
        if (add_rule(policy, rule, err) < 0)
            return -1;
    }
    return 0;
}

static int add_numbered(struct policy *policy, json_t *range, const char *path,
                        struct seccomp_rule *rule, struct error *err)
{
    json_int_t first = json_integer_value(json_array_get(range, 0));
    json_int_t last = json_integer_value(json_array_get(range, 1));
    if (json_array_size(range) != 2 || first < 1 || last < first || last > POLICY_NUMBER_MAX)
        return error_set(err, ERROR_INVALID, "%s.refuseNumbers: must be [first, last]", path);
    for (json_int_t number = first; number <= last; number++) {
        rule->number = (int)number;
        if (add_rule(policy, rule, err) < 0)
            return -1;
    }
    return 0;
}

/* What an entry speaks of: one of two. */
struct subject {
    json_t *names;
    json_t *numbers;
};

/* Adds the rule for each alternative of the conditions from number `index` on: a condition whose
 * "is" is a list stands for as many rules. */
static int expand(struct policy *policy, json_t *when, size_t index, const struct subject *subject,
                  const char *path, struct seccomp_rule *rule, struct error *err)
{
    if (index == json_array_size(when))
        return subject->numbers ? add_numbered(policy, subject->numbers, path, rule, err)
                                : add_named(policy, subject->names, path, rule, err);
    char at[128];
    snprintf(at, sizeof at, "%s.when[%zu]", path, index);
    if (index == SECCOMP_CONDITIONS_MAX)
        return error_set(err, ERROR_INVALID, "%s: too many conditions", at);

    json_t *condition = json_array_get(when, index);
    json_t *is = json_object_get(condition, "is");
    struct seccomp_condition *c = &rule->conditions[index];
    if (read_condition(condition, at, c, err) < 0)
        return -1;
    rule->condition_count = index + 1;
    size_t alternatives = json_is_array(is) ? json_array_size(is) : 1;
    for (size_t i = 0; i < alternatives; i++) {
        json_t *value = json_is_array(is) ? json_array_get(is, i) : is;
        if (read_value(value, at, "is", &c->value, err) < 0 ||
            expand(policy, when, index + 1, subject, path, rule, err) < 0)
            return -1;
        rule->condition_count = index + 1;
    }
    return 0;
}

static int read_entry(struct policy *policy, json_t *entry, const char *path, struct error *err)
{
    static const char *const known[] = {"allow", "refuse", "refuseNumbers", "when", "error",
                                        "why",   NULL};
    const char *why;
    json_t *allow = NULL, *refuse = NULL, *numbers = NULL, *when = NULL;
    if (json_refuse_unknown(entry, path, known, err) < 0 ||
        json_get_text(entry, path, "why", &why, err) < 0 ||
        json_get_array_optional(entry, path, "allow", &allow, err) < 0 ||
        json_get_array_optional(entry, path, "refuse", &refuse, err) < 0 ||
        json_get_array_optional(entry, path, "refuseNumbers", &numbers, err) < 0 ||
        json_get_array_optional(entry, path, "when", &when, err) < 0)
        return -1;
    if (!!allow + !!refuse + !!numbers != 1)
        return error_set(err, ERROR_INVALID, "%s: must have one of allow, refuse and refuseNumbers",
                         path);

    struct seccomp_rule rule = {.allow = allow != NULL};
    const struct subject subject = {.names = allow ? allow : refuse, .numbers = numbers};
    if (!allow && find_error(entry, path, "error", &rule.error_number, err) < 0)
        return -1;
    return expand(policy, when, 0, &subject, path, &rule, err);
}

static int read_document(int fd, json_t **ret_document, struct error *err)
{
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, POLICY_BYTES_MAX, &length, err);
    if (!text)
        return -1;
    return json_parse(text, length, POLICY_BYTES_MAX, ret_document, err);
}

int policy_load(int fd, struct policy *ret_policy, struct error *err)
{
    static const char *const known[] = {"name", "description", "default", "calls", NULL};
    AUTO_JSON json_t *document = NULL;
    json_t *calls = NULL;
    struct policy policy = {0};
    if (read_document(fd, &document, err) < 0 ||
        json_refuse_unknown(document, "policy", known, err) < 0 ||
        find_error(document, "policy", "default", &policy.default_error, err) < 0 ||
        json_get_array_optional(document, "policy", "calls", &calls, err) < 0)
        return -1;

    policy.rules = xcalloc(POLICY_RULES_MAX, sizeof *policy.rules);
    size_t index;
    json_t *entry;
    json_array_foreach(calls, index, entry)
    {
        char path[64];
        snprintf(path, sizeof path, "policy.calls[%zu]", index);
        if (read_entry(&policy, entry, path, err) < 0) {
            policy_clear(&policy);
            return -1;
        }
    }
    *ret_policy = policy;
    return 0;
}

void policy_clear(struct policy *policy)
{
    free(policy->rules);
    policy->rules = NULL;
    policy->count = 0;
}

/* Collects the strings of entries like {"show": [...], "why": ...}. */
static int read_lists(json_t *document, const char *member, const char *key, char **names,
                      size_t most, size_t *count, struct error *err)
{
    json_t *entries = NULL;
    if (json_get_array_optional(document, "image", member, &entries, err) < 0)
        return -1;
    size_t i, j;
    json_t *entry, *name;
    json_array_foreach(entries, i, entry)
    {
        const char *const known[] = {key, "why", NULL};
        char path[64];
        snprintf(path, sizeof path, "image.%s[%zu]", member, i);
        json_t *list = NULL;
        if (json_refuse_unknown(entry, path, known, err) < 0 ||
            json_get_array_optional(entry, path, key, &list, err) < 0)
            return -1;
        json_array_foreach(list, j, name)
        {
            if (!json_is_string(name) || *count == most)
                return error_set(err, ERROR_INVALID, "%s.%s: at most %zu strings", path, key, most);
            names[(*count)++] = xstrdup(json_string_value(name));
        }
    }
    return 0;
}

int image_load(int fd, struct image *ret_image, struct error *err)
{
    static const char *const known[] = {"name", "description", "paths", "preload", NULL};
    AUTO_JSON json_t *document = NULL;
    struct image image = {0};
    if (read_document(fd, &document, err) < 0 ||
        json_refuse_unknown(document, "image", known, err) < 0)
        return -1;
    if (read_lists(document, "paths", "show", image.paths, IMAGE_PATHS_MAX, &image.path_count,
                   err) < 0 ||
        read_lists(document, "preload", "import", image.modules, IMAGE_MODULES_MAX,
                   &image.module_count, err) < 0) {
        image_clear(&image);
        return -1;
    }
    *ret_image = image;
    return 0;
}

void image_clear(struct image *image)
{
    for (size_t i = 0; i < image->path_count; i++)
        free(image->paths[i]);
    for (size_t i = 0; i < image->module_count; i++)
        free(image->modules[i]);
    *image = (struct image){0};
}
