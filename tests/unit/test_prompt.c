#include "agent/turn/prompt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"

static void describe(const char *data, size_t length, struct buf *out)
{
    char path[] = "/tmp/sandpool-prompt-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, data, length), length);
    close(fd);
    assert_int_equal(prompt_describe_file(path, "f\n\x1b", out, NULL), 0);
    unlink(path);
}

static void text_shows_its_first_lines_and_binary_its_size(void **state)
{
    (void)state;
    static const struct {
        const char *data, *shown;
    } cases[] = {
        {"a,b\n1,2\n3,4\n5,6\n", "16 bytes, begins with\n```text\na,b\n1,2\n3,4\n```\n"},
        {"one", "3 bytes, begins with\n```text\none\n```\n"},
        {"\x89PNG\xff", "5 bytes, binary\n"},
        {"", "0 bytes\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf out = {0};
        describe(cases[i].data, strlen(cases[i].data), &out);
        assert_non_null(strstr(out.data, cases[i].shown));
        assert_non_null(strstr(out.data, "- /mnt/data/f\\n\\x1b, "));
    }
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = {0};
    struct error err = {0};
    assert_int_equal(prompt_describe_file("/tmp", "tmp", &out, &err), -1);
    assert_error(err, ERROR_INVALID, "not a regular file");
    assert_int_equal(prompt_describe_file("/nowhere/x", "x", &out, &err), -1);
    assert_error(err, ERROR_MISSING, "/nowhere/x");
}

static void the_network_is_said_to_be_closed_unless_it_is_open(void **state)
{
    (void)state;
    struct prompt_options options = {.python_tool = "run_python"};
    AUTO_BUF struct buf closed = {0};
    AUTO_BUF struct buf open = {0};
    prompt_write_system(&options, &closed);
    options.network_is_open = true;
    prompt_write_system(&options, &open);
    assert_non_null(strstr(closed.data, "has no network"));
    assert_null(strstr(open.data, "has no network"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shows_its_first_lines_and_binary_its_size),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(the_network_is_said_to_be_closed_unless_it_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
