#include "agent/llm/react.h"

#include "base/json/writer.h"
#include "tests/agent/model_answer.h"
#include "tests/support/unit.h"

/* ---- answers ---- */

static void read_text(const char *text, bool answer_only, enum pieces pieces,
                      struct transcript *transcript)
{
    AUTO_BUF struct buf stream = {0};
    uint64_t seed = 5;
    size_t length = strlen(text);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = next_piece(pieces, length - at, &seed);
        buf_append_text(&stream, "data: {\"choices\":[{\"delta\":{\"content\":");
        struct writer writer = writer_begin(&stream, false);
        writer_text(&writer, NULL, text + at, piece);
        buf_append_text(&stream, "}}]}\n\n");
    }
    buf_append_text(&stream, "data: [DONE]\n\n");
    struct model_answer_reading reading = {.provider = &provider_chat,
                                           .pieces = PIECES_ALL_AT_ONCE,
                                           .text_protocol = true,
                                           .answer_only = answer_only};
    model_answer_read(&reading, stream.data, stream.length, transcript);
}

struct text_case {
    const char *what, *text, *transcript;
};

static void check(const struct text_case *cases, size_t count, bool answer_only)
{
    for (size_t i = 0; i < count; i++) {
        for (int pieces = 0; pieces < PIECES_COUNT; pieces++) {
            struct transcript transcript = {0};
            read_text(cases[i].text, answer_only, (enum pieces)pieces, &transcript);
            if (strcmp(transcript.text.data, cases[i].transcript) != 0)
                fail_msg("%s (pieces %d):\n%s\nexpected:\n%s", cases[i].what, pieces,
                         transcript.text.data, cases[i].transcript);
            buf_free(&transcript.text);
        }
    }
}

#define CALL(code) "call 0: run_python\narguments 0: {\"code\":\"" code "\"}\nend 0\nfinish calls\n"

static void actions_and_answers_are_read_as_langchain_writes_them(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"an action", " I count.\nAction: run_python\nAction Input: 1+1",
         "reasoning: I count.\n" CALL("1+1") ">  I count.\nAction: run_python\nAction Input: 1+1\n"
                                             "> call_3_0 run_python {\"code\":\"1+1\"}\n"},
        {"an answer", " I know it.\nFinal Answer: It is 4.\n\nReally. \n",
         "reasoning: I know it.\ntext: It is 4.\n\nReally.\nfinish stop\n> It is 4.\n\nReally.\n"},
        {"numbers", "Action 1: run_python\nAction 1 Input: 1\n",
         CALL("1") "> Action 1: run_python\nAction 1 Input: 1\n\n"
                   "> call_3_0 run_python {\"code\":\"1\"}\n"},
        {"input of several lines", "Action: run_python\nAction Input:\nfor i in a:\n    print(i)\n",
         CALL("for i in a:\\n    print(i)") "> Action: run_python\nAction Input:\nfor i in a:\n    "
                                            "print(i)\n\n"
                                            "> call_3_0 run_python {\"code\":\"for i in a:\\n    "
                                            "print(i)\"}\n"},
        {"quotes", "Action: run_python\nAction Input: \"1+1\"",
         CALL("1+1") "> Action: run_python\nAction Input: \"1+1\"\n"
                     "> call_3_0 run_python {\"code\":\"1+1\"}\n"},
        {"a name with something around it", "Action: `[run_python]`.\n\nAction Input: 1",
         CALL("1") "> Action: `[run_python]`.\n\nAction Input: 1\n"
                   "> call_3_0 run_python {\"code\":\"1\"}\n"},
        {"a fence", "Action: run_python\nAction Input: ```python\n1\n```",
         CALL("1") "> Action: run_python\nAction Input: ```python\n1\n```\n"
                   "> call_3_0 run_python {\"code\":\"1\"}\n"},
        {"the word action in a thought", "The Actions are Action, not F or Final.\nFinal Answer: 4",
         "reasoning: The Actions are Action, not F or Final.\ntext: 4\nfinish stop\n> 4\n"},
        {"a tool without its one text", "Action: list_files\nAction Input: {\"directory\":\"a\"}",
         "call 0: list_files\narguments 0: {\"directory\":\"a\"}\nend 0\nfinish calls\n"
         "> Action: list_files\nAction Input: {\"directory\":\"a\"}\n"
         "> call_3_0 list_files {\"directory\":\"a\"}\n"},
        {"no input for a tool that needs none", "Action: list_files\nAction Input: None",
         "call 0: list_files\narguments 0: {}\nend 0\nfinish calls\n"
         "> Action: list_files\nAction Input: None\n> call_3_0 list_files {}\n"},
    };
    check(cases, COUNT(cases), false);
}

static void what_the_model_makes_up_is_cut(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"an observation",
         "Action: run_python\nAction Input: 1\nObservation: 2\nThought: so\nFinal Answer: 2",
         CALL("1") "> Action: run_python\nAction Input: 1\n"
                   "> call_3_0 run_python {\"code\":\"1\"}\n"},
        {"an answer behind an action", "Action: run_python\nAction Input: 1\n\nFinal Answer: 2",
         CALL("1") "> Action: run_python\nAction Input: 1\n\n"
                   "> call_3_0 run_python {\"code\":\"1\"}\n"},
        {"an action behind an answer", "Final Answer: 4\nAction: run_python\nAction Input: 1",
         "text: 4\nAction: run_python\nAction Input: 1\nfinish stop\n"
         "> 4\nAction: run_python\nAction Input: 1\n"},
        {"an observation behind an answer", "Final Answer: 4\nObservation: yes",
         "text: 4\nfinish stop\n> 4\n"},
        {"an answer in place of an input", "Action: none\nFinal Answer: 4",
         "text: 4\nfinish stop\n> 4\n"},
    };
    check(cases, COUNT(cases), false);
}

static void a_text_without_form_is_a_call_of_its_own_with_langchains_words(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"no action", "I should look.",
         "reasoning: I should look.\ncall 0: _Exception\narguments 0: {}\nend 0\nfinish calls\n"
         "> I should look.\n"
         "> call_3_0 _Exception {} !Invalid Format: Missing 'Action:' after \n"},
        {"no input", "Well.\nAction: run_python\n",
         "reasoning: Well.\ncall 0: _Exception\narguments 0: {}\nend 0\nfinish calls\n"
         "> Well.\nAction: run_python\n\n"
         "> call_3_0 _Exception {} !Invalid Format: Missing 'Action Input:' \n"},
        {"an unknown tool", "Action: search\nAction Input: x",
         "call 0: search\narguments 0: {}\nend 0\nfinish calls\n"
         "> Action: search\nAction Input: x\n"
         "> call_3_0 search {} !search is not a valid tool, try one of [\n"},
        {"nothing", "",
         "call 0: _Exception\narguments 0: {}\nend 0\nfinish calls\n"
         "> call_3_0 _Exception {} !Invalid Format: Missing 'Action:' after \n"},
    };
    check(cases, COUNT(cases), false);
}

static void when_only_an_answer_is_wanted_any_text_is_one(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"no form", " It is 4.\n",
         "reasoning: It is 4.\ntext: It is 4.\nfinish stop\n> It is 4.\n"},
        {"the form", "So.\nFinal Answer: 4", "reasoning: So.\ntext: 4\nfinish stop\n> 4\n"},
    };
    check(cases, COUNT(cases), true);
}

static void a_call_that_is_cut_at_the_limit_of_tokens_is_not_run(void **state)
{
    (void)state;
    struct transcript transcript = {0};
    struct model_answer_reading reading = {
        .provider = &provider_chat, .pieces = PIECES_OF_ONE_BYTE, .text_protocol = true};
    static const char bytes[] =
        "data: {\"choices\":[{\"delta\":{\"content\":\"Action: run_python\\n"
        "Action Input: import o\"},\"finish_reason\":\"length\"}]}\n\n";
    model_answer_read(&reading, bytes, strlen(bytes), &transcript);
    assert_non_null(strstr(transcript.text.data, "!The call was cut off at the limit"));
    buf_free(&transcript.text);
}

/* ---- the prompt ---- */

static struct llm_call own_call = {
    .id = (char *)"c1", .name = (char *)"run_python", .arguments = (char *)"{\"code\":\"1+1\"}"};
static struct llm_call other_call = {
    .id = (char *)"c2", .name = (char *)"run_python", .arguments = (char *)"{\"code\":\"2+2\"}"};
static struct llm_call no_form = {
    .id = (char *)"c3", .name = (char *)REACT_EXCEPTION, .arguments = (char *)"{}"};
static const struct llm_message conversation[] = {
    {.role = LLM_SYSTEM, .text = (char *)"Be brief."},
    {.role = LLM_USER, .text = (char *)"First {input}?"},
    {.role = LLM_ASSISTANT,
     .text = (char *)"Hm.\nAction: run_python\nAction Input: 1+1",
     .calls = &own_call,
     .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"c1", .text = (char *)"2"},
    {.role = LLM_ASSISTANT, .text = (char *)"Two."},
    {.role = LLM_USER, .text = (char *)"Then?"},
    {.role = LLM_ASSISTANT, .text = (char *)"By tools.", .calls = &other_call, .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"c2", .text = (char *)"4"},
    {.role = LLM_ASSISTANT, .text = (char *)"Eh?", .calls = &no_form, .call_count = 1},
    {.role = LLM_TOOL, .call_id = (char *)"c3", .text = (char *)"Invalid Format"},
};

static void build(const char *template_text, const struct llm_request *request,
                  struct react_messages *messages)
{
    struct tool_shapes shapes = {0};
    struct react_template template = {0};
    struct error err = {0};
    assert_int_equal(tool_shapes_read(request->tools, request->tool_count, &shapes, &err), 0);
    assert_int_equal(react_template_read(template_text, &template, &err), 0);
    assert_int_equal(react_messages_build(&template, request, &shapes, messages, &err), 0);
    react_template_clear(&template);
    tool_shapes_clear(&shapes);
}

#define SCRATCHPAD                                                                                 \
    "By tools.\nAction: run_python\nAction Input: 2+2\nObservation: 4\nThought: Eh?"               \
    "\nObservation: Invalid Format\nThought: "

static void the_conversation_becomes_langchains_prompt(void **state)
{
    (void)state;
    struct react_messages messages = {0};
    struct llm_request request = {.messages = conversation,
                                  .message_count = COUNT(conversation),
                                  .tools = model_answer_tools,
                                  .tool_count = COUNT(model_answer_tools)};
    build(NULL, &request, &messages);
    assert_int_equal(messages.count, 4);
    assert_int_equal(messages.items[0].role, LLM_SYSTEM);
    assert_string_equal(messages.items[0].text, "Be brief.");
    assert_string_equal(messages.items[1].text, "First {input}?");
    assert_int_equal(messages.items[2].role, LLM_ASSISTANT);
    assert_string_equal(messages.items[2].text,
                        "Hm.\nAction: run_python\nAction Input: 1+1\nObservation: 2\nThought: "
                        "Final Answer: Two.");
    assert_int_equal(messages.items[3].role, LLM_USER);
    assert_string_equal(
        messages.items[3].text,
        "Answer the following questions as best you can. You have access to the following "
        "tools:\n\n"
        "run_python - Runs Python.\n"
        "list_files - Lists files. Its input is a JSON object by this schema: {\"type\":\"object\","
        "\"properties\":{\"directory\":{\"type\":\"string\"}}}\n\n"
        "Use the following format:\n\n"
        "Question: the input question you must answer\n"
        "Thought: you should always think about what to do\n"
        "Action: the action to take, should be one of [run_python, list_files]\n"
        "Action Input: the input to the action\n"
        "Observation: the result of the action\n"
        "... (this Thought/Action/Action Input/Observation can repeat N times)\n"
        "Thought: I now know the final answer\n"
        "Final Answer: the final answer to the original input question\n\n"
        "Begin!\n\n"
        "Question: Then?\n"
        "Thought:" SCRATCHPAD);
    react_messages_clear(&messages);
}

static void a_template_of_ones_own_has_the_same_slots(void **state)
{
    (void)state;
    struct react_messages messages = {0};
    struct llm_request request = {.messages = conversation + 5,
                                  .message_count = 1,
                                  .tools = model_answer_tools,
                                  .tool_count = 1,
                                  .answer_only = true};
    build("{{\"f\": \"{file_path}\"}} {tool_names}|{tools}|{input}|{agent_scratchpad}", &request,
          &messages);
    assert_int_equal(messages.count, 1);
    assert_string_equal(messages.items[0].text,
                        "{\"f\": \"No file found\"} run_python|run_python - Runs Python.|Then?|"
                        "\n\nI now need to return a final answer based on the previous steps:");
    react_messages_clear(&messages);
    request.file_path = "/mnt/data/a.csv";
    build("{file_path} {input}{agent_scratchpad}", &request, &messages);
    assert_non_null(strstr(messages.items[0].text, "/mnt/data/a.csv Then?"));
    react_messages_clear(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_and_answers_are_read_as_langchain_writes_them),
        cmocka_unit_test(what_the_model_makes_up_is_cut),
        cmocka_unit_test(a_text_without_form_is_a_call_of_its_own_with_langchains_words),
        cmocka_unit_test(when_only_an_answer_is_wanted_any_text_is_one),
        cmocka_unit_test(a_call_that_is_cut_at_the_limit_of_tokens_is_not_run),
        cmocka_unit_test(the_conversation_becomes_langchains_prompt),
        cmocka_unit_test(a_template_of_ones_own_has_the_same_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
