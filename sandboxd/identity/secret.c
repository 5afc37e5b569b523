#include "sandboxd/identity/secret.h"

#include <stdio.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "base/core/state_file.h"
#include "base/core/text.h"

enum { SECRET_BYTES = (SECRET_TEXT_MAX - 1) / 2 };

void secret_make(char ret_text[SECRET_TEXT_MAX])
{
    unsigned char bytes[SECRET_BYTES];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

static bool is_secret(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");
    return length == SECRET_TEXT_MAX - 1 && text[length] == '\0';
}

int secret_open(int state_fd, const char *name, bool may_create, char ret_text[SECRET_TEXT_MAX],
                struct error *err)
{
    AUTO_FREE char *text = NULL;
    struct error problem = {0};
    if (state_file_read(state_fd, name, STATE_FILE_SECRET, SECRET_TEXT_MAX - 1, &text, NULL,
                        &problem) == 0) {
        if (!is_secret(text))
            return error_set(err, ERROR_INVALID,
                             "%s holds no secret; remove it to have a new one made", name);
        memcpy(ret_text, text, SECRET_TEXT_MAX);
        return 0;
    }
    if (problem.code != ERROR_MISSING || !may_create) {
        *err = problem;
        return -1;
    }

    char made[SECRET_TEXT_MAX];
    secret_make(made);
    if (state_file_write(state_fd, name, STATE_FILE_SECRET, made, sizeof made - 1, err) < 0)
        return -1;
    memcpy(ret_text, made, sizeof made);
    return 0;
}

bool secret_matches(const char *secret, const char *candidate)
{
    return candidate &&
           text_equal_constant_time(secret, strlen(secret), candidate, strlen(candidate));
}
