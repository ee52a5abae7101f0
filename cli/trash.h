/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/connection.h"

/* What the commands that remove definitions share. */

#define NO_TRASH_OPTION(variable)                                                     \
  {                                                                                   \
    "no-trash", 0, 0, G_OPTION_ARG_NONE, &(variable), N_ ("Remove it for good"), NULL \
  }

/* The definition called @name of the kind whose documents have the root @element is removed to the trash.
 * @flags: of a domain, VIR_DOMAIN_UNDEFINE_KEEP_... */
GVariant *
trash_discard (Connection *connection, const char *element, const char *name, guint flags, GError **error);
