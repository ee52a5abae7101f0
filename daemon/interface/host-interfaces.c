/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The row of the kind. On D-Bus an object is looked up when it is called: its handle then has no name, and
 * the job that does the work finds the interface by its MAC address, since the main loop asks nobody.
 */
#include "daemon/interface/host-interfaces.h"

#define CHANGES_WAITING_MAX 64
#define CHANGE_SECONDS      300 /* what a change waits for those before it */

static GVariant *
find_handle (Manager *manager G_GNUC_UNUSED, const char *key, GError **error G_GNUC_UNUSED)
{
  /* No interface has ':' in its name. */
  return strchr (key, ':') != NULL ? g_variant_new ("(ss)", "", key) : g_variant_new ("(ss)", key, "");
}

static void
list_handles (Manager *manager G_GNUC_UNUSED, GPtrArray *handles G_GNUC_UNUSED)
{
}

static const char *const interfaces[] = { "org.libvirt.Interface", NULL };

const ObjectKind host_interface_kind = {
  .letter = 'I',
  .name = "interface",
  .short_name = "interface",
  .missing = VIR_ERR_NO_INTERFACE,
  .origin = VIR_FROM_INTERFACE,
  .path_element = "interface",
  .interfaces = interfaces,
  .key = 1,
  .find_handle = find_handle,
  .list_handles = list_handles,
};

typedef struct {
  Call *call;
  void (*begin) (Call *call);
} Locking;

static Lock *changes;

static void
locking_begin (gpointer data)
{
  g_autofree Locking *locking = data;

  locking->call->lock = lock_ref (changes);
  locking->begin (locking->call);
}

static void
locking_fail (gpointer data, GError *error)
{
  g_autofree Locking *locking = data;

  call_fail (locking->call, error);
}

void
interface_changes_lock (Call *call, const char *name, void (*begin) (Call *call))
{
  Locking locking = { call, begin };
  LockRequest request = { .name = name,
                          .holder = call,
                          .seconds = CHANGE_SECONDS,
                          .begin = locking_begin,
                          .fail = locking_fail,
                          .data = g_memdup2 (&locking, sizeof locking) };

  if (changes == NULL)
    changes = lock_new ("the host's network configuration", CHANGES_WAITING_MAX);
  lock_acquire (changes, &request);
}
