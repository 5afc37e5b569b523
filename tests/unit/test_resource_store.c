#include "tests/support/state_directory.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/core/state_file.h"
#include "sandboxd/resource/mcp_keys.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/resource_store.h"

static const struct resource_id id = {"s", "g", "p"};

struct loaded {
    struct pool_resource resource;
    char file[RESOURCE_FILE_MAX];
    unsigned count;
};

static void on_pool(void *self, struct pool_resource *resource, const char *file)
{
    struct loaded *loaded = self;
    pool_resource_clear(&loaded->resource);
    loaded->resource = *resource;
    loaded->count++;
    snprintf(loaded->file, sizeof loaded->file, "%s", file);
}

static int fd_of(void **state)
{
    return ((struct state_directory *)*state)->fd;
}

static struct loaded load(int fd)
{
    struct loaded loaded = {0};
    struct error err = {0};
    assert_int_equal(resource_store_load(fd, on_pool, &loaded, &err), 0);
    return loaded;
}

static struct pool_resource some_pool(void)
{
    static const char text[] =
        "{\"location\":\"here\",\"tags\":{\"a\":\"1\"},\"properties\":{\"scaleConfiguration\":"
        "{\"maxConcurrentSessions\":7,\"readySessionInstances\":0},\"mcpServerSettings\":"
        "{\"isMCPServerEnabled\":true},\"sandpool\":{\"cooldownSeconds\":3}}}";
    struct pool_resource resource;
    struct error err = {0};
    assert_int_equal(pool_read_text(text, strlen(text), &id, &resource, &err), 0);
    resource.created_ms = 1731315884804;
    resource.modified_ms = 1731315884805;
    return resource;
}

static void a_pool_is_kept_changed_and_removed(void **state)
{
    int fd = fd_of(state);
    char file[RESOURCE_FILE_MAX] = "";
    struct error err = {0};
    struct pool_resource resource = some_pool();
    assert_int_equal(resource_store_save(fd, &resource, file, &err), 0);
    struct loaded loaded = load(fd);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.file, file);
    assert_true(resource_id_equal(&loaded.resource.id, &id));
    assert_int_equal(loaded.resource.created_ms, 1731315884804);
    assert_int_equal(loaded.resource.settings.max_concurrent_sessions, 7);
    assert_int_equal(loaded.resource.settings.cooldown_ms, 3000);
    assert_true(loaded.resource.mcp_enabled);
    assert_string_equal(loaded.resource.tags, "{\"a\":\"1\"}");
    pool_resource_clear(&loaded.resource);

    resource.settings.max_concurrent_sessions = 8;
    assert_int_equal(resource_store_save(fd, &resource, file, &err), 0);
    loaded = load(fd);
    assert_int_equal(loaded.count, 1);
    assert_int_equal(loaded.resource.settings.max_concurrent_sessions, 8);
    pool_resource_clear(&loaded.resource);

    assert_int_equal(resource_store_remove(fd, file, &err), 0);
    assert_int_equal(resource_store_remove(fd, file, &err), 0);
    assert_int_equal(load(fd).count, 0);
    pool_resource_clear(&resource);
}

static void a_broken_file_is_left_alone_and_the_others_load(void **state)
{
    static const char *const broken[] = {"", "{", "{\"createdMs\":1,\"modifiedMs\":1}",
                                         "{\"createdMs\":1,\"modifiedMs\":1,\"pool\":{\"id\":1}}"};
    int fd = fd_of(state);
    char file[RESOURCE_FILE_MAX] = "";
    struct error err = {0};
    struct pool_resource resource = some_pool();
    assert_int_equal(resource_store_save(fd, &resource, file, &err), 0);
    pool_resource_clear(&resource);
    for (size_t i = 0; i < COUNT(broken); i++) {
        char name[32];
        snprintf(name, sizeof name, "pool-broken-%zu.json", i);
        assert_int_equal(
            state_file_write(fd, name, STATE_FILE_SECRET, broken[i], strlen(broken[i]), &err), 0);
    }
    assert_int_equal(state_file_write(fd, "pool-open.json", STATE_FILE_PUBLIC, "{}", 2, &err), 0);
    struct loaded loaded = load(fd);
    assert_int_equal(loaded.count, 1);
    assert_string_equal(loaded.file, file);
    pool_resource_clear(&loaded.resource);
    assert_int_equal(faccessat(fd, "pool-broken-0.json", F_OK, 0), 0);
}

static void a_key_survives_and_is_replaced(void **state)
{
    int fd = fd_of(state);
    struct mcp_keys keys = {.directory_fd = fd}, later = {.directory_fd = fd};
    struct error err = {0};
    struct stat info;
    const char *text = NULL;
    assert_int_equal(mcp_keys_load(&keys, &err), 0);
    assert_null(mcp_keys_find(&keys, "default"));
    assert_int_equal(mcp_keys_renew(&keys, "default", &text, &err), 0);
    assert_int_equal(strlen(text), MCP_KEY_TEXT_MAX - 1);
    assert_int_equal(fstatat(fd, "mcp-keys.json", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0600);

    assert_int_equal(mcp_keys_load(&later, &err), 0);
    assert_string_equal(mcp_keys_find(&later, "DEFAULT"), text);
    const char *renewed = NULL;
    assert_int_equal(mcp_keys_renew(&later, "default", &renewed, &err), 0);
    assert_string_not_equal(renewed, text);
    assert_int_equal(later.count, 1);

    assert_int_equal(mcp_keys_forget(&later, "default", &err), 0);
    mcp_keys_clear(&keys);
    assert_int_equal(mcp_keys_load(&keys, &err), 0);
    assert_int_equal(keys.count, 0);
    mcp_keys_clear(&keys);
    mcp_keys_clear(&later);
}

static void a_broken_file_of_keys_is_an_error(void **state)
{
    static const char *const broken[] = {"", "[]", "{\"p\":1}", "{\"p\":\"\"}", "{\"p q\":\"k\"}"};
    int fd = fd_of(state);
    struct error err = {0};
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct mcp_keys keys = {.directory_fd = fd};
        assert_int_equal(state_file_write(fd, "mcp-keys.json", STATE_FILE_SECRET, broken[i],
                                          strlen(broken[i]), &err),
                         0);
        assert_int_equal(mcp_keys_load(&keys, &err), -1);
        assert_non_null(strstr(err.message, "mcp-keys.json"));
        mcp_keys_clear(&keys);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, state_directory_open, state_directory_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pool_is_kept_changed_and_removed),
        TEST(a_broken_file_is_left_alone_and_the_others_load),
        TEST(a_key_survives_and_is_replaced),
        TEST(a_broken_file_of_keys_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
