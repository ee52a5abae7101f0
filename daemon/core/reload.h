/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"

/* With what the daemon began, and where it came from; borrowed. */
typedef struct {
  const Settings *settings;
  const char *root, *config_file; /* of the command line, or NULL */
  const char *log_level;          /* of the command line, which has the last word; or NULL */
} Reload;

/* Read the settings again and follow those that can be followed; the rest, and mistakes, are told in the log.
 * In the main loop. */
void reload_settings (const Reload *reload);
