#include "agent/tape/act.h"
#include "tests/fuzz/fuzz.h"

enum { REQUESTS = 4 };

/* Whatever a script says, its pieces cover its body in order. */
static void check_reply(const struct reply *reply)
{
    size_t end = 0;
    for (size_t i = 0; i < reply->piece_count; i++) {
        CHECK(reply->pieces[i].end > end);
        end = reply->pieces[i].end;
    }
    CHECK(end == reply->body.length);
}

static void perform(const struct script *script)
{
    static const char body[] =
        "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
        "{\"role\":\"tool\",\"content\":\"no network\"}]}";
    struct act *act = act_create(script, NULL);
    struct asked asked = {0};
    struct error err = {0};
    CHECK(asked_read(body, strlen(body), false, &asked, &err) == 0);
    for (int i = 0; i < REQUESTS; i++) {
        struct reply reply = {0};
        if (act_answer(act, &asked, &reply, &err) == 0)
            check_reply(&reply);
        reply_clear(&reply);
    }
    asked_clear(&asked);
    act_destroy(act);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script *script = NULL;
    struct error err = {0};
    if (script_read((const char *)data, size, &script, &err) == 0)
        perform(script);
    else
        CHECK(err.code != ERROR_NONE && err.message[0]);
    script_destroy(script);
    return 0;
}
