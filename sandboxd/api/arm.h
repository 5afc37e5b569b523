/* arm: the control plane: session pools are made, shown, changed and deleted as resources of Azure.
 *
 * Everything is done when the answer comes; nothing has to be polled. docs/api.md, "Control plane".
 */
#pragma once

struct exchange;

void arm_pool_put(struct exchange *exchange);
void arm_pool_patch(struct exchange *exchange);
void arm_pool_show(struct exchange *exchange);
void arm_pool_delete(struct exchange *exchange);
/* Of a subscription, or of a resource group. */
void arm_pool_list(struct exchange *exchange);
/* The key of the pool's MCP endpoint, and a new one in its place. */
void arm_mcp_key_show(struct exchange *exchange);
void arm_mcp_key_renew(struct exchange *exchange);
/* What `az login` asks for: one subscription; and any that is named. */
void arm_subscription_list(struct exchange *exchange);
void arm_subscription_show(struct exchange *exchange);
/* What the resource provider offers, which the Azure CLI asks before every command. */
void arm_provider_show(struct exchange *exchange);
