#include "sandboxd/identity/authority.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "base/core/state_file.h"
#include "sandboxd/identity/certificate.h"
#include "sandboxd/identity/private_key.h"

static const char server_certificate_file[] = "server.pem";
static const char server_key_file[] = "server.key";
static const char authority_key_file[] = "ca.key";

static const struct private_key_kind key_kind = {.algorithm = PRIVATE_KEY_P256};

static inline void cleanup_certificate(gnutls_x509_crt_t *certificate)
{
    gnutls_x509_crt_deinit(*certificate);
}

static inline void cleanup_key(gnutls_privkey_t *key)
{
    gnutls_privkey_deinit(*key);
}

#define AUTO_CERTIFICATE __attribute__((cleanup(cleanup_certificate)))
#define AUTO_KEY         __attribute__((cleanup(cleanup_key)))

/* ---- the authority ---- */

static int open_authority_certificate(int state_fd, gnutls_privkey_t key, int64_t now_s,
                                      gnutls_x509_crt_t *ret_certificate, struct error *err)
{
    struct error problem = {0};
    if (certificate_load(state_fd, AUTHORITY_CERTIFICATE_FILE, ret_certificate, &problem) == 0) {
        if (certificate_has_key(*ret_certificate, key))
            return 0;
        return error_set(err, ERROR_INVALID,
                         "%s was not made with %s; remove it to have a new one made",
                         AUTHORITY_CERTIFICATE_FILE, authority_key_file);
    }
    if (problem.code != ERROR_MISSING) {
        *err = problem;
        return -1;
    }
    if (certificate_make_authority(key, now_s, AUTHORITY_VALID_DAYS, ret_certificate, err) < 0)
        return -1;
    return certificate_save(state_fd, AUTHORITY_CERTIFICATE_FILE, *ret_certificate, err);
}

/* ---- the server's certificate ---- */

/* Is the one there still good? Broken is an error; absent, old or for other names is just false. */
static int load_server_certificate(int state_fd, gnutls_x509_crt_t authority, gnutls_privkey_t key,
                                   const struct certificate_names *names, int64_t now_s,
                                   bool *ret_good, struct error *err)
{
    AUTO_CERTIFICATE gnutls_x509_crt_t certificate = NULL;
    struct error problem = {0};
    *ret_good = false;
    if (certificate_load(state_fd, server_certificate_file, &certificate, &problem) < 0) {
        if (problem.code == ERROR_MISSING)
            return 0;
        *err = problem;
        return -1;
    }
    int64_t renewed_s = now_s + (int64_t)SERVER_RENEWED_BEFORE_DAYS * CERTIFICATE_DAY_S;
    *ret_good = certificate_has_key(certificate, key) &&
                certificate_is_signed_by(certificate, authority) &&
                certificate_is_for(certificate, names) &&
                gnutls_x509_crt_get_activation_time(certificate) <= now_s &&
                gnutls_x509_crt_get_expiration_time(certificate) > renewed_s;
    return 0;
}

static int open_server_certificate(int state_fd, gnutls_x509_crt_t authority,
                                   gnutls_privkey_t authority_key, gnutls_privkey_t key,
                                   const struct certificate_names *names, int64_t now_s,
                                   struct error *err)
{
    AUTO_CERTIFICATE gnutls_x509_crt_t certificate = NULL;
    bool good;
    if (load_server_certificate(state_fd, authority, key, names, now_s, &good, err) < 0)
        return -1;
    if (good)
        return 0;
    if (certificate_make_server(key, authority, authority_key, names, now_s, SERVER_VALID_DAYS,
                                &certificate, err) < 0)
        return -1;
    return certificate_save(state_fd, server_certificate_file, certificate, err);
}

static int open_both(int state_fd, const struct certificate_names *names, int64_t now_s,
                     struct error *err)
{
    AUTO_KEY gnutls_privkey_t authority_key = NULL;
    AUTO_KEY gnutls_privkey_t key = NULL;
    AUTO_CERTIFICATE gnutls_x509_crt_t authority = NULL;
    if (private_key_open(state_fd, authority_key_file, &key_kind, &authority_key, err) < 0 ||
        open_authority_certificate(state_fd, authority_key, now_s, &authority, err) < 0 ||
        private_key_open(state_fd, server_key_file, &key_kind, &key, err) < 0)
        return -1;
    return open_server_certificate(state_fd, authority, authority_key, key, names, now_s, err);
}

/* ---- all of it ---- */

static int collect_names(const char *const *names, size_t count, struct certificate_names *ret_all,
                         struct error *err)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    *ret_all = (struct certificate_names){0};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        certificate_names_add(ret_all, always[i], err);
    for (size_t i = 0; i < count; i++) {
        if (certificate_names_add(ret_all, names[i], err) < 0)
            return error_add_context(err, "--host");
    }
    return 0;
}

int authority_open(int state_fd, const char *const *names, size_t name_count, int64_t now_s,
                   struct server_certificate *ret_certificate, struct error *err)
{
    struct certificate_names all;
    struct server_certificate certificate = {0};
    if (collect_names(names, name_count, &all, err) < 0 ||
        open_both(state_fd, &all, now_s, err) < 0)
        return -1;
    if (state_file_read(state_fd, server_certificate_file, STATE_FILE_PUBLIC, CERTIFICATE_TEXT_MAX,
                        &certificate.certificate_pem, NULL, err) < 0 ||
        state_file_read(state_fd, server_key_file, STATE_FILE_SECRET, PRIVATE_KEY_TEXT_MAX,
                        &certificate.key_pem, NULL, err) < 0) {
        server_certificate_clear(&certificate);
        return -1;
    }
    *ret_certificate = certificate;
    return 0;
}

void server_certificate_clear(struct server_certificate *certificate)
{
    free(certificate->certificate_pem);
    if (certificate->key_pem)
        explicit_bzero(certificate->key_pem, strlen(certificate->key_pem));
    free(certificate->key_pem);
    *certificate = (struct server_certificate){0};
}
