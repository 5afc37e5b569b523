#include "base/http/multipart.h"

#include <string.h>

#include "base/core/buf.h"
#include "base/core/cleanup.h"
#include "base/http/multipart_part.h"

enum state {
    IN_PREAMBLE,
    IN_PART,         /* its data */
    AFTER_DELIMITER, /* the rest of the delimiter's line */
    IN_HEADERS,
    IN_EPILOGUE,
    STOPPED, /* after an error */
};

struct multipart {
    struct multipart_handler handler;
    enum state state;
    char *delimiter; /* "\r\n--" and the boundary */
    size_t delimiter_length;
    size_t matched;  /* bytes of the delimiter seen and not yet handed on */
    struct buf line; /* of the part's headers, or after a delimiter */
    size_t header_bytes;
    struct part_headers headers;
    int parts;
    struct error error; /* once STOPPED */
};

int multipart_create(const char *content_type, const struct multipart_handler *handler,
                     struct multipart **ret_multipart, struct error *err)
{
    AUTO_FREE char *boundary = NULL;
    if (multipart_read_boundary(content_type, &boundary, err) < 0)
        return -1;
    struct multipart *multipart = xcalloc(1, sizeof *multipart);
    multipart->handler = *handler;
    multipart->delimiter = xasprintf("\r\n--%s", boundary);
    multipart->delimiter_length = strlen(multipart->delimiter);
    /* The first delimiter may be the first line, which has no line end before it. */
    multipart->matched = strlen("\r\n");
    multipart->line.limit = MULTIPART_HEADER_BYTES_MAX;
    *ret_multipart = multipart;
    return 0;
}

void multipart_destroy(struct multipart *multipart)
{
    if (!multipart)
        return;
    part_headers_clear(&multipart->headers);
    buf_free(&multipart->line);
    free(multipart->delimiter);
    free(multipart);
}

static int hand_on(struct multipart *m, const char *data, size_t length, struct error *err)
{
    if (m->state != IN_PART || length == 0)
        return 0;
    return m->handler.on_data(m->handler.self, data, length, err);
}

static int end_data(struct multipart *m, struct error *err)
{
    bool was_part = m->state == IN_PART;
    m->state = AFTER_DELIMITER;
    m->matched = 0;
    m->header_bytes = 0;
    return was_part ? m->handler.on_part_end(m->handler.self, err) : 0;
}

/* Looks for the delimiter and hands on what comes before it. The delimiter's first byte, a CR, is
 * nowhere else in it, so after a mismatch only the present byte can begin another match. */
static int feed_data(struct multipart *m, const char **at, const char *end, struct error *err)
{
    while (*at < end) {
        if (**at == m->delimiter[m->matched]) {
            (*at)++;
            if (++m->matched == m->delimiter_length)
                return end_data(m, err);
            continue;
        }
        if (m->matched > 0) {
            size_t matched = m->matched;
            m->matched = 0;
            if (hand_on(m, m->delimiter, matched, err) < 0)
                return -1;
            continue;
        }
        const char *cr = memchr(*at, '\r', (size_t)(end - *at));
        const char *run_end = cr ? cr : end;
        const char *run = *at;
        *at = run_end;
        if (hand_on(m, run, (size_t)(run_end - run), err) < 0)
            return -1;
    }
    return 0;
}

static int begin_part(struct multipart *m, struct error *err)
{
    if (m->parts == MULTIPART_PARTS_MAX)
        return error_set(err, ERROR_LIMIT, "the form has more than %d parts", MULTIPART_PARTS_MAX);
    m->parts++;
    m->state = IN_PART;
    struct multipart_part part = {.name = m->headers.name ? m->headers.name : "",
                                  .filename = m->headers.filename};
    int outcome = m->handler.on_part(m->handler.self, &part, err);
    part_headers_clear(&m->headers);
    return outcome;
}

/* The line after "--boundary": nothing but blanks; "--" comes first after the last part. */
static int end_delimiter(struct multipart *m, struct error *err)
{
    for (size_t i = 0; i < m->line.length; i++) {
        if (m->line.data[i] != ' ' && m->line.data[i] != '\t')
            return error_set(err, ERROR_INVALID, "something follows a boundary on its line");
    }
    m->state = IN_HEADERS;
    return 0;
}

static int end_line(struct multipart *m, struct error *err)
{
    if (m->state == AFTER_DELIMITER)
        return end_delimiter(m, err);
    if (m->line.length == 0)
        return begin_part(m, err);
    return part_headers_read(&m->headers, m->line.data, m->line.length, err);
}

/* Takes one byte of a line that ends in CR LF. */
static int feed_line(struct multipart *m, char byte, struct error *err)
{
    if (++m->header_bytes > MULTIPART_HEADER_BYTES_MAX)
        return error_set(err, ERROR_LIMIT, "a part's headers are longer than %d bytes",
                         MULTIPART_HEADER_BYTES_MAX);
    bool after_cr = m->line.length > 0 && m->line.data[m->line.length - 1] == '\r';
    if (after_cr != (byte == '\n'))
        return error_set(err, ERROR_INVALID, "a part's header line does not end in CR LF");
    if (!buf_append(&m->line, &byte, 1))
        return error_set(err, ERROR_LIMIT, "out of memory");
    if (m->state == AFTER_DELIMITER && m->line.length == 2 && memcmp(m->line.data, "--", 2) == 0) {
        m->state = IN_EPILOGUE;
        return 0;
    }
    if (byte != '\n')
        return 0;
    m->line.length -= strlen("\r\n");
    int outcome = end_line(m, err);
    buf_clear(&m->line);
    return outcome;
}

static int feed(struct multipart *m, const char *at, const char *end, struct error *err)
{
    while (at < end && m->state != IN_EPILOGUE) {
        bool in_data = m->state == IN_PREAMBLE || m->state == IN_PART;
        if ((in_data ? feed_data(m, &at, end, err) : feed_line(m, *at++, err)) < 0)
            return -1;
    }
    return 0;
}

static int fail(struct multipart *m, struct error *err)
{
    m->state = STOPPED;
    if (err)
        *err = m->error;
    return -1;
}

int multipart_feed(struct multipart *multipart, const char *data, size_t length, struct error *err)
{
    if (multipart->state == STOPPED || feed(multipart, data, data + length, &multipart->error) < 0)
        return fail(multipart, err);
    return 0;
}

int multipart_finish(struct multipart *multipart, struct error *err)
{
    if (multipart->state == STOPPED)
        return fail(multipart, err);
    if (multipart->state == IN_EPILOGUE)
        return 0;
    error_set(&multipart->error, ERROR_INVALID, "the form ends without its closing boundary");
    return fail(multipart, err);
}
