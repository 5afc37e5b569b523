#include "agent/llm/model.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/llm/model_url.h"
#include "tests/agent/loopback_server.h"
#include "tests/agent/transcript.h"
#include "tests/support/unit.h"

enum { DEADLINE_MS = 20000 };

#define SECRET "sk-4d0e1f2a3b4c5d6e"

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define TEXT(text)  "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
#define REFUSAL(status, headers, error)                                                            \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n" headers "\r\n{\"error\":{" error   \
    "}}"
#define ANSWER STREAM_HEAD TEXT("4") STOP

static const struct llm_tool tool = {
    "run_python", "Runs Python.",
    "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"}},\"required\":[\"code\"],"
    "\"additionalProperties\":false}"};
static const struct llm_message question = {.role = LLM_USER, .text = (char *)"2+2?"};

/* A source of tokens: the first, then the second where a fresh one is wanted. */
struct tokens {
    unsigned asked;
    bool is_empty;
};

struct fixture {
    struct loop *loop;
    struct http_client *http;
    struct loopback_server *server;
    struct model *model;
    struct model_settings settings;
    struct tokens tokens;

    bool done;
    struct transcript transcript;
    bool failed;
    struct model_failure failure;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->loop = loop_create(clock_system(), NULL);
    f->http = http_client_create(f->loop, "test", NULL);
    f->settings = (struct model_settings){.wire = MODEL_CHAT, .model = "m", .seed = 1};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    model_destroy(f->model);
    loopback_server_destroy(f->server);
    http_client_destroy(f->http);
    loop_destroy(f->loop);
    buf_free(&f->transcript.text);
    free(f);
    return 0;
}

static void give_token(void *self, const char *scope, bool fresh, struct credential_wait *wait)
{
    struct tokens *tokens = self;
    struct error none = {0};
    assert_string_equal(scope, CREDENTIAL_SCOPE_MODEL);
    tokens->asked++;
    error_set(&none, ERROR_DENIED, "no credential: sign in");
    wait->on_token(wait->self, tokens->is_empty ? NULL : fresh ? "token-2" : "token-1", &none);
}

static void serve(struct fixture *f, const struct loopback_answer *answers, size_t count)
{
    char endpoint[64];
    struct error err = {0};
    f->server = loopback_server_start(answers, count);
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", loopback_server_port(f->server));
    f->settings.endpoint = endpoint;
    struct credential credential = {&f->tokens, give_token};
    if (model_create(f->loop, f->http, &f->settings, credential, &f->model, &err) < 0)
        fail_msg("%s", err.message);
}

static void on_event(void *self, const struct llm_event *event)
{
    struct fixture *f = self;
    transcript_event(&f->transcript, event);
}

static void on_done(void *self, struct llm_answer *answer, const struct model_failure *failure)
{
    struct fixture *f = self;
    assert_false(f->done);
    f->done = true;
    f->failed = failure;
    if (failure)
        f->failure = *failure;
    else
        transcript_answer(&f->transcript, answer);
}

static struct model_call *start(struct fixture *f)
{
    struct llm_request request = {
        .messages = &question, .message_count = 1, .tools = &tool, .tool_count = 1};
    struct model_handler handler = {f, on_event, on_done};
    struct model_call *call;
    struct error err = {0};
    f->done = false;
    buf_clear(&f->transcript.text);
    if (model_ask(f->model, &request, &handler, &call, &err) < 0)
        fail_msg("%s", err.message);
    assert_false(f->done);
    return call;
}

static const char *wait_for(struct fixture *f)
{
    int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
    while (!f->done && loop_now_ms(f->loop) < deadline_ms)
        loop_run_once(f->loop, 1000, NULL);
    assert_true(f->done);
    return f->transcript.text.data ? f->transcript.text.data : "";
}

static const char *ask(struct fixture *f)
{
    start(f);
    return wait_for(f);
}

/* One question to a server that gives these answers, one after the other. */
static const char *ask_server(struct fixture *f, const struct loopback_answer *answers,
                              size_t count)
{
    serve(f, answers, count);
    const char *transcript = ask(f);
    loopback_server_stop(f->server);
    assert_int_equal(loopback_server_requests(f->server), count);
    return transcript;
}

static const char *request_of(struct fixture *f, size_t index)
{
    return loopback_server_request(f->server, index, NULL);
}

static void assert_failure(struct fixture *f, enum model_failure_kind kind, const char *word)
{
    assert_true(f->failed);
    assert_int_equal(f->failure.kind, kind);
    if (!strstr(f->failure.error.message, word))
        fail_msg("\"%s\" does not say \"%s\"", f->failure.error.message, word);
}

/* ---- an answer ---- */

static void an_answer_comes_with_its_events(void **state)
{
    struct fixture *f = *state;
    f->settings.api_key = SECRET;
    struct loopback_answer answer = {
        .bytes = "HTTP/1.1 200 OK\r\nx-ratelimit-remaining-requests: 9\r\n"
                 "x-ratelimit-remaining-tokens: 800\r\n\r\n" TEXT("4") STOP};
    assert_string_equal(ask_server(f, &answer, 1), "text: 4\nfinish stop\n> 4\n");
    assert_false(f->failed);
    const char *request = request_of(f, 0);
    assert_non_null(strstr(request, "POST /v1/chat/completions HTTP/1.1"));
    assert_non_null(strstr(request, "Authorization: Bearer " SECRET "\r\n"));
    assert_non_null(strstr(request, "\"temperature\":0"));
    assert_int_equal(model_limits(f->model).remaining_requests, 9);
    assert_int_equal(model_limits(f->model).remaining_tokens, 800);
}

static void azure_takes_the_key_in_a_header_of_its_own(void **state)
{
    struct fixture *f = *state;
    f->settings.wire = MODEL_AZURE_CHAT;
    f->settings.model = "my deployment";
    f->settings.api_version = "2024-02-01";
    f->settings.api_key = SECRET;
    struct loopback_answer answer = {.bytes = ANSWER};
    ask_server(f, &answer, 1);
    const char *request = request_of(f, 0);
    assert_non_null(strstr(request, "POST /openai/deployments/my%20deployment/chat/completions"
                                    "?api-version=2024-02-01 HTTP/1.1"));
    assert_non_null(strstr(request, "api-key: " SECRET "\r\n"));
    assert_null(strstr(request, "Authorization"));
}

static void a_server_on_this_machine_needs_no_key(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {.bytes = ANSWER};
    ask_server(f, &answer, 1);
    assert_null(strstr(request_of(f, 0), "Authorization"));
    assert_null(strstr(request_of(f, 0), "api-key"));
}

static void a_refused_token_is_asked_for_anew_once(void **state)
{
    struct fixture *f = *state;
    f->settings.use_credential = true;
    struct loopback_answer answers[] = {
        {.bytes = REFUSAL("401 Unauthorized", "", "\"code\":\"401\",\"message\":\"expired\"")},
        {.bytes = REFUSAL("401 Unauthorized", "", "\"code\":\"401\",\"message\":\"expired\"")}};
    ask_server(f, answers, 2);
    assert_failure(f, MODEL_DENIED, "Cognitive Services OpenAI User");
    assert_non_null(strstr(request_of(f, 0), "Authorization: Bearer token-1\r\n"));
    assert_non_null(strstr(request_of(f, 1), "Authorization: Bearer token-2\r\n"));
}

static void without_a_token_nothing_is_sent(void **state)
{
    struct fixture *f = *state;
    f->settings.use_credential = true;
    f->tokens.is_empty = true;
    struct loopback_answer none = {.bytes = ""};
    ask_server(f, &none, 0);
    assert_failure(f, MODEL_DENIED, "no credential: sign in");
}

/* ---- again ---- */

static void a_busy_service_is_asked_again_when_it_says(void **state)
{
    struct fixture *f = *state;
    static const char *const refusals[] = {
        REFUSAL("429 Too Many Requests", "retry-after-ms: 1\r\nRetry-After: 9\r\n",
                "\"code\":\"429\",\"message\":\"slow down\""),
        REFUSAL("503 Service Unavailable", "Retry-After: 0\r\n", "\"message\":\"busy\""),
        REFUSAL("408 Request Timeout", "Retry-After: 0\r\n", "\"message\":\"late\""),
        REFUSAL("409 Conflict", "Retry-After: 0\r\n", "\"message\":\"lock\""),
        "HTTP/1.1 200 OK\r\nretry-after-ms: 1\r\n\r\ndata: {\"error\":{\"message\":\"overloaded\","
        "\"code\":503}}\n\n",
    };
    static const char *const notices[] = {"(429)", "(503)", "(408)", "(409)", "(503)"};
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct loopback_answer answers[] = {{.bytes = refusals[i]}, {.bytes = ANSWER}};
        const char *transcript = ask_server(f, answers, 2);
        assert_non_null(strstr(transcript, notices[i]));
        assert_non_null(strstr(transcript, "text: 4\nfinish stop\n"));
        model_destroy(f->model);
        loopback_server_destroy(f->server);
    }
    f->model = NULL;
    f->server = NULL;
}

static void waiting_longer_than_the_budget_is_not_begun(void **state)
{
    struct fixture *f = *state;
    f->settings.retry_budget_ms = 5000;
    struct loopback_answer answer = {
        .bytes =
            REFUSAL("429 Too Many Requests", "Retry-After: 60\r\n", "\"message\":\"slow down\"")};
    ask_server(f, &answer, 1);
    assert_failure(f, MODEL_BUSY, "accepts no more for now (429)");
    assert_int_equal(f->failure.retry_after_ms, 60000);
}

static void a_used_up_quota_is_final(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {
        .bytes = REFUSAL("429 Too Many Requests", "retry-after-ms: 1\r\n",
                         "\"code\":\"insufficient_quota\",\"message\":\"pay\"")};
    ask_server(f, &answer, 1);
    assert_failure(f, MODEL_QUOTA, "waiting does not help");
}

static void a_stream_that_is_cut_begins_again(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[] = {
        {.bytes = STREAM_HEAD TEXT("3.99")},
        {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" TEXT("3")},
        {.bytes = ANSWER}};
    const char *transcript = ask_server(f, answers, 3);
    assert_non_null(strstr(transcript, "text: 3.99\nrestart\nnotice: the connection to the model"));
    assert_non_null(strstr(transcript, "text: 3\nrestart\n"));
    assert_non_null(strstr(transcript, "text: 4\nfinish stop\n> 4\n"));
}

static void a_connection_that_breaks_behind_the_answer_does_no_harm(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answer = {
        .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" TEXT(
            "4") "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"};
    assert_string_equal(ask_server(f, &answer, 1), "text: 4\nfinish stop\n> 4\n");
}

static void silence_ends_an_attempt(void **state)
{
    struct fixture *f = *state;
    f->settings.silence_timeout_ms = 1000;
    f->settings.retry_budget_ms = -1;
    struct loopback_answer answer = {.bytes = STREAM_HEAD TEXT("a"), .hangs = true};
    ask_server(f, &answer, 1);
    assert_failure(f, MODEL_UNREACHABLE, "reach the model at http://127.0.0.1");
    assert_int_equal(f->failure.error.code, ERROR_TIMEOUT);
}

static void nobody_there_is_told_with_the_address(void **state)
{
    struct fixture *f = *state;
    char endpoint[64];
    struct error err = {0};
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u/v1", loopback_unused_port());
    f->settings.endpoint = endpoint;
    f->settings.retry_budget_ms = -1;
    assert_int_equal(
        model_create(f->loop, f->http, &f->settings, (struct credential){0}, &f->model, &err), 0);
    ask(f);
    assert_failure(f, MODEL_UNREACHABLE, endpoint);
}

/* ---- parameters ---- */

static void a_refused_parameter_is_left_out_and_remembered(void **state)
{
    struct fixture *f = *state;
    f->settings.answer_tokens_max = 50;
    struct loopback_answer answers[] = {
        {.bytes = REFUSAL("400 Bad Request", "",
                          "\"message\":\"Unsupported value: 'temperature' does not support 0 with "
                          "this model. Only the default (1) value is supported.\",\"param\":"
                          "\"temperature\",\"code\":\"unsupported_value\"")},
        {.bytes = REFUSAL("400 Bad Request", "",
                          "\"message\":\"Unsupported parameter: 'max_tokens' is not supported with "
                          "this model. Use 'max_completion_tokens' instead.\",\"param\":"
                          "\"max_tokens\",\"code\":\"unsupported_parameter\"")},
        {.bytes = "HTTP/1.1 422 Unprocessable Entity\r\n\r\n{\"detail\":[{\"loc\":[\"body\","
                  "\"stream_options\"],\"msg\":\"Extra inputs are not permitted\"}]}"},
        {.bytes = REFUSAL("400 Bad Request", "",
                          "\"message\":\"Unrecognized request arguments supplied: "
                          "parallel_tool_calls, strict\",\"type\":\"invalid_request_error\"")},
        {.bytes = ANSWER},
        {.bytes = ANSWER}};
    serve(f, answers, COUNT(answers));
    const char *transcript = ask(f);
    assert_non_null(strstr(transcript, "notice: m does not take temperature: left out"));
    assert_non_null(strstr(transcript, "parallel_tool_calls, strict: left out"));
    assert_non_null(strstr(transcript, "text: 4\n"));
    assert_string_equal(ask(f), "text: 4\nfinish stop\n> 4\n"); /* no second refusal */
    loopback_server_stop(f->server);
    assert_int_equal(loopback_server_requests(f->server), COUNT(answers));
    assert_non_null(strstr(request_of(f, 0), "\"temperature\":0"));
    assert_non_null(strstr(request_of(f, 1), "\"max_tokens\":50"));
    static const char *const gone[] = {"temperature", "\"max_tokens\"", "stream_options",
                                       "parallel_tool_calls", "strict"};
    for (size_t i = 0; i < COUNT(gone); i++)
        assert_null(strstr(request_of(f, 5), gone[i]));
    assert_non_null(strstr(request_of(f, 5), "\"max_completion_tokens\":50"));
}

static void a_parameter_that_is_refused_again_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const char refusal[] =
        REFUSAL("400 Bad Request", "",
                "\"message\":\"'temperature' is not supported\",\"param\":"
                "\"temperature\",\"code\":\"unsupported_parameter\"");
    struct loopback_answer answers[] = {{.bytes = refusal}, {.bytes = refusal}};
    ask_server(f, answers, 2);
    assert_failure(f, MODEL_REFUSED, "'temperature' is not supported");
}

static void a_server_without_tools_gets_text(void **state)
{
    struct fixture *f = *state;
    static const char *const refusals[] = {
        REFUSAL("500 Internal Server Error", "",
                "\"code\":500,\"message\":\"tools param requires --jinja flag\","
                "\"type\":\"server_error\""),
        REFUSAL("400 Bad Request", "",
                "\"message\":\"registry.ollama.ai/library/m does not support tools\""),
        "HTTP/1.1 400 Bad Request\r\n\r\n{\"object\":\"error\",\"message\":\"\\\"auto\\\" tool "
        "choice requires --enable-auto-tool-choice and --tool-call-parser to be "
        "set\",\"code\":400}",
    };
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct loopback_answer answers[] = {
            {.bytes = refusals[i]},
            {.bytes = STREAM_HEAD TEXT("I count.\\nAction: run_python\\nAction Input: 2+2\\nObserv")
                 TEXT("ation: 5\\nFinal Answer: 5"),
             .hangs = true}};
        const char *transcript = ask_server(f, answers, 2);
        assert_non_null(strstr(transcript, "notice: the server cannot do tool calls with m"));
        assert_non_null(strstr(transcript, "reasoning: I count.\ncall 0: run_python\narguments 0: "
                                           "{\"code\":\"2+2\"}\nend 0\nfinish calls\n"));
        assert_int_equal(model_protocol(f->model), MODEL_REACT);
        assert_null(strstr(request_of(f, 1), "\"tools\""));
        assert_non_null(strstr(request_of(f, 1), "\"stop\":[\"\\nObservation\"]"));
        assert_non_null(strstr(request_of(f, 1), "Question: 2+2?\\nThought:"));
        model_destroy(f->model);
        loopback_server_destroy(f->server);
    }
    f->model = NULL;
    f->server = NULL;
}

static void a_refused_stop_is_left_out_since_we_cut_ourselves(void **state)
{
    struct fixture *f = *state;
    f->settings.protocol = MODEL_REACT;
    struct loopback_answer answers[] = {
        {.bytes = REFUSAL("400 Bad Request", "",
                          "\"message\":\"Unsupported parameter: 'stop' is not supported with this "
                          "model.\",\"param\":\"stop\",\"code\":\"unsupported_parameter\"")},
        {.bytes = STREAM_HEAD TEXT("Final Answer: 4") STOP}};
    const char *transcript = ask_server(f, answers, 2);
    assert_non_null(strstr(transcript, "text: 4\nfinish stop\n> 4\n"));
    assert_null(strstr(request_of(f, 1), "\"stop\""));
}

/* ---- errors ---- */

static const struct {
    const char *bytes;
    enum model_failure_kind kind;
    const char *word;
} refusals[] = {
    {REFUSAL("401 Unauthorized", "",
             "\"message\":\"Incorrect API key provided: " SECRET "\",\"code\":\"invalid_api_key\""),
     MODEL_DENIED, "refused the key (401)"},
    {REFUSAL("403 Forbidden", "", "\"code\":\"403\",\"message\":\"Public access is disabled\""),
     MODEL_DENIED, "network rules"},
    {REFUSAL("404 Not Found", "",
             "\"code\":\"DeploymentNotFound\",\"message\":\"The API deployment does not exist.\""),
     MODEL_MISSING, "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME"},
    {REFUSAL("404 Not Found", "",
             "\"message\":\"model \\\"m\\\" not found, try pulling it first\""),
     MODEL_MISSING, "does not have the model \"m\""},
    {"HTTP/1.1 404 Not Found\r\n\r\n{\"statusCode\":404,\"message\":\"Resource not found\"}",
     MODEL_MISSING, "check the endpoint: Resource not found"},
    {"HTTP/1.1 404 Not Found\r\n\r\n<html>\n<h1>404</h1>", MODEL_MISSING, "<html> <h1>404"},
    {REFUSAL(
         "400 Bad Request", "",
         "\"message\":\"filtered\",\"type\":null,\"param\":\"prompt\",\"code\":\"content_filter\","
         "\"status\":400,\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\","
         "\"content_filter_result\":{\"hate\":{\"filtered\":false,\"severity\":\"safe\"},"
         "\"jailbreak\":{\"filtered\":true,\"detected\":true},\"violence\":{\"filtered\":true}}}"),
     MODEL_FILTERED, "refused the question, for: jailbreak, violence"},
    {REFUSAL("400 Bad Request", "",
             "\"message\":\"This model's maximum context length is 8192 tokens.\",\"code\":"
             "\"context_length_exceeded\",\"param\":\"messages\""),
     MODEL_TOO_LONG, "maximum context length is 8192"},
    {REFUSAL(
         "400 Bad Request", "",
         "\"code\":400,\"type\":\"exceed_context_size_error\",\"message\":\"the request exceeds "
         "the available context size\""),
     MODEL_TOO_LONG, "exceeds the available context"},
    {REFUSAL("400 Bad Request", "", "\"message\":\"Invalid schema for function 'run_python'\""),
     MODEL_REFUSED, "Invalid schema"},
    {STREAM_HEAD "data: {\"error\":{\"message\":\"no\",\"code\":\"content_filter\"}}\n\n",
     MODEL_FILTERED, "content filter"},
    {STREAM_HEAD "data: {oops}\n\n", MODEL_UNREADABLE, "cannot be read"},
    {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>sign in</html>", MODEL_UNREADABLE,
     "a web page"},
};

static void errors_name_cause_and_remedy_and_never_the_key(void **state)
{
    struct fixture *f = *state;
    f->settings.api_key = SECRET;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct loopback_answer answer = {.bytes = refusals[i].bytes};
        ask_server(f, &answer, 1);
        assert_failure(f, refusals[i].kind, refusals[i].word);
        assert_null(strstr(f->failure.error.message, SECRET));
        model_destroy(f->model);
        loopback_server_destroy(f->server);
    }
    f->model = NULL;
    f->server = NULL;
}

static void a_missing_role_is_named_with_its_id(void **state)
{
    struct fixture *f = *state;
    f->settings.use_credential = true;
    struct loopback_answer answer = {
        .bytes = REFUSAL("403 Forbidden", "", "\"code\":\"PermissionDenied\",\"message\":\"no\"")};
    ask_server(f, &answer, 1);
    assert_failure(f, MODEL_DENIED, "--role 5e0bd9bd-7b93-4f28-af87-19fc36ad61bd");
}

/* ---- cancelling ---- */

static void a_call_can_be_cancelled_while_it_waits_for_either(void **state)
{
    struct fixture *f = *state;
    struct loopback_answer answers[] = {
        {.bytes = REFUSAL("429 Too Many Requests", "Retry-After: 60\r\n", "\"message\":\"busy\"")},
        {.bytes = STREAM_HEAD TEXT("a"), .hangs = true}};
    f->settings.retry_budget_ms = 600000;
    serve(f, answers, 2);
    static const char *const seen[] = {"notice", "text: a"};
    for (size_t i = 0; i < COUNT(seen); i++) {
        struct model_call *call = start(f);
        int64_t deadline_ms = loop_now_ms(f->loop) + DEADLINE_MS;
        while ((!f->transcript.text.data || !strstr(f->transcript.text.data, seen[i])) &&
               loop_now_ms(f->loop) < deadline_ms)
            loop_run_once(f->loop, 1000, NULL);
        model_call_cancel(call);
        assert_true(f->done);
        assert_failure(f, MODEL_CANCELLED, "cancelled");
    }
}

/* ---- settings ---- */

static void addresses_are_built_as_each_wire_has_them(void **state)
{
    (void)state;
    static const struct {
        enum model_wire wire;
        const char *endpoint, *version, *url;
        bool is_azure;
    } cases[] = {
        {MODEL_AZURE_CHAT, "https://r.openai.azure.com/", "2024-02-01",
         "https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-02-01",
         true},
        {MODEL_AZURE_CHAT, "https://gateway.example/ai/openai", "2024-10-21",
         "https://gateway.example/ai/openai/deployments/m/chat/completions?api-version=2024-10-21",
         true},
        {MODEL_CHAT, "https://r.openai.azure.com", NULL,
         "https://r.openai.azure.com/openai/v1/chat/completions", true},
        {MODEL_CHAT, "https://r.openai.azure.com/openai/v1/", "preview",
         "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview", true},
        {MODEL_RESPONSES, "https://r.openai.azure.com/", NULL,
         "https://r.openai.azure.com/openai/v1/responses", true},
        {MODEL_CHAT, "http://localhost:11434", "", "http://localhost:11434/v1/chat/completions",
         false},
        {MODEL_CHAT, "http://localhost:1234/v1", NULL, "http://localhost:1234/v1/chat/completions",
         false},
        {MODEL_CHAT, "http://localhost:1234/v1/chat/completions", NULL,
         "http://localhost:1234/v1/chat/completions", false},
        {MODEL_CHAT, "http://192.0.2.7:8080/", NULL, "http://192.0.2.7:8080/v1/chat/completions",
         false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct model_settings settings = {.wire = cases[i].wire,
                                          .endpoint = cases[i].endpoint,
                                          .model = "m",
                                          .api_version = cases[i].version};
        struct model_address address;
        struct error err = {0};
        if (model_address_read(&settings, &address, &err) < 0)
            fail_msg("%s", err.message);
        assert_string_equal(address.url, cases[i].url);
        assert_int_equal(address.is_azure, cases[i].is_azure);
        model_address_clear(&address);
    }
}

static void settings_that_cannot_work_are_refused_with_their_name(void **state)
{
    (void)state;
    static const struct {
        struct model_settings settings;
        enum error_code code;
        const char *word;
    } cases[] = {
        {{.model = "m"}, ERROR_INVALID, "endpoint is not set"},
        {{.endpoint = "https://a"}, ERROR_INVALID, "name is not set"},
        {{.endpoint = "ftp://a", .model = "m"}, ERROR_INVALID, "the model's endpoint"},
        {{.endpoint = "https://u:p@a/", .model = "m"}, ERROR_INVALID, "no user"},
        {{.endpoint = "https://a/?x=1", .model = "m"}, ERROR_INVALID, "query"},
        {{.wire = MODEL_AZURE_CHAT, .endpoint = "https://a", .model = "m"},
         ERROR_INVALID,
         "API version is not set"},
        {{.endpoint = "https://a", .model = "m", .api_version = "2024/1"},
         ERROR_INVALID,
         "is no API version"},
        {{.endpoint = "http://192.0.2.7", .model = "m", .api_key = "k"},
         ERROR_DENIED,
         "plain http"},
        {{.endpoint = "http://192.0.2.7", .model = "m", .use_credential = true},
         ERROR_DENIED,
         "plain http"},
        {{.endpoint = "https://a", .model = "m", .api_key = "a b"},
         ERROR_INVALID,
         "key is not one"},
        {{.endpoint = "https://a", .model = "m", .wire = MODEL_RESPONSES, .protocol = MODEL_REACT},
         ERROR_INVALID,
         "chat completions"},
        {{.endpoint = "https://a", .model = "m", .react_template = "{input} {question}"},
         ERROR_INVALID,
         "unknown slot {question}"},
        {{.endpoint = "https://a", .model = "m", .react_template = "{input}"},
         ERROR_INVALID,
         "{agent_scratchpad}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct model *model = NULL;
        struct error err = {0};
        assert_int_equal(
            model_create(NULL, NULL, &cases[i].settings, (struct credential){0}, &model, &err), -1);
        assert_error(err, cases[i].code, cases[i].word);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_with_its_events),
        TEST(azure_takes_the_key_in_a_header_of_its_own),
        TEST(a_server_on_this_machine_needs_no_key),
        TEST(a_refused_token_is_asked_for_anew_once),
        TEST(without_a_token_nothing_is_sent),
        TEST(a_busy_service_is_asked_again_when_it_says),
        TEST(waiting_longer_than_the_budget_is_not_begun),
        TEST(a_used_up_quota_is_final),
        TEST(a_stream_that_is_cut_begins_again),
        TEST(a_connection_that_breaks_behind_the_answer_does_no_harm),
        TEST(silence_ends_an_attempt),
        TEST(nobody_there_is_told_with_the_address),
        TEST(a_refused_parameter_is_left_out_and_remembered),
        TEST(a_parameter_that_is_refused_again_is_an_error),
        TEST(a_server_without_tools_gets_text),
        TEST(a_refused_stop_is_left_out_since_we_cut_ourselves),
        TEST(errors_name_cause_and_remedy_and_never_the_key),
        TEST(a_missing_role_is_named_with_its_id),
        TEST(a_call_can_be_cancelled_while_it_waits_for_either),
        cmocka_unit_test(addresses_are_built_as_each_wire_has_them),
        cmocka_unit_test(settings_that_cannot_work_are_refused_with_their_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
