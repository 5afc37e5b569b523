#include "sandboxd/identity/certificate.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/random.h"
#include "base/core/state_file.h"
#include "base/core/text.h"

enum {
    SERIAL_BYTES = 16,
    KEY_ID_BYTES_MAX = 64,
    ADDRESS_BYTES_MAX = 16,
    HOST_NAME_MAX_BYTES = 253, /* RFC 1035, 2.3.4, as text */
};

/* ---- names ---- */

/* Returns how many bytes the address has, 0 when it is none. */
static unsigned read_address(const char *name, unsigned char ret_bytes[ADDRESS_BYTES_MAX])
{
    if (inet_pton(AF_INET, name, ret_bytes) == 1)
        return 4;
    return inet_pton(AF_INET6, name, ret_bytes) == 1 ? ADDRESS_BYTES_MAX : 0;
}

static bool is_host_name(const char *name)
{
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return length > 0 && length <= HOST_NAME_MAX_BYTES && !name[length] &&
           isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[length - 1]);
}

int certificate_names_add(struct certificate_names *names, const char *name, struct error *err)
{
    unsigned char bytes[ADDRESS_BYTES_MAX];
    if (read_address(name, bytes) == 0 && !is_host_name(name))
        return error_set(err, ERROR_INVALID, "\"%.80s\" is neither a host name nor an address",
                         name);
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal_ignoring_case(names->items[i], name))
            return 0;
    }
    if (names->count == CERTIFICATE_NAMES_MAX)
        return error_set(err, ERROR_LIMIT, "a certificate is for at most %d names",
                         CERTIFICATE_NAMES_MAX);
    names->items[names->count++] = name;
    return 0;
}

/* ---- files ---- */

int certificate_load(int state_fd, const char *file, gnutls_x509_crt_t *ret_certificate,
                     struct error *err)
{
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    if (state_file_read(state_fd, file, STATE_FILE_PUBLIC, CERTIFICATE_TEXT_MAX, &text, &length,
                        err) < 0)
        return -1;

    gnutls_datum_t data = {.data = (unsigned char *)text, .size = (unsigned)length};
    gnutls_x509_crt_t certificate = NULL;
    int result = gnutls_x509_crt_init(&certificate);
    if (result == 0)
        result = gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_PEM);
    if (result < 0) {
        gnutls_x509_crt_deinit(certificate);
        return error_set(err, ERROR_INVALID,
                         "%s holds no certificate (%s); remove it to have a new one made", file,
                         gnutls_strerror(result));
    }
    *ret_certificate = certificate;
    return 0;
}

int certificate_save(int state_fd, const char *file, gnutls_x509_crt_t certificate,
                     struct error *err)
{
    gnutls_datum_t text = {0};
    int result = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text);
    if (result < 0)
        return error_set(err, ERROR_SYSTEM, "write %s: %s", file, gnutls_strerror(result));
    int written = state_file_write(state_fd, file, STATE_FILE_PUBLIC, text.data, text.size, err);
    gnutls_free(text.data);
    return written;
}

/* ---- questions ---- */

/* The public key's own identifier. Returns its length, 0 on failure. */
static size_t key_id_of(gnutls_privkey_t key, unsigned char ret_id[KEY_ID_BYTES_MAX])
{
    size_t length = KEY_ID_BYTES_MAX;
    gnutls_pubkey_t public_key = NULL;
    int result = gnutls_pubkey_init(&public_key);
    if (result == 0)
        result = gnutls_pubkey_import_privkey(public_key, key, 0, 0);
    if (result == 0)
        result = gnutls_pubkey_get_key_id(public_key, 0, ret_id, &length);
    gnutls_pubkey_deinit(public_key);
    return result < 0 ? 0 : length;
}

bool certificate_has_key(gnutls_x509_crt_t certificate, gnutls_privkey_t key)
{
    unsigned char ours[KEY_ID_BYTES_MAX], theirs[KEY_ID_BYTES_MAX];
    size_t our_length = key_id_of(key, ours), their_length = sizeof theirs;
    return gnutls_x509_crt_get_key_id(certificate, 0, theirs, &their_length) == 0 &&
           our_length > 0 && our_length == their_length && memcmp(ours, theirs, our_length) == 0;
}

bool certificate_is_signed_by(gnutls_x509_crt_t certificate, gnutls_x509_crt_t authority)
{
    unsigned status = 0;
    int result = gnutls_x509_crt_verify(certificate, &authority, 1,
                                        GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status);
    return result == 0 && status == 0;
}

static bool has_name(gnutls_x509_crt_t certificate, const char *name)
{
    unsigned char bytes[ADDRESS_BYTES_MAX];
    unsigned length = read_address(name, bytes);
    if (length > 0)
        return gnutls_x509_crt_check_ip(certificate, bytes, length, 0);
    return gnutls_x509_crt_check_hostname2(certificate, name, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS);
}

static size_t count_names(gnutls_x509_crt_t certificate)
{
    for (unsigned count = 0;; count++) {
        unsigned char name[HOST_NAME_MAX_BYTES + 1];
        size_t size = sizeof name;
        int result = gnutls_x509_crt_get_subject_alt_name(certificate, count, name, &size, NULL);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return count;
    }
}

bool certificate_is_for(gnutls_x509_crt_t certificate, const struct certificate_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!has_name(certificate, names->items[i]))
            return false;
    }
    return count_names(certificate) == names->count;
}

/* ---- making ---- */

/* A step of making a certificate: the first that fails is the answer. */
#define STEP(call)                                                                                 \
    do {                                                                                           \
        int result_ = (call);                                                                      \
        if (result_ < 0)                                                                           \
            return result_;                                                                        \
    } while (0)

static int set_common(gnutls_x509_crt_t certificate, gnutls_privkey_t key, int64_t now_s,
                      int valid_days)
{
    unsigned char serial[SERIAL_BYTES], id[KEY_ID_BYTES_MAX];
    random_bytes(serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40); /* positive, and of full length */
    size_t id_length = key_id_of(key, id);
    gnutls_pubkey_t public_key = NULL;
    STEP(gnutls_pubkey_init(&public_key));
    int result = gnutls_pubkey_import_privkey(public_key, key, 0, 0);
    if (result == 0)
        result = gnutls_x509_crt_set_pubkey(certificate, public_key);
    gnutls_pubkey_deinit(public_key);
    STEP(result);
    STEP(gnutls_x509_crt_set_version(certificate, 3));
    STEP(gnutls_x509_crt_set_serial(certificate, serial, sizeof serial));
    STEP(gnutls_x509_crt_set_activation_time(certificate, now_s - CERTIFICATE_DAY_S));
    STEP(gnutls_x509_crt_set_expiration_time(certificate,
                                             now_s + (int64_t)valid_days * CERTIFICATE_DAY_S));
    return gnutls_x509_crt_set_subject_key_id(certificate, id, id_length);
}

static int fill_authority(gnutls_x509_crt_t certificate, gnutls_privkey_t key, int64_t now_s,
                          int valid_days)
{
    /* Two authorities on one machine must differ in name, or clients mix them up. */
    char guid[GUID_TEXT_MAX];
    random_guid(guid);
    AUTO_FREE char *name = xasprintf("O=Sandpool,CN=Sandpool development CA %.8s", guid);
    STEP(set_common(certificate, key, now_s, valid_days));
    STEP(gnutls_x509_crt_set_dn(certificate, name, NULL));
    STEP(gnutls_x509_crt_set_basic_constraints(certificate, 1, 0));
    STEP(
        gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    return gnutls_x509_crt_privkey_sign(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
}

static int add_names(gnutls_x509_crt_t certificate, const struct certificate_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        unsigned char bytes[ADDRESS_BYTES_MAX];
        const char *name = names->items[i];
        unsigned length = read_address(name, bytes);
        if (length > 0)
            STEP(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes,
                                                      length, GNUTLS_FSAN_APPEND));
        else
            STEP(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                                      (unsigned)strlen(name), GNUTLS_FSAN_APPEND));
    }
    return 0;
}

static int fill_server(gnutls_x509_crt_t certificate, gnutls_privkey_t key,
                       gnutls_x509_crt_t authority, gnutls_privkey_t authority_key,
                       const struct certificate_names *names, int64_t now_s, int valid_days)
{
    unsigned char id[KEY_ID_BYTES_MAX];
    size_t id_length = key_id_of(authority_key, id);
    STEP(set_common(certificate, key, now_s, valid_days));
    STEP(gnutls_x509_crt_set_dn(certificate, "O=Sandpool,CN=localhost", NULL));
    STEP(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1));
    STEP(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE));
    STEP(gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0));
    STEP(gnutls_x509_crt_set_authority_key_id(certificate, id, id_length));
    STEP(add_names(certificate, names));
    return gnutls_x509_crt_privkey_sign(certificate, authority, authority_key, GNUTLS_DIG_SHA256,
                                        0);
}

/* Turns the outcome of making into ours. certificate is taken. */
static int finish(gnutls_x509_crt_t certificate, int result, const char *what,
                  gnutls_x509_crt_t *ret_certificate, struct error *err)
{
    if (result < 0) {
        gnutls_x509_crt_deinit(certificate);
        return error_set(err, ERROR_SYSTEM, "make the %s certificate: %s", what,
                         gnutls_strerror(result));
    }
    *ret_certificate = certificate;
    return 0;
}

int certificate_make_authority(gnutls_privkey_t key, int64_t now_s, int valid_days,
                               gnutls_x509_crt_t *ret_certificate, struct error *err)
{
    gnutls_x509_crt_t certificate = NULL;
    int result = gnutls_x509_crt_init(&certificate);
    if (result == 0)
        result = fill_authority(certificate, key, now_s, valid_days);
    return finish(certificate, result, "authority's", ret_certificate, err);
}

int certificate_make_server(gnutls_privkey_t key, gnutls_x509_crt_t authority,
                            gnutls_privkey_t authority_key, const struct certificate_names *names,
                            int64_t now_s, int valid_days, gnutls_x509_crt_t *ret_certificate,
                            struct error *err)
{
    gnutls_x509_crt_t certificate = NULL;
    int result = gnutls_x509_crt_init(&certificate);
    if (result == 0)
        result = fill_server(certificate, key, authority, authority_key, names, now_s, valid_days);
    return finish(certificate, result, "server's", ret_certificate, err);
}
