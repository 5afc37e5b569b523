/* identity: tokens of Microsoft Entra, found as DefaultAzureCredential finds them, kept in memory
 * by scope and renewed five minutes before they expire.
 *
 * The source that worked first is asked from then on. One request for a scope is under way at a
 * time, whoever waits for it.
 */
#pragma once

#include "agent/credential/credential.h"
#include "base/core/loop.h"
#include "base/http/http_client.h"

struct identity;

/* only_given: sources that the environment names, and neither this machine's metadata service nor
 * programs. loop and http are borrowed. */
struct identity *identity_create(struct loop *loop, struct http_client *http, bool only_given);
/* Ends what is under way; waits are not called. */
void identity_destroy(struct identity *identity);
struct credential identity_credential(struct identity *identity);
/* The name of the source that worked, or NULL. */
const char *identity_source(const struct identity *identity);
/* True when the environment names a source. */
bool identity_is_given(void);
