#include "base/json/position.h"
#include "tests/fuzz/fuzz.h"

/* A path, a line end, the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[128];
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - data) : 0;
    if (!end || length >= sizeof path)
        return 0;
    memcpy(path, data, length);
    path[length] = '\0';
    const char *text = (const char *)end + 1;
    size_t text_size = size - length - 1, lines = 1;
    for (size_t i = 0; i < text_size; i++)
        lines += text[i] == '\n';
    size_t line = json_position_line(text, text_size, path);
    CHECK(line >= 1 && line <= lines);
    return 0;
}
