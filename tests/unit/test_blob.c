#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/link/blob.h"

static struct blob sample(void)
{
    return (struct blob){
        .pool = "default",
        .guid = "6f055fe5-a2ce-4343-a520-1e2d595ec4ff",
        .record = {.order = 12, .created_at_ms = 795420802123, .used_at_ms = 795420803000},
        .identifier = "user@example.com",
    };
}

static void a_blob_comes_back_as_it_was(void **state)
{
    (void)state;
    struct error err = {0};
    struct blob blob = sample(), back = {0};
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    assert_int_equal(blob_read(data, length, &back, &err), 0);
    assert_string_equal(back.pool, blob.pool);
    assert_string_equal(back.guid, blob.guid);
    assert_string_equal(back.identifier, blob.identifier);
    assert_memory_equal(&back.record, &blob.record, sizeof back.record);

    blob.identifier[0] = '\0'; /* a ready instance */
    length = blob_write(&blob, data);
    assert_int_equal(blob_read(data, length, &back, &err), 0);
    assert_string_equal(back.identifier, "");
}

static void the_longest_values_fit(void **state)
{
    (void)state;
    struct error err = {0};
    struct blob blob = sample(), back;
    memset(blob.pool, 'p', POOL_NAME_MAX);
    memset(blob.identifier, 'i', IDENTIFIER_LENGTH_MAX);
    blob.record = (struct session_record){UINT64_MAX, INT64_MAX, INT64_MAX};
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    assert_in_range(length, 1, SESSION_BLOB_MAX - 1);
    assert_int_equal(blob_read(data, length, &back, &err), 0);
}

static void every_shortened_blob_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct blob blob = sample(), back;
    char data[SESSION_BLOB_MAX];
    size_t length = blob_write(&blob, data);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(blob_read(data, i, &back, &err), -1);
    data[3] = '\0';
    assert_int_equal(blob_read(data, length, &back, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_comes_back_as_it_was),
        cmocka_unit_test(the_longest_values_fit),
        cmocka_unit_test(every_shortened_blob_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
