#include "agent/llm/chat.h"

#include "agent/llm/assembly.h"
#include "tests/agent/model_answer.h"
#include "tests/support/unit.h"

/* ---- answers ---- */

static void read_answer(enum pieces pieces, const char *bytes, size_t length,
                        struct transcript *transcript)
{
    struct model_answer_reading reading = {.provider = &provider_chat, .pieces = pieces};
    model_answer_read(&reading, bytes, length, transcript);
}

#define CHUNK(choices)                                                                             \
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[" choices "]}\n\n"
#define DELTA(delta)   CHUNK("{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}")
#define FINISH(reason) CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}")
#define DONE           "data: [DONE]\n\n"
#define CALLS(entries) DELTA("\"tool_calls\":[" entries "]")
#define CALL_ONE                                                                                   \
    "{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"run_python\","  \
    "\"arguments\":\"\"}}"
#define ARGUMENTS(index, text) "{\"index\":" index ",\"function\":{\"arguments\":\"" text "\"}}"

static const struct {
    const char *what, *bytes, *transcript;
} answers[] = {
    {"a plain answer",
     DELTA("\"role\":\"assistant\",\"content\":\"\"") DELTA("\"content\":\"Hel\"")
         DELTA("\"content\":\"lo\"") FINISH("stop") DONE,
     "text: Hello\nfinish stop\n> Hello\n"},
    {"one call in fragments",
     CALLS(CALL_ONE) CALLS(ARGUMENTS("0", "{\\\"co")) CALLS(ARGUMENTS("0", "de\\\":\\\"1+1\\\"}"))
         FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"1+1\"}\nend 0\nfinish calls\n"
     "> call_a run_python {\"code\":\"1+1\"}\n"},
    {"Azure's first chunk has no choices but filter results",
     "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
     "\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n" DELTA(
         "\"content\":\"a\"") FINISH("stop") DONE,
     "text: a\nfinish stop\n> a\n"},
    {"a choice without delta, with the filter's offsets, even after the end",
     DELTA("\"content\":\"a\"") CHUNK(
         "{\"index\":0,\"finish_reason\":null,\"content_filter_results\":{\"hate\":{\"filtered\":"
         "false}},\"content_filter_offsets\":{\"check_offset\":1,\"start_offset\":1}}")
         FINISH("stop") CHUNK("{\"index\":0,\"finish_reason\":null,\"content_filter_offsets\":{}}")
             DONE,
     "text: a\nfinish stop\n> a\n"},
    {"usage is null in ordinary chunks and comes behind the finish",
     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"
     "\"usage\":null}\n\n"
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,"
     "\"total_tokens\":11,\"prompt_tokens_details\":{\"cached_tokens\":4},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":1}}}\n\n" DONE,
     "text: a\nusage 9 4 2 1\nfinish stop\n> a\n"},
    {"usage in every chunk is told once",
     "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":9,"
     "\"completion_tokens\":1}}\n\n"
     "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}],\"usage\":{"
     "\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n" DONE,
     "text: ab\nusage 9 -1 2 -1\nfinish stop\n> ab\n"},
    {"keys in another order, logprobs null, filter results in the choice",
     "data: {\"choices\":[{\"content_filter_results\":{},\"logprobs\":null,\"delta\":{\"content\":"
     "\"a\"},\"finish_reason\":\"stop\",\"index\":0}],\"model\":\"m\",\"id\":\"x\"}\n\n" DONE,
     "text: a\nfinish stop\n> a\n"},
    {"parallel calls interleave",
     CALLS(CALL_ONE) CALLS("{\"index\":1,\"id\":\"call_b\",\"function\":{\"name\":\"list_files\","
                           "\"arguments\":\"\"}}") CALLS(ARGUMENTS("0", "{\\\"code\\\":"))
         CALLS(ARGUMENTS("1", "{")) CALLS(ARGUMENTS("0", "\\\"1\\\"}") "," ARGUMENTS("1", "}"))
             FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\":\ncall 1: list_files\narguments 1: {\n"
     "arguments 0: \"1\"}\narguments 1: }\nend 0\nend 1\nfinish calls\n"
     "> call_a run_python {\"code\":\"1\"}\n> call_b list_files {}\n"},
    {"the same index twice in the first chunk",
     CALLS(CALL_ONE "," ARGUMENTS("0", "{\\\"code\\\":\\\"1\\\"}")) FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nfinish calls\n"
     "> call_a run_python {\"code\":\"1\"}\n"},
    {"every call has the index 0, their ids differ",
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"list_files\",\"arguments\":\"{}\"}}")
         CALLS(
             "{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"list_files\",\"arguments\":\"{\"}"
             "}") CALLS(ARGUMENTS("0", "}")) FINISH("tool_calls") DONE,
     "call 0: list_files\narguments 0: {}\ncall 1: list_files\narguments 1: {}\nend 0\nend 1\n"
     "finish calls\n> a list_files {}\n> b list_files {}\n"},
    {"the name comes in pieces",
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"run_\"}}")
         CALLS("{\"index\":0,\"function\":{\"name\":\"python\"}}")
             CALLS(ARGUMENTS("0", "{\\\"code\\\":\\\"1\\\"}")) FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nfinish calls\n"
     "> a run_python {\"code\":\"1\"}\n"},
    {"id and name come again with each fragment",
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"list_files\",\"arguments\":\"\"}}")
         CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"list_files\",\"arguments\":\"{"
               "\"}}")
             CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"list_files\",\"arguments\":"
                   "\"}\"}}") FINISH("tool_calls") DONE,
     "call 0: list_files\narguments 0: {}\nend 0\nfinish calls\n> a list_files {}\n"},
    {"a whole call in one chunk, the finish says stop",
     CALLS(
         "{\"id\":\"call_1\",\"index\":0,\"type\":\"function\",\"function\":{\"name\":\"run_python"
         "\",\"arguments\":\"{\\\"code\\\":\\\"2\\\"}\"}}") FINISH("stop") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"2\"}\nend 0\nfinish calls\n"
     "> call_1 run_python {\"code\":\"2\"}\n"},
    {"arguments that are an object",
     CALLS("{\"function\":{\"name\":\"run_python\",\"arguments\":{\"code\":\"2\"}}}") FINISH("stop")
         DONE,
     "call 0: run_python\narguments 0: {\"code\":\"2\"}\nend 0\nfinish calls\n"
     "> call_3_0 run_python {\"code\":\"2\"}\n"},
    {"no index: the id tells",
     CALLS("{\"id\":\"a\",\"function\":{\"name\":\"run_python\",\"arguments\":\"{\\\"code\\\"\"}}")
         CALLS("{\"id\":\"b\",\"function\":{\"name\":\"list_files\",\"arguments\":\"{\"}}")
             CALLS("{\"id\":\"a\",\"function\":{\"arguments\":\":\\\"1\\\"}\"}}") CALLS(
                 "{\"id\":\"b\",\"function\":{\"arguments\":\"}\"}}") FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\"\ncall 1: list_files\narguments 1: {\n"
     "arguments 0: :\"1\"}\narguments 1: }\nend 0\nend 1\nfinish calls\n"
     "> a run_python {\"code\":\"1\"}\n> b list_files {}\n"},
    {"neither index nor id: the position tells, and a name begins another",
     CALLS(
         "{\"function\":{\"name\":\"run_python\",\"arguments\":\"{\\\"code\\\"\"}},{\"function\":{"
         "\"name\":\"list_files\",\"arguments\":\"{\"}}")
         CALLS(
             "{\"function\":{\"arguments\":\":\\\"1\\\"}\"}},{\"function\":{\"arguments\":\"}\"}}")
             CALLS("{\"function\":{\"name\":\"list_files\",\"arguments\":\"{}\"}}") FINISH("stop")
                 DONE,
     "call 0: run_python\narguments 0: {\"code\"\ncall 1: list_files\narguments 1: {\n"
     "arguments 0: :\"1\"}\narguments 1: }\ncall 2: list_files\narguments 2: {}\n"
     "end 0\nend 1\nend 2\nfinish calls\n"
     "> call_3_0 run_python {\"code\":\"1\"}\n> call_3_1 list_files {}\n> call_3_2 list_files "
     "{}\n"},
    {"two calls with one id",
     CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"list_files\"}}") CALLS(
         "{\"index\":1,\"id\":\"a\",\"function\":{\"name\":\"list_files\"}}") FINISH("stop") DONE,
     "call 0: list_files\nend 0\ncall 1: list_files\nend 1\nfinish calls\n"
     "> a list_files {}\n> call_3_1 list_files {}\n"},
    {"the old function_call",
     DELTA("\"function_call\":{\"name\":\"run_python\",\"arguments\":\"\"}")
         DELTA("\"function_call\":{\"arguments\":\"{\\\"code\\\":\\\"1\\\"}\"}")
             FINISH("function_call") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nfinish calls\n"
     "> call_3_0 run_python {\"code\":\"1\"}\n"},
    {"the finish says tool_calls, but there are none",
     DELTA("\"content\":\"a\"") FINISH("tool_calls") DONE, "text: a\nfinish stop\n> a\n"},
    {"reasoning under either name",
     DELTA("\"reasoning_content\":\"so \"") DELTA("\"reasoning\":\"it is\",\"content\":null")
         DELTA("\"content\":\"4\"") FINISH("stop") DONE,
     "reasoning: so it is\ntext: 4\nfinish stop\n> 4\n"},
    {"the choice's index counts the tokens",
     CHUNK("{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}")
         CHUNK("{\"index\":1,\"delta\":{\"content\":\"b\"},\"finish_reason\":null}") CHUNK(
             "{\"index\":2,\"delta\":{\"content\":\"\"},\"finish_reason\":\"eos_token\"}") DONE,
     "text: ab\nfinish stop\n> ab\n"},
    {"comments, CR LF and a mark",
     "\xEF\xBB\xBF: ping\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
     ": OPENROUTER PROCESSING\r\n\r\ndata: "
     "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
     "\r\n\r\ndata: [DONE]\r\n\r\n",
     "text: a\nfinish stop\n> a\n"},
    {"data in several lines",
     "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"a\"},\ndata: "
     "\"finish_reason\":\"stop\"}]}"
     "\n\n" DONE,
     "text: a\nfinish stop\n> a\n"},
    {"characters and escapes of many bytes",
     DELTA("\"content\":\"\xE2\x82\xAC \xF0\x9F\x98\x80 \\ud83d\\ude00 \\u00e9\\n\"") FINISH("stop")
         DONE,
     "text: \xE2\x82\xAC \xF0\x9F\x98\x80 \xF0\x9F\x98\x80 \xC3\xA9\n\nfinish stop\n"
     "> \xE2\x82\xAC \xF0\x9F\x98\x80 \xF0\x9F\x98\x80 \xC3\xA9\n\n"},
    {"a NUL in the text", DELTA("\"content\":\"a\\u0000b\"") FINISH("stop") DONE,
     "text: a\xEF\xBF\xBD"
     "b\nfinish stop\n> a\xEF\xBF\xBD"
     "b\n"},
    {"content in parts",
     DELTA("\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\"},{\"text\":\"b\"}]")
         FINISH("stop") DONE,
     "text: ab\nfinish stop\n> ab\n"},
    {"a refusal is text", DELTA("\"refusal\":\"I cannot.\"") FINISH("stop") DONE,
     "text: I cannot.\nfinish stop\n> I cannot.\n"},
    {"an error inside a 200",
     DELTA(
         "\"content\":\"a\"") "data: {\"error\":{\"message\":\"The server had an error\",\"type\":"
                              "\"server_error\",\"code\":null}}\n\n" DONE,
     "text: a\nrefused: The server had an error\n"},
    {"an error event without the word in its data",
     "event: error\ndata: {\"message\":\"overloaded\"}\n\n",
     "refused: {\"message\":\"overloaded\"}\n"},
    {"an error as text", "data: {\"error\":\"model runner stopped\"}\n\n",
     "refused: model runner stopped\n"},
    {"a stream that is cut", DELTA("\"content\":\"a\"") "data: {\"choices\":[{\"de",
     "text: a\nfailed: the model's answer ended before it was complete\n"},
    {"a stream that is cut inside a call", CALLS(CALL_ONE) CALLS(ARGUMENTS("0", "{\\\"code\\\":")),
     "call 0: run_python\narguments 0: {\"code\":\n"
     "failed: the model's answer ended before it was complete\n"},
    {"the server says that the stream is broken", DELTA("\"content\":\"a\"") FINISH("error"),
     "text: a\nfailed: the model's answer ended before it was complete\n"},
    {"a stream without its end mark", DELTA("\"content\":\"a\"") FINISH("stop"),
     "text: a\nfinish stop\n> a\n"},
    {"an end mark without a finish and without line ends",
     DELTA("\"content\":\"a\"") "data: [DONE]", "text: a\nfinish stop\n> a\n"},
    {"nothing counts behind the end mark",
     DELTA("\"content\":\"a\"") DONE DELTA("\"content\":\"b\""), "text: a\nfinish stop\n> a\n"},
    {"a call that is cut at the limit of tokens",
     CALLS(CALL_ONE) CALLS(ARGUMENTS("0", "{\\\"code\\\":\\\"import os")) FINISH("length") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"import os\nend 0\nfinish length\n"
     "> call_a run_python {\"code\":\"import os !The call was cut off at the limit of tok\n"},
    {"a whole call is not run either when tokens ran out",
     CALLS(CALL_ONE) CALLS(ARGUMENTS("0", "{\\\"code\\\":\\\"1\\\"}")) FINISH("length") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nfinish length\n"
     "> call_a run_python {\"code\":\"1\"} !The call was cut off at the limit of tok\n"},
    {"a call that is cut though the finish denies it",
     CALLS(CALL_ONE) CALLS(ARGUMENTS("0", "{\\\"code\\\":\\\"import os")) FINISH("tool_calls") DONE,
     "call 0: run_python\narguments 0: {\"code\":\"import os\nend 0\nfinish calls\n"
     "> call_a run_python {\"code\":\"import os !The arguments are cut off before their e\n"},
    {"the content filter ends the answer", DELTA("\"content\":\"a\"") FINISH("content_filter") DONE,
     "text: a\nfinish filter\n> a\n"},
    {"not streamed though it was asked for",
     " \n{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{"
     "\"role\":"
     "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
     "\"function\":{"
     "\"name\":\"run_python\",\"arguments\":\"{\\\"code\\\":\\\"1\\\"}\"}}]},\"finish_reason\":"
     "\"tool_calls\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nusage 1 -1 2 -1\nfinish calls\n"
     "> a run_python {\"code\":\"1\"}\n"},
    {"an error that is not streamed, with status 200",
     "{\"object\":\"error\",\"message\":\"no such model\",\"code\":40400}",
     "refused: no such model\n"},
    {"a web page", "<!doctype html><html></html>",
     "failed: the answer is a web page, not a model's: check the endpoint's path\n"},
    {"nothing at all", "", "failed: the model's answer ended before it was complete\n"},
    {"an event that is not JSON", "data: {oops}\n\n",
     "failed: an event of the model's stream cannot be read: JSON, line 1, column 5: string or '}' "
     "expected\n"},
    {"values of other types mean nothing",
     "data: "
     "{\"choices\":[{\"index\":\"x\",\"delta\":{\"content\":5,\"reasoning\":{},\"tool_calls\":[3,"
     "{\"index\":-4,\"id\":7,\"function\":{\"name\":[],\"arguments\":9}}],\"function_call\":\"f\"},"
     "\"finish_reason\":1},null,4],\"usage\":[]}\n\n"
     "data: {\"choices\":{\"a\":1},\"usage\":{\"prompt_tokens\":\"9\"}}\n\ndata: [1,2]\n\n" DONE,
     "usage -1 -1 -1 -1\nfinish stop\n"},
};

static void answers_are_the_same_in_every_chunking(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        for (int pieces = 0; pieces < PIECES_COUNT; pieces++) {
            struct transcript transcript = {0};
            read_answer((enum pieces)pieces, answers[i].bytes, strlen(answers[i].bytes),
                        &transcript);
            const char *text = transcript.text.data ? transcript.text.data : "";
            if (strcmp(text, answers[i].transcript) != 0)
                fail_msg("%s (pieces %d):\n%s\nexpected:\n%s", answers[i].what, pieces, text,
                         answers[i].transcript);
            buf_free(&transcript.text);
        }
    }
}

static void more_calls_than_anybody_makes_are_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf bytes = {0};
    struct transcript transcript = {0};
    for (int i = 0; i <= ANSWER_CALLS_MAX; i++)
        buf_printf(&bytes,
                   "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"function\":{"
                   "\"name\":\"list_files\"}}]}}]}\n\n",
                   i);
    read_answer(PIECES_ALL_AT_ONCE, bytes.data, bytes.length, &transcript);
    assert_string_equal(transcript.text.data,
                        "failed: the model makes more than 64 calls in one answer\n");
    buf_free(&transcript.text);
}

/* ---- requests ---- */

static struct llm_call made_call = {.id = (char *)"call_1",
                                    .name = (char *)"run_python",
                                    .arguments = (char *)"{\"code\":\"1+1\"}"};
static struct llm_call broken_call = {
    .id = (char *)"call_2", .name = (char *)"run python!", .arguments = (char *)"{\"code\":\"1"};
static const struct llm_message conversation[] = {
    {.role = LLM_SYSTEM, .text = (char *)"Be brief."},
    {.role = LLM_USER, .text = (char *)"1+1? \"\n"},
    {.role = LLM_ASSISTANT, .calls = &made_call, .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"call_1", .text = (char *)"2"},
    {.role = LLM_ASSISTANT, .text = (char *)"Once more.", .calls = &broken_call, .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"call_2", .text = (char *)"cut off"},
};
#define MESSAGES                                                                                   \
    "{\"role\":\"user\",\"content\":\"1+1? \\\"\\n\"},{\"role\":\"assistant\",\"content\":null,"   \
    "\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":"             \
    "\"run_python\",\"arguments\":\"{\\\"code\\\":\\\"1+1\\\"}\"}}]},{\"role\":\"tool\","          \
    "\"tool_call_id\":\"call_1\",\"content\":\"2\"},{\"role\":\"assistant\",\"content\":"          \
    "\"Once more.\",\"tool_calls\":[{\"id\":\"call_2\",\"type\":\"function\",\"function\":{"       \
    "\"name\":\"run_python_\",\"arguments\":\"{\\\"unreadable\\\":\\\"{\\\\\\\"code\\\\\\\":"      \
    "\\\\\\\"1\\\"}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_2\",\"content\":"             \
    "\"cut off\"}]"
#define TOOLS(strict)                                                                              \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"run_python\",\"description\":"     \
    "\"Runs Python.\",\"parameters\":{\"type\":\"object\",\"properties\":{\"code\":{\"type\":"     \
    "\"string\"}},\"required\":[\"code\"],\"additionalProperties\":false}" strict "}},{\"type\":"  \
    "\"function\",\"function\":{\"name\":\"list_files\",\"description\":\"Lists files.\","         \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"directory\":{\"type\":\"string\"}}}}}]"

static void write_request(const struct request_options *options, bool answer_only,
                          const char *expected)
{
    struct tool_shapes shapes = {0};
    struct error err = {0};
    AUTO_BUF struct buf out = {0};
    assert_int_equal(tool_shapes_read(model_answer_tools, COUNT(model_answer_tools), &shapes, &err),
                     0);
    struct llm_request request = {.messages = conversation,
                                  .message_count = COUNT(conversation),
                                  .tools = model_answer_tools,
                                  .tool_count = COUNT(model_answer_tools),
                                  .answer_only = answer_only};
    assert_int_equal(chat_write_request(options, &request, &shapes, &out, &err), 0);
    assert_string_equal(out.data, expected);
    tool_shapes_clear(&shapes);
}

static void a_request_has_what_the_service_expects(void **state)
{
    (void)state;
    write_request(
        &(struct request_options){.model = "D"}, false,
        "{\"model\":\"D\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"}," MESSAGES
        "," TOOLS(
            ",\"strict\":true") ",\"tool_choice\":\"auto\","
                                "\"parallel_tool_calls\":false,\"temperature\":0,\"stream\":true,"
                                "\"stream_options\":{\"include_usage\":true}}");
}

static void parts_that_a_model_refuses_can_be_left_out(void **state)
{
    (void)state;
    unsigned without = PART_TEMPERATURE | PART_STOP | PART_STREAM_OPTIONS | PART_PARALLEL_CALLS |
                       PART_TOOL_CHOICE | PART_STRICT | PART_MAX_TOKENS | PART_SYSTEM;
    struct request_options options = {
        .model = "D", .stop = "\nObservation", .answer_tokens_max = 100, .without = without};
    write_request(
        &options, false,
        "{\"model\":\"D\",\"messages\":[{\"role\":\"user\",\"content\":\"Be brief.\"}," MESSAGES
        "," TOOLS("") ",\"max_completion_tokens\":100,\"stream\":true}");
    options.without &= ~(unsigned)(PART_STOP | PART_MAX_TOKENS);
    write_request(
        &options, true,
        "{\"model\":\"D\",\"messages\":[{\"role\":\"user\",\"content\":\"Be brief.\"}," MESSAGES
        ",\"stop\":[\"\\nObservation\"],\"max_tokens\":100,\"stream\":true}");
}

static void an_answer_without_calls_can_be_asked_for(void **state)
{
    (void)state;
    struct request_options options = {.model = "D", .without = PART_STRICT | PART_STREAM_OPTIONS};
    write_request(
        &options, true,
        "{\"model\":\"D\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"}," MESSAGES
        "," TOOLS("") ",\"tool_choice\":\"none\",\"parallel_tool_calls\":false,"
                      "\"temperature\":0,\"stream\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same_in_every_chunking),
        cmocka_unit_test(more_calls_than_anybody_makes_are_refused),
        cmocka_unit_test(a_request_has_what_the_service_expects),
        cmocka_unit_test(parts_that_a_model_refuses_can_be_left_out),
        cmocka_unit_test(an_answer_without_calls_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
