#include "sandboxd/pool/pool.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/core/cleanup.h"

struct pool *pool_create(const struct pool_settings *settings, const struct pool_broker *broker,
                         struct clock clock)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pool->settings = *settings;
    pool->broker = *broker;
    pool->clock = clock;
    pool->wake_at_ms = -1;
    table_create(&pool->by_identifier, settings->max_concurrent_sessions);
    return pool;
}

static struct session *session_of(struct table_node *node)
{
    return (struct session *)((char *)node - offsetof(struct session, node));
}

static void destroy_session(struct session *session)
{
    session->pool->session_count--;
    free(session->identifier);
    free(session);
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i <= pool->by_identifier.mask; i++) {
        while (pool->by_identifier.buckets[i]) {
            struct session *session = session_of(pool->by_identifier.buckets[i]);
            pool->by_identifier.buckets[i] = session->node.next;
            destroy_session(session);
        }
    }
    while (pool->ready.first) {
        struct session *session = pool->ready.first;
        pool->ready.first = session->place.next;
        destroy_session(session);
    }
    table_destroy(&pool->by_identifier);
    free(pool);
}

/* next: NULL for a place at the end. */
static void list_insert(struct session_list *list, struct session *session, struct session *next)
{
    struct session *previous = next ? next->place.previous : list->last;
    session->place = (struct session_place){.previous = previous, .next = next, .listed = true};
    if (previous)
        previous->place.next = session;
    else
        list->first = session;
    if (next)
        next->place.previous = session;
    else
        list->last = session;
}

static void list_add(struct session_list *list, struct session *session)
{
    list_insert(list, session, NULL);
}

static void list_remove(struct session_list *list, struct session *session)
{
    struct session_place *place = &session->place;
    if (!place->listed)
        return;
    if (place->previous)
        place->previous->place.next = place->next;
    else
        list->first = place->next;
    if (place->next)
        place->next->place.previous = place->previous;
    else
        list->last = place->previous;
    *place = (struct session_place){0};
}

static int64_t now_ms(const struct pool *pool)
{
    return clock_now_ms(&pool->clock);
}

static void ask_to_wake(struct pool *pool, int64_t at_ms)
{
    if (pool->wake_at_ms >= 0 && pool->wake_at_ms <= at_ms)
        return;
    pool->wake_at_ms = at_ms;
    pool->broker.wake(pool->broker.self, pool, at_ms);
}

/* Ready instances and allocated sessions together never pass the pool's maximum. */
static unsigned wanted_ready(const struct pool *pool)
{
    unsigned most = pool->settings.max_concurrent_sessions;
    unsigned room = most > pool->allocated_count ? most - pool->allocated_count : 0;
    unsigned wanted = pool->settings.ready_session_instances;
    return wanted < room ? wanted : room;
}

static struct session *new_session(struct pool *pool)
{
    struct session *session = xcalloc(1, sizeof *session);
    pool->session_count++;
    session->pool = pool;
    session->state = SESSION_STARTING;
    return session;
}

static void add_ready(struct pool *pool, struct session *session)
{
    list_add(&pool->ready, session);
    pool->ready_count++;
}

static void make_ready_instances(struct pool *pool)
{
    if (pool->closing)
        return;
    if (pool->retry_at_ms > now_ms(pool)) {
        ask_to_wake(pool, pool->retry_at_ms);
        return;
    }
    while (pool->ready_count < wanted_ready(pool)) {
        struct session *session = new_session(pool);
        add_ready(pool, session);
        pool->broker.start(pool->broker.self, session);
    }
    if (wanted_ready(pool) == 0)
        pool->settled = true;
}

static void expire_sessions(struct pool *pool)
{
    int64_t now = now_ms(pool);
    while (pool->quiet.first && pool->quiet.first->expires_at_ms <= now)
        pool_remove_session(pool->quiet.first);
    if (pool->quiet.first)
        ask_to_wake(pool, pool->quiet.first->expires_at_ms);
}

void pool_wake(struct pool *pool)
{
    pool->wake_at_ms = -1;
    expire_sessions(pool);
    make_ready_instances(pool);
}

struct session *pool_find_session(const struct pool *pool, const char *identifier)
{
    struct table_node *node = table_first(&pool->by_identifier, table_hash_text(identifier));
    for (; node; node = table_next(node)) {
        if (strcmp(session_of(node)->identifier, identifier) == 0)
            return session_of(node);
    }
    return NULL;
}

static void allocate(struct pool *pool, struct session *session, const char *identifier)
{
    session->identifier = xstrdup(identifier);
    table_insert(&pool->by_identifier, &session->node, table_hash_text(identifier));
    pool->allocated_count++;
}

/* One that is ready for code before one that is still starting; NULL when there is neither. */
static struct session *take_ready_instance(struct pool *pool)
{
    struct session *best = pool->ready.first;
    for (struct session *s = best; s && best->state != SESSION_IDLE; s = s->place.next) {
        if (s->state == SESSION_IDLE)
            best = s;
    }
    if (best) {
        list_remove(&pool->ready, best);
        pool->ready_count--;
    }
    return best;
}

int pool_obtain_session(struct pool *pool, const char *identifier, struct session **ret_session,
                        bool *ret_new, struct error *err)
{
    struct session *session = pool_find_session(pool, identifier);
    *ret_new = !session;
    if (session) {
        pool_note_use(session);
        *ret_session = session;
        return 0;
    }
    if (pool->closing)
        return error_set(err, ERROR_MISSING, "the pool \"%s\" is gone", pool->settings.name);
    if (pool->allocated_count >= pool->settings.max_concurrent_sessions)
        return error_set(err, ERROR_LIMIT,
                         "pool \"%s\" already has %u sessions; delete one or wait for a cooldown",
                         pool->settings.name, pool->settings.max_concurrent_sessions);

    session = take_ready_instance(pool);
    bool ahead = session != NULL;
    if (!ahead)
        session = new_session(pool);
    allocate(pool, session, identifier);
    int64_t now = now_ms(pool);
    session->record = (struct session_record){
        .order = ++pool->last_order, .created_at_ms = now, .used_at_ms = now};
    if (!ahead)
        pool->broker.start(pool->broker.self, session);
    else if (session->has_shell)
        pool_store_session(session);
    pool_note_use(session);
    if (ahead)
        ask_to_wake(pool, now + POOL_REPLACE_MS);
    *ret_session = session;
    return 0;
}

/* Sessions are adopted in any order, but the first in the list must be the first to expire. */
static void expect_expiry(struct session *session)
{
    struct pool *pool = session->pool;
    int64_t cooldown = pool->settings.cooldown_ms;
    int64_t expiry = session->record.used_at_ms + cooldown;
    int64_t least = now_ms(pool) + (cooldown < POOL_ADOPTED_MS ? cooldown : POOL_ADOPTED_MS);
    session->expires_at_ms = expiry > least ? expiry : least;

    struct session *next = pool->quiet.first;
    while (next && next->expires_at_ms <= session->expires_at_ms)
        next = next->place.next;
    list_insert(&pool->quiet, session, next);
    ask_to_wake(pool, session->expires_at_ms);
}

struct session *pool_adopt_session(struct pool *pool, const char *identifier,
                                   const struct session_record *record)
{
    struct session *session = new_session(pool);
    session->has_shell = true;
    session->record = *record;
    if (!identifier) {
        add_ready(pool, session);
        return session;
    }
    if (record->order > pool->last_order)
        pool->last_order = record->order;
    allocate(pool, session, identifier);
    expect_expiry(session);
    return session;
}

static int by_order(const void *a, const void *b)
{
    uint64_t left = (*(struct session *const *)a)->record.order;
    uint64_t right = (*(struct session *const *)b)->record.order;
    return (left > right) - (left < right);
}

struct session **pool_list_sessions(const struct pool *pool, size_t *ret_count)
{
    size_t count = 0;
    struct session **sessions = xcalloc(pool->allocated_count + 1, sizeof(struct session *));
    for (size_t i = 0; i <= pool->by_identifier.mask; i++) {
        struct table_node *node = pool->by_identifier.buckets[i];
        for (; node; node = node->next)
            sessions[count++] = session_of(node);
    }
    qsort(sessions, count, sizeof(struct session *), by_order);
    *ret_count = count;
    return sessions;
}

int64_t pool_expiry_of_session(const struct session *session)
{
    const struct pool *pool = session->pool;
    return session->place.listed ? session->expires_at_ms
                                 : now_ms(pool) + pool->settings.cooldown_ms;
}

void pool_forget_session(struct session *session)
{
    struct pool *pool = session->pool;
    if (!session->identifier) {
        if (session->place.listed)
            pool->ready_count--;
        list_remove(&pool->ready, session);
        return;
    }
    list_remove(&pool->quiet, session);
    if (session->state != SESSION_REMOVING) {
        table_remove(&pool->by_identifier, &session->node);
        pool->allocated_count--;
    }
}

/* The caller goes on to use the session, so this is never the hold that frees it. */
static void lose_all(struct work_queue *queue, struct session *session, const struct error *why)
{
    while (queue->first) {
        struct work *work = queue->first;
        queue->first = work->next;
        queue->count--;
        session->holds--;
        work->on_lost(work->self, why);
    }
    queue->last = NULL;
}

void pool_remove_session(struct session *session)
{
    if (session->state == SESSION_REMOVING || session->state == SESSION_ENDED)
        return;
    pool_forget_session(session);
    session->state = SESSION_REMOVING;

    struct pool *pool = session->pool;
    if (session->has_shell)
        pool->broker.remove(pool->broker.self, session);
    struct error why;
    error_set(&why, ERROR_MISSING, "the session was removed before this could run; send it again");
    lose_all(&session->executions, session, &why);
    lose_all(&session->transfers, session, &why);
    make_ready_instances(pool);
}

void pool_close(struct pool *pool)
{
    pool->closing = true;
    while (pool->ready.first)
        pool_remove_session(pool->ready.first);
    for (size_t i = 0; i <= pool->by_identifier.mask; i++) {
        while (pool->by_identifier.buckets[i])
            pool_remove_session(session_of(pool->by_identifier.buckets[i]));
    }
    if (pool->session_count == 0)
        ask_to_wake(pool, now_ms(pool));
}

static bool same_egress(const struct pool_egress *a, const struct pool_egress *b)
{
    return a->enabled == b->enabled && a->names == b->names && a->range_count == b->range_count &&
           memcmp(a->ranges, b->ranges, a->range_count * sizeof *a->ranges) == 0;
}

static bool same_sessions(const struct pool_settings *a, const struct pool_settings *b)
{
    return a->session_memory_bytes == b->session_memory_bytes && a->data_bytes == b->data_bytes &&
           a->data_inodes == b->data_inodes && a->session_tasks == b->session_tasks &&
           a->cpu_percent == b->cpu_percent && a->policy == b->policy &&
           a->start_exec == b->start_exec && a->preload == b->preload && a->audit == b->audit &&
           same_egress(&a->egress, &b->egress);
}

void pool_update(struct pool *pool, const struct pool_settings *settings)
{
    struct pool_settings before = pool->settings;
    pool->settings = *settings;
    memcpy(pool->settings.key, before.key, sizeof before.key);
    table_grow(&pool->by_identifier, settings->max_concurrent_sessions);

    /* All by the same time: the first still expires first. */
    for (struct session *s = pool->quiet.first; s; s = s->place.next)
        s->expires_at_ms += settings->cooldown_ms - before.cooldown_ms;

    /* What is made meanwhile comes last. */
    unsigned wanted = wanted_ready(pool);
    unsigned surplus = pool->ready_count > wanted ? pool->ready_count - wanted : 0;
    unsigned stale = same_sessions(&before, settings) ? surplus : pool->ready_count;
    while (stale-- > 0)
        pool_remove_session(pool->ready.first);
    pool_wake(pool);
}

void session_on_ended(struct session *session, const struct error *why)
{
    struct pool *pool = session->pool;
    bool unexpected = session->state != SESSION_REMOVING;
    if (unexpected && !session->identifier)
        pool_note_failed_start(pool);
    if (unexpected)
        pool_forget_session(session);
    session->state = SESSION_ENDED;

    session_begin_guard(session);
    session_end_turn(session);
    lose_all(&session->executions, session, why);
    lose_all(&session->transfers, session, why);
    session_end_guard(session);
    make_ready_instances(pool);
}

void pool_store_session(struct session *session)
{
    struct pool *pool = session->pool;
    session->stored_at_ms = now_ms(pool);
    pool->broker.store(pool->broker.self, session);
}

/* It may expire unless somebody uses it. */
static void list_if_quiet(struct session *session)
{
    struct pool *pool = session->pool;
    bool may_expire = session->identifier && session->state < SESSION_REMOVING;
    if (!may_expire || session->holds > 0 || session->place.listed)
        return;
    session->expires_at_ms = session->record.used_at_ms + pool->settings.cooldown_ms;
    list_add(&pool->quiet, session);
    ask_to_wake(pool, session->expires_at_ms);
}

void pool_note_use(struct session *session)
{
    struct pool *pool = session->pool;
    if (!session->identifier || session->state >= SESSION_REMOVING)
        return;
    int64_t now = now_ms(pool);
    session->record.used_at_ms = now;
    if (session->has_shell && now - session->stored_at_ms >= POOL_STORE_MS)
        pool_store_session(session);
    list_remove(&pool->quiet, session);
    list_if_quiet(session);
}

void session_end_guard(struct session *session)
{
    session->holds--;
    if (session->holds > 0 || session->state != SESSION_ENDED) {
        list_if_quiet(session);
        return;
    }
    struct pool *pool = session->pool;
    destroy_session(session);
    if (pool->closing && pool->session_count == 0)
        ask_to_wake(pool, now_ms(pool)); /* callers still use the pool */
}

void session_release(struct session *session)
{
    pool_note_use(session);
    session_end_guard(session);
}

void pool_note_ready(struct session *session)
{
    struct pool *pool = session->pool;
    pool->retry_ms = 0;
    if (pool->settled || session->identifier)
        return;
    unsigned idle = 0;
    for (struct session *s = pool->ready.first; s; s = s->place.next)
        idle += s->state == SESSION_IDLE;
    pool->settled = idle >= wanted_ready(pool);
}

void pool_note_failed_start(struct pool *pool)
{
    pool->retry_ms = pool->retry_ms ? 2 * pool->retry_ms : POOL_RETRY_MS;
    if (pool->retry_ms > POOL_RETRY_MS_MAX)
        pool->retry_ms = POOL_RETRY_MS_MAX;
    pool->retry_at_ms = now_ms(pool) + pool->retry_ms;
}
