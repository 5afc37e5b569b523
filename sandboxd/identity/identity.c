#include "sandboxd/identity/identity.h"

#include <string.h>

int identity_open(int state_fd, const struct identity_options *options,
                  struct identity **ret_identity, struct error *err)
{
    AUTO(identity) struct identity *identity = xcalloc(1, sizeof *identity);
    if (issuer_open(state_fd, true, &identity->issuer, err) < 0 ||
        secret_open(state_fd, IDENTITY_HEADER_FILE, true, identity->header, err) < 0 ||
        authority_open(state_fd, options->names, options->name_count, options->now_s,
                       &identity->certificate, err) < 0)
        return -1;
    *ret_identity = TAKE(identity);
    return 0;
}

void identity_destroy(struct identity *identity)
{
    if (!identity)
        return;
    issuer_destroy(identity->issuer);
    server_certificate_clear(&identity->certificate);
    explicit_bzero(identity->header, sizeof identity->header);
    free(identity);
}
