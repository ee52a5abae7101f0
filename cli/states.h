/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* virsh's words for a domain's state, and for the reason of one; "no state" and "unknown" for numbers they do
 * not know. */
const char *state_name (int state);
const char *state_reason (int state, int reason);
const char *vcpu_state_name (int state);
