#include "agent/commands/deliver.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/core/cleanup.h"

enum { NUMBER_MAX = 999 };

void deliver_clear(struct deliver *deliver)
{
    for (size_t i = 0; i < deliver->count; i++)
        free(deliver->paths[i]);
    deliver->count = 0;
}

void deliver_add(struct deliver *deliver, const char *path)
{
    for (size_t i = 0; i < deliver->count; i++) {
        if (strcmp(deliver->paths[i], path) == 0)
            return;
    }
    if (deliver->count < DELIVER_FILES_MAX)
        deliver->paths[deliver->count++] = xstrdup(path);
    else
        command_warn("%.200s is one file too many and is not fetched", path);
}

static bool has_hidden_part(const char *path)
{
    return path[0] == '.' || strstr(path, "/.");
}

/* The directories below the output directory, one after the other. */
static int make_directories(const char *path, struct error *err)
{
    AUTO_FREE char *copy = xstrdup(path);
    for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return error_from_errno(err, "make the directory %.300s", copy);
        *at = '/';
    }
    return 0;
}

/* "a/b.csv" and 2 become "a/b-2.csv". */
static char *numbered(const char *path, int number)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash + 1 : path, '.');
    size_t length = dot ? (size_t)(dot - path) : strlen(path);
    if (number == 1)
        return xstrdup(path);
    return xasprintf("%.*s-%d%s", (int)length, path, number, dot ? dot : "");
}

/* Under the first name that is free; *ret_path is yours. */
static int begin_free(struct save *save, const char *directory, const char *name, char **ret_path,
                      struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
    if (make_directories(path, err) < 0)
        return -1;
    for (int number = 1; number <= NUMBER_MAX; number++) {
        AUTO_FREE char *candidate = numbered(path, number);
        if (save_begin(save, candidate, false, err) == 0) {
            *ret_path = TAKE(candidate);
            return 0;
        }
        if (err->code != ERROR_CONFLICT)
            return -1;
    }
    return -1;
}

static int save_image(const char *directory, const char *name, const char *data, size_t length,
                      struct error *err)
{
    struct save save = {0};
    AUTO_FREE char *path = NULL;
    if (begin_free(&save, directory, name, &path, err) < 0)
        return -1;
    if (save_write(&save, data, length, err) < 0) {
        save_abort(&save);
        return -1;
    }
    if (save_commit(&save, err) < 0)
        return -1;
    command_warn("saved a figure as %.400s", path);
    return 0;
}

void deliver_image(struct deliver *deliver, const char *name, const char *data, size_t length)
{
    struct error err = {0};
    if (save_image(deliver->directory, name, data, length, &err) == 0)
        return;
    command_warn("%s", err.message);
    deliver->image_failed = true;
}

static int on_data(void *self, const char *data, size_t length, struct error *err)
{
    return save_write(self, data, length, err);
}

static int fetch(struct deliver *deliver, struct command *command, const char *session,
                 const char *name, char **ret_path, struct error *err)
{
    struct save save = {0};
    AUTO_FREE char *path = NULL;
    if (begin_free(&save, deliver->directory, name, &path, err) < 0)
        return -1;
    struct pool_handler handler = command_begin(command);
    struct pool_sink sink = {.self = &save, .on_data = on_data};
    int started = pool_client_download(command->pool, session, name, &sink, &handler,
                                       &command->call, &command->result.failure);
    if (!command_end_quietly(command, started)) {
        save_abort(&save);
        *err = command->result.failure;
        return -1;
    }
    if (save_commit(&save, err) < 0)
        return -1;
    *ret_path = TAKE(path);
    return 0;
}

int deliver_all(struct deliver *deliver, struct command *command, const char *session,
                struct run_screen *screen)
{
    int result = deliver->image_failed ? -1 : 0;
    for (size_t i = 0; i < deliver->count && !command->caught; i++) {
        const char *name = deliver->paths[i];
        AUTO_FREE char *path = NULL;
        struct error err = {0};
        if (has_hidden_part(name)) {
            command_warn("%.300s was made, but is not saved: its name begins with a dot", name);
        } else if (fetch(deliver, command, session, name, &path, &err) < 0) {
            command_warn("%.200s: %s", name, err.message);
            result = -1;
        } else {
            run_screen_saved(screen, name, path);
        }
    }
    return result;
}
