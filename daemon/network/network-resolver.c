/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two calls of org.freedesktop.resolve1: the name server of a link, and the domains that are its. */
#include "daemon/network/network-resolver.h"

#include "base/virt-error.h"

#include <net/if.h>
#include <sys/socket.h>

#define RESOLVER_NAME      "org.freedesktop.resolve1"
#define RESOLVER_PATH      "/org/freedesktop/resolve1"
#define RESOLVER_INTERFACE "org.freedesktop.resolve1.Manager"

static gboolean
call (Job *job, GDBusConnection *bus, const char *method, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
      bus, RESOLVER_NAME, RESOLVER_PATH, RESOLVER_INTERFACE, method, arguments, NULL,
      G_DBUS_CALL_FLAGS_NO_AUTO_START, NETWORK_RESOLVER_TIMEOUT, job_cancellable (job), error);

  return answer != NULL;
}

/* (ia(iay)) with the first address of the host's in the network. */
static GVariant *
name_server (const NetworkDef *def, int link)
{
  GVariantBuilder servers = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(iay)"));
  IpAddress address = { IP_NONE, { 0 } };
  guint prefix;

  network_ip_address (g_ptr_array_index (def->ips, 0), &address, &prefix);
  g_variant_builder_add (
      &servers, "(i@ay)", address.family == IP_V6 ? AF_INET6 : AF_INET,
      g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, address.bytes, ip_address_bits (&address) / 8, 1));
  return g_variant_new ("(ia(iay))", link, &servers);
}

/* (ia(sb)): questions about the domain, and about none else, go there. */
static GVariant *
domains (const NetworkDef *def, int link)
{
  GVariantBuilder names = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sb)"));

  g_variant_builder_add (&names, "(sb)", def->domain, TRUE);
  return g_variant_new ("(ia(sb))", link, &names);
}

gboolean
network_resolver_register (Job *job, const NetworkDef *def, GError **error)
{
  int link = (int)if_nametoindex (def->bridge);
  g_autoptr (GError) problem = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, job_cancellable (job), &problem);

  if (bus != NULL)
    g_dbus_connection_set_exit_on_close (bus, FALSE);
  if (bus != NULL && call (job, bus, "SetLinkDNS", name_server (def, link), &problem)
      && call (job, bus, "SetLinkDomains", domains (def, link), &problem))
    return TRUE;
  virt_error_set (
      error, VIR_ERR_SYSTEM_ERROR,
      "failed to register name server: systemd-resolved does not take domain '%s' of network '%s': %s",
      def->domain, def->name, problem->message);
  return FALSE;
}
