#include "agent/turn/failure.h"

#include "tests/support/unit.h"

static struct wire_execution execution_of(enum wire_status status, const char *out, const char *err)
{
    return (struct wire_execution){.status = status,
                                   .standard_output = (char *)out,
                                   .standard_output_length = out ? strlen(out) : 0,
                                   .standard_error = (char *)err,
                                   .standard_error_length = err ? strlen(err) : 0};
}

static struct failure failed_with(const char *err)
{
    struct wire_execution execution = execution_of(WIRE_STATUS_FAILED, NULL, err);
    return failure_read(&execution, "x");
}

#define TRACE  "Traceback (most recent call last):\n  File \"<cell 1>\", line 1, in <module>\n"
#define CLOSED "network is disabled in this session; do not retry; ask for the data as a file\n"

static void the_end_of_stderr_tells_the_kind(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum failure_kind kind;
    } cases[] = {
        {TRACE "socket.gaierror: [Errno -2] Name or service not known\n" CLOSED, FAILURE_NETWORK},
        {TRACE "subprocess.CalledProcessError: Command '['curl']' returned 6.\n" CLOSED,
         FAILURE_NETWORK},
        {TRACE "socket.gaierror: [Errno -3] Temporary failure in name resolution", FAILURE_NETWORK},
        {TRACE "OSError: [Errno 101] Network is unreachable", FAILURE_NETWORK},
        {TRACE "urllib.error.URLError: <urlopen error [Errno -2] unknown>", FAILURE_NETWORK},
        {TRACE "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443): Max "
               "retries exceeded with url: / (Caused by NewConnectionError('...'))",
         FAILURE_NETWORK},
        {TRACE "httpx.ConnectTimeout", FAILURE_NETWORK},
        {TRACE "ModuleNotFoundError: No module named 'openpyxl'\n", FAILURE_PACKAGE},
        {TRACE "ImportError: Missing optional dependency. No module named 'xlrd'", FAILURE_PACKAGE},
        {TRACE "RuntimeError: pip cannot install foo: sessions have the packages of their image.",
         FAILURE_PACKAGE},
        {"ERROR: No matching distribution found for foo", FAILURE_PACKAGE},
        {"Request timed out waiting for code execution to complete", FAILURE_TIMEOUT},
        {"Execution aborted", FAILURE_MEMORY},
        {"noise\nExecution aborted\n", FAILURE_MEMORY},
        {TRACE "MemoryError: Unable to allocate 9.3 GiB", FAILURE_MEMORY},
        {"Execution aborted\nthe interpreter ended with status 3\n", FAILURE_CRASH},
        {"noise\nExecution aborted\nthe interpreter was killed by signal 9\n", FAILURE_CRASH},
        {"  File \"<cell 8>\", line 1\n    def (:\n        ^\nSyntaxError: invalid syntax\n",
         FAILURE_SYNTAX},
        {"IndentationError: unexpected indent", FAILURE_SYNTAX},
        {TRACE "KeyError: 'b'", FAILURE_OTHER},
        {"", FAILURE_OTHER},
        /* Only what ended it counts, not what stands above. */
        {"socket.gaierror: x\n\nDuring handling of the above exception, another "
         "occurred:\n" TRACE "KeyError: 'b'",
         FAILURE_OTHER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (failed_with(cases[i].text).kind != cases[i].kind)
            fail_msg("%s: %s", cases[i].text, failure_name(failed_with(cases[i].text).kind));
    }
}

static void a_missing_module_is_named_by_its_top(void **state)
{
    (void)state;
    static const struct {
        const char *text, *module;
    } cases[] = {
        {"ModuleNotFoundError: No module named 'openpyxl'", "openpyxl"},
        {"ModuleNotFoundError: No module named 'a_b.c.d'; 'a_b' is not a package", "a_b"},
        {"RuntimeError: pip cannot install foo-bar: sessions have ...", "foo"},
        {"ERROR: No matching distribution found for foo", "foo"},
        {"ModuleNotFoundError: No module named '\x1b[2J'", ""},
        {"ModuleNotFoundError: No module named "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
         ""},
        {"ModuleNotFoundError: No module named '", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(failed_with(cases[i].text).module, cases[i].module);
}

static void a_caught_exception_counts_where_the_program_reached_for_a_host(void **state)
{
    (void)state;
    static const char error[] = "failed: [Errno -3] Temporary failure in name resolution";
    struct wire_execution execution = execution_of(WIRE_STATUS_SUCCEEDED, error, "");
    assert_int_equal(failure_read(&execution, "import urllib.request").kind, FAILURE_NETWORK);
    /* A log file may say so too. */
    assert_int_equal(failure_read(&execution, "print(open('log').read())").kind, FAILURE_NONE);

    struct wire_refusal refusal = {.kind = WIRE_REFUSAL_NETWORK, .subject = (char *)"example.com"};
    execution = execution_of(WIRE_STATUS_SUCCEEDED, "no luck", "");
    execution.refusals = &refusal;
    execution.refusal_count = 1;
    struct failure failure = failure_read(&execution, "try_it()");
    assert_int_equal(failure.kind, FAILURE_NETWORK);
    assert_true(failure.network_is_closed);
    refusal.kind = WIRE_REFUSAL_FILE;
    assert_int_equal(failure_read(&execution, "try_it()").kind, FAILURE_NONE);
}

static void variables_are_gone_with_the_interpreter(void **state)
{
    (void)state;
    assert_true(failed_with("Execution aborted").interpreter_is_gone);
    assert_true(failed_with("Execution aborted\nit ended").interpreter_is_gone);
    assert_false(failed_with("MemoryError").interpreter_is_gone);
    assert_false(failed_with("KeyError: 1").interpreter_is_gone);
}

static void the_same_error_has_the_same_signature(void **state)
{
    (void)state;
    assert_true(failed_with("a\nKeyError: 1").signature ==
                failed_with("b\nKeyError: 1\n").signature);
    assert_false(failed_with("KeyError: 1").signature == failed_with("KeyError: 2").signature);
}

static void output_without_text_is_read_too(void **state)
{
    (void)state;
    struct wire_execution execution = execution_of(WIRE_STATUS_FAILED, NULL, NULL);
    assert_int_equal(failure_read(&execution, "").kind, FAILURE_OTHER);
    execution.status = WIRE_STATUS_SUCCEEDED;
    assert_int_equal(failure_read(&execution, "import socket").kind, FAILURE_NONE);
}

static void comments_and_blanks_do_not_make_another_program(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"x = 1\ny = 2\n", "x = 1\n\n# now\ny  =  2   ", true},
        {"x = 1\r\n", "x = 1\n", true},
        {"if a:\n    b\n    c", "if a:\n    b\nc", false},
        {"x = 1", "x = 2", false},
        {"", "# nothing\n   \n", true},
        {"a\nb", "ab", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t a = failure_fingerprint(cases[i].a, strlen(cases[i].a));
        uint64_t b = failure_fingerprint(cases[i].b, strlen(cases[i].b));
        assert_int_equal(a == b, cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_stderr_tells_the_kind),
        cmocka_unit_test(a_missing_module_is_named_by_its_top),
        cmocka_unit_test(a_caught_exception_counts_where_the_program_reached_for_a_host),
        cmocka_unit_test(variables_are_gone_with_the_interpreter),
        cmocka_unit_test(the_same_error_has_the_same_signature),
        cmocka_unit_test(output_without_text_is_read_too),
        cmocka_unit_test(comments_and_blanks_do_not_make_another_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
