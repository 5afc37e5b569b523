#include "sandboxd/admin/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/core/state_file.h"
#include "base/core/text.h"
#include "sandboxd/identity/authority.h"

/* Debian's bundle has some 220 KiB. */
enum { BUNDLE_BYTES_MAX = 8 * 1024 * 1024 };

static bool is_newer(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec >= b->st_mtim.tv_nsec);
}

static bool is_fresh(int state_fd, const char *system_path)
{
    struct stat bundle, own, others;
    if (fstatat(state_fd, BUNDLE_FILE, &bundle, AT_SYMLINK_NOFOLLOW) < 0 ||
        fstatat(state_fd, AUTHORITY_CERTIFICATE_FILE, &own, 0) < 0 || !is_newer(&bundle, &own))
        return false;
    return stat(system_path, &others) < 0 || is_newer(&bundle, &others);
}

static int append_system(const char *path, struct buf *text, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_from_errno(err, "open %s", path);
    size_t length = 0;
    AUTO_FREE char *system = text_read_all(fd, BUNDLE_BYTES_MAX, &length, err);
    if (!system)
        return error_add_context(err, "read %s", path);
    bool fits = buf_append(text, system, length) && buf_append_text(text, "\n");
    return fits ? 0 : error_set(err, ERROR_LIMIT, "%s is too long", path);
}

int bundle_refresh(int state_fd, const char *system_path, struct error *err)
{
    if (is_fresh(state_fd, system_path))
        return 0;
    AUTO_BUF struct buf text = {.limit = BUNDLE_BYTES_MAX};
    AUTO_FREE char *own = NULL;
    if (state_file_read(state_fd, AUTHORITY_CERTIFICATE_FILE, STATE_FILE_PUBLIC, BUNDLE_BYTES_MAX,
                        &own, NULL, err) < 0 ||
        append_system(system_path, &text, err) < 0)
        return -1;
    if (!buf_append_text(&text, own))
        return error_set(err, ERROR_LIMIT, "%s is too long", BUNDLE_FILE);
    return state_file_write(state_fd, BUNDLE_FILE, STATE_FILE_PUBLIC, text.data, text.length, err);
}
