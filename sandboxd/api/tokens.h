/* tokens: where Azure's credentials get a token: managed identity, IMDS, and an OAuth authority.
 *
 * Only the front's own secrets and what was sent decide: sandboxd/identity/grant.h. docs/api.md,
 * "Tokens".
 */
#pragma once

struct exchange;

/* GET /msi/token, with the header X-IDENTITY-HEADER. */
void token_for_identity(struct exchange *exchange);
/* GET /metadata/identity/oauth2/token, with the header Metadata: true. */
void token_for_machine(struct exchange *exchange);
/* POST /TENANT/oauth2/v2.0/token, a form. */
void token_for_client(struct exchange *exchange);

/* What libraries read before they ask the authority. */
void authority_show(struct exchange *exchange);
void authority_show_keys(struct exchange *exchange);
void authority_show_instance(struct exchange *exchange);
