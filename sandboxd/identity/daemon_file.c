#include "sandboxd/identity/daemon_file.h"

#include <stdbool.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/state_file.h"
#include "base/json/json_file.h"
#include "base/json/writer.h"

static const char file_name[] = "daemon.json";

/* A front that is started anew says the same again, which a full disk must not keep it from. */
static bool is_there(int state_fd, const struct buf *text)
{
    AUTO_FREE char *found = NULL;
    size_t length = 0;
    struct error ignored;
    return state_file_read(state_fd, file_name, STATE_FILE_PUBLIC, DAEMON_FILE_BYTES_MAX, &found,
                           &length, &ignored) == 0 &&
           length == text->length && memcmp(found, text->data, length) == 0;
}

int daemon_file_write(int state_fd, const struct daemon_file *file, struct error *err)
{
    AUTO_BUF struct buf text = {.limit = DAEMON_FILE_BYTES_MAX};
    struct writer writer = writer_begin(&text, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "http", file->http);
    writer_string(&writer, "https", file->https);
    writer_string(&writer, "auth", file->auth);
    writer_string(&writer, "pool", file->pool);
    writer_close_object(&writer);
    if (writer_finish(&writer, err) < 0)
        return -1;
    if (is_there(state_fd, &text))
        return 0;
    return state_file_write(state_fd, file_name, STATE_FILE_PUBLIC, text.data, text.length, err);
}

static int read_member(json_t *object, const char *key, char ret_text[DAEMON_TEXT_MAX],
                       struct error *err)
{
    const char *value = NULL;
    if (json_get_text(object, "", key, &value, err) < 0)
        return error_add_context(err, "%s", file_name);
    size_t size = strlen(value) + 1;
    if (size > DAEMON_TEXT_MAX)
        return error_set(err, ERROR_INVALID, "%s: %s is too long", file_name, key);
    memcpy(ret_text, value, size);
    return 0;
}

int daemon_file_read(int state_fd, struct daemon_file *ret_file, struct error *err)
{
    AUTO_JSON json_t *object = NULL;
    struct daemon_file file = {0};
    if (json_file_read(state_fd, file_name, STATE_FILE_PUBLIC, DAEMON_FILE_BYTES_MAX, &object,
                       err) < 0 ||
        read_member(object, "http", file.http, err) < 0 ||
        read_member(object, "https", file.https, err) < 0 ||
        read_member(object, "auth", file.auth, err) < 0 ||
        read_member(object, "pool", file.pool, err) < 0)
        return -1;
    *ret_file = file;
    return 0;
}
