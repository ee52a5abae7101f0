/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two calls of org.fedoraproject.FirewallD1. libvirt's packages give firewalld the zones "libvirt" and
 * "libvirt-routed"; they mean the same to our bridges. It is not started for this: a host that has it off
 * does not want it.
 */
#include "daemon/network/network-zone.h"

#include "base/virt-error.h"

#define FIREWALLD_NAME  "org.fedoraproject.FirewallD1"
#define FIREWALLD_PATH  "/org/fedoraproject/FirewallD1"
#define FIREWALLD_ZONE  "org.fedoraproject.FirewallD1.zone"
#define ZONE_TRANSLATED "libvirt"
#define ZONE_ROUTED     "libvirt-routed"

/* NULL: nobody answers. */
static GVariant *
ask (Job *job, const char *method, GVariant *arguments, const char *type, GError **error)
{
  g_autoptr (GDBusConnection) bus =
      g_bus_get_sync (G_BUS_TYPE_SYSTEM, job != NULL ? job_cancellable (job) : NULL, error);

  if (bus == NULL) {
    g_variant_unref (g_variant_ref_sink (arguments));
    return NULL;
  }
  g_dbus_connection_set_exit_on_close (bus, FALSE);
  return g_dbus_connection_call_sync (bus, FIREWALLD_NAME, FIREWALLD_PATH, FIREWALLD_ZONE, method, arguments,
                                      G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NO_AUTO_START,
                                      NETWORK_ZONE_TIMEOUT, job != NULL ? job_cancellable (job) : NULL,
                                      error);
}

/* Is there a system bus, on which somebody may be? Without one nothing is waited for. */
static gboolean
has_bus (void)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);

  return address != NULL
         && (g_getenv ("DBUS_SYSTEM_BUS_ADDRESS") != NULL
             || g_file_test ("/run/dbus/system_bus_socket", G_FILE_TEST_EXISTS));
}

gboolean
network_zone_join (Job *job, const NetworkDef *def, char **ret_zone, GError **error)
{
  const char *zone = def->bridge_zone;
  g_autoptr (GVariant) known = NULL, answer = NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree const char **zones = NULL;

  if (has_bus ())
    known = ask (job, "getZones", g_variant_new ("()"), "(as)", &problem);
  if (known == NULL) {
    if (zone != NULL)
      virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                      "zone %s requested for network %s but firewalld is not active", zone, def->name);
    return zone == NULL;
  }
  g_variant_get (known, "(^a&s)", &zones);
  if (zone == NULL)
    zone = def->forward.mode == NETWORK_FORWARD_ROUTE || def->forward.mode == NETWORK_FORWARD_OPEN
               ? ZONE_ROUTED
               : ZONE_TRANSLATED;
  if (!g_strv_contains (zones, zone)) {
    if (def->bridge_zone == NULL)
      return TRUE;
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "requested firewalld zone '%s' does not exist", zone);
    return FALSE;
  }
  answer = ask (job, "changeZoneOfInterface", g_variant_new ("(ss)", zone, def->bridge), "(s)", &problem);
  if (answer == NULL) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "firewalld does not put bridge '%s' into zone '%s': %s",
                    def->bridge, zone, problem->message);
    return FALSE;
  }
  g_free (*ret_zone);
  *ret_zone = g_strdup (zone);
  return TRUE;
}

void
network_zone_leave (Job *job, const char *bridge, const char *zone)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GVariant) answer =
      has_bus () ? ask (job, "removeInterface", g_variant_new ("(ss)", zone, bridge), "(s)", &problem) : NULL;

  if (answer == NULL && problem != NULL)
    g_debug ("firewalld does not take bridge '%s' out of zone '%s': %s", bridge, zone, problem->message);
}
