#include "base/json/wire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"
#include "base/json/json.h"
#include "base/json/writer.h"

static const char content_type_unknown[] = "application/octet-stream";

void wire_file_clear(struct wire_file *file)
{
    free(file->name);
    free(file->directory);
    free(file->content_type);
    *file = (struct wire_file){0};
}

void wire_file_list_clear(struct wire_file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        wire_file_clear(&list->files[i]);
    free(list->files);
    *list = (struct wire_file_list){0};
}

struct wire_file *wire_file_list_add(struct wire_file_list *list)
{
    /* Room doubles: 0 to 1, 1 to 2, 2 to 4 ... */
    if ((list->count & (list->count - 1)) == 0) {
        size_t capacity = list->count ? 2 * list->count : 1;
        list->files = xrealloc(list->files, capacity * sizeof *list->files);
    }
    struct wire_file *file = &list->files[list->count++];
    *file = (struct wire_file){0};
    return file;
}

static void write_time(struct writer *writer, const char *key, const struct wire_file *file)
{
    char text[TEXT_TIME_MAX];
    text_format_time(file->modified_s, file->modified_ns, text);
    writer_string(writer, key, text);
}

static void write_generation_0(struct writer *writer, const struct wire_file *file)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "filename", file->name);
    writer_integer(writer, "size", (int64_t)file->size_bytes);
    write_time(writer, "last_modified_time", file);
    writer_close_object(writer);
}

static void write_generation_1(struct writer *writer, const struct wire_file *file)
{
    writer_open_object(writer, NULL);
    writer_open_object(writer, "properties");
    writer_string(writer, "filename", file->name);
    writer_integer(writer, "size", (int64_t)file->size_bytes);
    write_time(writer, "lastModifiedTime", file);
    writer_close_object(writer);
    writer_close_object(writer);
}

static void write_generation_2(struct writer *writer, const struct wire_options *options,
                               const struct wire_file *file)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "name", file->name);
    writer_string(writer, "type", file->is_directory ? "directory" : "file");
    writer_string(writer, "contentType",
                  file->content_type ? file->content_type : content_type_unknown);
    writer_integer(writer, "sizeInBytes", (int64_t)file->size_bytes);
    write_time(writer, "lastModifiedAt", file);
    if (options->with_directory)
        writer_string(writer, "directory", file->directory);
    writer_close_object(writer);
}

int wire_write_file_list(enum wire_generation generation, const struct wire_options *options,
                         const struct wire_file_list *list, struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, options->with_ids);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, generation == WIRE_GENERATION_0 ? "$values" : "value");
    for (size_t i = 0; i < list->count; i++) {
        if (generation == WIRE_GENERATION_0)
            write_generation_0(&writer, &list->files[i]);
        else if (generation == WIRE_GENERATION_1)
            write_generation_1(&writer, &list->files[i]);
        else
            write_generation_2(&writer, options, &list->files[i]);
    }
    writer_close_array(&writer);
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}

int wire_write_file(enum wire_generation generation, const struct wire_options *options,
                    const struct wire_file *file, struct buf *out, struct error *err)
{
    if (generation != WIRE_GENERATION_2) {
        struct wire_file only = *file;
        struct wire_file_list list = {.files = &only, .count = 1};
        return wire_write_file_list(generation, options, &list, out, err);
    }
    struct writer writer = writer_begin(out, options->with_ids);
    write_generation_2(&writer, options, file);
    return writer_finish(&writer, err);
}

/* "2024-11-11T09:05:02", up to nine digits of a second's fraction, and "Z". */
static bool parse_time(const char *text, int64_t *ret_seconds, int64_t *ret_nanoseconds)
{
    struct tm tm = {0};
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t nanoseconds = 0;
    if (at && *at == '.') {
        at++;
        int64_t unit = 100000000;
        for (; *at >= '0' && *at <= '9' && unit > 0; at++, unit /= 10)
            nanoseconds += (*at - '0') * unit;
    }
    if (!at || strcmp(at, "Z") != 0)
        return false;
    *ret_seconds = timegm(&tm);
    *ret_nanoseconds = nanoseconds;
    return true;
}

static int read_time(json_t *object, const char *path, const char *key, struct wire_file *file,
                     struct error *err)
{
    const char *text = NULL;
    if (json_get_text_optional(object, path, key, &text, err) < 0)
        return -1;
    if (text && !parse_time(text, &file->modified_s, &file->modified_ns))
        return error_set(err, ERROR_INVALID,
                         "%s.%s: must be a time such as 2024-11-11T09:05:02.4865293Z", path, key);
    return 0;
}

static int read_size(json_t *object, const char *path, const char *key, struct wire_file *file,
                     struct error *err)
{
    int64_t size = 0;
    if (json_get_integer(object, path, key, 0, JSON_INTEGER_MAX, &size, err) < 0)
        return -1;
    file->size_bytes = (uint64_t)size;
    return 0;
}

static int read_text(json_t *object, const char *path, const char *key, char **ret_text,
                     struct error *err)
{
    const char *text = NULL;
    if (json_get_text_optional(object, path, key, &text, err) < 0)
        return -1;
    *ret_text = text && *text ? xstrdup(text) : NULL;
    return 0;
}

static int read_name(json_t *object, const char *path, const char *key, struct wire_file *file,
                     struct error *err)
{
    const char *name = NULL;
    if (json_get_text(object, path, key, &name, err) < 0)
        return -1;
    file->name = xstrdup(name);
    return 0;
}

static int read_generation_1(json_t *entry, const char *path, struct wire_file *file,
                             struct error *err)
{
    json_t *members = json_object_get(entry, "properties");
    if (!json_is_object(members))
        return error_set(err, ERROR_INVALID, "%s.properties: is required and must be an object",
                         path);
    if (read_name(members, path, "filename", file, err) < 0 ||
        read_size(members, path, "size", file, err) < 0 ||
        read_time(members, path, "lastModifiedTime", file, err) < 0)
        return -1;
    return 0;
}

/* The recorded upload answer has an empty "type" and "contentType". */
static int read_generation_2(json_t *entry, const char *path, struct wire_file *file,
                             struct error *err)
{
    const char *type = "";
    if (read_name(entry, path, "name", file, err) < 0 ||
        json_get_text_optional(entry, path, "type", &type, err) < 0 ||
        read_text(entry, path, "contentType", &file->content_type, err) < 0 ||
        read_size(entry, path, "sizeInBytes", file, err) < 0 ||
        read_time(entry, path, "lastModifiedAt", file, err) < 0 ||
        read_text(entry, path, "directory", &file->directory, err) < 0)
        return -1;
    file->is_directory = text_equal_ignoring_case(type, "directory");
    return 0;
}

static int read_entry(enum wire_generation generation, json_t *entry, const char *path,
                      struct wire_file *file, struct error *err)
{
    return generation == WIRE_GENERATION_1 ? read_generation_1(entry, path, file, err)
                                           : read_generation_2(entry, path, file, err);
}

int wire_read_file_list(enum wire_generation generation, const char *data, size_t length,
                        struct wire_file_list *ret_list, struct error *err)
{
    AUTO_JSON json_t *document = NULL;
    if (json_parse(data, length, length, &document, err) < 0)
        return error_add_context(err, "the answer");
    json_t *value = json_object_get(document, "value");
    if (!json_is_array(value))
        return error_set(err, ERROR_INVALID, "the answer: value: is required and must be an array");

    struct wire_file_list list = {0};
    size_t index;
    json_t *entry;
    json_array_foreach(value, index, entry)
    {
        char path[40];
        snprintf(path, sizeof path, "value[%zu]", index);
        if (read_entry(generation, entry, path, wire_file_list_add(&list), err) < 0) {
            wire_file_list_clear(&list);
            return error_add_context(err, "the answer");
        }
    }
    *ret_list = list;
    return 0;
}

static int read_only_file(const char *data, size_t length, struct wire_file *ret_file,
                          struct error *err)
{
    struct wire_file_list list = {0};
    if (wire_read_file_list(WIRE_GENERATION_1, data, length, &list, err) < 0)
        return -1;
    if (list.count != 1) {
        error_set(err, ERROR_INVALID, "the answer: value: has %zu files instead of one",
                  list.count);
        wire_file_list_clear(&list);
        return -1;
    }
    *ret_file = list.files[0];
    free(list.files);
    return 0;
}

int wire_read_file(enum wire_generation generation, const char *data, size_t length,
                   struct wire_file *ret_file, struct error *err)
{
    if (generation == WIRE_GENERATION_1)
        return read_only_file(data, length, ret_file, err);

    AUTO_JSON json_t *document = NULL;
    struct wire_file file = {0};
    if (json_parse(data, length, length, &document, err) < 0 ||
        read_generation_2(document, "file", &file, err) < 0) {
        wire_file_clear(&file);
        return error_add_context(err, "the answer");
    }
    *ret_file = file;
    return 0;
}
