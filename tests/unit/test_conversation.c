#include "agent/turn/conversation.h"

#include "tests/support/unit.h"

static void old_outputs_make_room_and_the_last_two_stay(void **state)
{
    (void)state;
    struct conversation conversation = {0};
    char output[1000];
    memset(output, 'x', sizeof output - 1);
    output[sizeof output - 1] = '\0';
    conversation_begin(&conversation);
    conversation_add(&conversation, LLM_USER, output);
    for (int i = 0; i < 4; i++)
        conversation_answer_call(&conversation, "id", output);
    assert_true(conversation_shorten(&conversation));
    assert_int_equal(strlen(conversation.messages[0].text), 999);
    for (size_t i = 1; i < conversation.count; i++)
        assert_int_equal(strcmp(conversation.messages[i].text, output) == 0, i > 2);
    assert_non_null(strstr(conversation.messages[1].text, "999 bytes"));
    assert_string_equal(conversation.messages[1].call_id, "id");
    assert_false(conversation_shorten(&conversation));
    conversation_clear(&conversation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_outputs_make_room_and_the_last_two_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
