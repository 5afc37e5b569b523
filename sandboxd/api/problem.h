/* problem: what can go wrong with a request, in the service's words.
 *
 * The only place where the HTTP statuses of errors appear. docs/api.md, "Errors".
 */
#pragma once

#include "base/core/buf.h"
#include "base/core/error.h"
#include "base/http/http_server.h"

enum service_code {
    SERVICE_PROPERTIES_MISSING,
    SERVICE_VALIDATION_FAILED,
    SERVICE_NOT_SUPPORTED,
    SERVICE_SESSION_NOT_FOUND,
    SERVICE_UNSUPPORTED_VERSION,
    SERVICE_UNAUTHORIZED,
    SERVICE_KEY_REFUSED, /* the key of an MCP endpoint; no token would help */
    SERVICE_FORBIDDEN,
    SERVICE_FILE_NOT_FOUND,
    SERVICE_EXECUTION_NOT_FOUND,
    SERVICE_POOL_NOT_FOUND,
    SERVICE_RESOURCE_NOT_FOUND,
    SERVICE_METHOD_NOT_ALLOWED,
    SERVICE_REQUEST_TOO_LARGE,
    SERVICE_TOO_MANY_REQUESTS,
    SERVICE_POOL_FULL,
    SERVICE_POOL_FULL_MISSING, /* the same as a 404 (docs/api.md, "Session lifecycle") */
    SERVICE_HEADERS_TOO_LARGE,
    SERVICE_INTERNAL_ERROR,
    SERVICE_UNAVAILABLE,
    SERVICE_INSUFFICIENT_STORAGE,
    /* the control plane's own */
    SERVICE_ARM_INVALID_CONTENT,
    SERVICE_ARM_TYPE_NOT_SUPPORTED,
    SERVICE_ARM_INVALID_READY,
    SERVICE_ARM_LOCATION_REQUIRED,
    SERVICE_ARM_MISSING_VERSION,
    SERVICE_ARM_INVALID_VERSION,
    SERVICE_ARM_MCP_OFF,
    SERVICE_ARM_UNAUTHENTICATED,
    SERVICE_ARM_UNAUTHORIZED,
    SERVICE_ARM_ROLE_NOT_FOUND,
    SERVICE_ARM_CONFLICT,
    SERVICE_ARM_INVALID_LOCATION,
    SERVICE_ARM_QUOTA_EXCEEDED,
    SERVICE_ARM_ROLE_EXISTS,
    SERVICE_CODE_END,
};

/* The control plane's word for what both planes have. */
enum service_code problem_of_arm(enum service_code code);

unsigned problem_status(enum service_code code);
const char *problem_name(enum service_code code);

/* Fills status, x-ms-error-code, Retry-After where a later attempt can help, and the body. target
 * may be NULL; message is shown to the client. */
void problem_write(enum service_code code, const char *target, const char *message,
                   const char *trace_id, struct http_response *response);

/* The body alone, appended to out. */
void problem_write_body(enum service_code code, const char *target, const char *message,
                        const char *trace_id, struct buf *out);

/* The code for a file operation that failed inside the session with this errno. */
enum service_code problem_of_errno(int number);
/* The same in words. */
const char *problem_explain_errno(int number);

/* The code for an error that kept the daemon from writing what it must remember. */
enum service_code problem_of_state(const struct error *err);
