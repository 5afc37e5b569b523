#include "agent/tape/tape.h"
#include "tests/fuzz/fuzz.h"

static void check_reply(const struct reply *reply)
{
    size_t end = 0;
    for (size_t i = 0; i < reply->piece_count; i++) {
        CHECK(reply->pieces[i].end > end && reply->pieces[i].delay_ms >= 0);
        end = reply->pieces[i].end;
    }
    CHECK(end == reply->body.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape *tape = NULL;
    struct error err = {0};
    if (tape_read((const char *)data, size, &tape, &err) < 0) {
        CHECK(err.code != ERROR_NONE && err.message[0]);
        return 0;
    }
    CHECK(tape->header);
    for (size_t i = 0; i < tape->count; i++) {
        char digest[TAPE_DIGEST_MAX];
        check_reply(&tape->exchanges[i].reply);
        tape_request_digest(&tape->exchanges[i].request, digest);
        CHECK(strlen(digest) == TAPE_DIGEST_MAX - 1);
    }
    tape_destroy(tape);
    return 0;
}
