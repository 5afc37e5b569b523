#include "base/json/wire.h"

#include <string.h>

#include "base/core/text.h"

#define TEXT(subtype) "text/" subtype "; charset=utf-8"

static const struct {
    const char *extension;
    const char *type;
} types[] = {
    {"bmp", "image/bmp"},
    {"bz2", "application/x-bzip2"},
    {"c", TEXT("x-c")},
    {"css", TEXT("css")},
    {"csv", TEXT("csv")},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", TEXT("html")},
    {"html", TEXT("html")},
    {"ipynb", "application/x-ipynb+json"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", TEXT("javascript")},
    {"json", "application/json"},
    {"log", TEXT("plain")},
    {"md", TEXT("markdown")},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"parquet", "application/vnd.apache.parquet"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"py", TEXT("x-python")},
    {"sh", TEXT("x-sh")},
    {"sql", "application/sql"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"tsv", TEXT("tab-separated-values")},
    {"txt", TEXT("plain")},
    {"wav", "audio/x-wav"},
    {"webp", "image/webp"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", TEXT("xml")},
    {"yaml", TEXT("yaml")},
    {"yml", TEXT("yaml")},
    {"zip", "application/zip"},
};

const char *wire_guess_content_type(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot && !strchr(dot, '/')) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (text_equal_ignoring_case(dot + 1, types[i].extension))
                return types[i].type;
        }
    }
    return "application/octet-stream";
}
