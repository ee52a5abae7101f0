/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/sysinfo.h"

#define DMI_DIRECTORY "/sys/class/dmi/id"
#define DMI_TEXT_MAX  4096 /* bytes of one entry */

/* What this host's firmware says of it, as far as may be read; NULL: nothing. @directory: NULL for the
 * kernel's. Any thread. */
Sysinfo *dmi_read (const char *directory);
