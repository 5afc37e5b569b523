#include <stdlib.h>

#include "agent/credential/credential.h"
#include "base/core/buf.h"
#include "tests/support/unit.h"

struct asked {
    struct buf *out;
    struct error *err;
    int result;
};

static void on_token(void *self, const char *token, const struct error *failure)
{
    struct asked *asked = self;
    asked->result = token ? 0 : -1;
    if (token)
        buf_append_text(asked->out, token);
    else if (asked->err)
        *asked->err = *failure;
}

static int read_token(bool pool_is_local, struct buf *out, struct error *err)
{
    struct credential credential = credential_from_environment(pool_is_local);
    struct asked asked = {out, err, -2};
    struct credential_wait wait = {.self = &asked, .on_token = on_token};
    credential_ask(&credential, CREDENTIAL_SCOPE_POOL, false, &wait);
    return asked.result;
}

static void a_pool_on_this_machine_needs_no_token(void **state)
{
    (void)state;
    static const char *const unset_or_empty[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF struct buf token = {0};
        unsetenv("SANDPOOL_TOKEN");
        if (unset_or_empty[i])
            setenv("SANDPOOL_TOKEN", unset_or_empty[i], 1);

        assert_int_equal(read_token(true, &token, NULL), 0);

        assert_string_equal(token.data, "local");
    }
}

static void another_machine_needs_one_and_the_error_says_how(void **state)
{
    (void)state;
    AUTO_BUF struct buf token = {0};
    struct error err = {0};
    unsetenv("SANDPOOL_TOKEN");

    assert_int_equal(read_token(false, &token, &err), -1);

    assert_int_equal(err.code, ERROR_DENIED);
    assert_non_null(strstr(err.message, "set SANDPOOL_TOKEN"));
    assert_non_null(strstr(err.message, CREDENTIAL_SCOPE_POOL));
}

static void a_token_from_the_environment_goes_everywhere(void **state)
{
    (void)state;
    setenv("SANDPOOL_TOKEN", "eyJ0.e30.x-_~", 1);
    for (int local = 0; local < 2; local++) {
        AUTO_BUF struct buf token = {0};
        assert_int_equal(read_token(local, &token, NULL), 0);
        assert_string_equal(token.data, "eyJ0.e30.x-_~");
    }
}

static void a_token_that_cannot_stand_in_a_header_is_refused_unseen(void **state)
{
    (void)state;
    static const char *const tokens[] = {"secret\r\nX: y", "secret secret", "secret\n",
                                         "secr\xc3\xa9t"};
    for (size_t i = 0; i < COUNT(tokens); i++) {
        AUTO_BUF struct buf token = {0};
        struct error err = {0};
        setenv("SANDPOOL_TOKEN", tokens[i], 1);

        assert_int_equal(read_token(true, &token, &err), -1);

        assert_int_equal(err.code, ERROR_DENIED);
        assert_null(strstr(err.message, "secr"));
        assert_int_equal(token.length, 0);
    }
}

static void a_token_has_a_limit(void **state)
{
    (void)state;
    char token[CREDENTIAL_TOKEN_BYTES_MAX + 1];
    memset(token, 'x', sizeof token);

    assert_true(credential_token_is_valid(token, CREDENTIAL_TOKEN_BYTES_MAX));
    assert_false(credential_token_is_valid(token, CREDENTIAL_TOKEN_BYTES_MAX + 1));
    assert_false(credential_token_is_valid(token, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_on_this_machine_needs_no_token),
        cmocka_unit_test(another_machine_needs_one_and_the_error_says_how),
        cmocka_unit_test(a_token_from_the_environment_goes_everywhere),
        cmocka_unit_test(a_token_that_cannot_stand_in_a_header_is_refused_unseen),
        cmocka_unit_test(a_token_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
