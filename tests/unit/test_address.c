#include "base/core/address.h"

#include <string.h>

#include "tests/support/unit.h"

static struct address_range range_of(const char *text)
{
    struct error err = {0};
    struct address_range range = {0};
    if (address_range_read(text, &range, &err) < 0)
        fail_msg("%s", err.message);
    return range;
}

static void ranges_and_single_addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t address, prefix;
    } cases[] = {
        {"203.0.113.0/24", 0xcb007100, 24},
        {"203.0.113.7", 0xcb007107, 32},
        {"0.0.0.0/0", 0, 0},
        {"10.0.0.0/8", 0x0a000000, 8},
        {"198.51.100.128/25", 0xc6336480, 25},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address_range range = range_of(cases[i].text);
        assert_int_equal(range.address, cases[i].address);
        assert_int_equal(range.prefix, cases[i].prefix);
        char text[ADDRESS_RANGE_TEXT_MAX];
        address_range_write(&range, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void each_mistake_has_a_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"", "203.0.113.0/24"},
        {"example.org", "IPv4 ranges"},
        {"203.0.113.0/33", "IPv4 ranges"},
        {"203.0.113.0/", "IPv4 ranges"},
        {"203.0.113.0/-1", "IPv4 ranges"},
        {"203.0.113.0/024", "IPv4 ranges"},
        {"203.0.113.0/24/1", "IPv4 ranges"},
        {" 203.0.113.0/24", "IPv4 ranges"},
        {"2001:db8::/32", "IPv4 ranges"},
        {"203.0.113.7/24", "\"203.0.113.0/24\" for the whole range or \"203.0.113.7/32\""},
        {"127.0.0.0/8", "loopback"},
        {"127.0.0.1", "loopback"},
        {"0.0.0.0/8", "this host"},
        {"169.254.169.254", "link-local"},
        {"192.0.0.2", "the session's own network"},
        {"224.0.0.0/4", "multicast"},
        {"255.255.255.255", "reserved"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        struct address_range range = {7, 7};
        assert_int_equal(address_range_read(cases[i].text, &range, &err), -1);
        assert_error(err, ERROR_INVALID, cases[i].named);
        assert_int_equal(range.prefix, 7);
    }
}

static void a_range_holds_its_first_and_its_last_address(void **state)
{
    (void)state;
    const struct address_range ranges[] = {range_of("203.0.113.64/26"), range_of("198.51.100.1")};
    assert_false(address_is_in(0xcb00713f, ranges, 2));
    assert_true(address_is_in(0xcb007140, ranges, 2));
    assert_true(address_is_in(0xcb00717f, ranges, 2));
    assert_false(address_is_in(0xcb007180, ranges, 2));
    assert_true(address_is_in(0xc6336401, ranges, 2));
    assert_false(address_is_in(0xc6336401, ranges, 1));
    const struct address_range all = range_of("0.0.0.0/0");
    assert_true(address_range_holds(&all, UINT32_MAX));
    assert_true(address_range_is_in(&ranges[0], &all, 1));
    assert_false(address_range_is_in(&all, ranges, 2));
}

static void each_address_is_of_a_kind(void **state)
{
    (void)state;
    assert_int_equal(address_kind_of(0xcb007101), ADDRESS_PUBLIC);
    assert_int_equal(address_kind_of(0xac1f0001), ADDRESS_PRIVATE);
    assert_int_equal(address_kind_of(0xac200001), ADDRESS_PUBLIC);
    assert_int_equal(address_kind_of(0x7f000035), ADDRESS_LOCAL);
    assert_int_equal(address_kind_of(0xa9fea9fe), ADDRESS_LOCAL);
    assert_int_equal(address_kind_of(0xe0000001), ADDRESS_GROUP);
    assert_int_equal(address_kind_of(UINT32_MAX), ADDRESS_GROUP);

    struct address_range range = range_of("0.0.0.0/0");
    assert_true(address_range_touches(&range, ADDRESS_PRIVATE));
    range = range_of("10.1.1.1");
    assert_true(address_range_touches(&range, ADDRESS_PRIVATE));
    range = range_of("203.0.113.0/24");
    assert_false(address_range_touches(&range, ADDRESS_PRIVATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_and_single_addresses_are_read_and_written),
        cmocka_unit_test(each_mistake_has_a_remedy),
        cmocka_unit_test(a_range_holds_its_first_and_its_last_address),
        cmocka_unit_test(each_address_is_of_a_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
