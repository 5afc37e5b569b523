#include "sandboxd/api/file_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "sandboxd/api/file_path.h"

enum {
    DIRECTORY_SIZE_BYTES = 4096, /* as the service reports it */
};

static const char upload_prefix[] = ".sandpool-upload-";

void file_view_add(struct file_view *view, const struct file_entry_message *entry)
{
    if (entry->kind == FILE_KIND_OTHER)
        return;
    size_t length = strlen(entry->path);
    if (view->count == FILE_VIEW_ENTRIES_MAX || view->bytes + length > FILE_VIEW_BYTES_MAX) {
        view->too_large = true;
        return;
    }
    char *path = xstrndup(entry->path, length);
    if (text_starts_with(file_path_base_name(path), upload_prefix)) {
        free(path);
        return;
    }
    if (view->count == view->capacity) {
        view->capacity = view->capacity ? 2 * view->capacity : 16;
        view->entries = xrealloc(view->entries, view->capacity * sizeof *view->entries);
    }
    view->entries[view->count++] = (struct file_view_entry){
        .path = path,
        .kind = (enum file_kind)entry->kind,
        .size_bytes = entry->kind == FILE_KIND_DIRECTORY ? DIRECTORY_SIZE_BYTES : entry->size_bytes,
        .modified_s = entry->modified_s,
        .modified_ns = entry->modified_ns,
    };
    view->bytes += length;
}

void file_view_clear(struct file_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        free(view->entries[i].path);
    free(view->entries);
    *view = (struct file_view){0};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file_view_entry *)a)->path,
                  ((const struct file_view_entry *)b)->path);
}

static char *readable(const char *bytes, size_t length)
{
    AUTO_BUF struct buf text = {0};
    text_append_utf8_lossy(&text, bytes, length);
    return buf_take(&text);
}

/* The part of the path below the directory that was listed. */
static const char *below(const char *path, const char *base)
{
    size_t length = strlen(base);
    if (length > 0 && strncmp(path, base, length) == 0 && path[length] == '/')
        return path + length + 1;
    return path;
}

void file_view_describe_one(const struct file_view_entry *entry, const char *base,
                            enum wire_generation generation, struct wire_file *ret_file)
{
    const char *relative = below(entry->path, base);
    const char *name = file_path_base_name(relative);
    const char *shown = generation == WIRE_GENERATION_2 ? name : entry->path;
    bool is_directory = entry->kind == FILE_KIND_DIRECTORY;
    *ret_file = (struct wire_file){
        .name = readable(shown, strlen(shown)),
        .directory = readable(relative, name > relative ? (size_t)(name - relative) - 1 : 0),
        .is_directory = is_directory,
        .content_type = is_directory ? NULL : xstrdup(wire_guess_content_type(name)),
        .size_bytes = entry->size_bytes,
        .modified_s = entry->modified_s,
        .modified_ns = entry->modified_ns,
    };
}

void file_view_describe(struct file_view *view, const char *base, enum wire_generation generation,
                        struct wire_file_list *ret_list)
{
    if (view->count > 0)
        qsort(view->entries, view->count, sizeof *view->entries, by_path);
    for (size_t i = 0; i < view->count; i++) {
        const struct file_view_entry *entry = &view->entries[i];
        if (generation != WIRE_GENERATION_2 && entry->kind == FILE_KIND_DIRECTORY)
            continue;
        file_view_describe_one(entry, base, generation, wire_file_list_add(ret_list));
    }
}
