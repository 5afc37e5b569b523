#include "sandboxd/identity/identity.h"

#include <gnutls/x509.h>
#include <sys/stat.h>
#include <time.h>

#include "base/core/state_file.h"
#include "sandboxd/identity/daemon_file.h"
#include "tests/support/state_directory.h"

static int64_t day_s(int days)
{
    return (int64_t)days * 24 * 60 * 60;
}

static struct identity *open_identity(void **state, const char *name, int64_t now_s)
{
    struct state_directory *directory = *state;
    struct identity_options options = {.names = &name, .name_count = name ? 1 : 0, .now_s = now_s};
    struct identity *identity = NULL;
    struct error err = {0};
    if (identity_open(directory->fd, &options, &identity, &err) < 0)
        fail_msg("%s", err.message);
    return identity;
}

static void every_file_has_the_mode_that_it_should(void **state)
{
    struct state_directory *directory = *state;
    static const struct {
        const char *name;
        mode_t mode;
    } files[] = {{"issuer.key", 0600}, {"identity-header", 0600}, {"ca.key", 0600},
                 {"ca.pem", 0644},     {"server.key", 0600},      {"server.pem", 0644}};
    AUTO(identity) struct identity *identity = open_identity(state, NULL, time(NULL));
    for (size_t i = 0; i < COUNT(files); i++) {
        struct stat info;
        assert_int_equal(fstatat(directory->fd, files[i].name, &info, 0), 0);
        assert_int_equal(info.st_mode & 07777, files[i].mode);
    }
    assert_int_equal(strlen(identity->header), SECRET_TEXT_MAX - 1);
}

static void the_next_start_finds_the_same_identity(void **state)
{
    int64_t now_s = time(NULL);
    AUTO(identity) struct identity *first = open_identity(state, "sandpool.test", now_s);
    AUTO(identity)
    struct identity *second = open_identity(state, "sandpool.test", now_s + day_s(1));
    assert_string_equal(first->header, second->header);
    assert_string_equal(issuer_key_id(first->issuer), issuer_key_id(second->issuer));
    assert_string_equal(first->certificate.certificate_pem, second->certificate.certificate_pem);
    assert_string_equal(first->certificate.key_pem, second->certificate.key_pem);
}

static void the_certificate_is_renewed_for_other_names_and_before_it_ends(void **state)
{
    int64_t now_s = time(NULL);
    AUTO(identity) struct identity *first = open_identity(state, NULL, now_s);
    AUTO(identity) struct identity *named = open_identity(state, "192.0.2.7", now_s);
    AUTO(identity)
    struct identity *kept = open_identity(
        state, "192.0.2.7", now_s + day_s(SERVER_VALID_DAYS - SERVER_RENEWED_BEFORE_DAYS) - 60);
    AUTO(identity)
    struct identity *renewed = open_identity(
        state, "192.0.2.7", now_s + day_s(SERVER_VALID_DAYS - SERVER_RENEWED_BEFORE_DAYS) + 60);
    const char *text = named->certificate.certificate_pem;
    assert_string_not_equal(text, first->certificate.certificate_pem);
    assert_string_equal(text, kept->certificate.certificate_pem);
    assert_string_not_equal(text, renewed->certificate.certificate_pem);
    assert_string_equal(first->certificate.key_pem, renewed->certificate.key_pem);
}

static gnutls_x509_crt_t import_certificate(const char *text)
{
    gnutls_datum_t data = {.data = (unsigned char *)(uintptr_t)text,
                           .size = (unsigned)strlen(text)};
    gnutls_x509_crt_t certificate = NULL;
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_PEM), 0);
    return certificate;
}

static void clients_that_trust_the_authority_accept_the_certificate(void **state)
{
    struct state_directory *directory = *state;
    AUTO(identity) struct identity *identity = open_identity(state, "sandpool.test", time(NULL));
    AUTO_FREE char *authority_text = NULL;
    struct error err = {0};
    assert_int_equal(state_file_read(directory->fd, "ca.pem", STATE_FILE_PUBLIC, 65536,
                                     &authority_text, NULL, &err),
                     0);
    gnutls_x509_crt_t leaf = import_certificate(identity->certificate.certificate_pem);
    gnutls_x509_crt_t authority = import_certificate(authority_text);
    gnutls_x509_trust_list_t trusted = NULL;
    assert_int_equal(gnutls_x509_trust_list_init(&trusted, 0), 0);
    assert_int_equal(gnutls_x509_trust_list_add_cas(trusted, &authority, 1, 0), 1);

    static char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
    static char names[][16] = {"localhost", "sandpool.test"};
    for (size_t i = 0; i < COUNT(names); i++) {
        gnutls_typed_vdata_st wanted[] = {
            {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)names[i]},
            {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose},
        };
        unsigned status = 1;
        assert_int_equal(gnutls_x509_trust_list_verify_crt2(trusted, &leaf, 1, wanted,
                                                            COUNT(wanted), 0, &status, NULL),
                         0);
        assert_int_equal(status, 0);
    }
    assert_true(gnutls_x509_crt_check_hostname(leaf, "127.0.0.1"));
    assert_true(gnutls_x509_crt_check_hostname(leaf, "::1"));
    assert_false(gnutls_x509_crt_check_hostname(leaf, "other.test"));
    gnutls_x509_trust_list_deinit(trusted, 1);
    gnutls_x509_crt_deinit(leaf);
}

static void what_is_broken_is_named_and_stays(void **state)
{
    struct state_directory *directory = *state;
    static const char *const files[] = {"issuer.key", "identity-header", "ca.key",
                                        "ca.pem",     "server.key",      "server.pem"};
    struct identity_options options = {.now_s = time(NULL)};
    identity_destroy(open_identity(state, NULL, options.now_s));
    for (size_t i = 0; i < COUNT(files); i++) {
        AUTO_FREE char *text = NULL;
        AUTO_FREE char *after = NULL;
        struct identity *identity = NULL;
        struct error err = {0};
        mode_t mode = strstr(files[i], ".pem") ? STATE_FILE_PUBLIC : STATE_FILE_SECRET;
        assert_int_equal(state_file_read(directory->fd, files[i], mode, 65536, &text, NULL, &err),
                         0);
        assert_int_equal(state_file_write(directory->fd, files[i], mode, "broken", 6, &err), 0);
        assert_int_equal(identity_open(directory->fd, &options, &identity, &err), -1);
        assert_error(err, ERROR_INVALID, files[i]);
        assert_int_equal(state_file_read(directory->fd, files[i], mode, 65536, &after, NULL, &err),
                         0);
        assert_string_equal(after, "broken");
        assert_int_equal(state_file_write(directory->fd, files[i], mode, text, strlen(text), &err),
                         0);
    }
}

static void names_that_are_none_are_refused(void **state)
{
    struct state_directory *directory = *state;
    static const char *const names[] = {"", "two words", "*.test", "-a", "a.", "http://x", "[::1]"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct identity_options options = {
            .names = &names[i], .name_count = 1, .now_s = time(NULL)};
        struct identity *identity = NULL;
        struct error err = {0};
        assert_int_equal(identity_open(directory->fd, &options, &identity, &err), -1);
        assert_error(err, ERROR_INVALID, "neither a host name nor an address");
    }
}

static void how_the_daemon_is_reached_is_read_as_it_was_written(void **state)
{
    struct state_directory *directory = *state;
    struct daemon_file written = {"127.0.0.1:8900", "", "any", "/a \"pool\""}, read;
    struct error err = {0};
    assert_int_equal(daemon_file_read(directory->fd, &read, &err), -1);
    assert_int_equal(err.code, ERROR_MISSING);
    assert_int_equal(daemon_file_write(directory->fd, &written, &err), 0);
    assert_int_equal(daemon_file_read(directory->fd, &read, &err), 0);
    assert_string_equal(read.http, written.http);
    assert_string_equal(read.https, "");
    assert_string_equal(read.auth, written.auth);
    assert_string_equal(read.pool, written.pool);

    /* The same again is not written: a full disk does not keep a front from starting anew. */
    struct stat before, after;
    assert_int_equal(fstatat(directory->fd, "daemon.json", &before, 0), 0);
    assert_int_equal(daemon_file_write(directory->fd, &written, &err), 0);
    assert_int_equal(fstatat(directory->fd, "daemon.json", &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    written.auth[0] = 'A';
    assert_int_equal(daemon_file_write(directory->fd, &written, &err), 0);
    assert_int_equal(daemon_file_read(directory->fd, &read, &err), 0);
    assert_string_equal(read.auth, "Any");
    assert_int_equal(
        state_file_write(directory->fd, "daemon.json", STATE_FILE_PUBLIC, "{\"http\":1}", 10, &err),
        0);
    assert_int_equal(daemon_file_read(directory->fd, &read, &err), -1);
    assert_error(err, ERROR_INVALID, "daemon.json: http: must be a string");
}

static void a_secret_matches_only_itself(void **state)
{
    (void)state;
    char secret[SECRET_TEXT_MAX], other[SECRET_TEXT_MAX];
    secret_make(secret);
    secret_make(other);
    assert_true(secret_matches(secret, secret));
    assert_false(secret_matches(secret, other));
    assert_false(secret_matches(secret, ""));
    assert_false(secret_matches(secret, NULL));
}

#define STATE_TEST(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, state_directory_open, state_directory_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(every_file_has_the_mode_that_it_should),
        STATE_TEST(the_next_start_finds_the_same_identity),
        STATE_TEST(the_certificate_is_renewed_for_other_names_and_before_it_ends),
        STATE_TEST(clients_that_trust_the_authority_accept_the_certificate),
        STATE_TEST(what_is_broken_is_named_and_stays),
        STATE_TEST(names_that_are_none_are_refused),
        STATE_TEST(how_the_daemon_is_reached_is_read_as_it_was_written),
        cmocka_unit_test(a_secret_matches_only_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
