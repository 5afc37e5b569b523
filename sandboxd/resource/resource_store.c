#include "sandboxd/resource/resource_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/core/directory.h"
#include "base/core/log.h"
#include "base/core/random.h"
#include "base/core/state_file.h"
#include "base/core/text.h"
#include "base/json/json_file.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/pool_writer.h"

static const char prefix[] = "pool-";
static const char suffix[] = ".json";

/* A document and what this file adds to it. */
enum { STORE_BYTES_MAX = 2 * POOL_DOCUMENT_BYTES_MAX };

static int write_text(const struct pool_resource *resource, struct buf *text, struct error *err)
{
    struct pool_view view = {.form = POOL_FORM_LIFECYCLE, .with_mcp = true, .id = &resource->id};
    struct writer writer = writer_begin(text, false);
    writer_open_object(&writer, NULL);
    writer_integer(&writer, "createdMs", resource->created_ms);
    writer_integer(&writer, "modifiedMs", resource->modified_ms);
    pool_write(resource, &view, "pool", &writer);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

int resource_store_save(int directory_fd, const struct pool_resource *resource,
                        char file[RESOURCE_FILE_MAX], struct error *err)
{
    AUTO_BUF struct buf text = {.limit = STORE_BYTES_MAX};
    char name[RESOURCE_FILE_MAX], guid[GUID_TEXT_MAX];
    if (directory_fd == RESOURCE_STORE_NOTHING)
        return 0;
    random_guid(guid);
    snprintf(name, sizeof name, "%s%s%s", prefix, guid, suffix);
    if (file[0])
        memcpy(name, file, sizeof name);
    if (write_text(resource, &text, err) < 0 ||
        state_file_write(directory_fd, name, STATE_FILE_SECRET, text.data, text.length, err) < 0)
        return error_add_context(err, "keep the pool \"%s\"", resource->id.name);
    memcpy(file, name, sizeof name);
    return 0;
}

int resource_store_remove(int directory_fd, const char *file, struct error *err)
{
    if (directory_fd == RESOURCE_STORE_NOTHING || !file[0] ||
        unlinkat(directory_fd, file, 0) == 0 || errno == ENOENT)
        return 0;
    return error_from_errno(err, "remove %s", file);
}

static int read_file(int directory_fd, const char *name, struct pool_resource *ret_resource,
                     struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    json_t *pool = NULL;
    int64_t created_ms = 0, modified_ms = 0;
    struct pool_resource resource;
    if (json_file_read(directory_fd, name, STATE_FILE_SECRET, STORE_BYTES_MAX, &document, err) <
            0 ||
        json_get_integer(document, "", "createdMs", 0, JSON_INTEGER_MAX, &created_ms, err) < 0 ||
        json_get_integer(document, "", "modifiedMs", 0, JSON_INTEGER_MAX, &modified_ms, err) < 0 ||
        json_get_object_optional(document, "", "pool", &pool, err) < 0 ||
        pool_read(pool, "pool", NULL, &resource, err) < 0)
        return -1;
    resource.created_ms = created_ms;
    resource.modified_ms = modified_ms;
    *ret_resource = resource;
    return 0;
}

static bool is_ours(const char *name)
{
    size_t length = strlen(name);
    return length < RESOURCE_FILE_MAX && length > sizeof suffix && text_starts_with(name, prefix) &&
           strcmp(name + length - (sizeof suffix - 1), suffix) == 0;
}

int resource_store_load(int directory_fd,
                        void (*on_pool)(void *self, struct pool_resource *resource,
                                        const char *file),
                        void *self, struct error *err)
{
    if (directory_fd == RESOURCE_STORE_NOTHING)
        return 0;
    DIR *directory = directory_list(directory_fd);
    if (!directory)
        return error_from_errno(err, "read the state directory");
    struct dirent *entry;
    for (int i = 0; i < RESOURCE_FILES_MAX && (entry = readdir(directory)); i++) {
        struct pool_resource resource;
        struct error why = {0};
        if (!is_ours(entry->d_name))
            continue;
        if (read_file(directory_fd, entry->d_name, &resource, &why) == 0)
            on_pool(self, &resource, entry->d_name);
        else
            log_error("pool.not_loaded", "file=%s error=\"%s\"", entry->d_name, why.message);
    }
    closedir(directory);
    return 0;
}
