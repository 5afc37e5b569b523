/* arm_roles: role assignments by the control plane.
 *
 * They act at once where roles are in force (the configuration has roleAssignments), and are kept
 * in the state directory in any case. Those of the configuration are shown and cannot be changed.
 */
#pragma once

struct exchange;
struct front;

void arm_role_put(struct exchange *exchange);
void arm_role_show(struct exchange *exchange);
void arm_role_delete(struct exchange *exchange);
void arm_role_list(struct exchange *exchange);

/* Adds those of the state directory to the front's. What cannot be used is named in the log. */
void arm_roles_load(struct front *front);
/* The resource is gone, and what was assigned to it with it. */
void arm_roles_forget_below(struct front *front, const char *scope);
