/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/* Where a value stands in a JSON text that was read already: json-glib tells no places. @path is of members'
 * names and elements' numbers, "process/args/0". What is not there has the place of the nearest that holds
 * it. Pure. */
Position json_place_find (const char *text, const char *path);
