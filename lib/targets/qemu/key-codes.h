/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Keys of a keyboard by their numbers. Pure; any thread.
 */
#define KEY_NUMBER_MAX 0xff

/* @set: virKeycodeSet. Its name, or NULL when there is no such set. */
const char *key_set_name (guint set);
/* QEMU's number of the key that has that code in the set; 0: no key QEMU has. */
guint key_number (guint set, guint code);
