#include "agent/llm/assembly.h"

#include <string.h>

#include "base/core/cleanup.h"
#include "base/core/text.h"

static const struct llm_usage usage_unknown = {-1, -1, -1, -1};

void assembly_begin(struct assembly *assembly, const struct tool_shapes *shapes,
                    size_t request_messages,
                    void (*on_event)(void *self, const struct llm_event *event), void *self)
{
    *assembly = (struct assembly){.self = self,
                                  .on_event = on_event,
                                  .shapes = shapes,
                                  .request_messages = request_messages,
                                  .usage = usage_unknown};
    assembly->text.limit = ANSWER_TEXT_BYTES_MAX;
    assembly->reasoning.limit = ANSWER_TEXT_BYTES_MAX;
}

void assembly_clear(struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->call_count; i++) {
        buf_free(&assembly->calls[i].id);
        buf_free(&assembly->calls[i].name);
        buf_free(&assembly->calls[i].arguments);
        free(assembly->calls[i].problem);
    }
    free(assembly->calls);
    assembly->calls = NULL;
    assembly->call_count = 0;
    buf_free(&assembly->text);
    buf_free(&assembly->reasoning);
}

static void tell(const struct assembly *assembly, const struct llm_event *event)
{
    assembly->on_event(assembly->self, event);
}

static void tell_text(const struct assembly *assembly, enum llm_event_kind kind, unsigned call,
                      const char *text, size_t length)
{
    tell(assembly, &(struct llm_event){.kind = kind, .call = call, .text = text, .length = length});
}

static int refuse_length(const char *what, size_t limit, struct error *err)
{
    return error_set(err, ERROR_LIMIT, "the model's %s longer than %zu bytes", what, limit);
}

/* ---- text ---- */

bool assembly_append(struct buf *out, const char *text, size_t length)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    const char *end = text + length;
    while (text < end) {
        const char *nul = memchr(text, '\0', (size_t)(end - text));
        const char *stop = nul ? nul : end;
        if (stop > text && !buf_append(out, text, (size_t)(stop - text)))
            return false;
        if (nul && !buf_append_text(out, replacement))
            return false;
        text = nul ? nul + 1 : end;
    }
    return true;
}

static int append_piece(struct assembly *assembly, struct buf *out, enum llm_event_kind kind,
                        const char *text, size_t length, struct error *err)
{
    size_t before = out->length;
    if (length == 0)
        return 0;
    if (!assembly_append(out, text, length))
        return refuse_length("text is", out->limit, err);
    tell_text(assembly, kind, 0, out->data + before, out->length - before);
    return 0;
}

int assembly_text(struct assembly *assembly, const char *text, size_t length, struct error *err)
{
    if (assembly->filter.self)
        return assembly->filter.on_text(assembly->filter.self, assembly, text, length, err);
    return assembly_answer(assembly, text, length, err);
}

int assembly_answer(struct assembly *assembly, const char *text, size_t length, struct error *err)
{
    return append_piece(assembly, &assembly->text, LLM_EVENT_TEXT, text, length, err);
}

int assembly_reasoning(struct assembly *assembly, const char *text, size_t length,
                       struct error *err)
{
    return append_piece(assembly, &assembly->reasoning, LLM_EVENT_REASONING, text, length, err);
}

/* ---- calls ---- */

static bool is_given(const char *text)
{
    return text && *text;
}

static const char *text_of(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

static bool has_other_id(const struct assembly_call *call, const char *id)
{
    return is_given(id) && call->id.length > 0 && strcmp(call->id.data, id) != 0;
}

/* The latest call that the fragment can belong to; NULL: it begins a new one. Some servers count
 * every call as number 0, some give no number at all. */
static struct assembly_call *find_call(struct assembly *assembly,
                                       const struct call_fragment *fragment)
{
    bool has_index = fragment->index >= 0;
    bool has_id = is_given(fragment->id), has_name = is_given(fragment->name);
    for (size_t i = assembly->call_count; i-- > 0;) {
        struct assembly_call *call = &assembly->calls[i];
        if (has_index) {
            if (call->index == fragment->index)
                return has_other_id(call, fragment->id) && has_name ? NULL : call;
        } else if (has_id) {
            if (strcmp(text_of(&call->id), fragment->id) == 0)
                return call;
        } else if (call->position == fragment->position) {
            return has_name && call->arguments.length > 0 ? NULL : call;
        }
    }
    return NULL;
}

static struct assembly_call *add_call(struct assembly *assembly, int64_t index, size_t position,
                                      struct error *err)
{
    if (assembly->call_count == ANSWER_CALLS_MAX) {
        error_set(err, ERROR_LIMIT, "the model makes more than %d calls in one answer",
                  ANSWER_CALLS_MAX);
        return NULL;
    }
    if (!assembly->calls)
        assembly->calls = xcalloc(ANSWER_CALLS_MAX, sizeof *assembly->calls);
    struct assembly_call *call = &assembly->calls[assembly->call_count++];
    *call = (struct assembly_call){.index = index, .position = position};
    call->id.limit = CALL_ID_BYTES_MAX;
    call->name.limit = CALL_NAME_BYTES_MAX;
    call->arguments.limit = CALL_ARGUMENTS_BYTES_MAX;
    return call;
}

static unsigned number_of(const struct assembly *assembly, const struct assembly_call *call)
{
    return (unsigned)(call - assembly->calls);
}

static void tell_start(const struct assembly *assembly, struct assembly_call *call)
{
    if (call->started)
        return;
    call->started = true;
    tell_text(assembly, LLM_EVENT_CALL_START, number_of(assembly, call), text_of(&call->name),
              call->name.length);
}

/* Names come in pieces from some servers, and whole again with each fragment from others. */
static int take_name(struct assembly_call *call, const char *name, struct error *err)
{
    if (!is_given(name) || call->started || strcmp(text_of(&call->name), name) == 0)
        return 0;
    if (!buf_append_text(&call->name, name))
        return refuse_length("tool name is", call->name.limit, err);
    return 0;
}

int assembly_call_fragment(struct assembly *assembly, const struct call_fragment *fragment,
                           struct error *err)
{
    if (!is_given(fragment->id) && !is_given(fragment->name) && fragment->arguments_length == 0)
        return 0;
    struct assembly_call *call = find_call(assembly, fragment);
    if (!call)
        call = add_call(assembly, fragment->index, fragment->position, err);
    if (!call)
        return -1;

    if (is_given(fragment->id) && call->id.length == 0 && !buf_append_text(&call->id, fragment->id))
        return refuse_length("call id is", call->id.limit, err);
    if (take_name(call, fragment->name, err) < 0)
        return -1;
    if (fragment->arguments_length == 0)
        return 0;

    size_t before = call->arguments.length;
    if (!assembly_append(&call->arguments, fragment->arguments, fragment->arguments_length))
        return refuse_length("call is", call->arguments.limit, err);
    tell_start(assembly, call);
    tell_text(assembly, LLM_EVENT_CALL_ARGUMENTS, number_of(assembly, call),
              call->arguments.data + before, call->arguments.length - before);
    return 0;
}

int assembly_whole_call(struct assembly *assembly, const char *name, const char *arguments,
                        const char *problem, struct error *err)
{
    struct call_fragment fragment = {.index = -1,
                                     .position = assembly->call_count,
                                     .name = name,
                                     .arguments = arguments,
                                     .arguments_length = strlen(arguments)};
    if (assembly_call_fragment(assembly, &fragment, err) < 0)
        return -1;
    if (problem)
        assembly->calls[assembly->call_count - 1].problem = xstrdup(problem);
    return 0;
}

/* ---- the end ---- */

static void take_count(int64_t *count, int64_t told)
{
    if (told >= 0)
        *count = told;
}

void assembly_usage(struct assembly *assembly, const struct llm_usage *usage)
{
    take_count(&assembly->usage.input_tokens, usage->input_tokens);
    take_count(&assembly->usage.cached_tokens, usage->cached_tokens);
    take_count(&assembly->usage.output_tokens, usage->output_tokens);
    take_count(&assembly->usage.reasoning_tokens, usage->reasoning_tokens);
    assembly->has_usage = true;
}

void assembly_finish(struct assembly *assembly, enum llm_finish finish)
{
    assembly->has_finish = finish != LLM_FINISH_NONE;
    assembly->finish = finish;
}

/* Whether there are calls is what counts: some servers say "stop" with calls, some "tool_calls"
 * without. */
static enum llm_finish true_finish(const struct assembly *assembly)
{
    if (assembly->finish == LLM_FINISH_LENGTH || assembly->finish == LLM_FINISH_FILTER)
        return assembly->finish;
    return assembly->call_count > 0 ? LLM_FINISH_CALLS : LLM_FINISH_STOP;
}

static char *find_problem(const struct assembly *assembly, struct assembly_call *call,
                          enum llm_finish finish)
{
    if (call->problem)
        return TAKE(call->problem);
    if (finish == LLM_FINISH_LENGTH)
        return xstrdup("The call was cut off at the limit of tokens, so it was not run. Send it "
                       "again, shorter: take smaller steps.");
    if (finish == LLM_FINISH_FILTER)
        return xstrdup("The call was cut off by the service's content filter, so it was not run.");
    if (call->name.length == 0)
        return xstrdup("The call names no tool.");

    struct error problem = {0};
    AUTO_BUF struct buf object = {0};
    if (arguments_read(tool_shapes_find(assembly->shapes, call->name.data),
                       text_of(&call->arguments), call->arguments.length, &object, &problem) < 0)
        return xstrdup(problem.message);
    buf_free(&call->arguments);
    call->arguments = object;
    object = (struct buf){0};
    return NULL;
}

/* Two calls of one answer with the same id could not be answered. */
static bool id_is_taken(const struct llm_message *message, const char *id)
{
    for (size_t i = 0; i < message->call_count; i++) {
        if (strcmp(message->calls[i].id, id) == 0)
            return true;
    }
    return false;
}

static char *take_id(const struct assembly *assembly, const struct llm_message *message,
                     struct assembly_call *call)
{
    if (call->id.length > 0 && !id_is_taken(message, call->id.data))
        return buf_take(&call->id);
    return xasprintf("call_%zu_%u", assembly->request_messages, number_of(assembly, call));
}

static void take_calls(struct assembly *assembly, enum llm_finish finish,
                       struct llm_message *message)
{
    if (assembly->call_count == 0)
        return;
    message->calls = xcalloc(assembly->call_count, sizeof *message->calls);
    for (size_t i = 0; i < assembly->call_count; i++) {
        struct assembly_call *call = &assembly->calls[i];
        tell_start(assembly, call);
        tell_text(assembly, LLM_EVENT_CALL_END, (unsigned)i, NULL, 0);
        struct llm_call taken = {.id = take_id(assembly, message, call)};
        taken.problem = find_problem(assembly, call, finish);
        taken.name = buf_take(&call->name);
        taken.arguments = buf_take(&call->arguments);
        message->calls[message->call_count++] = taken;
    }
}

int assembly_end(struct assembly *assembly, struct llm_answer *ret_answer, struct error *err)
{
    struct assembly_filter *filter = &assembly->filter;
    if (filter->self && filter->on_end(filter->self, assembly, err) < 0)
        return -1;

    struct llm_answer answer = {.message.role = LLM_ASSISTANT, .usage = assembly->usage};
    answer.finish = true_finish(assembly);
    take_calls(assembly, answer.finish, &answer.message);
    if (assembly->text.length > 0)
        answer.message.text = buf_take(&assembly->text);
    if (assembly->reasoning.length > 0)
        answer.reasoning = buf_take(&assembly->reasoning);

    if (assembly->has_usage)
        tell(assembly, &(struct llm_event){.kind = LLM_EVENT_USAGE, .usage = answer.usage});
    tell(assembly, &(struct llm_event){.kind = LLM_EVENT_FINISH, .finish = answer.finish});
    *ret_answer = answer;
    return 0;
}
