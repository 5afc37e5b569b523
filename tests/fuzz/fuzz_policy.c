#include "base/core/cleanup.h"
#include "sandboxd/policy/describe.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>

/* A parent that every input may extend, and one that extends what cannot be. */
static int load_parent(void *self, const char *name, struct policy *ret_policy, struct error *err)
{
    static const char parent[] =
        "{\"name\":\"parent\",\"kind\":\"process\",\"default\":\"EPERM\",\"calls\":["
        "{\"allow\":[\"read\",\"write\"],\"why\":\"a\"},"
        "{\"allow\":[\"socket\"],\"when\":[{\"argument\":0,\"is\":[1,2]}],\"why\":\"b\"},"
        "{\"refuseNumbers\":[451,460],\"error\":\"ENOSYS\",\"why\":\"c\"}]}";
    (void)self;
    if (strcmp(name, "parent") != 0)
        return error_set(err, ERROR_MISSING, "there is no policy \"%.40s\"", name);
    return policy_read(parent, strlen(parent), "parent", NULL, ret_policy, err);
}

/* What is printed as a document says the same when it is read. */
static void check_round_trip(const struct policy *policy)
{
    struct policy again;
    struct error err = {0};
    AUTO_BUF struct buf difference = {0};
    json_t *document = describe_as_json(policy);
    CHECK(document);
    char *text = json_dumps(document, 0);
    json_decref(document);
    if (policy_read(text, strlen(text), "again", NULL, &again, &err) < 0) {
        fprintf(stderr, "%s\n%s\n", err.message, text);
        abort();
    }
    CHECK(describe_difference(policy, &again, &difference) == 0);
    policy_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct policy_parents parents = {load_parent, NULL};
    struct policy policy;
    struct error err = {0};
    AUTO_BUF struct buf text = {0};
    if (policy_read((const char *)data, size, "x.json", &parents, &policy, &err) < 0) {
        CHECK(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
        CHECK(strncmp(err.message, "x.json:", 7) == 0);
        return 0;
    }
    describe_policy(&policy, &text);
    for (int number = 0; number < 64; number++)
        describe_call(&policy, number, &text);
    check_round_trip(&policy);
    policy_clear(&policy);
    return 0;
}
