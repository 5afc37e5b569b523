#include "sandboxd/api/file_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/core/text.h"

static const char data_directory[] = "mnt/data";

const char *file_path_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Skips "/mnt/data/" and "mnt/data/": a URL loses the first slash where two come together. */
static const char *skip_data_directory(const char *path)
{
    size_t length = sizeof data_directory - 1;
    const char *rest = *path == '/' ? path + 1 : path;
    if (strncmp(rest, data_directory, length) != 0)
        return path;
    if (rest[length] == '/')
        return rest + length + 1;
    return rest[length] == '\0' && *path == '/' ? rest + length : path;
}

static bool has_control_characters(const char *text)
{
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return true;
    }
    return false;
}

static int check(const struct file_path *path, struct error *err)
{
    if (has_control_characters(path->text))
        return error_set(err, ERROR_INVALID, "file names must not have control characters");
    if (!payload_path_is_safe(path->text, path->length))
        return error_set(err, ERROR_INVALID,
                         "a file name must lie below /mnt/data, without empty, \".\" or \"..\" "
                         "parts, each part at most 255 bytes and all at most %d",
                         FILE_PATH_MAX - 1);
    return 0;
}

int file_path_read_directory(const char *directory, struct file_path *ret_path, struct error *err)
{
    struct file_path path = {0};
    const char *start = skip_data_directory(directory ? directory : "");
    if (*start == '/')
        start++;
    path.length = strlen(start);
    if (path.length > 0 && start[path.length - 1] == '/')
        path.length--;
    if (path.length > FILE_PATH_MAX)
        return error_set(err, ERROR_INVALID, "the path is longer than %d bytes", FILE_PATH_MAX - 1);
    memcpy(path.text, start, path.length);
    if (check(&path, err) < 0)
        return -1;
    *ret_path = path;
    return 0;
}

int file_path_read(const char *directory, const char *name, struct file_path *ret_path,
                   struct error *err)
{
    struct file_path path = {0};
    if (file_path_read_directory(directory, &path, err) < 0)
        return -1;
    const char *rest = skip_data_directory(name);
    if (*rest == '\0')
        return error_set(err, ERROR_INVALID, "the file has no name");
    int n = snprintf(path.text + path.length, sizeof path.text - path.length, "%s%s",
                     path.length > 0 ? "/" : "", rest);
    if (n < 0 || (size_t)n >= sizeof path.text - path.length)
        return error_set(err, ERROR_INVALID, "the path is longer than %d bytes", FILE_PATH_MAX - 1);
    path.length += (size_t)n;
    if (check(&path, err) < 0)
        return -1;
    *ret_path = path;
    return 0;
}
