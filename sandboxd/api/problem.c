#include "sandboxd/api/problem.h"

#include <errno.h>
#include <string.h>

#include "base/core/buf.h"
#include "base/json/wire.h"

static const struct {
    unsigned status;
    const char *name;
    const char *retry_after; /* seconds */
} problems[SERVICE_CODE_END] = {
    [SERVICE_PROPERTIES_MISSING] = {400, "SessionPropertiesMissing", NULL},
    [SERVICE_VALIDATION_FAILED] = {400, "SessionRequestValidationFailed", NULL},
    [SERVICE_NOT_SUPPORTED] = {400, "SessionRequestNotSupported", NULL},
    [SERVICE_SESSION_NOT_FOUND] = {400, "SessionWithIdentifierNotFound", NULL},
    [SERVICE_UNSUPPORTED_VERSION] = {400, "UnsupportedApiVersion", NULL},
    [SERVICE_UNAUTHORIZED] = {401, "Unauthorized", NULL},
    [SERVICE_KEY_REFUSED] = {401, "Unauthorized", NULL},
    [SERVICE_FORBIDDEN] = {403, "Forbidden", NULL},
    [SERVICE_FILE_NOT_FOUND] = {404, "FileNotFound", NULL},
    [SERVICE_EXECUTION_NOT_FOUND] = {404, "ExecutionNotFound", NULL},
    [SERVICE_POOL_NOT_FOUND] = {404, "SessionPoolNotFound", NULL},
    [SERVICE_RESOURCE_NOT_FOUND] = {404, "ResourceNotFound", NULL},
    [SERVICE_METHOD_NOT_ALLOWED] = {405, "MethodNotAllowed", NULL},
    [SERVICE_REQUEST_TOO_LARGE] = {413, "RequestEntityTooLarge", NULL},
    [SERVICE_TOO_MANY_REQUESTS] = {429, "TooManyRequests", "1"},
    [SERVICE_POOL_FULL] = {429, "SessionPoolMaxConcurrentSessionsReached", "30"},
    [SERVICE_POOL_FULL_MISSING] = {404, "SessionPoolMaxConcurrentSessionsReached", "30"},
    [SERVICE_HEADERS_TOO_LARGE] = {431, "RequestHeaderFieldsTooLarge", NULL},
    [SERVICE_INTERNAL_ERROR] = {500, "InternalServerError", NULL},
    [SERVICE_UNAVAILABLE] = {503, "ServiceUnavailable", "1"},
    [SERVICE_INSUFFICIENT_STORAGE] = {507, "InsufficientStorage", NULL},
    [SERVICE_ARM_INVALID_CONTENT] = {400, "InvalidRequestContent", NULL},
    [SERVICE_ARM_TYPE_NOT_SUPPORTED] = {400, "SessionTypeNotSupportedInRegion", NULL},
    [SERVICE_ARM_INVALID_READY] = {400, "SessionPoolInvalidReadySessionInstances", NULL},
    [SERVICE_ARM_LOCATION_REQUIRED] = {400, "LocationRequired", NULL},
    [SERVICE_ARM_MISSING_VERSION] = {400, "MissingApiVersionParameter", NULL},
    [SERVICE_ARM_INVALID_VERSION] = {400, "InvalidApiVersionParameter", NULL},
    [SERVICE_ARM_MCP_OFF] = {400, "McpServerNotEnabled", NULL},
    [SERVICE_ARM_UNAUTHENTICATED] = {401, "AuthenticationFailed", NULL},
    [SERVICE_ARM_UNAUTHORIZED] = {403, "AuthorizationFailed", NULL},
    [SERVICE_ARM_ROLE_NOT_FOUND] = {404, "RoleAssignmentNotFound", NULL},
    [SERVICE_ARM_CONFLICT] = {409, "Conflict", NULL},
    [SERVICE_ARM_INVALID_LOCATION] = {409, "InvalidResourceLocation", NULL},
    [SERVICE_ARM_QUOTA_EXCEEDED] = {409, "QuotaExceeded", NULL},
    [SERVICE_ARM_ROLE_EXISTS] = {409, "RoleAssignmentExists", NULL},
};

enum service_code problem_of_arm(enum service_code code)
{
    switch (code) {
    case SERVICE_VALIDATION_FAILED:
        return SERVICE_ARM_INVALID_CONTENT;
    case SERVICE_UNSUPPORTED_VERSION:
        return SERVICE_ARM_INVALID_VERSION;
    case SERVICE_UNAUTHORIZED:
        return SERVICE_ARM_UNAUTHENTICATED;
    case SERVICE_FORBIDDEN:
        return SERVICE_ARM_UNAUTHORIZED;
    default:
        return code;
    }
}

unsigned problem_status(enum service_code code)
{
    return problems[code].status;
}

const char *problem_name(enum service_code code)
{
    return problems[code].name;
}

void problem_write_body(enum service_code code, const char *target, const char *message,
                        const char *trace_id, struct buf *out)
{
    struct wire_error error = {
        .code = (char *)problems[code].name,
        .message = (char *)message,
        .target = (char *)target,
        .trace_id = (char *)trace_id,
    };
    wire_write_error(&error, out, NULL);
}

void problem_write(enum service_code code, const char *target, const char *message,
                   const char *trace_id, struct http_response *response)
{
    response->status = problems[code].status;
    http_response_add(response, "Content-Type", "application/json; charset=utf-8");
    http_response_add(response, "x-ms-error-code", problems[code].name);
    if (problems[code].retry_after)
        http_response_add(response, "Retry-After", problems[code].retry_after);

    if (code == SERVICE_UNAUTHORIZED || code == SERVICE_ARM_UNAUTHENTICATED)
        http_response_add(response, "WWW-Authenticate", "Bearer");
    if (code == SERVICE_KEY_REFUSED)
        http_response_add(response, "WWW-Authenticate", "ApiKey");

    struct buf body = {0};
    problem_write_body(code, target, message, trace_id, &body);
    response->body_length = body.length;
    response->body = buf_take(&body);
}

enum service_code problem_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return SERVICE_FILE_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return SERVICE_INSUFFICIENT_STORAGE;
    case ENAMETOOLONG:
    case EINVAL:
        return SERVICE_VALIDATION_FAILED;
    case EACCES: /* a mode that the program chose */
    case EPERM:
    case EISDIR: /* not the kind of thing the operation is for */
    case ELOOP:
    case EMLINK:
    case ENXIO:
    case EXDEV:
    case EEXIST:
    case ENOTEMPTY:
    case EBUSY:
    case ETXTBSY:
        return SERVICE_NOT_SUPPORTED;
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETIMEDOUT:
    case ESRCH: /* the session ended meanwhile */
    case EIO:   /* the helper was killed together with a dying interpreter */
        return SERVICE_UNAVAILABLE;
    default:
        return SERVICE_INTERNAL_ERROR;
    }
}

const char *problem_explain_errno(int number)
{
    switch (number) {
    case ELOOP:
    case ENXIO:
    case EXDEV:
    case EMLINK:
        return "it is not a regular file with a single name";
    case EISDIR:
        return "it is a directory";
    case ENOENT:
        return "there is no such file or directory";
    case ENOTDIR:
        return "a part of its path is not a directory";
    case ENOSPC:
    case EDQUOT:
        return "the session's data directory is full";
    case ESRCH:
        return "the session has ended; send the request again";
    case EIO:
        return "the session was recovering from its interpreter's end; send the request again";
    case ETIMEDOUT:
        return "the session did not answer in time and was removed, with its files; send the "
               "request again";
    default:
        return strerror(number);
    }
}

enum service_code problem_of_state(const struct error *err)
{
    switch (err->number) {
    case ENOSPC:
    case EDQUOT:
        return SERVICE_INSUFFICIENT_STORAGE;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return SERVICE_UNAVAILABLE;
    default:
        return SERVICE_INTERNAL_ERROR;
    }
}
