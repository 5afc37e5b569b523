#include "base/json/json_file.h"

#include "base/core/cleanup.h"
#include "base/core/state_file.h"

int json_file_read(int directory_fd, const char *name, mode_t mode, size_t limit_bytes,
                   json_t **ret_value, struct error *err)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    if (state_file_read(directory_fd, name, mode, limit_bytes, &text, &length, err) < 0)
        return -1;
    if (json_parse(text, length, limit_bytes, ret_value, err) < 0)
        return error_add_context(err, "%s", name);
    return 0;
}
