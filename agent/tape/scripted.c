#include "agent/tape/scripted.h"

#include <string.h>

#include "agent/tape/speech.h"
#include "base/json/writer.h"

/* Does the path, without its query, end with this? */
static bool path_ends_with(const char *target, const char *end)
{
    size_t length = strcspn(target, "?"), end_length = strlen(end);
    return length >= end_length && memcmp(target + length - end_length, end, end_length) == 0;
}

static void list_models(const struct scripted *scripted, struct reply *reply)
{
    struct writer writer = writer_begin(&reply->body, false);
    reply->status = 200;
    reply_add_header(reply, "Content-Type", "application/json");
    writer_open_object(&writer, NULL);
    writer_string(&writer, "object", "list");
    writer_open_array(&writer, "data");
    writer_open_object(&writer, NULL);
    writer_string(&writer, "id", act_model(scripted->act));
    writer_string(&writer, "object", "model");
    writer_integer(&writer, "created", 0);
    writer_string(&writer, "owned_by", "script");
    writer_close_object(&writer);
    writer_close_array(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    reply_end_piece(reply, 0);
}

static void refuse(struct scripted *scripted, const struct error *why, struct reply *reply)
{
    reply_clear(reply);
    reply->body.limit = REPLY_BYTES_MAX;
    speech_write_error(reply, 400, "script_mismatch", NULL, why->message);
    scripted->mismatches++;
    if (scripted->on_mismatch)
        scripted->on_mismatch(scripted->self, why);
}

static void perform(struct scripted *scripted, const struct player_request *request,
                    struct reply *reply)
{
    struct asked asked = {0};
    struct error err = {0};
    bool is_responses = path_ends_with(request->target, "/responses");
    if (asked_read(request->body, request->length, is_responses, &asked, &err) < 0 ||
        act_answer(scripted->act, &asked, reply, &err) < 0)
        refuse(scripted, &err, reply);
    asked_clear(&asked);
}

static void on_request(void *self, const struct player_request *request, struct reply *reply)
{
    struct scripted *scripted = self;
    const char *target = request->target;
    bool is_post = strcmp(request->method, "POST") == 0;
    reply->body.limit = REPLY_BYTES_MAX;
    if (is_post &&
        (path_ends_with(target, "/chat/completions") || path_ends_with(target, "/responses")))
        perform(scripted, request, reply);
    else if (strcmp(request->method, "GET") == 0 && path_ends_with(target, "/models"))
        list_models(scripted, reply);
    else
        speech_write_error(reply, 404, "not_found", NULL,
                           "a script answers POST .../chat/completions, POST .../responses and GET "
                           ".../models");
}

struct player_handler scripted_handler(struct scripted *scripted)
{
    return (struct player_handler){.self = scripted, .on_request = on_request};
}
