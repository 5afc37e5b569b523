#include "base/json/wire.h"

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static const struct wire_options with_ids = {.with_ids = true};
static const struct wire_options plain = {0};

static int read_request(const char *text, struct wire_execution_request *request,
                        const char **target, struct error *err)
{
    *err = (struct error){0};
    return wire_read_execution_request(text, strlen(text), request, target, err);
}

static void both_forms_of_a_request_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"properties\":{\"codeInputType\":\"inline\",\"executionType\":\"synchronous\","
        "\"code\":\"print(1)\",\"timeoutInSeconds\":100,\"sanitizeInput\":true}}",
        "{\"codeInputType\":\"Inline\",\"executionType\":\"synchronous\",\"code\":\"print(1)\","
        "\"timeoutInSeconds\":\"100\",\"properties\":null}",
        "\xEF\xBB\xBF{\"properties\":{\"pythonCode\":\"print(1)\",\"executionType\":"
        "\"synchronous\","
        "\"timeoutInSeconds\":100}}",
        "{\"codeInputType\":\"INLINEBASE64\",\"code\":\"cHJpbnQoMSk=\",\"executionType\":"
        "\"synchronous\",\"timeoutInSeconds\":100}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct wire_execution_request request;
        const char *target;
        struct error err;
        assert_int_equal(read_request(texts[i], &request, &target, &err), 0);
        assert_string_equal(request.code, "print(1)");
        assert_int_equal(request.code_length, 8);
        assert_string_equal(request.execution_type, "synchronous");
        assert_false(request.asynchronous);
        assert_int_equal(request.timeout_s, 100);
        assert_int_equal(request.output_streams_max_length, -1);
        wire_execution_request_clear(&request);
    }
}

static void a_bad_request_names_its_member(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum error_code code;
        const char *target;
    } cases[] = {
        {"", ERROR_MISSING, "code"},
        {"{}", ERROR_MISSING, "code"},
        {"{\"code\":\"\"}", ERROR_MISSING, "code"},
        {"{\"code\":null}", ERROR_MISSING, "code"},
        {"{\"properties\":{}}", ERROR_MISSING, "code"},
        {"{\"properties\":5}", ERROR_INVALID, "properties"},
        {"{\"code\":5}", ERROR_INVALID, "code"},
        {"{\"code\":\"a\",\"codeInputType\":\"file\"}", ERROR_INVALID, "codeInputType"},
        {"{\"code\":\"a\",\"codeInputType\":1}", ERROR_INVALID, "codeInputType"},
        {"{\"code\":\"!\",\"codeInputType\":\"InlineBase64\"}", ERROR_INVALID, "code"},
        {"{\"code\":\"AA==\",\"codeInputType\":\"InlineBase64\"}", ERROR_INVALID, "code"},
        {"{\"code\":\"/w==\",\"codeInputType\":\"InlineBase64\"}", ERROR_INVALID, "code"},
        {"{\"code\":\"a\",\"executionType\":\"later\"}", ERROR_INVALID, "executionType"},
        {"{\"code\":\"a\",\"timeoutInSeconds\":0}", ERROR_INVALID, "timeoutInSeconds"},
        {"{\"code\":\"a\",\"timeoutInSeconds\":\"soon\"}", ERROR_INVALID, "timeoutInSeconds"},
        {"{\"code\":\"a\",\"outputStreamsMaxLength\":-1}", ERROR_INVALID, "outputStreamsMaxLength"},
        {"{\"code\":\"a\",\"identifier\":[]}", ERROR_INVALID, "identifier"},
        {"[]", ERROR_INVALID, NULL},
        {"{\"code\":\"a\",\"code\":\"b\"}", ERROR_INVALID, NULL},
        {"{\"code\":\"\\u0000\"}", ERROR_INVALID, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wire_execution_request request;
        const char *target = "untouched";
        struct error err;
        assert_int_equal(read_request(cases[i].text, &request, &target, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        if (cases[i].target)
            assert_string_equal(target, cases[i].target);
        else
            assert_null(target);
    }
}

static void requests_are_written_in_each_generations_form(void **state)
{
    (void)state;
    char code[] = "print(\"\xC3\xA4\")\n";
    struct wire_execution_request request = {.code = code,
                                             .code_length = strlen(code),
                                             .timeout_s = 60,
                                             .output_streams_max_length = -1};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_execution_request(WIRE_GENERATION_1, &request, &out, NULL), 0);
    assert_string_equal(out.data, "{\"properties\":{\"codeInputType\":\"inline\",\"executionType\":"
                                  "\"synchronous\",\"code\":\"print(\\\"\xC3\xA4\\\")\\n\","
                                  "\"timeoutInSeconds\":60}}");
    buf_clear(&out);
    assert_int_equal(wire_write_execution_request(WIRE_GENERATION_2, &request, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"codeInputType\":\"Inline\",\"executionType\":\"Synchronous\",\"code\":"
                        "\"print(\\\"\xC3\xA4\\\")\\n\",\"timeoutInSeconds\":60}");
}

static void executions_are_written_as_recorded(void **state)
{
    (void)state;
    char output[] = "hello\n";
    struct wire_execution execution = {.status = WIRE_STATUS_SUCCEEDED,
                                       .standard_output = output,
                                       .standard_output_length = strlen(output),
                                       .execution_time_ms = 33};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_execution(WIRE_GENERATION_1, &with_ids, &execution, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"properties\":{\"$id\":\"2\",\"status\":\"Success\","
                        "\"stdout\":\"hello\\n\",\"stderr\":\"\",\"result\":\"\","
                        "\"executionResult\":\"\",\"executionTimeInMilliseconds\":33}}");

    char id[] = "8148371f", identifier[] = "test", type[] = "synchronous";
    execution.id = id;
    execution.identifier = identifier;
    execution.execution_type = type;
    buf_clear(&out);
    assert_int_equal(wire_write_execution(WIRE_GENERATION_2, &with_ids, &execution, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"id\":\"8148371f\",\"identifier\":\"test\","
                        "\"executionType\":\"synchronous\",\"status\":\"Succeeded\",\"result\":"
                        "{\"$id\":\"2\",\"stdout\":\"hello\\n\",\"stderr\":\"\","
                        "\"executionResult\":\"\",\"executionTimeInMilliseconds\":33}}");

    execution.status = WIRE_STATUS_RUNNING;
    buf_clear(&out);
    assert_int_equal(wire_write_execution(WIRE_GENERATION_2, &plain, &execution, &out, NULL), 0);
    assert_string_equal(out.data, "{\"id\":\"8148371f\",\"identifier\":\"test\",\"executionType\":"
                                  "\"synchronous\",\"status\":\"Running\"}");
}

static void generation_0_is_flat_and_says_error_when_it_failed(void **state)
{
    (void)state;
    char text[] = "KeyError: 'x'";
    struct wire_execution execution = {.status = WIRE_STATUS_SUCCEEDED, .execution_time_ms = 16};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_execution(WIRE_GENERATION_0, &with_ids, &execution, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"status\":\"Success\",\"stdout\":\"\",\"stderr\":"
                        "\"\",\"result\":\"\",\"executionTimeInMilliseconds\":16}");

    execution.status = WIRE_STATUS_FAILED;
    execution.standard_error = text;
    execution.standard_error_length = strlen(text);
    buf_clear(&out);
    assert_int_equal(wire_write_execution(WIRE_GENERATION_0, &with_ids, &execution, &out, NULL), 0);
    assert_string_equal(
        out.data,
        "{\"$id\":\"1\",\"status\":\"Failure\",\"stdout\":\"\",\"stderr\":\"KeyError: 'x'\","
        "\"result\":\"\",\"executionTimeInMilliseconds\":16,\"error\":\"KeyError: 'x'\"}");
}

static void refusals_are_written_and_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"status\":\"Failed\",\"result\":{\"stdout\":\"\",\"stderr\":\"\",\"executionResult\":"
        "\"\",\"executionTimeInMilliseconds\":0},\"sandpool\":{\"refusals\":["
        "{\"kind\":\"syscall\",\"name\":\"mount\",\"arguments\":[\"0x0\",\"0x0\",\"0x0\",\"0x0\","
        "\"0x0\",\"0x0\"],\"count\":2},"
        "{\"kind\":\"network\",\"host\":\"example.com\",\"port\":443,\"file\":\"<cell 1>\","
        "\"line\":3,\"count\":1},"
        "{\"kind\":\"file\",\"path\":\"/etc/x\",\"error\":\"EROFS\",\"count\":1},"
        "{\"kind\":\"process\",\"name\":\"os.kill\",\"error\":\"EPERM\",\"count\":1}]}}";
    struct wire_execution execution;
    struct error err = {0};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(
        wire_read_execution(WIRE_GENERATION_2, text, sizeof text - 1, &execution, &err), 0);
    assert_int_equal(execution.refusal_count, 4);
    assert_int_equal(wire_write_execution(WIRE_GENERATION_2, &plain, &execution, &out, &err), 0);
    assert_string_equal(out.data, text);
    wire_execution_clear(&execution);
}

static void refusals_of_a_later_time_are_passed_over_and_broken_ones_named(void **state)
{
    (void)state;
    static const struct {
        const char *list, *fault;
    } cases[] = {
        {"[{\"kind\":\"memory\",\"of\":[1]},{\"kind\":\"file\"},"
         "{\"kind\":\"file\",\"error\":\"EROFS\",\"file\":\"<cell 1>\"},"
         "{\"kind\":\"file\",\"path\":\"x\"}]",
         NULL},
        {"[1]", "sandpool.refusals[0]: must be an object"},
        {"[{\"kind\":\"file\",\"path\":\"x\",\"line\":-1}]", "sandpool.refusals[0].line"},
        {"{}", "sandpool.refusals"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wire_execution execution;
        struct error err = {0};
        AUTO_BUF struct buf text = {0};
        buf_printf(&text, "{\"status\":\"Succeeded\",\"result\":{},\"sandpool\":{\"refusals\":%s}}",
                   cases[i].list);
        int result =
            wire_read_execution(WIRE_GENERATION_2, text.data, text.length, &execution, &err);
        if (cases[i].fault) {
            assert_int_equal(result, -1);
            assert_error(err, ERROR_INVALID, cases[i].fault);
            continue;
        }
        assert_int_equal(result, 0);
        assert_int_equal(execution.refusal_count, 1);
        assert_string_equal(execution.refusals[0].subject, "x");
        wire_execution_clear(&execution);
    }
}

static void an_answer_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void)state;
    struct wire_execution execution = {.status = WIRE_STATUS_FAILED};
    AUTO_BUF struct buf whole = {0};
    assert_int_equal(wire_write_execution(WIRE_GENERATION_1, &plain, &execution, &whole, NULL), 0);
    AUTO_BUF struct buf out = {.limit = 3 + whole.length};
    buf_append_text(&out, "abc");
    struct error err = {0};
    assert_int_equal(wire_write_execution(WIRE_GENERATION_1, &plain, &execution, &out, &err), 0);
    out.length = 3;
    out.limit--;
    assert_int_equal(wire_write_execution(WIRE_GENERATION_1, &plain, &execution, &out, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_string_equal(out.data, "abc");
}

static void values_arrive_byte_by_byte(void **state)
{
    (void)state;
    static char value[] = "[123456789012345678901234567890, 0.10, 1e999, {\"a\":1,\"a\":2}]";
    char output[] = "a\0b";
    for (int generation = 1; generation <= 2; generation++) {
        struct wire_execution sent = {.status = WIRE_STATUS_FAILED,
                                      .standard_output = output,
                                      .standard_output_length = 3,
                                      .result = value,
                                      .result_length = strlen(value)};
        struct wire_execution got;
        struct error err = {0};
        AUTO_BUF struct buf out = {0};
        assert_int_equal(wire_write_execution(generation, &with_ids, &sent, &out, &err), 0);
        assert_int_equal(wire_read_execution(generation, out.data, out.length, &got, &err), 0);
        assert_string_equal(got.result, value);
        assert_int_equal(got.result_length, strlen(value));
        assert_int_equal(got.standard_output_length, 3);
        assert_memory_equal(got.standard_output, output, 3);
        assert_int_equal(got.status, WIRE_STATUS_FAILED);
        wire_execution_clear(&got);
    }
}

static void answers_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"properties\":{}}",
        "{\"properties\":{\"status\":\"Odd\"}}",
        "{\"properties\":{\"status\":\"Success\",\"stdout\":1}}",
        "{\"properties\":{\"status\":\"Success\",\"result\":1,\"result\":2}}",
        "{\"properties\":{\"status\":\"Success\",\"\\u0073tatus\":\"Success\"}}",
        "{\"properties\":{\"status\":\"Success\"}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct wire_execution got;
        struct error err = {0};
        assert_int_equal(
            wire_read_execution(WIRE_GENERATION_1, texts[i], strlen(texts[i]), &got, &err), -1);
        assert_error(err, ERROR_INVALID, "the answer");
    }
}

static void values_follow_rule_r(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"2", "2"},
        {"2.5", "2.5"},
        {"[1, 2, 3]", "[1, 2, 3]"},
        {"'abc'", "\"'abc'\""},
        {"{'a': 1}", "\"{'a': 1}\""},
        {"True", "\"True\""},
        {"nan", "\"nan\""},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"   a\n0  1", "\"   a\\n0  1\""},
        {"", "\"\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf out = {0};
        assert_true(wire_write_value(cases[i].text, strlen(cases[i].text), false, &out));
        assert_string_equal(out.data, cases[i].json);
    }
    AUTO_BUF struct buf out = {0};
    assert_true(wire_write_value("2", 1, true, &out));
    assert_string_equal(out.data, "\"2\"");
}

static void a_figure_is_an_image_object(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    assert_true(wire_write_image((const uint8_t *)"\x89PNG", 4, &out));
    assert_string_equal(out.data,
                        "{\"type\":\"image\",\"format\":\"png\",\"base64_data\":\"iVBORw==\"}");
    AUTO_BUF struct buf small = {.limit = 10};
    assert_false(wire_write_image((const uint8_t *)"\x89PNG", 4, &small));
    assert_int_equal(small.length, 0);
}

static void files_are_written_as_recorded_and_read_back(void **state)
{
    (void)state;
    char name[] = "cert.txt", type[] = "text/plain; charset=utf-8", directory[] = "sub";
    struct wire_file file = {.name = name,
                             .content_type = type,
                             .directory = directory,
                             .size_bytes = 7,
                             .modified_s = 1731315902,
                             .modified_ns = 486529300};
    struct wire_file_list list = {.files = &file, .count = 1};
    static const struct wire_options newest = {.with_ids = true, .with_directory = true};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_file(WIRE_GENERATION_0, &with_ids, &file, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"$values\":[{\"$id\":\"2\",\"filename\":\"cert.txt\","
                        "\"size\":7,\"last_modified_time\":\"2024-11-11T09:05:02.4865293Z\"}]}");
    buf_clear(&out);
    assert_int_equal(wire_write_file(WIRE_GENERATION_1, &with_ids, &file, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"value\":[{\"$id\":\"2\",\"properties\":{\"$id\":\"3\","
                        "\"filename\":\"cert.txt\",\"size\":7,\"lastModifiedTime\":"
                        "\"2024-11-11T09:05:02.4865293Z\"}}]}");
    buf_clear(&out);
    assert_int_equal(wire_write_file(WIRE_GENERATION_2, &with_ids, &file, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"$id\":\"1\",\"name\":\"cert.txt\",\"type\":\"file\",\"contentType\":"
                        "\"text/plain; charset=utf-8\",\"sizeInBytes\":7,\"lastModifiedAt\":"
                        "\"2024-11-11T09:05:02.4865293Z\"}");
    buf_clear(&out);
    assert_int_equal(wire_write_file_list(WIRE_GENERATION_2, &newest, &list, &out, NULL), 0);
    struct wire_file_list got;
    assert_int_equal(wire_read_file_list(WIRE_GENERATION_2, out.data, out.length, &got, NULL), 0);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.files[0].directory, "sub");
    assert_int_equal(got.files[0].size_bytes, 7);
    assert_int_equal(got.files[0].modified_s, file.modified_s);
    assert_int_equal(got.files[0].modified_ns, file.modified_ns);
    wire_file_list_clear(&got);
}

static void file_answers_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum wire_generation generation;
        const char *text;
        const char *word;
    } cases[] = {
        {WIRE_GENERATION_1, "{\"value\":{}}", "value: is required"},
        {WIRE_GENERATION_1, "{\"value\":[{}]}", "value[0].properties"},
        {WIRE_GENERATION_1, "{\"value\":[{\"properties\":{\"filename\":\"a\"}}]}", "value[0].size"},
        {WIRE_GENERATION_2, "{\"value\":[{\"name\":\"a\",\"sizeInBytes\":-1}]}",
         "value[0].sizeInBytes"},
        {WIRE_GENERATION_2,
         "{\"value\":[{\"name\":\"a\",\"sizeInBytes\":1,\"lastModifiedAt\":\"today\"}]}",
         "value[0].lastModifiedAt"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wire_file_list got;
        struct error err = {0};
        assert_int_equal(wire_read_file_list(cases[i].generation, cases[i].text,
                                             strlen(cases[i].text), &got, &err),
                         -1);
        assert_error(err, ERROR_INVALID, cases[i].word);
    }
    struct wire_file file;
    struct error err = {0};
    assert_int_equal(wire_read_file(WIRE_GENERATION_1, "{\"value\":[]}", 12, &file, &err), -1);
    assert_error(err, ERROR_INVALID, "0 files");
}

static void errors_are_written_and_read(void **state)
{
    (void)state;
    char code[] = "SessionRequestValidationFailed", message[] = "m \"q\"", target[] = "identifier";
    struct wire_error sent = {.code = code, .message = message, .target = target};
    struct wire_error got;
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_error(&sent, &out, NULL), 0);
    assert_string_equal(out.data,
                        "{\"error\":{\"code\":\"SessionRequestValidationFailed\",\"message\":"
                        "\"m \\\"q\\\"\",\"target\":\"identifier\"}}");
    assert_int_equal(wire_read_error(out.data, out.length, &got, NULL), 0);
    assert_string_equal(got.message, message);
    assert_null(got.trace_id);
    wire_error_clear(&got);
    struct error err = {0};
    assert_int_equal(wire_read_error("<html>", 6, &got, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(wire_read_error("{\"error\":{}}", 12, &got, &err), -1);
}

static void types_are_guessed_from_names(void **state)
{
    (void)state;
    assert_string_equal(wire_guess_content_type("a.TXT"), "text/plain; charset=utf-8");
    assert_string_equal(wire_guess_content_type("sub/a.tar.gz"), "application/gzip");
    assert_string_equal(wire_guess_content_type("a"), "application/octet-stream");
    assert_string_equal(wire_guess_content_type("a.txt/b"), "application/octet-stream");
    assert_string_equal(wire_guess_content_type(""), "application/octet-stream");
}

static void sessions_are_written_with_both_words_for_their_end(void **state)
{
    (void)state;
    struct wire_session sessions[] = {
        {"a\"b;", "g-1", 1731315902486529, 1731315903000000, 1731316203000001},
        {"next", "g-2", 1731315902000000, 1731315902000000, 1731315902000000},
    };
    AUTO_BUF struct buf out = {0};
    assert_int_equal(wire_write_session(&plain, sessions, &out, NULL), 0);
    assert_string_equal(out.data, "{\"identifier\":\"a\\\"b;\",\"etag\":\"g-1\",\"createdAt\":"
                                  "\"2024-11-11T09:05:02.4865290Z\",\"lastAccessedAt\":"
                                  "\"2024-11-11T09:05:03.0000000Z\",\"expireAt\":"
                                  "\"2024-11-11T09:10:03.0000010Z\",\"expiresAt\":"
                                  "\"2024-11-11T09:10:03.0000010Z\"}");

    struct wire_session_list list = {.sessions = sessions + 1, .count = 1, .next_link = "http://x"};
    AUTO_BUF struct buf one = {0};
    assert_int_equal(wire_write_session(&plain, sessions + 1, &one, NULL), 0);
    buf_clear(&out);
    assert_int_equal(wire_write_session_list(&plain, &list, &out, NULL), 0);
    AUTO_BUF struct buf expected = {0};
    buf_printf(&expected, "{\"sessions\":[%s],\"nextLink\":\"http://x\"}", one.data);
    assert_string_equal(out.data, expected.data);

    list.managed = true;
    list.next_link = NULL;
    buf_clear(&out);
    buf_clear(&expected);
    assert_int_equal(wire_write_session_list(&plain, &list, &out, NULL), 0);
    buf_printf(&expected, "{\"value\":[%s],\"count\":1,\"nextLink\":null}", one.data);
    assert_string_equal(out.data, expected.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_a_request_are_read),
        cmocka_unit_test(a_bad_request_names_its_member),
        cmocka_unit_test(requests_are_written_in_each_generations_form),
        cmocka_unit_test(executions_are_written_as_recorded),
        cmocka_unit_test(generation_0_is_flat_and_says_error_when_it_failed),
        cmocka_unit_test(sessions_are_written_with_both_words_for_their_end),
        cmocka_unit_test(refusals_are_written_and_read),
        cmocka_unit_test(refusals_of_a_later_time_are_passed_over_and_broken_ones_named),
        cmocka_unit_test(an_answer_that_does_not_fit_leaves_nothing_behind),
        cmocka_unit_test(values_arrive_byte_by_byte),
        cmocka_unit_test(answers_that_are_none_are_refused),
        cmocka_unit_test(values_follow_rule_r),
        cmocka_unit_test(a_figure_is_an_image_object),
        cmocka_unit_test(files_are_written_as_recorded_and_read_back),
        cmocka_unit_test(file_answers_that_are_none_are_refused),
        cmocka_unit_test(errors_are_written_and_read),
        cmocka_unit_test(types_are_guessed_from_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
