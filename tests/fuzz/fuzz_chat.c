#include "tests/fuzz/fuzz_model_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_model_answer(&provider_chat, data, size);
    return 0;
}
