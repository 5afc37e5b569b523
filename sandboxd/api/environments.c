#include "sandboxd/api/environments.h"

#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

struct environment {
    const void *pool;
    char identifier[GUID_TEXT_MAX];
    bool had_session;
};

struct environments {
    struct environment ring[ENVIRONMENTS_MAX];
    size_t next;
};

struct environments *environments_create(void)
{
    return xcalloc(1, sizeof(struct environments));
}

void environments_destroy(struct environments *environments)
{
    free(environments);
}

void environments_launch(struct environments *environments, const void *pool,
                         char ret_identifier[GUID_TEXT_MAX])
{
    struct environment *environment = &environments->ring[environments->next];
    environments->next = (environments->next + 1) % ENVIRONMENTS_MAX;
    *environment = (struct environment){.pool = pool};
    random_guid(environment->identifier);
    memcpy(ret_identifier, environment->identifier, GUID_TEXT_MAX);
}

static size_t find(const struct environments *environments, const void *pool,
                   const char *identifier)
{
    size_t at = 0;
    while (at < ENVIRONMENTS_MAX && (environments->ring[at].pool != pool ||
                                     strcmp(environments->ring[at].identifier, identifier) != 0))
        at++;
    return at;
}

void environments_note_session(struct environments *environments, const void *pool,
                               const char *identifier)
{
    size_t at = find(environments, pool, identifier);
    if (at < ENVIRONMENTS_MAX)
        environments->ring[at].had_session = true;
}

bool environments_had_session(const struct environments *environments, const void *pool,
                              const char *identifier)
{
    size_t at = find(environments, pool, identifier);
    return at < ENVIRONMENTS_MAX && environments->ring[at].had_session;
}
