#include "sandboxd/api/api_settings.h"

#include <string.h>

#include "base/core/buf.h"
#include "base/json/json.h"
#include "sandboxd/link/capture.h"

enum {
    STREAM_BYTES_MIN = 1024,
    STREAM_BYTES_MOST = 16 * 1024 * 1024, /* two of them, escaped, fit into an answer */
    POOL_FULL_MISSING = 404,
    POOL_FULL_BUSY = 429,
};

void api_settings_set_defaults(struct api_settings *ret_settings)
{
    *ret_settings = (struct api_settings){
        .with_ids = true,
        .with_refusals = true,
        .result_text = RESULT_TEXT_2024_10,
        .stream_bytes_max = CAPTURE_BYTES_MAX,
    };
}

/* Finds the member's word in a NULL-terminated list. Absent: *ret_index stays. */
static int read_word(json_t *object, const char *path, const char *key, const char *const *words,
                     int *ret_index, struct error *err)
{
    const char *word = NULL;
    if (json_get_text_optional(object, path, key, &word, err) < 0)
        return -1;
    if (!word)
        return 0;
    AUTO_BUF struct buf list = {0};
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_index = i;
            return 0;
        }
        buf_printf(&list, "%s\"%s\"", i ? ", " : "", words[i]);
    }
    return error_set(err, ERROR_INVALID, "%s.%s: is \"%.64s\"; must be one of %s", path, key, word,
                     list.data);
}

static int read_pool_full(json_t *object, const char *path, bool *ret_missing, struct error *err)
{
    int64_t status = *ret_missing ? POOL_FULL_MISSING : POOL_FULL_BUSY;
    if (json_get_integer_optional(object, path, "poolFullStatus", POOL_FULL_MISSING, POOL_FULL_BUSY,
                                  &status, err) < 0 ||
        (status != POOL_FULL_MISSING && status != POOL_FULL_BUSY))
        return error_set(err, ERROR_INVALID, "%s.poolFullStatus: must be 429 or 404", path);
    *ret_missing = status == POOL_FULL_MISSING;
    return 0;
}

int api_settings_read(json_t *object, const char *path, struct api_settings *ret_settings,
                      struct error *err)
{
    static const char *const known[] = {
        "versions", "ids",          "poolFullStatus",       "forwardedHeaders",
        "refusals", "resultAsText", "outputStreamBytesMax", NULL};
    static const char *const versions[] = {"lenient", "strict", NULL};
    static const char *const texts[] = {[RESULT_TEXT_2024_10] = "2024-10-02-preview",
                                        [RESULT_TEXT_ALWAYS] = "always",
                                        [RESULT_TEXT_NEVER] = "never",
                                        NULL};
    struct api_settings settings;
    api_settings_set_defaults(&settings);
    int strict = settings.strict_versions;
    int text = settings.result_text;
    int64_t bytes = (int64_t)settings.stream_bytes_max;
    if (json_refuse_unknown(object, path, known, err) < 0 ||
        read_word(object, path, "versions", versions, &strict, err) < 0 ||
        read_word(object, path, "resultAsText", texts, &text, err) < 0 ||
        read_pool_full(object, path, &settings.pool_full_is_404, err) < 0 ||
        json_get_boolean_optional(object, path, "ids", &settings.with_ids, err) < 0 ||
        json_get_boolean_optional(object, path, "refusals", &settings.with_refusals, err) < 0 ||
        json_get_boolean_optional(object, path, "forwardedHeaders", &settings.trusts_forwarded,
                                  err) < 0 ||
        json_get_integer_optional(object, path, "outputStreamBytesMax", STREAM_BYTES_MIN,
                                  STREAM_BYTES_MOST, &bytes, err) < 0)
        return -1;
    settings.strict_versions = strict == 1;
    settings.result_text = (enum result_text)text;
    settings.stream_bytes_max = (size_t)bytes;
    *ret_settings = settings;
    return 0;
}

bool api_settings_want_text(const struct api_settings *settings, enum wire_generation generation,
                            enum api_version version)
{
    if (generation != WIRE_GENERATION_2 || settings->result_text == RESULT_TEXT_NEVER)
        return false;
    return settings->result_text == RESULT_TEXT_ALWAYS || version == API_2024_10_02;
}
