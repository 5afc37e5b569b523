#include "sandboxd/resource/mcp_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "base/core/state_file.h"
#include "base/core/text.h"
#include "base/json/base64.h"
#include "base/json/json_file.h"
#include "base/json/writer.h"
#include "sandboxd/resource/resource_id.h"

static const char file_name[] = "mcp-keys.json";

enum { FILE_BYTES_MAX = MCP_KEYS_MAX * 512 };

static struct mcp_key *find(const struct mcp_keys *keys, const char *pool)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (text_equal_ignoring_case(keys->items[i].pool, pool))
            return &keys->items[i];
    }
    return NULL;
}

const char *mcp_keys_find(const struct mcp_keys *keys, const char *pool)
{
    const struct mcp_key *key = find(keys, pool);
    return key ? key->text : NULL;
}

static struct mcp_key *add(struct mcp_keys *keys, const char *pool, const char *text)
{
    keys->items = xrealloc(keys->items, (keys->count + 1) * sizeof *keys->items);
    struct mcp_key *key = &keys->items[keys->count++];
    *key = (struct mcp_key){0};
    memcpy(key->pool, pool, strlen(pool) + 1);
    memcpy(key->text, text, strlen(text) + 1);
    return key;
}

static bool is_pool_key(const char *text)
{
    struct resource_id id;
    struct error ignored;
    return resource_id_read(text, &id, &ignored) == 0 ||
           resource_id_set(NULL, NULL, text, &id, &ignored) == 0;
}

static int read_keys(struct mcp_keys *keys, json_t *object, struct error *err)
{
    const char *pool;
    json_t *value;
    if (!json_is_object(object) || json_object_size(object) > MCP_KEYS_MAX)
        return error_set(err, ERROR_INVALID, "must be an object of at most %d members",
                         MCP_KEYS_MAX);
    json_object_foreach(object, pool, value)
    {
        size_t length = json_string_length(value);
        if (!is_pool_key(pool) || length == 0 || length >= MCP_KEY_TEXT_MAX)
            return error_set(err, ERROR_INVALID, "%.64s: is not a key", pool);
        add(keys, pool, json_string_value(value));
    }
    return 0;
}

int mcp_keys_load(struct mcp_keys *keys, struct error *err)
{
    AUTO_JSON json_t *object = NULL;
    if (keys->directory_fd < 0)
        return 0;
    if (json_file_read(keys->directory_fd, file_name, STATE_FILE_SECRET, FILE_BYTES_MAX, &object,
                       err) < 0)
        return err->code == ERROR_MISSING ? 0 : -1;
    if (read_keys(keys, object, err) < 0)
        return error_add_context(err, "%s", file_name);
    return 0;
}

static int save(const struct mcp_keys *keys, struct error *err)
{
    AUTO_BUF struct buf text = {.limit = FILE_BYTES_MAX};
    if (keys->directory_fd < 0)
        return 0;
    struct writer writer = writer_begin(&text, false);
    writer_open_object(&writer, NULL);
    for (size_t i = 0; i < keys->count; i++)
        writer_string(&writer, keys->items[i].pool, keys->items[i].text);
    writer_close_object(&writer);
    if (writer_finish(&writer, err) < 0)
        return -1;
    return state_file_write(keys->directory_fd, file_name, STATE_FILE_SECRET, text.data,
                            text.length, err);
}

static void make_text(char ret_text[MCP_KEY_TEXT_MAX])
{
    unsigned char bytes[MCP_KEY_BYTES];
    AUTO_BUF struct buf text = {0};
    random_bytes(bytes, sizeof bytes);
    base64url_encode(bytes, sizeof bytes, &text);
    memcpy(ret_text, text.data, text.length + 1);
}

int mcp_keys_renew(struct mcp_keys *keys, const char *pool, const char **ret_text,
                   struct error *err)
{
    char text[MCP_KEY_TEXT_MAX], before[MCP_KEY_TEXT_MAX] = "";
    struct mcp_key *key = find(keys, pool);
    if (!key && keys->count >= MCP_KEYS_MAX)
        return error_set(err, ERROR_LIMIT, "%s holds %d keys already", file_name, MCP_KEYS_MAX);
    make_text(text);
    if (key)
        memcpy(before, key->text, sizeof before);
    else
        key = add(keys, pool, text);
    memcpy(key->text, text, sizeof text);
    if (save(keys, err) < 0) {
        /* What is not kept would be another key after the next start. */
        if (before[0])
            memcpy(key->text, before, sizeof before);
        else
            keys->count--;
        return -1;
    }
    *ret_text = key->text;
    return 0;
}

int mcp_keys_forget(struct mcp_keys *keys, const char *pool, struct error *err)
{
    struct mcp_key *key = find(keys, pool);
    if (!key)
        return 0;
    *key = keys->items[--keys->count];
    return save(keys, err);
}

void mcp_keys_clear(struct mcp_keys *keys)
{
    free(keys->items);
    keys->items = NULL;
    keys->count = 0;
}
