/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of libvirt's functions are those of the protocol's procedures in another spelling, so they are
 * spelt, not listed: "DOMAIN_PM_WAKEUP" becomes "DomainPMWakeup". Lists hold the words and the functions that
 * are exceptions.
 */
#include "daemon/call/libvirt-names.h"

#include <string.h>

/* Words that are not written with one capital letter. */
static const char *const other_words[] = {
  "XML",      "CPU",    "PM",     "NMI",      "SSH", "FD",       "FSTrim",
  "FSFreeze", "FSThaw", "FSInfo", "IOThread", "SEV", "NWFilter", "NWFilters",
};

/* Functions with names of their own. */
static const struct {
  const char *operation, *function;
  virErrorDomain origin;
} other_functions[] = {
  { "DOMAIN_ATTACH_DEVICE_FLAGS", "qemuDomainAttachDeviceLiveAndConfig", VIR_FROM_QEMU },
  { "DOMAIN_DETACH_DEVICE_FLAGS", "qemuDomainDetachDeviceLiveAndConfig", VIR_FROM_QEMU },
  { "DOMAIN_GET_METADATA", "virDomainObjGetMetadata", VIR_FROM_DOMAIN },
  { "DOMAIN_AGENT_COMMAND", "qemuDomainQemuAgentCommand", VIR_FROM_QEMU },
  { "DOMAIN_MONITOR_COMMAND", "qemuDomainQemuMonitorCommandWithFiles", VIR_FROM_QEMU },
  { "DOMAIN_MONITOR_COMMAND_WITH_FILES", "qemuDomainQemuMonitorCommandWithFiles", VIR_FROM_QEMU },
  { "CONNECT_LIST_ALL_NETWORKS", "networkConnectListAllNetworks", VIR_FROM_NETWORK },
  { "CONNECT_LIST_ALL_INTERFACES", "udevConnectListAllInterfaces", VIR_FROM_INTERFACE },
  { "CONNECT_LIST_ALL_SECRETS", "secretConnectListAllSecrets", VIR_FROM_SECRET },
  { "CONNECT_LIST_ALL_NWFILTERS", "nwfilterConnectListAllNWFilters", VIR_FROM_NWFILTER },
  { "CONNECT_LIST_ALL_STORAGE_POOLS", "storageConnectListAllStoragePools", VIR_FROM_STORAGE },
};

/* Operations by the beginning of their names: the driver's prefix, and its part. */
static const struct {
  const char *beginning, *prefix;
  virErrorDomain origin;
} drivers[] = {
  { "STORAGE_", "storage", VIR_FROM_STORAGE },
  { "CONNECT_COMPARE_CPU", "qemu", VIR_FROM_CPU },
  { "CONNECT_FIND_STORAGE_", "storage", VIR_FROM_STORAGE },
  { "NWFILTER_", "nwfilter", VIR_FROM_NWFILTER },
  { "NETWORK_", "network", VIR_FROM_NETWORK },
  { "INTERFACE_", "udev", VIR_FROM_INTERFACE },
  { "SECRET_", "secret", VIR_FROM_SECRET },
  { "NODE_DEVICE_", "udev", VIR_FROM_NODEDEV },
  { "NODE_GET_", "qemu", VIR_FROM_NONE }, /* answered by what all drivers share */
};

static void
append_word (GString *name, const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (other_words); i++)
    if (g_ascii_strcasecmp (word, other_words[i]) == 0) {
      g_string_append (name, other_words[i]);
      return;
    }
  for (const char *at = word; *at != '\0'; at++)
    g_string_append_c (name, at == word ? *at : g_ascii_tolower (*at));
}

static char *
spell (const char *prefix, const char *operation)
{
  g_auto (GStrv) words = g_strsplit (operation, "_", -1);
  GString *name = g_string_new (prefix);

  for (guint i = 0; words[i] != NULL; i++)
    append_word (name, words[i]);
  return g_string_free (name, FALSE);
}

char *
libvirt_public_function (const char *operation)
{
  return spell ("vir", operation);
}

char *
libvirt_driver_function (const char *operation, virErrorDomain *ret_origin)
{
  for (guint i = 0; i < G_N_ELEMENTS (other_functions); i++)
    if (g_str_equal (other_functions[i].operation, operation)) {
      *ret_origin = other_functions[i].origin;
      return g_strdup (other_functions[i].function);
    }
  for (guint i = 0; i < G_N_ELEMENTS (drivers); i++)
    if (g_str_has_prefix (operation, drivers[i].beginning)) {
      *ret_origin = drivers[i].origin;
      return spell (drivers[i].prefix, operation);
    }
  *ret_origin = VIR_FROM_QEMU;
  return spell ("qemu", operation);
}

virErrorDomain
libvirt_public_origin (const char *operation)
{
  static const char *const of_the_host[] = { "NODE_", "CONNECT_COMPARE_", "CONNECT_BASELINE_" };
  int origin = libvirt_origin (operation);

  for (guint i = 0; i < G_N_ELEMENTS (of_the_host) && (origin < 0 || origin == VIR_FROM_CPU); i++)
    if (g_str_has_prefix (operation, of_the_host[i]))
      return VIR_FROM_NONE;
  return origin >= 0 ? (virErrorDomain)origin : VIR_FROM_DOMAIN;
}

int
libvirt_origin (const char *operation)
{
  for (guint i = 0; i < G_N_ELEMENTS (drivers); i++)
    if (g_str_has_prefix (operation, drivers[i].beginning))
      return (int)drivers[i].origin;
  return -1;
}
