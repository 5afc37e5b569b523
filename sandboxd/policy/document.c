#include "sandboxd/policy/document.h"

#include <stdio.h>
#include <string.h>

#include "base/json/json.h"
#include "base/json/position.h"
#include "sandboxd/policy/policy.h"

enum { WORD_MAX = 40 };

int document_parse(const char *label, const char *text, size_t length,
                   struct document *ret_document, struct error *err)
{
    struct document document = {.label = label, .text = text, .length = length};
    if (json_parse(text, length, POLICY_BYTES_MAX, &document.json, err) < 0) {
        int line, column, start = 0;
        char problem[ERROR_MESSAGE_MAX];
        if (sscanf(err->message, "JSON, line %d, column %d: %n", &line, &column, &start) == 2 &&
            start)
            snprintf(problem, sizeof problem, "%s:%d:%d: %.300s", label, line, column,
                     err->message + start);
        else
            snprintf(problem, sizeof problem, "%s: %.300s", label, err->message);
        return error_set(err, err->code, "%s", problem);
    }
    *ret_document = document;
    return 0;
}

void document_clear(struct document *document)
{
    json_decref(document->json);
    document->json = NULL;
}

int document_locate(const struct document *document, struct error *err)
{
    char path[JSON_PATH_TEXT_MAX] = "";
    size_t length = strcspn(err->message, ": ");
    if (err->message[length] == ':' && length < sizeof path)
        snprintf(path, sizeof path, "%.*s", (int)length, err->message);
    return error_add_context(err, "%s:%zu", document->label,
                             json_position_line(document->text, document->length, path));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop, change or swap with their neighbour. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], length_a = strlen(a), length_b = strlen(b);
    if (length_a > WORD_MAX || length_b > WORD_MAX)
        return WORD_MAX;
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= length_b; j++)
        last[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[length_b];
}

void document_hint(const char *text, const char *(*next)(size_t index),
                   char ret_text[DOCUMENT_HINT_MAX])
{
    size_t nearest = strlen(text) / 3 + 2;
    const char *word;
    *ret_text = '\0';
    for (size_t i = 0; (word = next(i)); i++) {
        size_t d = distance(text, word);
        if (d >= nearest)
            continue;
        nearest = d;
        snprintf(ret_text, DOCUMENT_HINT_MAX, "; did you mean \"%.*s\"?", WORD_MAX, word);
    }
}
