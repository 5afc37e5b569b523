#include "sandboxd/policy/library.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"
#include "base/core/directory.h"
#include "base/core/text.h"

static const char suffix[] = ".json", schema_suffix[] = ".schema.json";

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

bool library_is_schema(const char *file)
{
    return ends_with(file, schema_suffix);
}

/* ---- directories ---- */

/* As the kernel calls it; "?" where it does not say. */
static char *path_of(int fd)
{
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 0 ? xstrndup(path, (size_t)length) : xstrdup("?");
}

/* Adds the names in one directory. */
static int list_directory(int fd, const char *path, struct library_names *names, struct error *err)
{
    DIR *directory = directory_list(fd);
    if (!directory)
        return error_from_errno(err, "list %s", path);
    struct dirent *item;
    int result = 0;
    while (result == 0 && (item = readdir(directory))) {
        const char *name = item->d_name;
        if (*name == '.' || !ends_with(name, suffix) || library_is_schema(name))
            continue;
        if (names->count == LIBRARY_NAMES_MAX)
            result =
                error_set(err, ERROR_LIMIT, "%s: more than %d policies", path, LIBRARY_NAMES_MAX);
        else
            names->names[names->count++] = xstrndup(name, strlen(name) - strlen(suffix));
    }
    closedir(directory);
    return result;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int library_list(const struct library *library, struct library_names *ret_names, struct error *err)
{
    AUTO_LIBRARY_NAMES struct library_names names = {0};
    for (size_t i = 0; i < library->count; i++) {
        if (list_directory(library->directories[i].fd, library->directories[i].path, &names, err) <
            0)
            return -1;
    }
    qsort(names.names, names.count, sizeof *names.names, compare_names);
    *ret_names = names;
    names.count = 0;
    return 0;
}

void library_free_names(struct library_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    names->count = 0;
}

/* One that is there twice: nobody should have to know which is meant. */
int library_refuse_twins(const struct library *library, struct error *err)
{
    AUTO_LIBRARY_NAMES struct library_names names = {0};
    if (library_list(library, &names, err) < 0)
        return -1;
    for (size_t i = 1; i < names.count; i++) {
        if (strcmp(names.names[i - 1], names.names[i]) == 0)
            return error_set(
                err, ERROR_INVALID,
                "%s/%s.json: there is a policy of that name already, in %s; give yours "
                "another name and let it extend that one",
                library->directories[library->count - 1].path, names.names[i],
                library->directories[0].path);
    }
    return 0;
}

int library_add(struct library *library, int fd, const char *path, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info) < 0)
        return error_from_errno(err, "look at a directory of policies");
    if (S_ISCHR(info.st_mode))
        return 0;
    if (!S_ISDIR(info.st_mode))
        return error_set(err, ERROR_INVALID, "--policy-dir: is no directory");
    if (library->count == LIBRARY_DIRECTORIES_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d directories of policies",
                         LIBRARY_DIRECTORIES_MAX);
    library->directories[library->count].fd = fd;
    library->directories[library->count++].path = path ? xstrdup(path) : path_of(fd);
    return 0;
}

void library_clear(struct library *library)
{
    for (size_t i = 0; i < library->count; i++)
        free(library->directories[i].path);
    library->count = 0;
}

/* ---- one policy ---- */

/* A policy that is being read, and what has led to it. */
struct chain {
    const struct library *library;
    const struct chain *before;
    const char *name;
};

static size_t chain_length(const struct chain *chain)
{
    size_t length = 0;
    for (; chain; chain = chain->before)
        length++;
    return length;
}

/* "a -> b -> a": from the first on. */
static void chain_write(const struct chain *chain, struct buf *out)
{
    if (!chain)
        return;
    chain_write(chain->before, out);
    buf_printf(out, "%s -> ", chain->name);
}

static int refuse_circle(const struct chain *chain, const char *name, struct error *err)
{
    AUTO_BUF struct buf way = {.limit = ERROR_MESSAGE_MAX};
    bool circle = false;
    for (const struct chain *c = chain; c; c = c->before)
        circle = circle || strcmp(c->name, name) == 0;
    if (!circle && chain_length(chain) < LIBRARY_EXTENDS_MAX)
        return 0;
    chain_write(chain, &way);
    return error_set(err, ERROR_CONFLICT, "%s%s: %s", way.length ? way.data : "", name,
                     circle ? "a policy cannot extend itself, neither by way of others"
                            : "too many policies that extend each other");
}

static int load_parent(void *self, const char *name, struct policy *ret_policy, struct error *err);

static int read_file(const struct chain *chain, int fd, const char *label,
                     struct policy *ret_policy, struct error *err)
{
    const struct policy_parents parents = {load_parent, (void *)(uintptr_t)chain};
    struct policy policy = {0};
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, POLICY_BYTES_MAX, &length, err);
    if (!text)
        return error_add_context(err, "%s", label);
    if (policy_read(text, length, label, &parents, &policy, err) < 0)
        return -1;
    if (strcmp(policy.name, chain->name) != 0) {
        error_set(
            err, ERROR_INVALID,
            "%s: name: is \"%s\", but the file is %s.json; a policy is found by its file's name",
            label, policy.name, chain->name);
        policy_clear(&policy);
        return -1;
    }
    *ret_policy = policy;
    return 0;
}

static int missing(const struct library *library, const char *name, struct error *err)
{
    AUTO_LIBRARY_NAMES struct library_names names = {0};
    AUTO_BUF struct buf list = {.limit = ERROR_MESSAGE_MAX / 2};
    if (library_list(library, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", names.names[i]);
    return error_set(err, ERROR_MISSING, "there is no policy \"%.40s\"; there are %s", name,
                     list.length ? list.data : "none");
}

static int load(const struct library *library, const struct chain *before, const char *name,
                struct policy *ret_policy, struct error *err)
{
    const struct chain chain = {library, before, name};
    char file[NAME_MAX + 1];
    if (refuse_circle(before, name, err) < 0)
        return -1;
    /* A name is a name, not a way. */
    if (strchr(name, '/') || snprintf(file, sizeof file, "%s%s", name, suffix) >= (int)sizeof file)
        return missing(library, name, err);
    for (size_t i = 0; i < library->count; i++) {
        AUTO_CLOSE int fd =
            openat(library->directories[i].fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        AUTO_FREE char *label = xasprintf("%s/%s", library->directories[i].path, file);
        if (fd >= 0)
            return read_file(&chain, fd, label, ret_policy, err);
        if (errno != ENOENT)
            return error_from_errno(err, "open %s", label);
    }
    return missing(library, name, err);
}

static int load_parent(void *self, const char *name, struct policy *ret_policy, struct error *err)
{
    const struct chain *chain = self;
    return load(chain->library, chain, name, ret_policy, err);
}

int library_load(const struct library *library, const char *name, struct policy *ret_policy,
                 struct error *err)
{
    return load(library, NULL, name, ret_policy, err);
}

int library_load_file(const struct library *library, int fd, const char *label,
                      struct policy *ret_policy, struct error *err)
{
    const char *slash = strrchr(label, '/');
    const char *base = slash ? slash + 1 : label;
    if (!ends_with(base, suffix))
        return error_set(err, ERROR_INVALID, "%s: the name of a policy's file ends in .json",
                         label);
    AUTO_FREE char *name = xstrndup(base, strlen(base) - strlen(suffix));
    const struct chain chain = {library, NULL, name};
    return read_file(&chain, fd, label, ret_policy, err);
}

/* ---- those of sessions ---- */

static int add_session(struct library_sessions *sessions, struct policy *policy, const char *first,
                       struct error *err)
{
    if (policy->kind != POLICY_SESSION) {
        policy_clear(policy);
        return 0;
    }
    if (sessions->count == LIBRARY_SESSIONS_MAX) {
        policy_clear(policy);
        return error_set(err, ERROR_LIMIT, "more than %d policies for sessions",
                         LIBRARY_SESSIONS_MAX);
    }
    size_t place = sessions->count++;
    if (strcmp(policy->name, first) == 0) {
        memmove(sessions->policies + 1, sessions->policies, place * sizeof *policy);
        place = 0;
    }
    sessions->policies[place] = *policy;
    return 0;
}

int library_load_sessions(const struct library *library, const char *first,
                          struct library_sessions *ret_sessions, struct error *err)
{
    AUTO_LIBRARY_NAMES struct library_names names = {0};
    struct library_sessions sessions = {0};
    int result = library_refuse_twins(library, err);
    if (result == 0)
        result = library_list(library, &names, err);
    for (size_t i = 0; i < names.count && result == 0; i++) {
        struct policy policy = {0};
        result = library_load(library, names.names[i], &policy, err);
        if (result == 0)
            result = add_session(&sessions, &policy, first, err);
    }
    if (result == 0 && (sessions.count == 0 || strcmp(sessions.policies[0].name, first) != 0))
        result = error_set(err, ERROR_MISSING, "there is no policy %s for sessions", first);
    if (result < 0)
        library_clear_sessions(&sessions);
    else
        *ret_sessions = sessions;
    return result;
}

void library_clear_sessions(struct library_sessions *sessions)
{
    for (size_t i = 0; i < sessions->count; i++)
        policy_clear(&sessions->policies[i]);
    sessions->count = 0;
}
