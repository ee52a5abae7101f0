/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The document @source of the machine @old for another one, @name: what only one machine can have (UUID, MAC
 * addresses, images, the firmware's variables) is taken out, or gets the new name. What was done is added to
 * @notes (char *). Comments stay. (transfer full) */
char *init_like (const char *source, const char *old, const char *name, GPtrArray *notes);
