#include "agent/tape/deck.h"

#include <fcntl.h>
#include <string.h>

#include "agent/tape/capture.h"
#include "agent/tape/difference.h"
#include "agent/tape/player.h"
#include "agent/tape/scripted.h"
#include "agent/tape/skip_clock.h"
#include "agent/tape/speech.h"
#include "base/core/listener.h"
#include "base/core/text.h"
#include "base/json/json.h"

enum {
    PARTIES = 2,
    MISMATCH_BYTES_MAX = 64 * 1024,
    /* A broken connection loses bytes that were given; nothing is waited for longer than this. */
    ARRIVAL_MS_MAX = 1000,
};

/* One of the two peers. */
struct side {
    struct deck *deck;
    enum tape_party party;
    char *endpoint; /* where the agent goes */
    size_t next;    /* DECK_REPLAY: the exchange on the tape that comes next */
    int listen_fd;
    struct player *player; /* NULL: it is real */
};

struct deck {
    enum deck_mode mode;
    struct skip_clock clock;
    struct tape *tape;     /* what is played: this, */
    struct script *script; /* or the model of this */
    struct scripted scripted;
    int fd; /* what is recorded; -1 */
    json_t *settings;
    struct tape_tokens tokens;
    struct side sides[PARTIES];
    struct http_client *http;
    struct loop *loop;
    struct error failure; /* of the recording */
    struct buf mismatch;

    unsigned in_flight;        /* exchanges of the client */
    unsigned in_flight_played; /* those with one of our players */
    uint64_t arrived_bytes;    /* of bodies of players */
    int64_t moved_at_ms; /* real time: when the last byte arrived, or an exchange began or ended */
};

/* An exchange that is watched. */
struct watched {
    bool is_kept; /* it goes onto the tape */
    bool is_played;
    int64_t began_ms;
    int64_t last_ms; /* of the last piece, since it began */
    struct tape_exchange exchange;
};

int deck_read_mode(const char *text, enum deck_mode *ret_mode, struct error *err)
{
    static const char *const names[] = {[DECK_RECORD] = "record",
                                        [DECK_REPLAY] = "replay",
                                        [DECK_REPLAY_LLM] = "replay-llm",
                                        [DECK_REPLAY_SANDBOX] = "replay-sandbox"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_mode = (enum deck_mode)i;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "the mode of a tape must be record, replay, replay-llm or replay-sandbox");
}

bool deck_plays(const struct deck *deck, enum tape_party party)
{
    return deck->mode == DECK_REPLAY ||
           deck->mode == (party == TAPE_MODEL ? DECK_REPLAY_LLM : DECK_REPLAY_SANDBOX);
}

static struct deck *new_deck(enum deck_mode mode)
{
    struct deck *deck = xcalloc(1, sizeof *deck);
    deck->mode = mode;
    deck->fd = -1;
    deck->mismatch.limit = MISMATCH_BYTES_MAX;
    deck->clock.is_still = mode == DECK_REPLAY;
    for (int party = 0; party < PARTIES; party++)
        deck->sides[party] =
            (struct side){.deck = deck, .party = (enum tape_party)party, .listen_fd = -1};
    deck->settings = json_object();
    return deck;
}

static void on_script_mismatch(void *self, const struct error *why)
{
    buf_printf(&((struct deck *)self)->mismatch, "the script: %s\n", why->message);
}

int deck_create_scripted(const char *data, size_t length, struct deck **ret_deck, struct error *err)
{
    AUTO(deck) struct deck *deck = new_deck(DECK_REPLAY_LLM);
    if (script_read(data, length, &deck->script, err) < 0)
        return -1;
    deck->scripted = (struct scripted){
        .act = act_create(deck->script, NULL), .on_mismatch = on_script_mismatch, .self = deck};
    json_object_set_new(deck->settings, "model", json_string(act_model(deck->scripted.act)));
    *ret_deck = TAKE(deck);
    return 0;
}

static int load(struct deck *deck, const char *data, size_t length, struct error *err)
{
    if (tape_read(data, length, &deck->tape, err) < 0)
        return -1;
    json_t *settings = json_object_get(deck->tape->header, "settings");
    if (json_is_object(settings))
        json_object_update(deck->settings, settings);
    return 0;
}

/* A script where a model comes from a tape is as good as one. */
static int open_played(enum deck_mode mode, const char *path, struct deck **ret_deck,
                       struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_from_errno(err, "%s", path);
    size_t length;
    AUTO_FREE char *text = text_read_all(fd, TAPE_BYTES_MAX, &length, err);
    if (!text)
        return error_add_context(err, "%s", path);
    int result;
    if (mode == DECK_REPLAY_LLM && !tape_is_tape(text, length)) {
        result = deck_create_scripted(text, length, ret_deck, err);
    } else {
        AUTO(deck) struct deck *deck = new_deck(mode);
        result = load(deck, text, length, err);
        if (result == 0)
            *ret_deck = TAKE(deck);
    }
    return result < 0 ? error_add_context(err, "%s", path) : 0;
}

int deck_create(enum deck_mode mode, const char *path, struct deck **ret_deck, struct error *err)
{
    if (mode != DECK_RECORD)
        return open_played(mode, path, ret_deck, err);
    AUTO(deck) struct deck *deck = new_deck(mode);
    if (tape_create_file(path, &deck->fd, err) < 0)
        return -1;
    *ret_deck = TAKE(deck);
    return 0;
}
struct clock deck_clock(struct deck *deck)
{
    return skip_clock_as_clock(&deck->clock);
}

json_t *deck_settings(const struct deck *deck)
{
    return deck->settings;
}

const char *deck_endpoint(const struct deck *deck, enum tape_party party)
{
    return deck->sides[party].endpoint;
}

void deck_hide(struct deck *deck, const char *secret)
{
    tape_tokens_add(&deck->tokens, secret, tape_secret_token);
}

void deck_name(struct deck *deck, const char *text, const char *name)
{
    AUTO_FREE char *token = xasprintf("<%s>", name);
    tape_tokens_add(&deck->tokens, text, token);
}

const char *deck_mismatch(const struct deck *deck)
{
    return deck->mismatch.length > 0 ? deck->mismatch.data : NULL;
}

/* ---- playing ---- */

static const struct tape_exchange *next_of(struct side *side)
{
    const struct tape *tape = side->deck->tape;
    while (side->next < tape->count && tape->exchanges[side->next].request.party != side->party)
        side->next++;
    return side->next < tape->count ? &tape->exchanges[side->next] : NULL;
}

/* What a request is compared by. A live sandbox, or a prompt that was improved since, makes the
 * conversation before its last message another one, which does not matter when the other side is
 * real. */
static json_t *compared_part(const struct deck *deck, json_t *body)
{
    if (deck->mode == DECK_REPLAY)
        return body;
    json_t *messages = json_object_get(body, "messages");
    if (!messages)
        messages = json_object_get(body, "input");
    size_t count = json_array_size(messages);
    return count > 0 ? json_array_get(messages, count - 1) : body;
}

static bool is_as_taped(struct deck *deck, const struct tape_exchange *taped,
                        const struct tape_request *now)
{
    AUTO_BUF struct buf differences = {0};
    bool same = true;
    if (strcmp(taped->request.method, now->method) != 0 ||
        strcmp(taped->request.path, now->path) != 0) {
        buf_printf(&differences, "the tape has %s %s, now it is %s %s\n", taped->request.method,
                   taped->request.path, now->method, now->path);
        same = false;
    }
    if (!difference_write(compared_part(deck, taped->request.body), compared_part(deck, now->body),
                          &differences))
        same = false;
    if (!same)
        buf_printf(&deck->mismatch, "%s request on line %u of the tape:\n%s",
                   tape_party_name(now->party), taped->line, differences.data);
    return same;
}

static void copy_reply(const struct deck *deck, const struct reply *taped, struct reply *reply)
{
    reply->status = taped->status;
    reply->is_cut = taped->is_cut;
    for (size_t i = 0; i < taped->header_count; i++)
        reply_add_header(reply, taped->headers[i].name, taped->headers[i].value);
    size_t start = 0;
    for (size_t i = 0; i < taped->piece_count; i++) {
        tape_tokens_restore(&deck->tokens, taped->body.data + start, taped->pieces[i].end - start,
                            &reply->body);
        reply_end_piece(reply, taped->pieces[i].delay_ms);
        start = taped->pieces[i].end;
    }
}

static void refuse(struct reply *reply, const char *message)
{
    speech_write_error(reply, 400, "tape_mismatch", NULL, message);
}

static void on_request(void *self, const struct player_request *received, struct reply *reply)
{
    struct side *side = self;
    struct deck *deck = side->deck;
    struct tape_request now = {0};
    struct error err = {0};
    const struct tape_exchange *taped = next_of(side);
    reply->body.limit = REPLY_BYTES_MAX;
    if (capture_received(received, side->party, &deck->tokens, &now, &err) < 0) {
        buf_printf(&deck->mismatch, "a request that cannot be read: %s\n", err.message);
        refuse(reply, err.message);
    } else if (!taped) {
        buf_printf(&deck->mismatch, "the tape has no further %s request, now there is %s %s\n",
                   tape_party_name(side->party), now.method, now.path);
        refuse(reply, "the tape has no further request");
    } else if (!is_as_taped(deck, taped, &now)) {
        refuse(reply, "the request is not the one on the tape");
    } else if (!taped->is_answered) {
        /* What was cut off before an answer is cut off again. */
        reply->status = 200;
        reply->is_cut = true;
        side->next++;
    } else {
        copy_reply(deck, &taped->reply, reply);
        side->next++;
    }
    tape_request_clear(&now);
}

static int play(struct side *side, struct error *err)
{
    static const char *const paths[] = {[TAPE_MODEL] = "model_path", [TAPE_POOL] = "pool_path"};
    struct deck *deck = side->deck;
    struct listener_address address = {.option = "tape", .text = "127.0.0.1:0"};
    struct player_handler handler = {.self = side, .on_request = on_request};
    if (deck->script)
        handler = scripted_handler(&deck->scripted);
    if (listener_open(&address, &side->listen_fd, err) < 0 ||
        player_create(deck->loop, side->listen_fd, &handler, &side->player, err) < 0)
        return error_add_context(err, "play the tape");
    json_t *header = deck->tape ? deck->tape->header : NULL;
    const char *path =
        deck->script ? "/v1" : json_string_value(json_object_get(header, paths[side->party]));
    side->endpoint = xasprintf("%s%s", player_url(side->player), path ? path : "");
    return 0;
}

/* ---- watching ---- */

static int64_t real_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static struct side *side_of(struct deck *deck, const char *url)
{
    for (int party = 0; party < PARTIES; party++) {
        const char *endpoint = deck->sides[party].endpoint;
        size_t length = endpoint ? strlen(endpoint) : 0;
        if (length == 0 || strncmp(url, endpoint, length) != 0)
            continue;
        if (endpoint[length - 1] == '/' || strchr("/?#:", url[length]))
            return &deck->sides[party];
    }
    return NULL;
}

static void *on_start(void *self, const struct http_exchange_options *options)
{
    struct deck *deck = self;
    struct watched *watched = xcalloc(1, sizeof *watched);
    struct side *side = side_of(deck, options->url);
    watched->began_ms = loop_now_ms(deck->loop);
    watched->is_played = side && side->player;
    watched->is_kept = side && deck->fd >= 0;
    watched->exchange.reply.body.limit = REPLY_BYTES_MAX;
    if (watched->is_kept && capture_sent(options, side->party, &deck->tokens,
                                         &watched->exchange.request, &deck->failure) < 0)
        watched->is_kept = false;
    deck->in_flight++;
    deck->in_flight_played += watched->is_played;
    deck->moved_at_ms = real_ms();
    return watched;
}

static void on_head(void *self, void *seen, const struct http_exchange *exchange)
{
    (void)self;
    struct watched *watched = seen;
    struct reply *reply = &watched->exchange.reply;
    watched->exchange.is_answered = true;
    reply->status = http_exchange_status(exchange);
    for (const char *const *name = capture_headers; *name; name++) {
        const char *value = http_exchange_header(exchange, *name);
        if (value)
            reply_add_header(reply, *name, value);
    }
}

static void on_data(void *self, void *seen, const char *data, size_t length)
{
    struct deck *deck = self;
    struct watched *watched = seen;
    if (watched->is_played)
        deck->arrived_bytes += length;
    deck->moved_at_ms = real_ms();
    if (!watched->is_kept)
        return;
    int64_t since_ms = loop_now_ms(deck->loop) - watched->began_ms;
    if (!buf_append(&watched->exchange.reply.body, data, length)) {
        watched->is_kept = false;
        error_set(&deck->failure, ERROR_LIMIT,
                  "an answer is longer than the %d bytes that a tape "
                  "holds of one",
                  REPLY_BYTES_MAX);
        return;
    }
    reply_end_piece(&watched->exchange.reply, since_ms - watched->last_ms);
    watched->last_ms = since_ms;
}

static void on_end(void *self, void *seen, bool is_complete)
{
    struct deck *deck = self;
    struct watched *watched = seen;
    watched->exchange.reply.is_cut = !is_complete;
    deck->in_flight--;
    deck->in_flight_played -= watched->is_played;
    deck->moved_at_ms = real_ms();
    if (watched->is_kept && deck->failure.code == ERROR_NONE)
        tape_write_exchange(deck->fd, &watched->exchange, &deck->tokens, &deck->failure);
    tape_request_clear(&watched->exchange.request);
    reply_clear(&watched->exchange.reply);
    free(watched);
}

/* Nothing is under way but answers of ours that wait for the clock, and what they have said so far
 * has arrived. */
static bool may_skip(void *self)
{
    const struct deck *deck = self;
    unsigned waiting = 0;
    uint64_t given = 0;
    for (int party = 0; party < PARTIES; party++) {
        const struct player *player = deck->sides[party].player;
        waiting += player ? player_waiting(player) : 0;
        given += player ? player_bytes_given(player) : 0;
    }
    if (deck->in_flight != deck->in_flight_played)
        return false; /* real time decides */
    if (deck->in_flight == 0)
        return true;
    return (deck->in_flight == waiting && deck->arrived_bytes == given) ||
           real_ms() - deck->moved_at_ms > ARRIVAL_MS_MAX;
}

/* ---- start and end ---- */

static int write_header(struct deck *deck, const struct deck_start *start, struct error *err)
{
    AUTO_FREE char *model_path = capture_path(start->model_endpoint, &deck->tokens);
    AUTO_FREE char *pool_path = capture_path(start->pool_endpoint, &deck->tokens);
    json_t *header =
        json_pack("{s:i, s:s, s:s, s:s, s:[s,s,s]}", "tape", TAPE_VERSION, "clock", "virtual",
                  "model_path", strcmp(model_path, "/") == 0 ? "" : model_path, "pool_path",
                  strcmp(pool_path, "/") == 0 ? "" : pool_path, "redacted", "authorization",
                  "api-key", "cookie");
    json_object_set_new(header, "settings", tape_tokens_replace_all(&deck->tokens, deck->settings));
    return tape_write(deck->fd, header, err);
}

int deck_start(struct deck *deck, const struct deck_start *start, struct error *err)
{
    static const struct http_observer watcher = {
        .on_start = on_start, .on_head = on_head, .on_data = on_data, .on_end = on_end};
    const char *const endpoints[PARTIES] = {
        [TAPE_MODEL] = start->model_endpoint, [TAPE_POOL] = start->pool_endpoint};
    struct http_observer observer = watcher;
    observer.self = deck;
    deck->loop = start->loop;
    deck->http = start->http;
    for (int party = 0; party < PARTIES; party++) {
        struct side *side = &deck->sides[party];
        if (!deck_plays(deck, side->party))
            side->endpoint = endpoints[party] ? xstrdup(endpoints[party]) : NULL;
        else if (play(side, err) < 0)
            return -1;
    }
    if (deck->fd >= 0) {
        if (start->settings)
            json_object_update(deck->settings, start->settings);
        if (write_header(deck, start, err) < 0)
            return -1;
    } else {
        skip_clock_start(&deck->clock, deck->loop, may_skip, deck);
    }
    http_client_observe(deck->http, &observer);
    return 0;
}

void deck_stop(struct deck *deck)
{
    if (!deck)
        return;
    if (deck->http)
        http_client_observe(deck->http, NULL);
    deck->http = NULL;
    skip_clock_stop(&deck->clock);
    for (int party = 0; party < PARTIES; party++) {
        player_destroy(deck->sides[party].player);
        deck->sides[party].player = NULL;
        close_fd(&deck->sides[party].listen_fd);
    }
}

void deck_destroy(struct deck *deck)
{
    if (!deck)
        return;
    deck_stop(deck);
    for (int party = 0; party < PARTIES; party++)
        free(deck->sides[party].endpoint);
    close_fd(&deck->fd);
    tape_destroy(deck->tape);
    act_destroy(deck->scripted.act);
    script_destroy(deck->script);
    tape_tokens_clear(&deck->tokens);
    json_decref(deck->settings);
    buf_free(&deck->mismatch);
    free(deck);
}

int deck_note_turn(struct deck *deck, const char *text, struct error *err)
{
    if (deck->fd < 0)
        return 0;
    AUTO_BUF struct buf safe = {0};
    tape_tokens_replace(&deck->tokens, text, strlen(text), &safe);
    return tape_write(deck->fd,
                      json_pack("{s:s, s:s}", "event", "user", "text", safe.data ? safe.data : ""),
                      err);
}

const char *deck_turn(const struct deck *deck, size_t number)
{
    json_t *turn = deck->tape ? json_array_get(deck->tape->turns, number) : NULL;
    return json_string_value(json_object_get(turn, "text"));
}

/* Everything on the tape must have been asked for. */
static void check_end(struct deck *deck, json_t *final)
{
    for (int party = 0; party < PARTIES; party++) {
        struct side *side = &deck->sides[party];
        const struct tape_exchange *left = side->player && deck->tape ? next_of(side) : NULL;
        if (left)
            buf_printf(&deck->mismatch,
                       "the tape has a further %s request on line %u, %s %s, which was not made\n",
                       tape_party_name(side->party), left->line, left->request.method,
                       left->request.path);
    }
    if (deck->mode != DECK_REPLAY || !deck->tape->final)
        return;
    AUTO_BUF struct buf differences = {0};
    if (!difference_write(deck->tape->final, final, &differences))
        buf_printf(&deck->mismatch, "how it ended:\n%s", differences.data);
}

int deck_finish(struct deck *deck, json_t *final, struct error *err)
{
    AUTO_JSON json_t *safe = tape_tokens_replace_all(&deck->tokens, final);
    json_decref(final);
    json_object_set_new(safe, "event", json_string("final"));
    if (deck->failure.code != ERROR_NONE) {
        *err = deck->failure;
        return error_add_context(err, "the tape is not complete");
    }
    if (deck->fd >= 0)
        return tape_write(deck->fd, json_incref(safe), err);
    check_end(deck, safe);
    return deck_mismatch(deck) ? error_set(err, ERROR_CONFLICT, "this is not what the tape has")
                               : 0;
}
