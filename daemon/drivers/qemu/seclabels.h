/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/account.h"
#include "domain/domain-def.h"

/*
 * What a document's <seclabel>s ask of this host. No security module labels machines here; the model "dac"
 * says as which user and group QEMU runs. Files are passed as descriptors, so nothing is ever relabelled.
 */

/* Is each model the document names one that is there? As libvirt, in its words, whatever is asked of it. */
gboolean seclabels_check (const DomainDef *def, const Settings *settings, GError **error);
/* The account the machine is to have: that of a static label of the model "dac", or one of its own, taken
 * under @key as account_for_machine does. */
Account *
seclabels_account (const DomainDef *def, const Settings *settings, const char *key, int id, GError **error);
/* What the running machine's document shows: the account, as a label. */
void seclabels_show (DomainDef *def, const Settings *settings, const Account *account);
