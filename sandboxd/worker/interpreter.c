#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandboxd/worker/interpreter.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/core/buf.h"
#include "base/core/clock.h"
#include "sandboxd/control/channel.h"
#include "sandboxd/payload/payload.h"
#include "sandboxd/worker/audit.h"

/* The front sends at most a JSON body of code; docs/api.md, "Limits". */
enum { CODE_BYTES_MAX = 16 * 1024 * 1024 };

/* The text of session_prelude.py, made by the build. */
extern const char session_prelude[];
extern const size_t session_prelude_length;

static PyObject *prelude; /* its global names */

/* In C memory, where a guest has to go looking for it. */
static struct {
    pid_t pid;
    int channel_fd;
    struct buf code;
} state = {.code = {.limit = CODE_BYTES_MAX}};

static struct channel_message message;

static int python_error(struct error *err, const char *what)
{
    PyErr_Print();
    return error_set(err, ERROR_SYSTEM, "%s: Python raised an exception, see above", what);
}

static int initialise(struct error *err)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.use_environment = 0;
    config.user_site_directory = 0;
    config.write_bytecode = 0;
    config.parse_argv = 0;
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, "/usr/bin/python3");
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return error_set(err, ERROR_SYSTEM, "start Python: %s",
                         status.err_msg ? status.err_msg : "unknown");
    return 0;
}

/* For the prelude. */
static PyObject *last_operation(PyObject *self, PyObject *arguments)
{
    (void)self;
    (void)arguments;
    return Py_BuildValue("z", audit_last_operation());
}

static int execute_prelude(struct error *err)
{
    AUTO_BUF struct buf source = {0};
    buf_append(&source, session_prelude, session_prelude_length);
    static PyMethodDef method = {"last_operation", last_operation, METH_NOARGS, NULL};
    prelude = Py_BuildValue("{s:O,s:s,s:N}", "__builtins__", PyEval_GetBuiltins(), "__name__",
                            "sandpool_session", method.ml_name, PyCFunction_New(&method, NULL));
    PyObject *code = Py_CompileString(source.data, "<session prelude>", Py_file_input);
    PyObject *result = code && prelude ? PyEval_EvalCode(code, prelude, prelude) : NULL;
    Py_XDECREF(code);
    if (!result)
        return python_error(err, "session prelude");
    Py_DECREF(result);
    return 0;
}

/* Calls a function of the prelude; takes the arguments. NULL with a Python exception set on
 * failure. */
static PyObject *call_prelude(const char *name, PyObject *arguments)
{
    PyObject *function = PyDict_GetItemString(prelude, name);
    PyObject *result = function && arguments ? PyObject_CallObject(function, arguments) : NULL;
    Py_XDECREF(arguments);
    return result;
}

int interpreter_start(char *const *modules, int count, struct buf *image, struct error *err)
{
    if (initialise(err) < 0 || execute_prelude(err) < 0)
        return -1;

    PyObject *names = PyList_New(0);
    for (int i = 0; i < count; i++) {
        PyObject *name = PyUnicode_FromString(modules[i]);
        PyList_Append(names, name);
        Py_XDECREF(name);
    }
    char *text = NULL;
    Py_ssize_t length = 0;
    PyObject *result = call_prelude("prewarm", Py_BuildValue("(N)", names));
    if (!result || PyBytes_AsStringAndSize(result, &text, &length) < 0)
        return python_error(err, "prewarm");
    bool fits = buf_append(image, text, (size_t)length);
    Py_DECREF(result);
    return fits ? 0 : error_set(err, ERROR_LIMIT, "the description of the image is too long");
}

void interpreter_before_fork(void)
{
    PyOS_BeforeFork();
}

void interpreter_after_fork_parent(void)
{
    PyOS_AfterFork_Parent();
}

/* A list of bytes; None for NULL. */
static PyObject *list_texts(const char *texts)
{
    if (!texts)
        Py_RETURN_NONE;
    PyObject *list = PyList_New(0);
    for (const char *at = texts; list && *at; at += strlen(at) + 1) {
        PyObject *text = PyBytes_FromString(at);
        if (!text || PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

int interpreter_after_fork_child(const char *environment, bool audit, struct error *err)
{
    PyOS_AfterFork_Child();
    if (audit && audit_start(err) < 0)
        return -1;
    PyObject *result = call_prelude("after_join", Py_BuildValue("(N)", list_texts(environment)));
    if (!result)
        return python_error(err, "after_join");
    Py_DECREF(result);
    return 0;
}

/* A copy that guest code forked must never speak for the session, nor run past its cell. */
static void end_if_copy(void)
{
    if (getpid() != state.pid)
        _exit(0);
}

/* A front that is gone ends the session; there is nobody to tell. */
static void send_frame(enum frame_type type, uint64_t nonce, const void *payload, size_t length)
{
    end_if_copy();
    if (channel_send(state.channel_fd, type, nonce, payload, length, NULL, 0, NULL) < 0)
        _exit(0);
}

static void send_chunks(enum frame_type type, uint64_t nonce, const char *data, size_t length)
{
    for (size_t at = 0; at < length; at += FRAME_PAYLOAD_MAX) {
        size_t chunk = length - at < FRAME_PAYLOAD_MAX ? length - at : FRAME_PAYLOAD_MAX;
        send_frame(type, nonce, data + at, chunk);
    }
}

/* An interrupt that arrives between cells belongs to no cell. */
static void drop_pending_interrupt(void)
{
    while (PyErr_CheckSignals() < 0)
        PyErr_Clear();
}

/* Whatever left the prelude is an interrupt that struck outside the cell. */
static void report_escaped_exception(void)
{
    static const char text[] = "KeyboardInterrupt\n";
    end_if_copy();
    PyErr_Clear();
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
        /* the front reads the status from the frame */
    }
}

static void send_display(uint64_t nonce, PyObject *value, struct done_message *done)
{
    char *data = NULL;
    Py_ssize_t length = 0;
    if (PyBytes_AsStringAndSize(value, &data, &length) < 0) {
        PyErr_Clear();
        done->display = DISPLAY_NOTHING;
        return;
    }
    if (done->display == DISPLAY_TEXT)
        send_chunks(FRAME_RESULT_TEXT, nonce, data, (size_t)length);
    if (done->display == DISPLAY_IMAGE)
        send_chunks(FRAME_RESULT_IMAGE, nonce, data, (size_t)length);
}

/* What was refused, in one frame: the front takes no second one. */
static void send_refusals(uint64_t nonce, PyObject *told)
{
    AUTO_BUF struct buf lines = {.limit = FRAME_PAYLOAD_MAX};
    char *data = NULL;
    Py_ssize_t length = 0;
    audit_write(&lines);
    if (told && PyBytes_AsStringAndSize(told, &data, &length) == 0)
        buf_append(&lines, data, (size_t)length);
    PyErr_Clear();
    if (lines.length > 0)
        send_frame(FRAME_REFUSALS, nonce, lines.data, lines.length);
}

static uint64_t cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

/* `function` of the prelude runs what has come: text for a cell, bytes for a command. */
static void run_code(uint64_t nonce, const char *function, bool is_text)
{
    struct done_message done = {.display = DISPLAY_NOTHING};
    const char *code = state.code.data ? state.code.data : "";
    Py_ssize_t length = (Py_ssize_t)state.code.length;
    PyObject *source = is_text ? PyUnicode_DecodeUTF8(code, length, "strict")
                               : PyBytes_FromStringAndSize(code, length);
    buf_free(&state.code);
    drop_pending_interrupt();
    audit_reset();

    int64_t started_us = clock_monotonic_us();
    uint64_t cpu_before_us = cpu_us();
    PyObject *result = source ? call_prelude(function, Py_BuildValue("(N)", source)) : NULL;
    done.wall_us = (uint64_t)(clock_monotonic_us() - started_us);
    done.cpu_us = cpu_us() - cpu_before_us;

    int succeeded = 0, display = DISPLAY_NOTHING;
    PyObject *value = NULL, *refused = NULL;
    if (result && PyArg_ParseTuple(result, "piOO", &succeeded, &display, &value, &refused) &&
        display >= DISPLAY_NOTHING && display < DISPLAY_END) {
        done.succeeded = succeeded != 0;
        done.display = (uint32_t)display;
        send_display(nonce, value, &done);
    } else {
        report_escaped_exception();
    }
    send_refusals(nonce, refused);
    Py_XDECREF(result);

    send_frame(FRAME_DONE, nonce, &done, sizeof done);
}

static void handle(const struct frame *frame)
{
    bool has_code =
        frame->type == FRAME_CODE || frame->type == FRAME_RUN || frame->type == FRAME_COMMAND;
    if (has_code && !buf_append(&state.code, frame->payload, frame->length))
        _exit(1);
    switch (frame->type) {
    case FRAME_CODE:
        return;
    case FRAME_RUN:
        run_code(frame->tag, "run", true);
        return;
    case FRAME_COMMAND:
        run_code(frame->tag, "run_command", false);
        return;
    case FRAME_PING:
        send_frame(FRAME_PONG, frame->tag, NULL, 0);
        return;
    default:
        _exit(1);
    }
}

_Noreturn void interpreter_serve(int channel_fd)
{
    state.pid = getpid();
    state.channel_fd = channel_fd;
    send_frame(FRAME_READY, 0, NULL, 0);
    for (;;) {
        enum channel_outcome outcome;
        /* Threads that the guest started go on while the session is idle. */
        Py_BEGIN_ALLOW_THREADS;
        outcome = channel_receive(state.channel_fd, 0, &message, NULL);
        Py_END_ALLOW_THREADS;
        end_if_copy();
        if (outcome != CHANNEL_MESSAGE)
            _exit(0);
        handle(&message.frame);
    }
}
