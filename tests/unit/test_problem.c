#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandboxd/api/problem.h"

static const char *header_of(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->headers; i++) {
        if (strcmp(response->header_names[i], name) == 0)
            return response->header_values[i];
    }
    return NULL;
}

static void every_code_has_a_status_and_a_name(void **state)
{
    (void)state;
    for (int code = 0; code < SERVICE_CODE_END; code++) {
        assert_in_range(problem_status(code), 400, 599);
        assert_non_null(problem_name(code));
    }
}

static void an_error_body_names_code_target_and_trace(void **state)
{
    (void)state;
    struct http_response response = {0};
    problem_write(SERVICE_VALIDATION_FAILED, "identifier", "it is \"wrong\"", "0af7", &response);
    assert_int_equal(response.status, 400);
    assert_string_equal(header_of(&response, "x-ms-error-code"), "SessionRequestValidationFailed");
    assert_null(header_of(&response, "Retry-After"));
    assert_non_null(strstr(response.body, "\"code\":\"SessionRequestValidationFailed\""));
    assert_non_null(strstr(response.body, "\"target\":\"identifier\""));
    assert_non_null(strstr(response.body, "it is \\\"wrong\\\""));
    assert_non_null(strstr(response.body, "\"traceId\":\"0af7\""));
    assert_int_equal(response.body_length, strlen(response.body));
    free(response.body);
}

static void a_full_pool_says_when_to_come_back(void **state)
{
    (void)state;
    struct http_response response = {0};
    problem_write(SERVICE_POOL_FULL, NULL, "full", "0af7", &response);
    assert_int_equal(response.status, 429);
    assert_string_equal(header_of(&response, "Retry-After"), "30");
    free(response.body);
}

static void errors_of_file_operations_have_codes(void **state)
{
    (void)state;
    assert_int_equal(problem_status(problem_of_errno(ENOENT)), 404);
    assert_int_equal(problem_status(problem_of_errno(ENOSPC)), 507);
    assert_int_equal(problem_status(problem_of_errno(ELOOP)), 400);
    assert_int_equal(problem_status(problem_of_errno(EISDIR)), 400);
    assert_int_equal(problem_status(problem_of_errno(ETIMEDOUT)), 503);
    assert_int_equal(problem_status(problem_of_errno(EIO)), 503);
    assert_int_equal(problem_status(problem_of_errno(EBADMSG)), 500);
    assert_string_equal(problem_explain_errno(EISDIR), "it is a directory");
}

static void a_state_that_cannot_be_written_is_no_quota(void **state)
{
    (void)state;
    struct error err = {.code = ERROR_LIMIT, .number = ENOSPC};
    assert_int_equal(problem_status(problem_of_state(&err)), 507);
    err.number = EMFILE;
    assert_int_equal(problem_status(problem_of_state(&err)), 503);
    err.number = EROFS;
    assert_int_equal(problem_status(problem_of_state(&err)), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_status_and_a_name),
        cmocka_unit_test(an_error_body_names_code_target_and_trace),
        cmocka_unit_test(a_full_pool_says_when_to_come_back),
        cmocka_unit_test(errors_of_file_operations_have_codes),
        cmocka_unit_test(a_state_that_cannot_be_written_is_no_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
