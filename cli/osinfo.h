/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/*
 * What libosinfo knows of a guest's operating system, as far as it decides what a machine for it is made of.
 */
typedef enum {
  OS_DISK,    /* virtio-blk */
  OS_NETWORK, /* virtio-net */
  OS_RNG,     /* virtio-rng */
  OS_BALLOON, /* virtio-balloon */
  OS_VIDEO,   /* virtio-gpu */
  OS_E1000E,
  OS_DEVICES,
} OsDevice;

typedef struct {
  char *name;   /* "debian12": the short id */
  char *title;  /* "Debian 12" */
  char *id;     /* "http://debian.org/debian/12" */
  char *family; /* "linux", "winnt"; NULL: not said */
  char *cloud_user;
  gboolean has_efi, needs_efi; /* it starts with UEFI; with nothing else */
  gint64 memory, storage;      /* bytes that are recommended; 0: not said */
  int cpus;                    /* 0: not said */
  gboolean has_driver[OS_DEVICES];
} OsFacts;

/* @name: a short id, or libosinfo's own. @ret_note (transfer full): what was taken in its place, where this
 * host's database does not know that version yet; NULL: itself. NULL with @error: unknown, or no library. */
OsFacts *os_facts_find (const char *name, const char *arch, char **ret_note, GError **error);
void os_facts_free (OsFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OsFacts, os_facts_free)
/* All there are, by name: OsFacts with name, title and id. (transfer full) */
GPtrArray *os_facts_list (GError **error);
