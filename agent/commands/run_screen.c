#include "agent/commands/run_screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/commands/command.h"
#include "agent/screen/terminal.h"

/* ---- JSON lines ---- */

static struct writer begin_line(struct run_screen *screen, const char *type)
{
    buf_clear(&screen->line);
    struct writer writer = writer_begin(&screen->line, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "type", type);
    return writer;
}

static void end_line(struct run_screen *screen, struct writer *writer)
{
    writer_close_object(writer);
    writer_finish(writer, NULL);
    buf_append_text(&screen->line, "\n");
    fwrite(screen->line.data, 1, screen->line.length, stdout);
    fflush(stdout);
}

static void open_item(struct writer *writer, unsigned step, const char *type)
{
    char id[32];
    snprintf(id, sizeof id, "item_%u", step);
    writer_open_object(writer, "item");
    if (step > 0)
        writer_string(writer, "id", id);
    writer_string(writer, "type", type);
}

static const char *item_type(enum tool_kind kind)
{
    static const char *const types[TOOL_KINDS] = {[TOOL_PYTHON] = "code_execution",
                                                  [TOOL_LIST] = "file_list",
                                                  [TOOL_SHELL] = "command_execution",
                                                  [TOOL_DOWNLOAD] = "file_request"};
    return types[kind];
}

static void write_step(struct writer *writer, const struct turn_event *event)
{
    const struct wire_execution *execution = event->execution;
    open_item(writer, event->step, item_type(event->tool));
    if (event->kind == TURN_STEP_STARTED) {
        writer_string(writer, "code", event->text);
        writer_string(writer, "status", "in_progress");
    } else {
        writer_string(writer, "status", event->failed ? "failed" : "completed");
        if (execution) {
            writer_integer(writer, "duration_ms", execution->execution_time_ms);
            writer_text(writer, "stdout", execution->standard_output,
                        execution->standard_output_length);
            writer_text(writer, "stderr", execution->standard_error,
                        execution->standard_error_length);
        }
        writer_string(writer, "observation", event->text);
    }
    writer_close_object(writer);
}

static void print_json_event(struct run_screen *screen, const struct turn_event *event)
{
    struct writer writer;
    switch (event->kind) {
    case TURN_STEP_STARTED:
    case TURN_STEP_DONE:
        writer = begin_line(screen,
                            event->kind == TURN_STEP_STARTED ? "item.started" : "item.completed");
        write_step(&writer, event);
        break;
    case TURN_IMAGE:
        writer = begin_line(screen, "item.completed");
        open_item(&writer, 0, "image");
        writer_string(&writer, "name", event->text);
        writer_integer(&writer, "bytes", (int64_t)event->length);
        writer_close_object(&writer);
        break;
    case TURN_FILE:
        writer = begin_line(screen, "item.completed");
        open_item(&writer, 0, "file");
        writer_string(&writer, "path", event->file->path);
        writer_integer(&writer, "bytes", (int64_t)event->file->bytes);
        writer_close_object(&writer);
        break;
    case TURN_NOTICE:
        writer = begin_line(screen, "notice");
        writer_string(&writer, "message", event->text);
        break;
    default:
        return;
    }
    end_line(screen, &writer);
}

static void print_json_done(struct run_screen *screen, const struct turn_outcome *outcome)
{
    bool answered = outcome->status == TURN_ANSWERED;
    struct writer writer;
    if (*outcome->answer) {
        writer = begin_line(screen, "item.completed");
        open_item(&writer, 0, "agent_message");
        writer_string(&writer, "text", outcome->answer);
        writer_close_object(&writer);
        end_line(screen, &writer);
    }
    writer = begin_line(screen, answered ? "turn.completed" : "turn.failed");
    if (!answered) {
        writer_open_object(&writer, "error");
        writer_string(&writer, "message",
                      outcome->status == TURN_CANCELLED ? "cancelled" : outcome->failure.message);
        writer_close_object(&writer);
    }
    writer_open_object(&writer, "usage");
    writer_integer(&writer, "input_tokens", outcome->usage.input_tokens);
    writer_integer(&writer, "cached_input_tokens", outcome->usage.cached_tokens);
    writer_integer(&writer, "output_tokens", outcome->usage.output_tokens);
    writer_integer(&writer, "reasoning_output_tokens", outcome->usage.reasoning_tokens);
    writer_close_object(&writer);
    writer_integer(&writer, "model_calls", outcome->counts->model_calls);
    writer_integer(&writer, "executions", outcome->counts->executions);
    end_line(screen, &writer);
}

/* ---- text ---- */

static void print_text(FILE *file, const char *text)
{
    struct terminal terminal = terminal_of(file);
    terminal_write(&terminal, text, strlen(text), NULL);
    if (*text && terminal.last_byte != '\n')
        terminal_write(&terminal, "\n", 1, NULL);
    terminal_finish(&terminal, NULL);
}

static void print_event(struct run_screen *screen, const struct turn_event *event)
{
    switch (event->kind) {
    case TURN_STEP_STARTED:
        if (screen->trace) {
            command_warn("step %u: %s", event->step, item_type(event->tool));
            print_text(stderr, event->text);
        }
        break;
    case TURN_STEP_DONE:
        if (screen->trace)
            print_text(stderr, event->text);
        break;
    case TURN_NOTICE:
        command_warn("%s", event->text);
        break;
    case TURN_MODEL:
        if (event->model->kind == LLM_EVENT_NOTICE)
            command_warn("%.*s", (int)event->model->length, event->model->text);
        break;
    default:
        break;
    }
}

/* ---- both ---- */

void run_screen_start(struct run_screen *screen, const char *conversation, const char *session)
{
    if (!screen->json)
        return;
    struct writer writer = begin_line(screen, "thread.started");
    writer_string(&writer, "thread_id", conversation);
    writer_string(&writer, "session_id", session);
    end_line(screen, &writer);
    writer = begin_line(screen, "turn.started");
    end_line(screen, &writer);
}

/* A notice of the model's has no event of its own in a turn. */
static void print_model_notice(struct run_screen *screen, const struct llm_event *event)
{
    struct writer writer = begin_line(screen, "notice");
    writer_text(&writer, "message", event->text, event->length);
    end_line(screen, &writer);
}

void run_screen_event(struct run_screen *screen, const struct turn_event *event)
{
    if (!screen->json)
        print_event(screen, event);
    else if (event->kind == TURN_MODEL && event->model->kind == LLM_EVENT_NOTICE)
        print_model_notice(screen, event->model);
    else
        print_json_event(screen, event);
}

void run_screen_done(struct run_screen *screen, const struct turn_outcome *outcome)
{
    if (screen->json) {
        print_json_done(screen, outcome);
        return;
    }
    print_text(stdout, outcome->answer);
    if (outcome->status != TURN_ANSWERED && outcome->status != TURN_CANCELLED)
        command_warn("%s", outcome->failure.message);
}

void run_screen_saved(struct run_screen *screen, const char *name, const char *path)
{
    if (!screen->json) {
        command_warn("saved %.200s", path);
        return;
    }
    struct writer writer = begin_line(screen, "item.completed");
    open_item(&writer, 0, "saved_file");
    writer_string(&writer, "path", name);
    writer_string(&writer, "local_path", path);
    writer_close_object(&writer);
    end_line(screen, &writer);
}

void run_screen_clear(struct run_screen *screen)
{
    buf_free(&screen->line);
}
