#include "sandboxd/pool/table.h"

#include "base/core/cleanup.h"

enum { BUCKETS_MIN = 16 };

void table_create(struct table *table, size_t expected)
{
    size_t count = BUCKETS_MIN;
    while (count < expected)
        count *= 2;
    table->buckets = xcalloc(count, sizeof(void *));
    table->mask = count - 1;
}

void table_destroy(struct table *table)
{
    free(table->buckets);
    table->buckets = NULL;
}

/* Numbers that follow each other land in different buckets either way; the upper half counts too.
 */
static struct table_node **bucket_of(const struct table *table, uint64_t hash)
{
    return &table->buckets[(hash ^ hash >> 32) & table->mask];
}

void table_insert(struct table *table, struct table_node *node, uint64_t hash)
{
    struct table_node **bucket = bucket_of(table, hash);
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
}

void table_grow(struct table *table, size_t expected)
{
    struct table old = *table;
    if (expected <= old.mask + 1)
        return;
    table_create(table, expected);
    for (size_t i = 0; i <= old.mask; i++) {
        while (old.buckets[i]) {
            struct table_node *node = old.buckets[i];
            old.buckets[i] = node->next;
            table_insert(table, node, node->hash);
        }
    }
    table_destroy(&old);
}

void table_remove(struct table *table, struct table_node *node)
{
    struct table_node **place = bucket_of(table, node->hash);
    while (*place && *place != node)
        place = &(*place)->next;
    if (*place)
        *place = node->next;
}

static struct table_node *with_hash(struct table_node *node, uint64_t hash)
{
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct table_node *table_first(const struct table *table, uint64_t hash)
{
    return with_hash(*bucket_of(table, hash), hash);
}

struct table_node *table_next(const struct table_node *node)
{
    return with_hash(node->next, node->hash);
}

uint64_t table_hash_text(const char *text)
{
    /* FNV-1a. A client can make keys collide; a chain is never longer than the pool has sessions.
     */
    uint64_t hash = 14695981039346656037u;
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    return hash;
}
