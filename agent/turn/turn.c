#include "agent/turn/turn.h"

#include <string.h>

#include "agent/pool/value.h"
#include "agent/turn/observation.h"
#include "agent/turn/packages.h"
#include "agent/turn/prompt.h"
#include "base/core/text.h"

enum {
    CALLS_MAX = 16,        /* of one answer; the rest is not run */
    EMPTY_ANSWERS_MAX = 2, /* in a row */
    LISTED_MAX = 200,      /* files in what list_files answers */
    PRODUCED_MAX = 100,    /* files of one turn that are told */
    LIST_BYTES_MAX = 16 * 1024,
};

struct turn {
    struct turn_options options;
    struct turn_handler handler;
    struct guard guard;

    struct model_call *model_call;
    struct timer start;
    struct timer deadline; /* the end of the turn's time */
    bool cancelled;
    bool out_of_time; /* and therefore cancelled */
    bool is_ending;   /* files are listed, nothing else comes */
    bool was_shortened;
    unsigned empty_answers;

    size_t answer_at; /* where the answer whose calls are run stands in the conversation */
    size_t call_at;
    bool session_was_used; /* in this turn */
    struct tool_request request;
    unsigned step;
    struct failure failure; /* of the program that has run */
    struct guard_decision verdict;
    struct wire_execution execution;
    char *figure;

    struct inventory baseline;
    char *user_text; /* to see what the user asked for */
    char *answer;
    struct turn_outcome outcome;
};

/* ---- telling ---- */

static void tell(struct turn *turn, const struct turn_event *event)
{
    turn->handler.on_event(turn->handler.self, event);
}

static void tell_notice(void *self, const char *text)
{
    struct turn_event event = {.kind = TURN_NOTICE, .text = text};
    tell(self, &event);
}

/* ---- the end ---- */

static void turn_destroy(struct turn *turn)
{
    loop_stop_timer(turn->options.loop, &turn->start);
    loop_stop_timer(turn->options.loop, &turn->deadline);
    tool_request_clear(&turn->request);
    wire_execution_clear(&turn->execution);
    inventory_clear(&turn->baseline);
    free(turn->figure);
    free(turn->user_text);
    free(turn->answer);
    free(turn);
}

static void end(struct turn *turn)
{
    turn->outcome.answer = turn->answer ? turn->answer : "";
    turn->outcome.counts = &turn->guard;
    turn->handler.on_done(turn->handler.self, &turn->outcome);
    turn_destroy(turn);
}

static void on_final_list(void *self, enum session_change change, struct pool_result *result)
{
    (void)change;
    struct turn *turn = self;
    if (!result->succeeded) {
        if (!turn->cancelled)
            tell_notice(turn, "the files that were made could not be listed");
        end(turn);
        return;
    }
    AUTO_INVENTORY struct inventory now = {0};
    inventory_read(&now, &result->files);
    size_t told = 0;
    for (size_t i = 0; i < now.count; i++) {
        if (!inventory_is_news(&turn->baseline, &now.files[i]))
            continue;
        if (told++ == PRODUCED_MAX) {
            tell_notice(turn, "more files were made than are listed here");
            break;
        }
        struct turn_event event = {.kind = TURN_FILE, .file = &now.files[i]};
        tell(turn, &event);
    }
    end(turn);
}

/* Whatever the outcome, what was made in the session is told. */
static void finish(struct turn *turn, enum turn_status status)
{
    turn->outcome.status = status;
    turn->is_ending = true;
    loop_stop_timer(turn->options.loop, &turn->deadline);
    bool lists = turn->session_was_used && status != TURN_SESSION_FAILED && !turn->cancelled;
    if (!lists) {
        end(turn);
        return;
    }
    struct session_call call = {.self = turn, .on_done = on_final_list};
    session_list(turn->options.session, &call);
}

static void stop(struct turn *turn, const char *reason)
{
    error_set(&turn->outcome.failure, ERROR_LIMIT, "stopped: %.400s", reason);
    finish(turn, TURN_STOPPED);
}

static void end_cancelled(struct turn *turn)
{
    if (turn->out_of_time) {
        turn->cancelled = false; /* there is still time to see what was made */
        stop(turn, "the turn's time is over");
        return;
    }
    finish(turn, TURN_CANCELLED);
}

/* ---- the model ---- */

static void run_next_call(struct turn *turn);
static void ask(struct turn *turn);

static void on_model_event(void *self, const struct llm_event *event)
{
    struct turn_event told = {.kind = TURN_MODEL, .model = event};
    tell(self, &told);
}

static void add_usage(int64_t *sum, int64_t tokens)
{
    if (tokens >= 0)
        *sum = (*sum < 0 ? 0 : *sum) + tokens;
}

static void note_usage(struct turn *turn, const struct llm_usage *usage)
{
    struct llm_usage *sum = &turn->outcome.usage;
    guard_note_call(&turn->guard, usage->input_tokens, usage->output_tokens);
    add_usage(&sum->input_tokens, usage->input_tokens);
    add_usage(&sum->cached_tokens, usage->cached_tokens);
    add_usage(&sum->output_tokens, usage->output_tokens);
    add_usage(&sum->reasoning_tokens, usage->reasoning_tokens);
}

static void fail_model(struct turn *turn, enum model_failure_kind kind, const struct error *error)
{
    turn->outcome.failure = *error;
    turn->outcome.model_failure = kind;
    finish(turn, TURN_MODEL_FAILED);
}

/* Once: old outputs make room for new ones. */
static bool makes_room(struct turn *turn, const struct model_failure *failure)
{
    if (failure->kind != MODEL_TOO_LONG || turn->was_shortened ||
        !conversation_shorten(turn->options.conversation))
        return false;
    turn->was_shortened = true;
    tell_notice(turn, "the conversation is too long for the model: earlier outputs were shortened");
    return true;
}

static void answer_call(struct turn *turn, const char *text)
{
    struct conversation *conversation = turn->options.conversation;
    const struct llm_message *asked = &conversation->messages[turn->answer_at];
    conversation_answer_call(conversation, asked->calls[turn->call_at].id, text);
    turn->call_at++;
}

static size_t open_calls(const struct turn *turn)
{
    return turn->options.conversation->messages[turn->answer_at].call_count - turn->call_at;
}

static void answer_rest(struct turn *turn, const char *text)
{
    while (open_calls(turn) > 0)
        answer_call(turn, text);
}

static void take_text(struct turn *turn, const char *text)
{
    free(turn->answer);
    turn->answer = xstrdup(text ? text : "");
}

static void on_text_answer(struct turn *turn, enum llm_finish reason)
{
    static const char nothing[] = "the model answered with nothing; ask again, or another model";
    static const char filtered[] =
        "the service's content filter cut the answer off; put the task in other words";
    struct error error = {0};
    if (reason == LLM_FINISH_FILTER) {
        error_set(&error, ERROR_DENIED, "%s", filtered);
        fail_model(turn, MODEL_FILTERED, &error);
        return;
    }
    if (*turn->answer == '\0') {
        if (++turn->empty_answers < EMPTY_ANSWERS_MAX) {
            ask(turn);
            return;
        }
        error_set(&error, ERROR_SYSTEM, "%s", nothing);
        fail_model(turn, MODEL_UNREADABLE, &error);
        return;
    }
    if (reason == LLM_FINISH_LENGTH)
        tell_notice(turn, "the answer was cut off at the model's limit of tokens");
    finish(turn, TURN_ANSWERED);
}

static void on_model_done(void *self, struct llm_answer *answer,
                          const struct model_failure *failure)
{
    struct turn *turn = self;
    struct conversation *conversation = turn->options.conversation;
    turn->model_call = NULL;
    if (turn->cancelled) {
        end_cancelled(turn);
        return;
    }
    if (failure) {
        if (makes_room(turn, failure))
            ask(turn);
        else
            fail_model(turn, failure->kind, &failure->error);
        return;
    }
    note_usage(turn, &answer->usage);
    take_text(turn, answer->message.text);
    bool has_calls = answer->message.call_count > 0;
    bool is_empty = !has_calls && *turn->answer == '\0';
    if (!is_empty)
        conversation_add_answer(conversation, &answer->message);
    turn->answer_at = conversation->count - 1;
    turn->call_at = 0;
    if (!has_calls) {
        on_text_answer(turn, answer->finish);
        return;
    }
    turn->empty_answers = 0;
    if (turn->guard.answer_was_forced) {
        answer_rest(turn, "Not run: tools are over for this turn.");
        if (*turn->answer != '\0')
            finish(turn, TURN_ANSWERED);
        else
            stop(turn, "the model went on calling tools when they were taken away");
        return;
    }
    run_next_call(turn);
}

static void follow(struct turn *turn, const struct guard_decision *decision)
{
    turn->guard.answer_was_forced |= decision->verdict == GUARD_ANSWER;
    if (decision->reason[0] != '\0')
        tell_notice(turn, decision->reason);
}

static void ask(struct turn *turn)
{
    struct conversation *conversation = turn->options.conversation;
    struct guard_decision decision =
        guard_before_call(&turn->guard, &turn->options.limits, loop_now_ms(turn->options.loop));
    if (decision.verdict == GUARD_STOP) {
        stop(turn, decision.reason);
        return;
    }
    follow(turn, &decision);
    if (decision.fact[0] != '\0')
        conversation_add(conversation, LLM_USER, decision.fact);

    struct llm_request request = {.messages = conversation->messages,
                                  .message_count = conversation->count,
                                  .tools = turn->options.tools->tools,
                                  .tool_count = turn->options.tools->count,
                                  .answer_only = turn->guard.answer_was_forced};
    struct model_handler handler = {
        .self = turn, .on_event = on_model_event, .on_done = on_model_done};
    struct error err = {0};
    if (model_ask(turn->options.model, &request, &handler, &turn->model_call, &err) < 0)
        fail_model(turn, MODEL_REFUSED, &err);
}

/* ---- the session ---- */

static void fail_session(struct turn *turn, struct pool_result *result)
{
    static const char full[] = "the pool is full: remove sessions, or try again later";
    if (result->status == 429 && result->retry_after_s >= 0)
        error_set(&turn->outcome.failure, ERROR_LIMIT, "%s (in %lld s, says the pool)", full,
                  (long long)result->retry_after_s);
    else if (result->status == 429)
        error_set(&turn->outcome.failure, ERROR_LIMIT, "%s", full);
    else
        turn->outcome.failure = result->failure;
    answer_rest(turn, "Not run: the sandbox cannot be used.");
    finish(turn, TURN_SESSION_FAILED);
}

/* True when the turn was cancelled, and is over. */
static bool is_over(struct turn *turn)
{
    if (!turn->cancelled)
        return false;
    answer_rest(turn, turn->out_of_time ? "Not finished: the turn's time is over."
                                        : "Not finished: the user has cancelled it.");
    end_cancelled(turn);
    return true;
}

static void step_done(struct turn *turn, const struct wire_execution *execution, bool failed,
                      const char *text)
{
    struct turn_event event = {.kind = TURN_STEP_DONE,
                               .step = turn->step,
                               .tool = turn->request.kind,
                               .execution = execution,
                               .failed = failed,
                               .text = text};
    tell(turn, &event);
    answer_call(turn, text);
    tool_request_clear(&turn->request);
}

static void next(struct turn *turn)
{
    if (!is_over(turn))
        run_next_call(turn);
}

/* ---- programs ---- */

static enum observation_layout layout_of(const struct turn *turn)
{
    return turn->options.tools->is_langchain ? OBSERVATION_PYTHON_REPL : OBSERVATION_FENCED;
}

static void show_image(struct turn *turn)
{
    struct value value;
    if (value_read(turn->execution.result, turn->execution.result_length, &value, NULL) < 0)
        return;
    if (value.kind == VALUE_IMAGE) {
        free(turn->figure);
        turn->figure = xasprintf("figure-%u.png", ++*turn->options.figure_count);
        struct turn_event event = {.kind = TURN_IMAGE,
                                   .step = turn->step,
                                   .text = turn->figure,
                                   .data = value.data,
                                   .length = value.length};
        tell(turn, &event);
    }
    value_clear(&value);
}

static void observe(struct turn *turn, const char *hint)
{
    AUTO_BUF struct buf fact = {0};
    AUTO_BUF struct buf text = {0};
    buf_append_text(&fact, turn->verdict.fact);
    if (hint)
        buf_append_text(&fact, hint);
    observation_write(&turn->execution, layout_of(turn), turn->figure, fact.data, &text);
    follow(turn, &turn->verdict);
    step_done(turn, &turn->execution, turn->execution.status != WIRE_STATUS_SUCCEEDED, text.data);
    wire_execution_clear(&turn->execution);
    turn->execution = (struct wire_execution){0};
    next(turn);
}

static void on_packages(void *self, enum session_change change, struct pool_result *result)
{
    (void)change;
    struct turn *turn = self;
    AUTO_BUF struct buf hint = {0};
    if (result->succeeded)
        packages_write_hint(&result->execution, &hint);
    observe(turn, hint.length > 0 ? hint.data : NULL);
}

static void on_program_done(void *self, enum session_change change, struct pool_result *result)
{
    (void)change;
    struct turn *turn = self;
    const char *code = turn->request.code;
    if (!result->succeeded) {
        if (!is_over(turn))
            fail_session(turn, result);
        return;
    }
    turn->execution = result->execution;
    result->execution = (struct wire_execution){0};
    show_image(turn);
    turn->failure = failure_read(&turn->execution, code);
    guard_note_run(&turn->guard, failure_fingerprint(code, strlen(code)), &turn->failure);
    turn->verdict = guard_after_run(&turn->guard, &turn->failure);
    if (turn->failure.interpreter_is_gone)
        session_doubt(turn->options.session);

    bool asks = turn->failure.kind == FAILURE_PACKAGE && turn->failure.module[0] != '\0' &&
                turn->verdict.verdict == GUARD_FACT && !turn->cancelled;
    if (!asks) {
        observe(turn, NULL);
        return;
    }
    AUTO_FREE char *probe = packages_probe(turn->failure.module);
    struct session_call call = {.self = turn, .on_done = on_packages};
    session_execute(turn->options.session, probe, PACKAGES_TIMEOUT_S, NULL, &call);
}

static void run_program(struct turn *turn)
{
    const char *code = turn->request.code;
    struct guard_decision decision =
        guard_before_run(&turn->guard, failure_fingerprint(code, strlen(code)));
    if (decision.verdict != GUARD_GO) {
        guard_note_repeat(&turn->guard);
        follow(turn, &decision);
        step_done(turn, NULL, true, decision.fact);
        next(turn);
        return;
    }
    free(turn->figure);
    turn->figure = NULL;
    struct session_call call = {.self = turn, .on_done = on_program_done};
    struct session_handler handler = {.self = turn, .on_notice = tell_notice};
    session_execute(turn->options.session, code, turn->options.program_timeout_s, &handler, &call);
}

/* ---- files ---- */

static void write_list(const struct inventory *inventory, struct buf *out)
{
    AUTO_BUF struct buf lines = {0};
    for (size_t i = 0; i < inventory->count && i < LISTED_MAX; i++)
        buf_printf(&lines, "%llu  %s\n", (unsigned long long)inventory->files[i].bytes,
                   inventory->files[i].path);
    if (inventory->count > LISTED_MAX)
        buf_printf(&lines, "[%zu more]\n", inventory->count - LISTED_MAX);
    buf_printf(out, "%zu files in /mnt/data; bytes, name:\n", inventory->count);
    observation_fence("text", lines.data, lines.length, LIST_BYTES_MAX, out);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What the user uploaded is never sent back. What was made in this turn is given to the user by
 * itself, so that there is nothing to do; of earlier turns the user must have named it. */
static const char *judge_download(const struct turn *turn, const struct inventory *now,
                                  const char *path, const struct inventory_file **ret_file)
{
    static const char prefix[] = "/mnt/data/";
    size_t skipped = strncmp(path, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    const struct inventory_file *file = inventory_find(now, path + skipped);
    *ret_file = NULL;
    if (!file)
        return "There is no such file in /mnt/data.";
    if (inventory_is_news(&turn->baseline, file))
        return "The file was made in this turn and is given to the user at its end.";
    if (session_has_file(turn->options.session, file->path))
        return "Not sent: the user uploaded this file and has it.";
    if (!strstr(turn->user_text, base_name(file->path)))
        return "Not sent: the user did not ask for this file.";
    *ret_file = file;
    return "The file is sent to the user.";
}

static void on_listed(void *self, enum session_change change, struct pool_result *result)
{
    (void)change;
    struct turn *turn = self;
    if (!result->succeeded) {
        if (!is_over(turn))
            fail_session(turn, result);
        return;
    }
    AUTO_INVENTORY struct inventory now = {0};
    AUTO_BUF struct buf text = {0};
    inventory_read(&now, &result->files);
    bool refused = false;
    if (turn->request.kind == TOOL_LIST) {
        write_list(&now, &text);
    } else {
        const struct inventory_file *file;
        buf_append_text(&text, judge_download(turn, &now, turn->request.shown, &file));
        refused = text_starts_with(text.data, "Not sent") || text_starts_with(text.data, "There");
        struct turn_event event = {.kind = TURN_FILE, .file = file};
        if (file)
            tell(turn, &event);
    }
    step_done(turn, NULL, refused, text.data);
    next(turn);
}

/* ---- calls ---- */

static void start_call(struct turn *turn)
{
    if (turn->request.kind == TOOL_PYTHON || turn->request.kind == TOOL_SHELL) {
        run_program(turn);
        return;
    }
    struct session_call call = {.self = turn, .on_done = on_listed};
    session_list(turn->options.session, &call);
}

static const char lost[] =
    "Not run: the session was lost, and with it all variables and imports; the files that the user "
    "uploaded were sent again, others are gone unless they are listed. Do again what is needed.";

static const char lost_before[] =
    "(From the agent: since my last message the sandbox was lost, and with it all variables and "
    "imports; the files that I uploaded were sent again, others are gone unless they are listed.)";

static void on_prepared(void *self, enum session_change change, struct pool_result *result)
{
    struct turn *turn = self;
    if (!result->succeeded) {
        if (!is_over(turn))
            fail_session(turn, result);
        return;
    }
    bool was_used = turn->session_was_used;
    turn->session_was_used = true;
    if (!was_used || change == SESSION_LOST)
        inventory_read(&turn->baseline, &result->files);
    if (change != SESSION_LOST) {
        if (!is_over(turn))
            start_call(turn);
        return;
    }
    tell_notice(turn, "the session had ended: variables are gone, and its files were sent again");
    step_done(turn, NULL, true, lost);
    next(turn);
}

static void begin_step(struct turn *turn)
{
    turn->step++;
    struct turn_event event = {.kind = TURN_STEP_STARTED,
                               .step = turn->step,
                               .tool = turn->request.kind,
                               .text = turn->request.shown};
    tell(turn, &event);
    if (turn->session_was_used && !session_is_doubtful(turn->options.session)) {
        start_call(turn);
        return;
    }
    struct session_call call = {.self = turn, .on_done = on_prepared};
    struct session_handler handler = {.self = turn, .on_notice = tell_notice};
    session_prepare(turn->options.session, &handler, &call);
}

/* Runs calls in their order until one has to be waited for, or all are answered. */
static void run_next_call(struct turn *turn)
{
    while (open_calls(turn) > 0) {
        struct conversation *conversation = turn->options.conversation;
        const struct llm_call *call = &conversation->messages[turn->answer_at].calls[turn->call_at];
        struct error err = {0};
        if (call->problem) {
            answer_call(turn, call->problem);
        } else if (turn->guard.answer_was_forced) {
            answer_call(turn, "Not run: tools are over for this turn. Answer with what you have.");
        } else if (turn->call_at >= CALLS_MAX) {
            answer_call(turn, "Not run: these are too many calls at once.");
        } else if (tool_read_call(turn->options.tools, call, &turn->request, &err) < 0) {
            answer_call(turn, err.message);
        } else {
            begin_step(turn);
            return;
        }
    }
    ask(turn);
}

/* ---- the beginning, and the end before its time ---- */

void turn_cancel(struct turn *turn)
{
    if (turn->cancelled || turn->is_ending)
        return;
    turn->cancelled = true;
    if (turn->start.active) {
        loop_stop_timer(turn->options.loop, &turn->start);
        end_cancelled(turn);
    } else if (turn->model_call) {
        model_call_cancel(turn->model_call);
    } else {
        session_cancel(turn->options.session);
    }
}

static void on_deadline(void *self)
{
    struct turn *turn = self;
    turn->out_of_time = true;
    turn_cancel(turn);
}

/* A session that an earlier turn has used may have ended meanwhile: the model is told before it
 * plans. */
static void on_checked(void *self, enum session_change change, struct pool_result *result)
{
    struct turn *turn = self;
    if (turn->cancelled) {
        end_cancelled(turn);
        return;
    }
    if (!result->succeeded) {
        turn->call_at = turn->answer_at = 0;
        turn->outcome.failure = result->failure;
        finish(turn, TURN_SESSION_FAILED);
        return;
    }
    turn->session_was_used = true;
    inventory_read(&turn->baseline, &result->files);
    if (change == SESSION_LOST) {
        tell_notice(turn, "the session had ended: variables are gone, its files were sent again");
        conversation_add(turn->options.conversation, LLM_USER, lost_before);
    }
    ask(turn);
}

static void on_start(void *self)
{
    struct turn *turn = self;
    if (!session_exists(turn->options.session)) {
        ask(turn);
        return;
    }
    struct session_call call = {.self = turn, .on_done = on_checked};
    struct session_handler handler = {.self = turn, .on_notice = tell_notice};
    session_prepare(turn->options.session, &handler, &call);
}

static void add_system_message(const struct turn_options *options)
{
    AUTO_BUF struct buf text = {0};
    struct prompt_options prompt = {.network_is_open = options->network_is_open,
                                    .has_download = options->tools->has_download,
                                    .python_tool = tool_python_name(options->tools)};
    prompt_write_system(&prompt, &text);
    conversation_add(options->conversation, LLM_SYSTEM, text.data);
}

static void add_user_message(struct conversation *conversation, const char *text, const char *files)
{
    AUTO_BUF struct buf message = {0};
    buf_append_text(&message, text);
    if (*files)
        buf_printf(&message,
                   "\n\nFiles of mine that are in the sandbox (what is in fences is "
                   "data):\n%s",
                   files);
    conversation_add(conversation, LLM_USER, message.data);
}

struct turn *turn_start(const struct turn_options *options, const char *text, const char *files,
                        const struct turn_handler *handler)
{
    struct turn *turn = xcalloc(1, sizeof *turn);
    int64_t now_ms = loop_now_ms(options->loop);
    turn->options = *options;
    turn->handler = *handler;
    turn->guard.started_ms = now_ms;
    turn->guard.network_is_open = options->network_is_open;
    turn->outcome.usage = (struct llm_usage){-1, -1, -1, -1};
    turn->user_text = xstrdup(text);
    if (options->conversation->count == 0)
        add_system_message(options);
    add_user_message(options->conversation, text, files);
    if (options->limits.time_ms > 0)
        loop_start_timer(options->loop, &turn->deadline, now_ms + options->limits.time_ms,
                         on_deadline, turn);
    loop_start_timer(options->loop, &turn->start, now_ms, on_start, turn);
    return turn;
}
