#include "base/json/scan.h"
#include "base/json/wire.h"
#include "tests/fuzz/fuzz.h"

static const struct wire_options options = {.with_ids = true, .with_directory = true};

static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || memcmp(a, b, a_length) == 0);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* A request that is read is read again the same after writing, in both generations. */
static void check_request(const char *data, size_t size)
{
    struct wire_execution_request request, again;
    const char *target;
    struct error err = {0};
    if (wire_read_execution_request(data, size, &request, &target, &err) < 0) {
        CHECK(err.code == ERROR_INVALID || err.code == ERROR_MISSING || err.code == ERROR_LIMIT);
        return;
    }
    CHECK(request.code_length > 0 && strlen(request.code) == request.code_length);
    for (int generation = WIRE_GENERATION_1; generation <= WIRE_GENERATION_2; generation++) {
        AUTO_BUF struct buf out = {0};
        CHECK(wire_write_execution_request(generation, &request, &out, &err) == 0);
        CHECK(json_scan_is_strict(out.data, out.length));
        CHECK(wire_read_execution_request(out.data, out.length, &again, &target, &err) == 0);
        CHECK(same_text(again.code, request.code) && again.timeout_s == request.timeout_s);
        CHECK(again.asynchronous == request.asynchronous);
        CHECK(same_text(again.identifier, request.identifier));
        CHECK(again.output_streams_max_length == request.output_streams_max_length);
        wire_execution_request_clear(&again);
    }
    wire_execution_request_clear(&request);
}

/* A value arrives as it left, byte by byte. */
static void check_execution(enum wire_generation generation, const char *data, size_t size)
{
    struct wire_execution execution, again;
    struct error err = {0};
    if (wire_read_execution(generation, data, size, &execution, &err) < 0)
        return;
    CHECK(!execution.result || json_scan_is_strict(execution.result, execution.result_length));
    if (execution.status == WIRE_STATUS_SUCCEEDED || execution.status == WIRE_STATUS_FAILED) {
        AUTO_BUF struct buf out = {0};
        CHECK(wire_write_execution(generation, &options, &execution, &out, &err) == 0);
        CHECK(json_scan_is_strict(out.data, out.length));
        CHECK(wire_read_execution(generation, out.data, out.length, &again, &err) == 0);
        CHECK(again.status == execution.status);
        CHECK(again.refusal_count == execution.refusal_count);
        CHECK(same_bytes(again.standard_output, again.standard_output_length,
                         execution.standard_output, execution.standard_output_length));
        CHECK(!execution.result || same_bytes(again.result, again.result_length, execution.result,
                                              execution.result_length));
        wire_execution_clear(&again);
    }
    wire_execution_clear(&execution);
}

static void check_files(enum wire_generation generation, const char *data, size_t size)
{
    struct wire_file_list list, again;
    struct error err = {0};
    if (wire_read_file_list(generation, data, size, &list, &err) < 0)
        return;
    AUTO_BUF struct buf out = {0};
    CHECK(wire_write_file_list(generation, &options, &list, &out, &err) == 0);
    CHECK(json_scan_is_strict(out.data, out.length));
    if (wire_read_file_list(generation, out.data, out.length, &again, &err) == 0) {
        CHECK(again.count == list.count);
        for (size_t i = 0; i < list.count; i++) {
            CHECK(same_text(again.files[i].name, list.files[i].name));
            CHECK(again.files[i].size_bytes == list.files[i].size_bytes);
        }
        wire_file_list_clear(&again);
    } else {
        CHECK(err.code == ERROR_LIMIT); /* "$id" members count as values too */
    }
    wire_file_list_clear(&list);
}

static void check_error(const char *data, size_t size)
{
    struct wire_error error, again;
    struct error err = {0};
    if (wire_read_error(data, size, &error, &err) < 0)
        return;
    AUTO_BUF struct buf out = {0};
    CHECK(wire_write_error(&error, &out, &err) == 0);
    CHECK(json_scan_is_strict(out.data, out.length));
    if (out.length <= size) {
        CHECK(wire_read_error(out.data, out.length, &again, &err) == 0);
        CHECK(same_text(again.code, error.code) && same_text(again.message, error.message));
        wire_error_clear(&again);
    }
    wire_error_clear(&error);
}

/* Whatever a program displays, the answer is JSON, and any text is a string when it must be. */
static void check_value(const char *data, size_t size)
{
    for (int as_string = 0; as_string <= 1; as_string++) {
        AUTO_BUF struct buf out = {0};
        CHECK(wire_write_value(data, size, as_string, &out));
        CHECK(json_scan_is_strict(out.data, out.length));
        CHECK(!as_string || out.data[0] == '"');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_request(text, size);
    check_execution(WIRE_GENERATION_1, text, size);
    check_execution(WIRE_GENERATION_2, text, size);
    check_files(WIRE_GENERATION_1, text, size);
    check_files(WIRE_GENERATION_2, text, size);
    check_error(text, size);
    check_value(text, size);
    return 0;
}
