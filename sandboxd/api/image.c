#include "sandboxd/api/image.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

enum { PARTS_MAX = 5 };

void image_clear(struct image *image)
{
    free(image->text);
    free(image->runtimes);
    free(image->packages);
    *image = (struct image){0};
}

static bool is_readable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool separator = text[i] == '\t' || text[i] == '\n';
        if (!separator && (text[i] < ' ' || text[i] > '~'))
            return false;
    }
    return length > 0 && text[length - 1] == '\n';
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        count++;
    return count;
}

/* Cuts a line at its tabs. Returns the number of parts, more than PARTS_MAX for too many. */
static int split(char *line, char *parts[PARTS_MAX])
{
    int count = 0;
    for (char *rest = line; rest; count++) {
        char *part = strsep(&rest, "\t");
        if (count == PARTS_MAX)
            return PARTS_MAX + 1;
        parts[count] = part;
    }
    return count;
}

static bool read_line(char *line, struct image *image)
{
    char *parts[PARTS_MAX];
    int count = split(line, parts);
    if (count < 3 || count > PARTS_MAX || !*parts[1] || !*parts[2])
        return false;
    struct wire_component component = {.name = parts[1], .version = parts[2]};
    if (strcmp(parts[0], "runtime") == 0 && count == 3) {
        image->runtimes[image->runtime_count++] = component;
        return true;
    }
    if (strcmp(parts[0], "package") == 0 && count == 3) {
        image->packages[image->package_count++] = component;
        return true;
    }
    if (strcmp(parts[0], "kernel") != 0 || count != PARTS_MAX || image->kernel.name)
        return false;
    image->kernel = (struct wire_kernel){
        .name = parts[1], .version = parts[2], .project_url = parts[3], .description = parts[4]};
    return true;
}

int image_read(const void *data, size_t length, struct image *ret_image, struct error *err)
{
    if (length > IMAGE_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "the description of the image has %zu bytes", length);
    if (!is_readable(data, length))
        return error_set(err, ERROR_INVALID, "the description of the image is not lines of text");

    struct image image = {.text = xstrndup(data, length)};
    size_t lines = count_lines(image.text);
    image.runtimes = xcalloc(lines, sizeof *image.runtimes);
    image.packages = xcalloc(lines, sizeof *image.packages);
    bool good = true;
    char *rest = image.text;
    for (size_t i = 0; i < lines && good; i++)
        good = read_line(strsep(&rest, "\n"), &image);
    if (!good || !image.kernel.name || image.runtime_count == 0) {
        image_clear(&image);
        return error_set(err, ERROR_INVALID, "the description of the image is malformed");
    }
    *ret_image = image;
    return 0;
}
