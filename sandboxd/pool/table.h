/* table: a hash table of things that carry their own node.
 *
 * It never owns what is in it, and allocates only in table_create and table_grow: the number of
 * entries is bounded by the pool's own limits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **buckets;
    size_t mask;
};

/* Room for about `expected` entries. */
void table_create(struct table *table, size_t expected);
/* Room for more; entries stay. Never shrinks. */
void table_grow(struct table *table, size_t expected);
void table_destroy(struct table *table);

void table_insert(struct table *table, struct table_node *node, uint64_t hash);
/* Harmless on a node that is not in the table. */
void table_remove(struct table *table, struct table_node *node);

/* The entries with this hash, one after the other; NULL at the end. The caller compares keys. */
struct table_node *table_first(const struct table *table, uint64_t hash);
struct table_node *table_next(const struct table_node *node);

uint64_t table_hash_text(const char *text);
