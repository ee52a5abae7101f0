/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * Names and UUIDs of everything defined (cheap: definitions are read when first needed), and every machine
 * that still runs, found again. Broken files are logged and skipped. The main loop runs meanwhile; @then is
 * called in it, once, when clients can be served; or with the @error for which nothing could be read.
 */
typedef void (*ManagerLoaded) (const GError *error, gpointer data);
void manager_load (Manager *manager, ManagerLoaded then, gpointer data);
