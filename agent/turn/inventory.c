#include "agent/turn/inventory.h"

#include <string.h>

#include "base/core/cleanup.h"

void inventory_clear(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++)
        free(inventory->files[i].path);
    free(inventory->files);
    *inventory = (struct inventory){0};
}

static int compare(const void *a, const void *b)
{
    const struct inventory_file *left = a;
    const struct inventory_file *right = b;
    return strcmp(left->path, right->path);
}

/* Nothing that may become the path of a local file. */
static bool is_plain(const char *path)
{
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == 0 || (part == 1 && path[0] == '.') ||
            (part == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += part + (path[part] == '/');
    }
    return true;
}

void inventory_read(struct inventory *inventory, const struct wire_file_list *list)
{
    inventory_clear(inventory);
    inventory->files = xcalloc(list->count + 1, sizeof *inventory->files);
    for (size_t i = 0; i < list->count; i++) {
        const struct wire_file *file = &list->files[i];
        const char *directory = file->directory ? file->directory : "";
        AUTO_FREE char *path =
            xasprintf("%s%s%s", directory, *directory ? "/" : "", file->name ? file->name : "");
        if (file->is_directory || !*path || !is_plain(path))
            continue;
        inventory->files[inventory->count++] = (struct inventory_file){
            TAKE(path), file->size_bytes, file->modified_s, file->modified_ns};
    }
    qsort(inventory->files, inventory->count, sizeof *inventory->files, compare);
}

const struct inventory_file *inventory_find(const struct inventory *inventory, const char *path)
{
    struct inventory_file key = {.path = (char *)path};
    if (inventory->count == 0)
        return NULL;
    return bsearch(&key, inventory->files, inventory->count, sizeof key, compare);
}

bool inventory_is_news(const struct inventory *earlier, const struct inventory_file *file)
{
    const struct inventory_file *before = inventory_find(earlier, file->path);
    return !before || before->bytes != file->bytes || before->modified_s != file->modified_s ||
           before->modified_ns != file->modified_ns;
}
