/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The small values of the format: numbers that may be absent, UUIDs, MAC addresses, sizes, CPU sets. */

/* A number that the document may or may not have said. */
typedef struct {
  gboolean set;
  guint64 value;
} Number;

#define NUMBER(n) ((Number){ TRUE, (n) })

/* Whole decimal numbers only: no sign, no space, no surplus, within @max. FALSE leaves @ret untouched. */
gboolean parse_uint (const char *text, guint64 max, guint64 *ret);
/* The same with a leading "0x" allowed. */
gboolean parse_uint_any_base (const char *text, guint64 max, guint64 *ret);

/* UUIDs: 16 bytes, and the 36 characters libvirt prints. Read with or without dashes, any case. */
#define UUID_BYTES 16
#define UUID_TEXT  37
gboolean uuid_parse (const char *text, guint8 ret[UUID_BYTES]);
void uuid_format (const guint8 uuid[UUID_BYTES], char ret[UUID_TEXT]);
void uuid_generate (guint8 ret[UUID_BYTES]); /* version 4 */

/* MAC addresses: six octets of one or two hex digits with ':' between. */
#define MAC_BYTES 6
#define MAC_TEXT  18
gboolean mac_parse (const char *text, guint8 ret[MAC_BYTES]);
void mac_format (const guint8 mac[MAC_BYTES], char ret[MAC_TEXT]);
gboolean mac_is_multicast (const guint8 mac[MAC_BYTES]);
void
mac_generate (guint8 ret[MAC_BYTES]); /* 52:54:00:xx:xx:xx, KVM's prefix, as libvirt's QEMU driver does */

/* Bytes of one @unit ("KiB", "MB", "b", "bytes", "G", ...; any case; NULL or "" means @fallback).
 * As in libvirt: K, KiB = 1024; KB = 1000. FALSE for a word that is no unit. */
gboolean size_unit (const char *unit, guint64 fallback, guint64 *ret_bytes);

/* CPU sets, libvirt's spelling: "0-3,^2,8". Sorted and merged when printed. */
#define CPU_SET_MAX 4096
typedef struct CpuSet CpuSet;
CpuSet *cpu_set_new (void);
CpuSet *cpu_set_parse (const char *text, const char **ret_mistake); /* NULL and a static text on a mistake */
void cpu_set_free (CpuSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpuSet, cpu_set_free)
void cpu_set_add (CpuSet *set, guint cpu);
void cpu_set_remove (CpuSet *set, guint cpu);
gboolean cpu_set_contains (const CpuSet *set, guint cpu);
guint cpu_set_count (const CpuSet *set);
char *cpu_set_to_string (const CpuSet *set);
