#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/settings/env_file.h"
#include "agent/settings/environment.h"
#include "agent/settings/model_choice.h"
#include "base/core/buf.h"
#include "tests/support/unit.h"

/* ---- the text of a .env file ---- */

static void print(void *self, const char *name, const char *value)
{
    buf_printf(self, "%s=[%s]\n", name, value);
}

static void values_are_read_as_python_dotenv_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *read;
    } cases[] = {
        {"", ""},
        {"A=1", "A=[1]\n"},
        {"\xef\xbb\xbf"
         "A=1\r\nB=2\r\n",
         "A=[1]\nB=[2]\n"},
        {"  export A = 1 \n", "A=[1]\n"},
        {"export=1", "export=[1]\n"},
        {"# A=1\n\nB=\n", "B=[]\n"},
        {"A=a b # c", "A=[a b]\n"},
        {"A=a#b", "A=[a#b]\n"},
        {"A='a # $B \\n' # c", "A=[a # $B \\n]\n"},
        {"A=\"a\\n\\\"\\$B\\\\\\x\"", "A=[a\n\"$B\\\\x]\n"},
        {"A=\"a\nb\"\nC=1", "A=[a\nb]\nC=[1]\n"},
        {"A=$B ${C}", "A=[$B ${C}]\n"},
        {"A=https://x/?a=b&c=d", "A=[https://x/?a=b&c=d]\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf read = {0};
        struct error err = {0};
        if (env_file_read(cases[i].text, strlen(cases[i].text), print, &read, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_string_equal(read.data ? read.data : "", cases[i].read);
    }
}

static void a_mistake_is_told_by_its_line_and_without_its_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"A=1\nsecret", "line 2: \"=\" was expected"},
        {"=secret", "line 1: a name was expected"},
        {"1A=secret", "line 1: a name was expected"},
        {"A=\"b\nc\"\nB='secret\n\n", "line 3: the quote is not closed"},
        {"A='b' secret", "line 1: something follows the closing quote"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO_BUF struct buf read = {0};
        struct error err = {0};
        assert_int_equal(env_file_read(cases[i].text, strlen(cases[i].text), print, &read, &err),
                         -1);
        assert_error(err, ERROR_INVALID, cases[i].word);
        assert_null(strstr(err.message, "secret"));
    }
}

/* ---- which files ---- */

static int enter_an_empty_directory(void **state)
{
    (void)state;
    char directory[] = "/tmp/sandpool-test-XXXXXX";
    for (const char *const *name = environment_names; *name; name++)
        unsetenv(*name);
    unsetenv("AZURE_ENV_NAME");
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave_the_directory(void **state)
{
    (void)state;
    char directory[256];
    static const char *const files[] = {".azure/dev/.env", ".azure/config.json", ".env"};
    for (size_t i = 0; i < COUNT(files); i++)
        unlink(files[i]);
    rmdir(".azure/dev");
    rmdir(".azure");
    return getcwd(directory, sizeof directory) && chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void azds_environment_is_found_and_what_is_set_wins(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(mkdir(".azure", 0700), 0);
    assert_int_equal(mkdir(".azure/dev", 0700), 0);
    write_file(".azure/config.json", "{\"version\":1,\"defaultEnvironment\":\"dev\"}");
    write_file(".azure/dev/.env",
               "AZURE_OPENAI_ENDPOINT=\"https://azd\"\nAZURE_OPENAI_VERSION=azd\n"
               "POOL_MANAGEMENT_ENDPOINT=azd\n");
    write_file(".env", "AZURE_OPENAI_VERSION=dotenv\nPOOL_MANAGEMENT_ENDPOINT=dotenv\n");
    setenv("POOL_MANAGEMENT_ENDPOINT", "set", 1);

    assert_int_equal(environment_load(&err), 0);

    assert_string_equal(getenv("AZURE_OPENAI_ENDPOINT"), "https://azd");
    assert_string_equal(getenv("AZURE_OPENAI_VERSION"), "dotenv");
    assert_string_equal(getenv("POOL_MANAGEMENT_ENDPOINT"), "set");
}

static void a_directory_cannot_set_what_is_not_ours(void **state)
{
    (void)state;
    unsetenv("LD_PRELOAD");
    unsetenv("https_proxy");
    write_file(".env", "LD_PRELOAD=/x\nhttps_proxy=http://x\nAZURE_AUTHORITY_HOST=http://x\n");
    setenv("AZURE_ENV_NAME", "../../etc", 1);

    assert_int_equal(environment_load(NULL), 0);

    assert_null(getenv("LD_PRELOAD"));
    assert_null(getenv("https_proxy"));
    assert_null(getenv("AZURE_AUTHORITY_HOST"));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    write_file(".env", "A=1\nbroken\n");
    assert_int_equal(environment_load(&err), -1);
    assert_error(err, ERROR_INVALID, ".env: line 2");
}

/* ---- which model ---- */

static struct model_choice choose(const struct model_options *options)
{
    struct model_choice choice;
    struct error err = {0};
    if (model_choose(options, &choice, &err) < 0)
        fail_msg("%s", err.message);
    return choice;
}

static void the_variables_of_the_first_application_are_enough(void **state)
{
    (void)state;
    setenv("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com/", 1);
    setenv("AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME", "gpt", 1);
    setenv("AZURE_OPENAI_VERSION", "2024-02-01", 1);
    setenv("AZURE_OPENAI_API_KEY", "", 1);

    struct model_choice choice = choose(&(struct model_options){0});
    assert_int_equal(choice.settings.wire, MODEL_AZURE_CHAT);
    assert_string_equal(choice.settings.model, "gpt");
    assert_string_equal(choice.settings.api_version, "2024-02-01");
    assert_true(choice.settings.use_credential);
    assert_null(choice.settings.api_key);

    setenv("AZURE_OPENAI_API_KEY", "key", 1);
    choice = choose(&(struct model_options){0});
    assert_string_equal(choice.settings.api_key, "key");
    assert_false(choice.settings.use_credential);

    choice = choose(&(struct model_options){.auth = "entra"});
    assert_null(choice.settings.api_key);
}

static void azures_v1_is_told_by_version_or_path(void **state)
{
    (void)state;
    static const char *const versions[] = {"", "v1", "latest"};
    setenv("AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME", "gpt", 1);
    setenv("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com", 1);
    for (size_t i = 0; i < COUNT(versions); i++) {
        setenv("AZURE_OPENAI_VERSION", versions[i], 1);
        assert_int_equal(choose(&(struct model_options){0}).settings.wire, MODEL_CHAT);
    }
    setenv("AZURE_OPENAI_VERSION", "2024-10-21", 1);
    setenv("AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com/openai/v1/", 1);
    struct model_choice choice = choose(&(struct model_options){0});
    assert_int_equal(choice.settings.wire, MODEL_CHAT);
    assert_null(choice.settings.api_version);
}

static void other_servers_need_no_key(void **state)
{
    (void)state;
    setenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1", 1);
    setenv("OPENAI_MODEL", "qwen", 1);
    struct model_choice choice = choose(&(struct model_options){.protocol = "react"});
    assert_int_equal(choice.settings.wire, MODEL_CHAT);
    assert_int_equal(choice.settings.protocol, MODEL_REACT);
    assert_false(choice.settings.use_credential);
    assert_string_equal(choice.auth, "nothing");

    choice = choose(&(struct model_options){
        .endpoint = "http://127.0.0.1:1/v1", .model = "m", .wire = "responses"});
    assert_string_equal(choice.source, "--model-endpoint");
    assert_string_equal(choice.settings.model, "m");
    assert_int_equal(choice.settings.wire, MODEL_RESPONSES);
}

static void a_key_alone_means_openai(void **state)
{
    (void)state;
    setenv("OPENAI_API_KEY", "sk", 1);
    setenv("OPENAI_MODEL", "gpt", 1);
    assert_string_equal(choose(&(struct model_options){0}).settings.endpoint,
                        "https://api.openai.com/v1");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *value;
        struct model_options options;
        enum error_code code;
        const char *word;
    } cases[] = {
        {"OPENAI_MODEL", "x", {0}, ERROR_MISSING, "set AZURE_OPENAI_ENDPOINT"},
        {"AZURE_OPENAI_ENDPOINT",
         "https://x",
         {0},
         ERROR_INVALID,
         "AZURE_OPENAI_COMPLETION_DEPLOYMENT_NAME"},
        {"OPENAI_BASE_URL", "http://x", {0}, ERROR_INVALID, "OPENAI_MODEL"},
        {"OPENAI_BASE_URL",
         "http://x",
         {.model = "m", .auth = "key"},
         ERROR_INVALID,
         "OPENAI_API_KEY is not set"},
        {"OPENAI_BASE_URL",
         "http://x",
         {.model = "m", .auth = "yes"},
         ERROR_INVALID,
         "--auth must be"},
        {"OPENAI_BASE_URL",
         "http://x",
         {.model = "m", .wire = "soap"},
         ERROR_INVALID,
         "--model-wire"},
        {"OPENAI_BASE_URL",
         "http://x",
         {.model = "m", .protocol = "x"},
         ERROR_INVALID,
         "--protocol"},
        {"OPENAI_BASE_URL",
         "http://x",
         {.model = "m", .protocol = "react", .wire = "responses"},
         ERROR_INVALID,
         "--protocol react"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct model_choice choice;
        struct error err = {0};
        for (const char *const *name = environment_names; *name; name++)
            unsetenv(*name);
        setenv(cases[i].variable, cases[i].value, 1);
        assert_int_equal(model_choose(&cases[i].options, &choice, &err), -1);
        assert_error(err, cases[i].code, cases[i].word);
    }
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, enter_an_empty_directory, leave_the_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_python_dotenv_reads_them),
        cmocka_unit_test(a_mistake_is_told_by_its_line_and_without_its_text),
        IN_A_DIRECTORY(azds_environment_is_found_and_what_is_set_wins),
        IN_A_DIRECTORY(a_directory_cannot_set_what_is_not_ours),
        IN_A_DIRECTORY(a_file_that_cannot_be_read_is_named),
        IN_A_DIRECTORY(the_variables_of_the_first_application_are_enough),
        IN_A_DIRECTORY(azures_v1_is_told_by_version_or_path),
        IN_A_DIRECTORY(other_servers_need_no_key),
        IN_A_DIRECTORY(a_key_alone_means_openai),
        IN_A_DIRECTORY(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
