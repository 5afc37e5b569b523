#include "sandboxd/policy/image.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/core/cleanup.h"
#include "base/core/layer.h"
#include "base/core/text.h"
#include "base/json/json.h"

enum { IMAGE_BYTES_MAX = 256 * 1024 };

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
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, IMAGE_BYTES_MAX, &length, err);
    if (!text || json_parse(text, length, IMAGE_BYTES_MAX, &document, err) < 0 ||
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

const char **image_zygote_arguments(const struct image *image, bool with_modules)
{
    const char **arguments = xcalloc(image->module_count + 3, sizeof *arguments);
    arguments[0] = "sandboxd-worker";
    arguments[1] = layers_to_argument();
    for (size_t i = 0; with_modules && i < image->module_count; i++)
        arguments[2 + i] = image->modules[i];
    return arguments;
}
