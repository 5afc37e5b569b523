/* asked: what a request to a model holds, whatever wire carries it.
 *
 * The text comes from the agent, or from anybody who talks to the played server: bounded and read
 * by json_parse.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/core/error.h"

enum { ASKED_BYTES_MAX = 16 * 1024 * 1024 };

struct asked {
    json_t *document;
    const char *text; /* the body; borrowed */
    size_t length;
    bool is_responses; /* the Responses API, else chat completions */
    bool is_streamed;
    bool wants_usage;
    /* of the last such message, joined where it has several parts; "" where there is none */
    char *system;
    char *user;
    /* What the last tools gave: the tool messages at the end, or what follows the last
     * "Observation:" of the last message. "" when the end is something else. */
    char *observation;
};

int asked_read(const char *data, size_t length, bool is_responses, struct asked *ret_asked,
               struct error *err);
void asked_clear(struct asked *asked);
