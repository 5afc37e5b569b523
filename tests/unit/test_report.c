#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/core/buf.h"
#include "sandboxd/doctor/report.h"

/* What doctor says of machines that are imitated by their findings and facts. */

static struct report everything_present(void)
{
    struct report report = {
        .ids = OUTER_WITH_SUBORDINATE,
        .facts = {.apparmor_restricts = -1, .unprivileged_clone = -1},
    };
    for (int i = 0; i < FACTS_LIMITS; i++)
        report.facts.limits[i] = 1000;
    return report;
}

static struct finding *finding_of(struct report *report, const char *name)
{
    for (size_t i = 0; i < PROBES; i++) {
        if (strcmp(probes[i].name, name) == 0)
            return &report->findings[i];
    }
    fail_msg("no layer %s", name);
    return NULL;
}

static void fail_at(struct report *report, const char *name, enum remedy_step step, int number)
{
    struct finding *finding = finding_of(report, name);
    *finding = (struct finding){FINDING_ABSENT, step, number, "it failed"};
}

static void assert_text(const struct report *report, const char *says)
{
    AUTO_BUF struct buf out = {0};
    report_write_text(report, &out);
    if (!strstr(out.data, says))
        fail_msg("\"%s\" is not in:\n%s", says, out.data);
}

static void a_machine_with_everything_is_complete(void **state)
{
    (void)state;
    struct report report = everything_present();
    assert_int_equal(report_judge(&report), REPORT_COMPLETE);
    assert_text(&report, "would start: yes, with subordinate ids\n");
}

static void a_mandatory_layer_that_is_absent_refuses_the_start(void **state)
{
    (void)state;
    struct report report = everything_present();
    fail_at(&report, "cgroup", REMEDY_CGROUPS, EACCES);
    fail_at(&report, "procfs", REMEDY_PROCFS, EPERM);
    report.allowed_missing = 1U << LAYER_CGROUP;
    assert_int_equal(report_judge(&report), REPORT_REFUSED);
    assert_text(&report, "would start: no\n");
}

static void an_optional_layer_that_is_absent_must_be_given_up(void **state)
{
    (void)state;
    struct report report = everything_present();
    fail_at(&report, "landlock", REMEDY_LANDLOCK, ENOSYS);
    assert_int_equal(report_judge(&report), REPORT_LACKING);
    assert_text(&report, "yes, with subordinate ids, with --allow-missing landlock\n");
    report.allowed_missing = 1U << LAYER_LANDLOCK;
    assert_int_equal(report_judge(&report), REPORT_COMPLETE);
    assert_text(&report, "yes, with subordinate ids, with --allow-missing landlock\n");
}

static void what_is_degraded_or_informative_stops_nothing(void **state)
{
    (void)state;
    struct report report = everything_present();
    fail_at(&report, "tmpfs-idmap", REMEDY_MOUNTS, EINVAL);
    assert_int_equal(report_judge(&report), REPORT_COMPLETE);
    finding_of(&report, "landlock")->step = REMEDY_LANDLOCK;
    finding_degrade(finding_of(&report, "landlock"), "ABI 2");
    assert_int_equal(report_judge(&report), REPORT_LACKING);
    assert_text(&report, "would start: yes, with subordinate ids\n");
    assert_text(&report, "Linux 6.12 or newer");
    report.allowed_missing = 1U << LAYER_LANDLOCK;
    assert_int_equal(report_judge(&report), REPORT_COMPLETE);
}

static void ubuntu_lets_the_first_step_succeed_and_is_recognised(void **state)
{
    (void)state;
    struct report report = everything_present();
    report.facts.apparmor_restricts = 1;
    fail_at(&report, "user", REMEDY_ID_MAP, EPERM);
    fail_at(&report, "network", REMEDY_LOOPBACK, EPERM);
    assert_int_equal(report_judge(&report), REPORT_REFUSED);
    assert_text(&report, "\nuser, network:\n    kernel.apparmor_restrict_unprivileged_userns is 1");
}

static void programs_get_a_remedy_for_what_is_missing_only(void **state)
{
    (void)state;
    struct report report = everything_present();
    AUTO_BUF struct buf out = {0};
    struct error err = {0};
    fail_at(&report, "cgroup", REMEDY_CGROUPS, EACCES);
    assert_int_equal(report_write_json(&report, &out, &err), 0);
    assert_non_null(strstr(out.data, "\"wouldStart\":true,\"starts\":\"subordinate-ids\","
                                     "\"allowMissing\":[\"cgroup\"]"));
    assert_non_null(strstr(out.data, "{\"name\":\"cgroup\",\"need\":\"optional\",\"state\":"
                                     "\"absent\",\"reason\":\"it failed\",\"remedy\":\""));
    assert_non_null(strstr(out.data, "{\"name\":\"pid\",\"need\":\"mandatory\",\"state\":"
                                     "\"present\",\"detail\":\"\"}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_with_everything_is_complete),
        cmocka_unit_test(a_mandatory_layer_that_is_absent_refuses_the_start),
        cmocka_unit_test(an_optional_layer_that_is_absent_must_be_given_up),
        cmocka_unit_test(what_is_degraded_or_informative_stops_nothing),
        cmocka_unit_test(ubuntu_lets_the_first_step_succeed_and_is_recognised),
        cmocka_unit_test(programs_get_a_remedy_for_what_is_missing_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
