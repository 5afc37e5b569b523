#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandboxd/worker/audit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ATTEMPTS_MAX = 32,  /* distinct ones of an execution; later ones are not kept */
    HOST_MAX = 255,     /* as a name of the DNS */
    FILE_NAME_MAX = 95, /* of the code; longer ones are cut */
    FRAMES_MAX = 64,    /* how far up the user's own code is looked for */
};

/* One place in the code that tried to reach one host. */
struct attempt {
    char host[HOST_MAX + 1];
    char file[FILE_NAME_MAX + 1];
    int port;
    int line;
    unsigned count;
};

static struct {
    struct attempt attempts[ATTEMPTS_MAX];
    unsigned attempt_count;
    const char *operation;
} seen;

/* Text that fits into one field of a line. */
static void copy_field(char *to, size_t capacity, const char *text)
{
    size_t i = 0;
    for (; text[i] && i < capacity - 1; i++)
        to[i] = (unsigned char)text[i] < ' ' ? '?' : text[i];
    to[i] = '\0';
}

/* Borrowed, and NULL for what is not text; runs no code of the guest's. */
static const char *text_of(PyObject *value)
{
    const char *text = NULL;
    if (value && PyUnicode_Check(value))
        text = PyUnicode_AsUTF8(value);
    else if (value && PyBytes_Check(value))
        text = PyBytes_AS_STRING(value);
    PyErr_Clear();
    return text;
}

static int port_of(PyObject *value)
{
    int overflow = 0;
    long port = value && PyLong_Check(value) ? PyLong_AsLongAndOverflow(value, &overflow) : 0;
    if (value && text_of(value))
        port = strtol(text_of(value), NULL, 10);
    PyErr_Clear();
    return port > 0 && port <= UINT16_MAX && !overflow ? (int)port : 0;
}

static bool is_own_name(const char *host)
{
    char name[HOST_NAME_MAX + 1] = "";
    return gethostname(name, sizeof name - 1) == 0 && strcmp(name, host) == 0;
}

static bool is_loopback(const char *host)
{
    static const char *const names[] = {"",          "0.0.0.0",       "::",           "::1",
                                        "localhost", "ip6-localhost", "ip6-loopback", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], host) == 0)
            return true;
    }
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "::ffff:127.", 11) == 0 ||
           is_own_name(host);
}

/* The innermost place in a cell; where there is none, the innermost place of all. */
static void find_place(struct attempt *attempt)
{
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    for (int i = 0; frame && i < FRAMES_MAX; i++) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        const char *file = text_of(code->co_filename);
        bool in_cell = file && strncmp(file, "<cell ", 6) == 0;
        if (file && (i == 0 || in_cell)) {
            copy_field(attempt->file, sizeof attempt->file, file);
            attempt->line = PyFrame_GetLineNumber(frame);
        }
        PyFrameObject *back = in_cell ? NULL : PyFrame_GetBack(frame);
        Py_DECREF(code);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
}

static bool is_same(const struct attempt *a, const struct attempt *b)
{
    return a->port == b->port && a->line == b->line && strcmp(a->host, b->host) == 0 &&
           strcmp(a->file, b->file) == 0;
}

static void note(PyObject *host, PyObject *port)
{
    const char *name = text_of(host);
    if (!name || is_loopback(name))
        return;
    struct attempt attempt = {.port = port_of(port), .count = 1};
    copy_field(attempt.host, sizeof attempt.host, name);
    find_place(&attempt);
    for (unsigned i = 0; i < seen.attempt_count; i++) {
        if (is_same(&seen.attempts[i], &attempt)) {
            seen.attempts[i].count++;
            return;
        }
    }
    if (seen.attempt_count < ATTEMPTS_MAX)
        seen.attempts[seen.attempt_count++] = attempt;
}

/* socket.connect(socket, address) and its like: an address of IP is a tuple. */
static void on_address(PyObject *arguments)
{
    PyObject *address = PyTuple_GET_SIZE(arguments) > 1 ? PyTuple_GET_ITEM(arguments, 1) : NULL;
    if (address && PyTuple_Check(address) && PyTuple_GET_SIZE(address) >= 2)
        note(PyTuple_GET_ITEM(address, 0), PyTuple_GET_ITEM(address, 1));
}

/* socket.getaddrinfo(host, port, …), socket.gethostbyname(host). */
static void on_name(PyObject *arguments)
{
    Py_ssize_t count = PyTuple_GET_SIZE(arguments);
    if (count > 0)
        note(PyTuple_GET_ITEM(arguments, 0), count > 1 ? PyTuple_GET_ITEM(arguments, 1) : NULL);
}

static const struct {
    const char *event; /* after "socket." */
    void (*on_event)(PyObject *arguments);
} network_events[] = {
    {"connect", on_address},  {"sendto", on_address},     {"sendmsg", on_address},
    {"getaddrinfo", on_name}, {"gethostbyname", on_name},
};

static const char *const operations[] = {
    "os.exec",   "os.fork",        "os.forkpty", "os.kill",          "os.killpg",
    "os.system", "os.posix_spawn", "pty.spawn",  "subprocess.Popen",
};

/* Called for every event there is: what concerns nobody must be told from its first letters. */
static int on_event(const char *event, PyObject *arguments, void *self)
{
    (void)self;
    if (event[0] == 's' && strncmp(event, "socket.", 7) == 0) {
        for (size_t i = 0; i < sizeof network_events / sizeof *network_events; i++) {
            if (PyTuple_Check(arguments) && strcmp(event + 7, network_events[i].event) == 0)
                network_events[i].on_event(arguments);
        }
    } else if (strncmp(event, "os.", 3) == 0 || strncmp(event, "sub", 3) == 0 || event[0] == 'p') {
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
            if (strcmp(event, operations[i]) == 0)
                seen.operation = operations[i];
        }
    }
    return 0;
}

int audit_start(struct error *err)
{
    if (PySys_AddAuditHook(on_event, NULL) == 0)
        return 0;
    PyErr_Clear();
    return error_set(err, ERROR_SYSTEM, "the audit hook could not be added");
}

void audit_reset(void)
{
    seen.attempt_count = 0;
    seen.operation = NULL;
}

void audit_write(struct buf *out)
{
    for (unsigned i = 0; i < seen.attempt_count; i++) {
        const struct attempt *attempt = &seen.attempts[i];
        buf_printf(out, "network\t%s\t%d\t%u\t%s\t%d\n", attempt->host, attempt->port,
                   attempt->count, attempt->file, attempt->line);
    }
}

const char *audit_last_operation(void)
{
    return seen.operation;
}
