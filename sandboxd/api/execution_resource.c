#include "sandboxd/api/execution_resource.h"

#include "base/core/text.h"
#include "sandboxd/api/answer.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/api/execution.h"
#include "sandboxd/api/front.h"

/* Clients that know the service's own members only must not meet another one. */
static bool takes_extensions(const struct exchange *exchange)
{
    const struct api_settings *settings = &exchange->front->api;
    const char *wish =
        exchange->request ? http_request_header(exchange->request, "x-sandpool-extensions") : NULL;
    return settings->with_refusals && !settings->strict_versions &&
           !(wish && text_equal_ignoring_case(wish, "none"));
}

int execution_resource_write(const struct execution *execution, const struct exchange *exchange,
                             struct buf *body, struct error *err)
{
    bool second = exchange->generation == WIRE_GENERATION_2;
    const struct api_settings *settings = &exchange->front->api;
    struct answer_options options = {
        .value_as_text = api_settings_want_text(settings, exchange->generation, exchange->version),
        .with_refusals = takes_extensions(exchange),
        .none_as_null = second && exchange->version >= API_2025_10_02,
        .stream_characters_max = execution->request.output_streams_max_length,
    };
    struct wire_options wire_options = {.with_ids = settings->with_ids};
    struct wire_execution answer = {
        .id = second ? (char *)execution->id : NULL,
        .identifier = second ? execution->identifier : NULL,
        .execution_type = second ? execution->request.execution_type : NULL,
        .status = execution->turn_us ? WIRE_STATUS_RUNNING : WIRE_STATUS_NOT_STARTED,
    };
    if (execution->logged.is_over)
        answer_fill(&execution->run, &options, &answer);
    int written = wire_write_execution(exchange->generation, &wire_options, &answer, body, err);
    /* These three are the execution's own. */
    answer.id = answer.identifier = answer.execution_type = NULL;
    wire_execution_clear(&answer);
    return written;
}
