#include "agent/llm/provider.h"

#include "tests/agent/model_answer.h"
#include "tests/support/unit.h"

#define EVENT(type, members)                                                                       \
    "event: " type "\ndata: {\"type\":\"" type "\",\"sequence_number\":1," members "}\n\n"
#define CREATED                                                                                    \
    EVENT("response.created", "\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"error\":"   \
                              "null,\"output\":[]}")
#define TEXT(delta)                                                                                \
    EVENT("response.output_text.delta",                                                            \
          "\"item_id\":\"m\",\"output_index\":0,\"delta\":\"" delta "\"")
#define MESSAGE                                                                                    \
    "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","         \
    "\"text\":\"Hello\"}]}"
#define CALL(arguments)                                                                            \
    "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_a\",\"name\":\"run_python\","  \
    "\"arguments\":\"" arguments "\"}"
#define COMPLETED(output)                                                                          \
    EVENT("response.completed",                                                                    \
          "\"response\":{\"id\":\"r\",\"status\":\"completed\",\"error\":null,"                    \
          "\"incomplete_details\":null,\"output\":[" output "],\"usage\":{\"input_tokens\":9,"     \
          "\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":2,"                    \
          "\"output_tokens_details\":{\"reasoning_tokens\":1},\"total_tokens\":11}}")

static const struct {
    const char *what, *bytes, *transcript;
} answers[] = {
    {"a plain answer",
     CREATED EVENT("response.output_item.added",
                   "\"output_index\":0,\"item\":{\"type\":\"message\",\"content\":[]}") TEXT("Hel")
         TEXT("lo") EVENT("response.output_text.done", "\"text\":\"Hello\"")
             EVENT("response.output_item.done", "\"output_index\":0,\"item\":" MESSAGE)
                 COMPLETED(MESSAGE),
     "text: Hello\nusage 9 4 2 1\nfinish stop\n> Hello\n"},
    {"a call in fragments",
     CREATED EVENT("response.output_item.added", "\"output_index\":1,\"item\":" CALL(""))
         EVENT("response.function_call_arguments.delta",
               "\"item_id\":\"fc_1\",\"output_index\":1,\"delta\":\"{\\\"co\"")
             EVENT("response.function_call_arguments.delta",
                   "\"item_id\":\"fc_1\",\"output_index\":1,\"delta\":\"de\\\":\\\"1\\\"}\"")
                 EVENT("response.function_call_arguments.done",
                       "\"output_index\":1,\"arguments\":\"{\\\"code\\\":\\\"1\\\"}\"")
                     EVENT("response.output_item.done",
                           "\"output_index\":1,\"item\":" CALL("{\\\"code\\\":\\\"1\\\"}"))
                         COMPLETED("{\"type\":\"reasoning\",\"summary\":[]}," CALL(
                             "{\\\"code\\\":\\\"1\\\"}")),
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nusage 9 4 2 1\nfinish calls\n"
     "> call_a run_python {\"code\":\"1\"}\n"},
    {"a call whose arguments come only at its end",
     EVENT("response.output_item.added", "\"output_index\":0,\"item\":" CALL(""))
         EVENT("response.function_call_arguments.done",
               "\"output_index\":0,\"arguments\":\"{\\\"code\\\":\\\"1\\\"}\"") COMPLETED(""),
     "call 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nusage 9 4 2 1\nfinish calls\n"
     "> call_a run_python {\"code\":\"1\"}\n"},
    {"only the whole at the end", COMPLETED(MESSAGE "," CALL("{\\\"code\\\":\\\"1\\\"}")),
     "text: Hello\ncall 0: run_python\narguments 0: {\"code\":\"1\"}\nend 0\nusage 9 4 2 1\n"
     "finish calls\n> Hello\n> call_a run_python {\"code\":\"1\"}\n"},
    {"reasoning is told",
     EVENT("response.reasoning_summary_text.delta", "\"delta\":\"so \"")
         EVENT("response.reasoning_text.delta", "\"delta\":\"it is\"") TEXT("4") COMPLETED(MESSAGE),
     "reasoning: so it is\ntext: 4\nusage 9 4 2 1\nfinish stop\n> 4\n"},
    {"a refusal is text", EVENT("response.refusal.delta", "\"delta\":\"I cannot.\"") COMPLETED(""),
     "text: I cannot.\nusage 9 4 2 1\nfinish stop\n> I cannot.\n"},
    {"cut at the limit of tokens",
     EVENT("response.output_item.added", "\"output_index\":0,\"item\":" CALL(""))
         EVENT("response.function_call_arguments.delta", "\"output_index\":0,\"delta\":\"{\\\"co\"")
             EVENT("response.incomplete",
                   "\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                   "\"max_output_tokens\"},\"output\":[]}"),
     "call 0: run_python\narguments 0: {\"co\nend 0\nfinish length\n"
     "> call_a run_python {\"co !The call was cut off at the limit of tok\n"},
    {"ended by the content filter",
     TEXT("a") EVENT("response.incomplete",
                     "\"response\":{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
                     "\"content_filter\"},\"output\":[]}"),
     "text: a\nfinish filter\n> a\n"},
    {"failed",
     TEXT("a") EVENT("response.failed",
                     "\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
                     "\"message\":\"It broke.\"}}"),
     "text: a\nrefused: It broke.\n"},
    {"an error event",
     EVENT("error", "\"code\":\"rate_limit_exceeded\",\"message\":\"Slow down.\",\"param\":null"),
     "refused: Slow down.\n"},
    {"a stream that is cut", CREATED TEXT("a"),
     "text: a\nfailed: the model's answer ended before it was complete\n"},
    {"not streamed though it was asked for",
     "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,\"output\":"
     "[" MESSAGE "," MESSAGE "],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
     "text: HelloHello\nusage 1 -1 2 -1\nfinish stop\n> HelloHello\n"},
    {"values of other types mean nothing",
     EVENT("response.output_text.delta", "\"delta\":5") EVENT("response.output_item.added",
                                                              "\"item\":[]")
         EVENT("response.function_call_arguments.delta", "\"output_index\":\"x\",\"delta\":null")
             EVENT("response.completed", "\"response\":7"),
     "finish stop\n"},
};

static void answers_are_the_same_in_every_chunking(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        for (int pieces = 0; pieces < PIECES_COUNT; pieces++) {
            struct transcript transcript = {0};
            struct model_answer_reading reading = {.provider = &provider_responses,
                                                   .pieces = (enum pieces)pieces};
            model_answer_read(&reading, answers[i].bytes, strlen(answers[i].bytes), &transcript);
            if (strcmp(transcript.text.data, answers[i].transcript) != 0)
                fail_msg("%s (pieces %d):\n%s\nexpected:\n%s", answers[i].what, pieces,
                         transcript.text.data, answers[i].transcript);
            buf_free(&transcript.text);
        }
    }
}

static struct llm_call made_call = {.id = (char *)"call_1",
                                    .name = (char *)"run_python",
                                    .arguments = (char *)"{\"code\":\"1+1\"}"};
static const struct llm_message conversation[] = {
    {.role = LLM_SYSTEM, .text = (char *)"Be brief."},
    {.role = LLM_USER, .text = (char *)"1+1?"},
    {.role = LLM_ASSISTANT, .text = (char *)"Well.", .calls = &made_call, .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"call_1", .text = (char *)"2"},
};

static void a_request_holds_the_whole_conversation(void **state)
{
    (void)state;
    struct tool_shapes shapes = {0};
    struct error err = {0};
    AUTO_BUF struct buf out = {0};
    struct llm_request request = {.messages = conversation,
                                  .message_count = COUNT(conversation),
                                  .tools = model_answer_tools,
                                  .tool_count = 1};
    assert_int_equal(tool_shapes_read(model_answer_tools, 1, &shapes, &err), 0);
    struct request_options options = {.model = "D", .answer_tokens_max = 100};
    assert_int_equal(provider_responses.write_request(&options, &request, &shapes, &out, &err), 0);
    assert_string_equal(
        out.data,
        "{\"model\":\"D\",\"instructions\":\"Be brief.\",\"input\":[{\"type\":\"message\",\"role\":"
        "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"1+1?\"}]},{\"type\":\"message\","
        "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Well.\"}]},"
        "{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"run_python\",\"arguments\":"
        "\"{\\\"code\\\":\\\"1+1\\\"}\"},{\"type\":\"function_call_output\",\"call_id\":\"call_1\","
        "\"output\":\"2\"}],\"tools\":[{\"type\":\"function\",\"name\":\"run_python\","
        "\"description\":\"Runs Python.\",\"parameters\":{\"type\":\"object\",\"properties\":{"
        "\"code\":{\"type\":\"string\"}},\"required\":[\"code\"],\"additionalProperties\":false},"
        "\"strict\":true}],\"tool_choice\":\"auto\",\"parallel_tool_calls\":false,\"temperature\":"
        "0,\"max_output_tokens\":100,\"stream\":true,\"store\":false}");
    tool_shapes_clear(&shapes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same_in_every_chunking),
        cmocka_unit_test(a_request_holds_the_whole_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
