#include "agent/turn/inventory.h"

#include "tests/support/unit.h"

static struct wire_file file_of(const char *directory, const char *name, uint64_t bytes, int64_t at)
{
    return (struct wire_file){.directory = (char *)directory,
                              .name = (char *)name,
                              .size_bytes = bytes,
                              .modified_s = at};
}

static void files_are_found_by_their_path(void **state)
{
    (void)state;
    struct wire_file files[] = {file_of("sub", "b", 2, 1), file_of(NULL, "z", 1, 1),
                                file_of("", "a", 3, 1), file_of("", "sub", 0, 1)};
    files[3].is_directory = true;
    struct wire_file_list list = {files, COUNT(files)};
    AUTO_INVENTORY struct inventory inventory = {0};
    inventory_read(&inventory, &list);
    assert_int_equal(inventory.count, 3);
    assert_int_equal(inventory_find(&inventory, "sub/b")->bytes, 2);
    assert_int_equal(inventory_find(&inventory, "a")->bytes, 3);
    assert_null(inventory_find(&inventory, "sub"));
    assert_null(inventory_find(&inventory, "b"));
}

static void a_path_that_would_leave_a_directory_is_no_file(void **state)
{
    (void)state;
    struct wire_file files[] = {file_of("..", "x", 1, 1),   file_of("a/../b", "x", 1, 1),
                                file_of("", "..", 1, 1),    file_of("a//b", "x", 1, 1),
                                file_of("/etc", "x", 1, 1), file_of("", ".", 1, 1),
                                file_of("", "", 1, 1),      file_of("", "..x", 1, 1)};
    struct wire_file_list list = {files, COUNT(files)};
    AUTO_INVENTORY struct inventory inventory = {0};
    inventory_read(&inventory, &list);
    assert_int_equal(inventory.count, 1);
    assert_string_equal(inventory.files[0].path, "..x");
}

static void what_is_new_or_changed_is_news(void **state)
{
    (void)state;
    struct wire_file before[] = {file_of("", "a", 1, 1), file_of("", "b", 1, 1),
                                 file_of("", "c", 1, 1)};
    struct wire_file after[] = {file_of("", "a", 1, 1), file_of("", "b", 2, 1),
                                file_of("", "c", 1, 2), file_of("", "d", 1, 1)};
    struct wire_file_list lists[] = {{before, COUNT(before)}, {after, COUNT(after)}};
    AUTO_INVENTORY struct inventory earlier = {0};
    AUTO_INVENTORY struct inventory later = {0};
    inventory_read(&earlier, &lists[0]);
    inventory_read(&later, &lists[1]);
    static const bool news[] = {false, true, true, true};
    for (size_t i = 0; i < later.count; i++)
        assert_int_equal(inventory_is_news(&earlier, &later.files[i]), news[i]);
    struct inventory nothing = {0};
    assert_true(inventory_is_news(&nothing, &later.files[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_by_their_path),
        cmocka_unit_test(a_path_that_would_leave_a_directory_is_no_file),
        cmocka_unit_test(what_is_new_or_changed_is_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
