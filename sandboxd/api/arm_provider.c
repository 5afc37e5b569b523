#include <stddef.h>

#include "base/json/writer.h"
#include "sandboxd/api/arm.h"
#include "sandboxd/api/exchange.h"
#include "sandboxd/identity/subject.h"
#include "sandboxd/resource/resource_id.h"

/* The CLI refuses a location that the provider does not list, so this is every public region of
 * Azure; where a pool "is" changes nothing here. */
static const char *const locations[] = {
    "Local",
    "Australia Central",
    "Australia East",
    "Australia Southeast",
    "Austria East",
    "Belgium Central",
    "Brazil South",
    "Brazil Southeast",
    "Canada Central",
    "Canada East",
    "Central India",
    "Central US",
    "Central US EUAP",
    "Chile Central",
    "East Asia",
    "East US",
    "East US 2",
    "East US 2 EUAP",
    "France Central",
    "France South",
    "Germany North",
    "Germany West Central",
    "Indonesia Central",
    "Israel Central",
    "Italy North",
    "Japan East",
    "Japan West",
    "Jio India Central",
    "Jio India West",
    "Korea Central",
    "Korea South",
    "Malaysia West",
    "Mexico Central",
    "New Zealand North",
    "North Central US",
    "North Central US (Stage)",
    "North Europe",
    "Norway East",
    "Norway West",
    "Poland Central",
    "Qatar Central",
    "South Africa North",
    "South Africa West",
    "South Central US",
    "South India",
    "Southeast Asia",
    "Spain Central",
    "Sweden Central",
    "Sweden South",
    "Switzerland North",
    "Switzerland West",
    "UAE Central",
    "UAE North",
    "UK South",
    "UK West",
    "West Central US",
    "West Europe",
    "West India",
    "West US",
    "West US 2",
    "West US 3",
    NULL,
};

/* Newest first, as the provider lists them. */
static const char *const versions[] = {
    "2026-07-01",         "2026-01-01",         "2025-10-02-preview", "2025-07-01",
    "2025-02-02-preview", "2025-01-01",         "2024-10-02-preview", "2024-08-02-preview",
    "2024-02-02-preview", "2023-11-02-preview", "2023-08-01-preview", NULL,
};

static void write_list(struct writer *writer, const char *key, const char *const *items)
{
    writer_open_array(writer, key);
    for (; *items; items++)
        writer_string(writer, NULL, *items);
    writer_close_array(writer);
}

static void write_subscription(struct writer *writer, const char *id)
{
    AUTO_BUF struct buf path = {0};
    buf_printf(&path, "/subscriptions/%s", id);
    writer_open_object(writer, NULL);
    writer_string(writer, "id", path.data);
    writer_string(writer, "subscriptionId", id);
    writer_string(writer, "tenantId", SUBJECT_TENANT);
    writer_string(writer, "displayName", "Sandpool");
    writer_string(writer, "state", "Enabled");
    writer_close_object(writer);
}

void arm_subscription_list(struct exchange *exchange)
{
    AUTO_BUF struct buf body = {0};
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    writer_open_array(&writer, "value");
    write_subscription(&writer, RESOURCE_LOCAL);
    writer_close_array(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

void arm_subscription_show(struct exchange *exchange)
{
    AUTO_BUF struct buf body = {0};
    struct writer writer = writer_begin(&body, false);
    write_subscription(&writer, exchange->match.words[0]);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}

void arm_provider_show(struct exchange *exchange)
{
    AUTO_BUF struct buf body = {0}, id = {0};
    buf_printf(&id, "/subscriptions/%s/providers/Microsoft.App", exchange->match.words[0]);
    struct writer writer = writer_begin(&body, false);
    writer_open_object(&writer, NULL);
    writer_string(&writer, "id", id.data);
    writer_string(&writer, "namespace", "Microsoft.App");
    writer_string(&writer, "registrationPolicy", "RegistrationRequired");
    writer_string(&writer, "registrationState", "Registered");
    writer_open_array(&writer, "resourceTypes");
    writer_open_object(&writer, NULL);
    writer_string(&writer, "resourceType", "sessionPools");
    write_list(&writer, "locations", locations);
    write_list(&writer, "apiVersions", versions);
    writer_string(&writer, "defaultApiVersion", "2025-07-01");
    writer_string(&writer, "capabilities",
                  "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, "
                  "SystemAssignedResourceIdentity, SupportsTags, SupportsLocation");
    writer_close_object(&writer);
    writer_close_array(&writer);
    writer_close_object(&writer);
    writer_finish(&writer, NULL);
    exchange_respond_json(exchange, 200, &body);
}
