#include "tests/fuzz/fuzz_model_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_model_answer((struct model_answer_reading){.provider = &provider_responses}, data, size);
    return 0;
}
