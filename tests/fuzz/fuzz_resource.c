#include "base/core/cleanup.h"
#include "sandboxd/resource/pool_patch.h"
#include "sandboxd/resource/pool_reader.h"
#include "sandboxd/resource/pool_writer.h"
#include "tests/fuzz/fuzz.h"

static void check_settings(const struct pool_settings *settings)
{
    CHECK(settings->max_concurrent_sessions >= 1);
    CHECK(settings->max_concurrent_sessions <= RESOURCE_SESSIONS_MAX);
    CHECK(settings->ready_session_instances <= settings->max_concurrent_sessions);
    CHECK(settings->cooldown_ms >= 1000 && settings->cooldown_ms <= 3600000);
    CHECK(settings->execution_timeout_ms >= 1000 && settings->execution_timeout_ms <= 220000);
}

/* What was read can be written, and reads as the same again. */
static void check_round_trip(const struct pool_resource *resource, enum pool_form form)
{
    struct pool_view view = {.form = form, .with_mcp = true, .id = &resource->id};
    struct pool_resource again;
    struct error err = {0};
    AUTO_BUF struct buf first = {0}, second = {0};
    struct writer writer = writer_begin(&first, false);
    pool_write(resource, &view, NULL, &writer);
    CHECK(writer_finish(&writer, &err) == 0);
    if (first.length > POOL_DOCUMENT_BYTES_MAX)
        return;
    CHECK(pool_read_text(first.data, first.length, &resource->id, &again, &err) == 0);
    check_settings(&again.settings);
    writer = writer_begin(&second, false);
    pool_write(&again, &view, NULL, &writer);
    CHECK(writer_finish(&writer, &err) == 0);
    CHECK(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    pool_resource_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct resource_id id = {"s", "g", "p"};
    const char *text = (const char *)data;
    struct pool_resource resource;
    struct error err = {0};
    if (pool_read_text(text, size, &id, &resource, &err) == 0) {
        check_settings(&resource.settings);
        check_round_trip(&resource, POOL_FORM_TIMED);
        check_round_trip(&resource, POOL_FORM_LIFECYCLE);
        pool_resource_clear(&resource);
    }

    AUTO_POOL_RESOURCE struct pool_resource before = pool_resource_default(&id);
    before.tags = xstrdup("{\"a\":\"1\"}");
    if (pool_patch(&before, text, size, &resource, &err) == 0) {
        check_settings(&resource.settings);
        pool_resource_clear(&resource);
    }

    AUTO_FREE char *words = xstrndup(text, size);
    struct resource_id named;
    char written[RESOURCE_ID_TEXT_MAX];
    if (resource_id_read(words, &named, &err) == 0) {
        resource_id_write(&named, written);
        CHECK(strlen(written) == strlen(words));
    }
    return 0;
}
