#include "base/json/wire.h"
#include "base/json/writer.h"

static void write_session(struct writer *writer, const struct wire_session *session)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "identifier", session->identifier);
    writer_string(writer, "etag", session->etag);
    writer_time(writer, "createdAt", session->created_at_us);
    writer_time(writer, "lastAccessedAt", session->last_accessed_at_us);
    writer_time(writer, "expireAt", session->expires_at_us);
    writer_time(writer, "expiresAt", session->expires_at_us);
    writer_close_object(writer);
}

int wire_write_session(const struct wire_options *options, const struct wire_session *session,
                       struct buf *out, struct error *err)
{
    struct writer writer = writer_begin(out, options->with_ids);
    write_session(&writer, session);
    return writer_finish(&writer, err);
}

int wire_write_session_list(const struct wire_options *options,
                            const struct wire_session_list *list, struct buf *out,
                            struct error *err)
{
    struct writer writer = writer_begin(out, options->with_ids);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, list->managed ? "value" : "sessions");
    for (size_t i = 0; i < list->count; i++)
        write_session(&writer, &list->sessions[i]);
    writer_close_array(&writer);
    if (list->managed)
        writer_integer(&writer, "count", (int64_t)list->count);
    if (list->next_link)
        writer_string(&writer, "nextLink", list->next_link);
    else
        writer_null(&writer, "nextLink");
    writer_close_object(&writer);
    return writer_finish(&writer, err);
}
