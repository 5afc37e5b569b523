/* Every way in which model servers differ, as a script in tests/agent/quirks, played to the real
 * client over a socket in several chunkings. What the agent then knows is in NAME.expected. */
#include "agent/llm/model.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/tape/deck.h"
#include "base/core/text.h"
#include "tests/agent/transcript.h"
#include "tests/support/unit.h"

enum { ROUNDS_MAX = 200000 };

static const char *const chunkings[] = {"events", "1", "random 1", "random 2", "whole"};

struct play {
    struct transcript transcript;
    bool is_over;
};

static void on_event(void *self, const struct llm_event *event)
{
    transcript_event(&((struct play *)self)->transcript, event);
}

static void on_done(void *self, struct llm_answer *answer, const struct model_failure *failure)
{
    struct play *play = self;
    play->is_over = true;
    if (failure)
        buf_printf(&play->transcript.text, "failure %d: %s\n", (int)failure->kind,
                   failure->error.message);
    else
        transcript_answer(&play->transcript, answer);
}

static void ask(struct loop *loop, struct http_client *http, const char *endpoint,
                struct play *play)
{
    static const struct llm_tool tool = {
        "run_python", "Runs Python.",
        "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}}}"};
    static const struct llm_message question = {.role = LLM_USER, .text = (char *)"2+2?"};
    struct model_settings settings = {
        .wire = MODEL_CHAT, .model = "m", .endpoint = endpoint, .seed = 1};
    struct llm_request request = {
        .messages = &question, .message_count = 1, .tools = &tool, .tool_count = 1};
    struct model_handler handler = {play, on_event, on_done};
    struct model_call *call;
    struct model *model = NULL;
    struct error err = {0};
    if (model_create(loop, http, &settings, (struct credential){0}, &model, &err) < 0 ||
        model_ask(model, &request, &handler, &call, &err) < 0)
        fail_msg("%s", err.message);
    for (int i = 0; i < ROUNDS_MAX && !play->is_over; i++)
        assert_int_equal(loop_run_once(loop, -1, &err), 0);
    assert_true(play->is_over);
    model_destroy(model);
}

/* Waits between retries take no time: the deck's clock skips them. returned */
static char *play_script(const char *script, const char *chunking)
{
    AUTO_FREE char *text = xasprintf("chunks %s\n%s", chunking, script);
    struct deck *deck = NULL;
    struct error err = {0};
    if (deck_create_scripted(text, strlen(text), &deck, &err) < 0)
        fail_msg("%s", err.message);
    struct loop *loop = loop_create(deck_clock(deck), &err);
    struct http_client *http = http_client_create(loop, "test", &err);
    struct deck_start start = {.loop = loop, .http = http};
    struct play play = {0};
    if (deck_start(deck, &start, &err) < 0)
        fail_msg("%s", err.message);
    ask(loop, http, deck_endpoint(deck, TAPE_MODEL), &play);
    if (deck_mismatch(deck))
        fail_msg("%s", deck_mismatch(deck));
    deck_stop(deck);
    http_client_destroy(http);
    loop_destroy(loop);
    deck_destroy(deck);
    return buf_take(&play.transcript.text);
}

static char *read_file(const char *name, const char *ending)
{
    AUTO_FREE char *path = xasprintf("%s/%s%s", SANDPOOL_QUIRKS, name, ending);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? xstrdup("") : text_read_all(fd, SCRIPT_BYTES_MAX, NULL, NULL);
}

static void check_quirk(const char *name)
{
    AUTO_FREE char *script = read_file(name, ".script");
    AUTO_FREE char *expected = read_file(name, ".expected");
    for (size_t i = 0; i < COUNT(chunkings); i++) {
        AUTO_FREE char *now = play_script(script, chunkings[i]);
        if (strcmp(now, expected) != 0)
            fail_msg("%s, chunks %s: this was not expected:\n%s", name, chunkings[i], now);
    }
}

static void every_quirk_means_the_same_in_every_chunking(void **state)
{
    (void)state;
    static const char ending[] = ".script";
    DIR *directory = opendir(SANDPOOL_QUIRKS);
    unsigned count = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ending) != 0)
            continue;
        *dot = '\0';
        check_quirk(entry->d_name);
        count++;
    }
    closedir(directory);
    assert_true(count > 15);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quirk_means_the_same_in_every_chunking),
    };
    if (argc == 2) { /* for whoever adds one: what it means, to be read and kept as NAME.expected */
        AUTO_FREE char *script = read_file(argv[1], ".script");
        AUTO_FREE char *meaning = play_script(script, chunkings[0]);
        printf("%s", meaning);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
