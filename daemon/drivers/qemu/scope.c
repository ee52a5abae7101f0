/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call of org.freedesktop.systemd1: StartTransientUnit. The unit's name is the UUID, which needs no
 * escaping. */
#include "daemon/drivers/qemu/scope.h"

#include <gio/gio.h>
#include <unistd.h>

#define SYSTEMD_RUNS "/run/systemd/system"

static GVariant *
scope_properties (const char *name, GPid pid)
{
  GVariantBuilder properties = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sv)"));
  static const char *const before[] = { "domaind.service" };
  guint32 pids[] = { (guint32)pid };
  g_autofree char *description = g_strdup_printf ("Virtual machine %s", name);

  g_variant_builder_add (&properties, "(sv)", "Description", g_variant_new_string (description));
  g_variant_builder_add (
      &properties, "(sv)", "PIDs",
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, pids, G_N_ELEMENTS (pids), sizeof (guint32)));
  g_variant_builder_add (&properties, "(sv)", "Slice", g_variant_new_string ("machine.slice"));
  /* Its limits and the groups of its threads are ours to make: systemd leaves what is inside alone. */
  g_variant_builder_add (&properties, "(sv)", "Delegate", g_variant_new_boolean (TRUE));
  /* At the host's shutdown the daemon is stopped first: it asks the guests to shut down, see host-shutdown.h.
   */
  g_variant_builder_add (&properties, "(sv)", "Before", g_variant_new_strv (before, G_N_ELEMENTS (before)));
  g_variant_builder_add (&properties, "(sv)", "CollectMode", g_variant_new_string ("inactive-or-failed"));
  return g_variant_builder_end (&properties);
}

gboolean
scope_enter (const char *uuid, const char *name, GPid pid)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *unit = g_strdup_printf ("domaind-%s.scope", uuid);

  if (access (SYSTEMD_RUNS, F_OK) != 0 || geteuid () != 0)
    return FALSE;
  bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  if (bus != NULL)
    answer = g_dbus_connection_call_sync (
        bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "StartTransientUnit",
        g_variant_new ("(ss@a(sv)a(sa(sv)))", unit, "fail", scope_properties (name, pid), NULL),
        G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, SCOPE_TIMEOUT, NULL, &error);
  if (answer == NULL)
    g_debug ("machine '%s' has no scope of its own: %s", name, error->message);
  return answer != NULL;
}
