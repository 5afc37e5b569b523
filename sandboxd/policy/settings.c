#include "sandboxd/policy/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/core/buf.h"
#include "base/json/json.h"

static const int64_t kibibyte = 1024, mebibyte = 1048576, gibibyte = 1073741824;

/* The bounds are where a number makes sense, not where it is wise. */
enum { DESCRIPTORS_MIN = 64, DESCRIPTORS_MAX = 1048576 };
enum {
    SIGNALS_MIN = 16,
    SIGNALS_MAX = 4096
}; /* they count against the machine's root in the end */
enum { INODES_MIN = 16, INODES_MAX = 10000000 };

/* Puts one entry into the profile. path is the entry's, for messages. */
typedef int read_entry(json_t *entry, const char *path, struct profile *profile, struct error *err);

/* The place of a word in a list; -1 with the list in the message. */
static int find_word(const char *word, const char *const *words, size_t count, const char *path,
                     const char *key, struct error *err)
{
    AUTO_BUF struct buf list = {.limit = ERROR_MESSAGE_MAX / 2};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return (int)i;
        buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
    }
    return error_set(err, ERROR_INVALID, "%s.%s: is \"%.40s\"; must be one of %s", path, key, word,
                     list.data);
}

/* ---- limits ---- */

enum { LIMITS = 4 };
static const char *const limit_names[LIMITS] = {"descriptors", "stackBytes", "lockedBytes",
                                                "signals"};
static const int limit_resources[LIMITS] = {RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_MEMLOCK,
                                            RLIMIT_SIGPENDING};

static int read_limit(json_t *entry, const char *path, struct profile *profile, struct error *err)
{
    const int64_t bounds[LIMITS][2] = {{DESCRIPTORS_MIN, DESCRIPTORS_MAX},
                                       {256 * kibibyte, gibibyte},
                                       {0, gibibyte},
                                       {SIGNALS_MIN, SIGNALS_MAX}};
    const char *name;
    int64_t most;
    if (json_get_text(entry, path, "limit", &name, err) < 0)
        return -1;
    int which = find_word(name, limit_names, LIMITS, path, "limit", err);
    if (which < 0 ||
        json_get_integer(entry, path, "most", bounds[which][0], bounds[which][1], &most, err) < 0)
        return -1;
    profile->limits.most[limit_resources[which]] = (uint64_t)most;
    return 0;
}

/* What no policy changes. */
static void set_fixed_limits(struct limits_guest *limits)
{
    for (size_t i = 0; i < RLIM_NLIMITS; i++)
        limits->most[i] = UINT64_MAX;
    limits->most[RLIMIT_CORE] = 1; /* not 0: a program that takes core files would be started */
    limits->most[RLIMIT_MSGQUEUE] = 0;
    limits->most[RLIMIT_RTPRIO] = 0;
    limits->most[RLIMIT_NICE] = 0;
}

/* ---- mounts ---- */

static int read_mount(json_t *entry, const char *path, struct profile *profile, struct error *err)
{
    static const char *const places[MOUNTS_PLACES_MAX] = {
        [MOUNTS_TMP] = "/tmp", [MOUNTS_SHM] = "/dev/shm", [MOUNTS_HOME] = MOUNTS_HOME_PATH};
    const char *name;
    int64_t bytes, inodes;
    bool programs = false;
    if (json_get_text(entry, path, "path", &name, err) < 0)
        return -1;
    int place = find_word(name, places, MOUNTS_PLACES_MAX, path, "path", err);
    if (place < 0 ||
        json_get_integer(entry, path, "bytes", mebibyte, 1024 * gibibyte, &bytes, err) < 0 ||
        json_get_integer(entry, path, "files", INODES_MIN, INODES_MAX, &inodes, err) < 0 ||
        json_get_boolean_optional(entry, path, "programs", &programs, err) < 0)
        return -1;
    profile->mounts.scratch[place] = (struct mounts_scratch){
        .bytes = (uint64_t)bytes,
        .inodes = (uint32_t)inodes,
        .programs = programs,
    };
    return 0;
}

/* ---- devices ---- */

static int read_device(json_t *entry, const char *path, struct profile *profile, struct error *err)
{
    const char *name;
    bool shown = true;
    if (json_get_text(entry, path, "device", &name, err) < 0 ||
        json_get_boolean_optional(entry, path, "shown", &shown, err) < 0)
        return -1;
    int device = find_word(name, mounts_devices, MOUNTS_DEVICES_MAX, path, "device", err);
    if (device < 0)
        return -1;
    if (device == 0 && !shown)
        return error_set(err, ERROR_INVALID, "%s.shown: the interpreter itself needs null", path);
    profile->mounts.devices &= ~(UINT64_C(1) << device);
    profile->mounts.devices |= (uint64_t)shown << device;
    return 0;
}

/* ---- environment ---- */

static bool is_variable(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    return *name && strspn(name, letters) > 0 &&
           name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")] ==
               '\0';
}

static int read_variable(json_t *entry, const char *path, struct profile *profile,
                         struct error *err)
{
    const char *name, *value = NULL;
    if (json_get_text(entry, path, "variable", &name, err) < 0 ||
        json_get_text_optional(entry, path, "value", &value, err) < 0)
        return -1;
    if (!is_variable(name))
        return error_set(err, ERROR_INVALID,
                         "%s.variable: must be letters, digits and underscores, no digit first",
                         path);
    if (!json_object_get(entry, "value"))
        return error_set(err, ERROR_INVALID,
                         "%s.value: is required: a string, or null for no such variable", path);
    if (!value)
        return 0;
    size_t used = 0;
    while (profile->environment[used])
        used += strlen(profile->environment + used) + 1;
    int length = snprintf(profile->environment + used, sizeof profile->environment - used, "%s=%s",
                          name, value);
    if ((size_t)length + 2 > sizeof profile->environment - used) {
        profile->environment[used] = '\0';
        return error_set(err, ERROR_INVALID, "%s.value: the environment is larger than %d bytes",
                         path, PROFILE_ENVIRONMENT_MAX);
    }
    profile->environment[used + (size_t)length + 1] = '\0';
    return 0;
}

/* ---- landlock ---- */

/* The rights that a list of words names. */
static int read_access(json_t *list, const char *path, uint32_t *ret_access, struct error *err)
{
    static const char *const words[] = {"read", "execute", "write", "change"};
    static const uint32_t rights[] = {LANDLOCK_READ, LANDLOCK_EXECUTE, LANDLOCK_WRITE,
                                      LANDLOCK_CHANGE};
    json_t *word;
    size_t index;
    *ret_access = 0;
    json_array_foreach(list, index, word)
    {
        const char *text = json_string_value(word);
        int place =
            text ? find_word(text, words, sizeof words / sizeof *words, path, "access", err)
                 : error_set(err, ERROR_INVALID, "%s.access[%zu]: must be a string", path, index);
        if (place < 0)
            return -1;
        *ret_access |= rights[place];
    }
    return 0;
}

static int read_rule(json_t *entry, const char *path, struct profile *profile, struct error *err)
{
    struct landlock_rules *landlock = &profile->landlock;
    struct landlock_rule rule;
    const char *name;
    json_t *access = NULL;
    if (json_get_text(entry, path, "path", &name, err) < 0 ||
        json_get_array_optional(entry, path, "access", &access, err) < 0 ||
        read_access(access, path, &rule.access, err) < 0)
        return -1;
    if (rule.access == 0)
        return error_set(err, ERROR_INVALID, "%s.access: must name something", path);
    if (snprintf(rule.path, sizeof rule.path, "%s", name) >= (int)sizeof rule.path ||
        *name != '/' || strstr(name, "..") || strstr(name, "//"))
        return error_set(err, ERROR_INVALID,
                         "%s.path: must be absolute, without \"..\" and shorter than %d bytes",
                         path, LANDLOCK_PATH_MAX);
    if (landlock->count == LANDLOCK_RULES_MAX)
        return error_set(err, ERROR_INVALID, "%s: at most %d paths", path, LANDLOCK_RULES_MAX);
    landlock->rules[landlock->count++] = rule;
    return 0;
}

/* Without these no interpreter gets as far as its first cell. */
static bool is_readable(const struct landlock_rules *landlock, const char *path)
{
    for (size_t i = 0; i < landlock->count; i++) {
        if (strcmp(landlock->rules[i].path, path) == 0)
            return landlock->rules[i].access & LANDLOCK_READ;
    }
    return false;
}

/* ---- all of them ---- */

static const struct {
    const char *member;
    const char *key;
    const char *known[6];
    read_entry *read;
} sections[SETTINGS_SECTIONS_MAX] = {
    {"limits", "limit", {"limit", "most", "why"}, read_limit},
    {"mounts", "path", {"path", "bytes", "files", "programs", "why"}, read_mount},
    {"devices", "device", {"device", "shown", "why"}, read_device},
    {"environment", "variable", {"variable", "value", "why"}, read_variable},
    {"landlock", "path", {"path", "access", "why"}, read_rule},
};

const char *settings_section(size_t index)
{
    return index < SETTINGS_SECTIONS_MAX ? sections[index].member : NULL;
}

const char *settings_key(size_t index)
{
    return sections[index].key;
}

/* NULL where the array has none of that name. */
static json_t *find_entry(json_t *array, const char *key, const char *name, size_t *ret_index)
{
    json_t *entry;
    size_t index;
    json_array_foreach(array, index, entry)
    {
        const char *other = json_string_value(json_object_get(entry, key));
        if (other && strcmp(other, name) == 0) {
            *ret_index = index;
            return entry;
        }
    }
    return NULL;
}

/* An entry of the document itself: its shape, and that no other has its name. */
static int check_entry(size_t section, json_t *array, size_t index, struct error *err)
{
    json_t *entry = json_array_get(array, index);
    struct profile scratch = {0};
    const char *why;
    char path[JSON_PATH_TEXT_MAX];
    size_t first = index;
    snprintf(path, sizeof path, "%s[%zu]", sections[section].member, index);
    if (!json_is_object(entry))
        return error_set(err, ERROR_INVALID, "%s: must be an object", path);
    if (json_refuse_unknown(entry, path, sections[section].known, err) < 0 ||
        json_get_text(entry, path, "why", &why, err) < 0 ||
        sections[section].read(entry, path, &scratch, err) < 0)
        return -1;
    if (!*why)
        return error_set(err, ERROR_INVALID, "%s.why: must say why", path);
    const char *key = sections[section].key;
    find_entry(array, key, json_string_value(json_object_get(entry, key)), &first);
    if (first != index)
        return error_set(err, ERROR_INVALID, "%s: %s[%zu] is about the same; keep one", path,
                         sections[section].member, first);
    return 0;
}

/* The document's entries take the place of those of the same name, or come behind them. */
static int merge(json_t *merged, json_t *array, size_t section, struct error *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *entry = json_array_get(array, i);
        size_t index;
        if (check_entry(section, array, i, err) < 0)
            return -1;
        const char *key = sections[section].key;
        const char *name = json_string_value(json_object_get(entry, key));
        if (find_entry(merged, key, name, &index))
            json_array_set(merged, index, entry);
        else
            json_array_append(merged, entry);
    }
    return 0;
}

/* The path names the section only: an entry may be the parent's. */
static int fill(json_t *merged, size_t section, struct profile *profile, struct error *err)
{
    json_t *entry;
    size_t index;
    json_array_foreach(merged, index, entry)
    {
        if (sections[section].read(entry, sections[section].member, profile, err) < 0)
            return -1;
    }
    return 0;
}

/* A policy without a parent leaves nothing to chance. */
static int require_all(const struct profile *profile, struct error *err)
{
    for (size_t i = 0; i < LIMITS; i++) {
        if (profile->limits.most[limit_resources[i]] == UINT64_MAX)
            return error_set(err, ERROR_INVALID, "limits: %s is not there", limit_names[i]);
    }
    for (size_t i = 0; i < MOUNTS_PLACES_MAX; i++) {
        if (profile->mounts.scratch[i].bytes == 0)
            return error_set(err, ERROR_INVALID, "mounts: /%s is not there", mounts_place_paths[i]);
    }
    if (!(profile->mounts.devices & 1))
        return error_set(err, ERROR_INVALID, "devices: null is not there");
    if (!is_readable(&profile->landlock, "/") || !is_readable(&profile->landlock, MOUNTS_DATA_PATH))
        return error_set(err, ERROR_INVALID, "landlock: / and %s must be there with \"read\"",
                         MOUNTS_DATA_PATH);
    return 0;
}

int settings_read(json_t *document, const struct policy *parent, struct policy *policy,
                  struct error *err)
{
    policy->settings = json_object();
    set_fixed_limits(&policy->profile.limits);
    for (size_t i = 0; i < SETTINGS_SECTIONS_MAX; i++) {
        json_t *array = NULL;
        json_t *inherited = parent ? json_object_get(parent->settings, sections[i].member) : NULL;
        json_t *merged = inherited ? json_copy(inherited) : json_array();
        json_object_set_new(policy->settings, sections[i].member, merged);
        if (json_get_array_optional(document, "", sections[i].member, &array, err) < 0)
            return -1;
        if (array && policy->kind != POLICY_SESSION)
            return error_set(err, ERROR_INVALID, "%s: is for policies of sessions",
                             sections[i].member);
        if (merge(merged, array, i, err) < 0 || fill(merged, i, &policy->profile, err) < 0)
            return -1;
    }
    return policy->kind == POLICY_SESSION ? require_all(&policy->profile, err) : 0;
}
