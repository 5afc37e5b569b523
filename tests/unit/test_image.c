#include "sandboxd/api/image.h"

#include "base/core/cleanup.h"
#include "tests/support/unit.h"

static const char sample[] = "runtime\tpython\t3.11.2\n"
                             "kernel\tIPython\t8.5.0\thttps://ipython.org\tInteractive Computing\n"
                             "package\tPillow\t9.4.0\n"
                             "package\tlz4\t4.0.2+dfsg\n";

static int read_text(const char *text, struct image *image, struct error *err)
{
    *err = (struct error){0};
    return image_read(text, strlen(text), image, err);
}

static void a_description_is_read(void **state)
{
    (void)state;
    struct image image;
    struct error err;
    assert_int_equal(read_text(sample, &image, &err), 0);
    assert_int_equal(image.runtime_count, 1);
    assert_string_equal(image.runtimes[0].name, "python");
    assert_string_equal(image.runtimes[0].version, "3.11.2");
    assert_string_equal(image.kernel.project_url, "https://ipython.org");
    assert_string_equal(image.kernel.description, "Interactive Computing");
    assert_int_equal(image.package_count, 2);
    assert_string_equal(image.packages[1].name, "lz4");
    assert_string_equal(image.packages[1].version, "4.0.2+dfsg");
    image_clear(&image);
}

static void a_kernel_may_lack_a_page_and_a_description(void **state)
{
    (void)state;
    struct image image;
    struct error err;
    assert_int_equal(read_text("kernel\ta\t1\t\t\nruntime\tb\t2\n", &image, &err), 0);
    assert_string_equal(image.kernel.project_url, "");
    assert_int_equal(image.package_count, 0);
    image_clear(&image);
}

static void what_no_zygote_says_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "\n",
        "runtime\tpython\t3.11.2\n",                           /* no kernel */
        "kernel\ta\t1\t\t\n",                                  /* no runtime */
        "kernel\ta\t1\t\t\nruntime\tb\t2",                     /* no end */
        "kernel\ta\t1\t\t\nkernel\ta\t1\t\t\nruntime\tb\t2\n", /* two kernels */
        "kernel\ta\t1\t\t\nruntime\tb\n",                      /* a part is missing */
        "kernel\ta\t1\t\t\nruntime\tb\t2\t3\n",                /* one too many */
        "kernel\ta\t1\t\t\nruntime\t\t2\n",                    /* no name */
        "kernel\ta\t1\t\t\nruntime\tb\t2\n\n",                 /* an empty line */
        "kernel\ta\t1\t\t\nruntime\tb\t2\nmodule\tc\t3\n",     /* an unknown word */
        "kernel\ta\t1\t\t\t\t\t\nruntime\tb\t2\n",             /* far too many parts */
        "kernel\ta\t1\t\t\nruntime\tb\t\xC3\xA4\n",            /* not ASCII */
        "kernel\ta\t1\t\t\nruntime\tb\t\x1B[1m\n",             /* control characters */
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct image image;
        struct error err;
        assert_int_equal(read_text(texts[i], &image, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
    struct image image;
    struct error err = {0};
    assert_int_equal(image_read("a\0b\n", 4, &image, &err), -1);
}

static void a_description_has_at_most_the_bytes_of_a_frame(void **state)
{
    (void)state;
    static char text[IMAGE_BYTES_MAX + 1];
    struct image image;
    struct error err = {0};
    size_t length = strlen(sample);
    memcpy(text, sample, length);
    memset(text + length, 'x', sizeof text - length);
    memcpy(text + length, "package\tx\t", 10);
    text[IMAGE_BYTES_MAX - 1] = '\n';
    assert_int_equal(image_read(text, IMAGE_BYTES_MAX, &image, &err), 0);
    assert_int_equal(image.package_count, 3);
    image_clear(&image);
    assert_int_equal(image_read(text, IMAGE_BYTES_MAX + 1, &image, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_description_is_read),
        cmocka_unit_test(a_kernel_may_lack_a_page_and_a_description),
        cmocka_unit_test(what_no_zygote_says_is_refused),
        cmocka_unit_test(a_description_has_at_most_the_bytes_of_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
