/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Is there memory for one more machine? Pure but for memory_room_here.
 */
typedef enum {
  MEMORY_FITS,
  MEMORY_IS_SHORT, /* the kernel grants it, and may have to swap or to end something when it is used */
  MEMORY_REFUSED,  /* the kernel would not grant it */
} MemoryRoom;

/* KiB: one value of /proc/meminfo; 0 when it is not there. */
guint64 meminfo_value (const char *meminfo, const char *name);
/* @wanted: KiB. @overcommit: vm.overcommit_memory. @ret_left: KiB there are, as far as the verdict is about
 * it. */
MemoryRoom memory_room (const char *meminfo, guint overcommit, guint64 wanted, guint64 *ret_left);
/* Of this host. */
MemoryRoom memory_room_here (guint64 wanted, guint64 *ret_left);
/* Pages of @size KiB that nobody has or is promised; 0 for @size: the host's usual huge pages, and then
 * @size is set. FALSE: the host has none of that size. */
gboolean hugepages_left (guint64 *size, guint64 *ret_count);
