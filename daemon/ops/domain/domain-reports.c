/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Smaller questions about one domain that clients put beside the large ones: its security label, disks in
 * trouble, processor time as parameters, addresses of its interfaces.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/domain/counters.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"

#include <stdio.h>
#include <string.h>

#define DISKS_SECONDS 5
#define ARP_FILE      "/proc/net/arp"
#define ARP_LINES_MAX 65536

/* No security driver labels machines here: the first label is empty, and nothing is enforced. What DAC means
 * is the account that the machine runs as. */

static GVariant *
label (const char *text)
{
  return g_variant_new ("(@ayi)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, strlen (text) + 1, 1),
                        0);
}

void
op_domain_get_security_label (Call *call)
{
  call_answer (call, label (""));
}

void
op_domain_get_security_label_list (Call *call)
{
  const DomainDef *def = call->domain->machine != NULL ? call->domain->machine->def : NULL;
  const Seclabel *dac = def != NULL ? domain_def_seclabel (def, SECLABEL_MODEL_DAC) : NULL;
  GVariantBuilder list;
  int count = 0;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ayi)"));
  if (def != NULL) {
    g_variant_builder_add_value (&list, label (""));
    count++;
  }
  if (dac != NULL) {
    g_variant_builder_add_value (&list, label (dac->label != NULL ? dac->label : ""));
    count++;
  }
  call_answer (call, g_variant_new ("(a(ayi)i)", &list, count));
}

/* Disks whose guest was told, or stopped for, an error that lasts. */

static void
answer_disk_errors (Machine *machine, gpointer data)
{
  Call *call = data;
  guint room = call_uint (call, 1), count = 0;
  GVariantBuilder list;

  if (machine == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(si)"));
  DOMAIN_FOREACH_DEVICE (machine->def, disk_kind, DeviceDisk, disk) {
    virDomainDiskErrorCode error = disk->device.alias != NULL
                                       ? disk_error (machine->disks, disk->device.alias)
                                       : VIR_DOMAIN_DISK_ERROR_NONE;

    if (error == VIR_DOMAIN_DISK_ERROR_NONE || disk->target == NULL || count >= room)
      continue;
    g_variant_builder_add (&list, "(si)", disk->target, (int)error);
    count++;
  }
  call_answer (call, g_variant_new ("(a(si)i)", &list, (int)count));
}

void
op_domain_get_disk_errors (Call *call)
{
  Domain *domain = call->domain;
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (!domain_check_active (domain, &error))
    call_fail (call, error);
  else if (call_uint (call, 1) == 0) /* how many there could be */
    call_answer (call, g_variant_new ("(@a(si)i)", g_variant_new_array (G_VARIANT_TYPE ("(si)"), NULL, 0),
                                      (int)domain_def_count_devices (domain->machine->def, &disk_kind)));
  else
    machine_ask_disks (domain->machine, DISKS_SECONDS, answer_disk_errors, call);
}

/* Processor time of the whole machine; the kernel does not tell a process's by processor without a cgroup. */
void
op_domain_get_cpu_stats (Call *call)
{
  guint64 time, user, system, resident;
  gboolean only_count = call_uint (call, 1) == 0;
  Domain *domain = call->domain;
  GVariantBuilder list;
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 4), VIR_TYPED_PARAM_STRING_OKAY))
    return;
  if (!domain_check_active (domain, &error)) {
    call_fail (call, error);
    return;
  }
  if (call_int (call, 2) != -1) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "cgroup CPUACCT controller is not mounted");
    return;
  }
  if (!process_usage (domain->machine->process, &time, &user, &system, &resident)) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  if (!only_count) {
    g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_CPU_STATS_CPUTIME, g_variant_new_uint64 (time));
    g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_CPU_STATS_USERTIME, g_variant_new_uint64 (user));
    g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_CPU_STATS_SYSTEMTIME, g_variant_new_uint64 (system));
  }
  call_answer (call, g_variant_new ("(a{sv}i)", &list, 3));
}

/* The addresses the host's neighbour table knows of @mac: (isu) each. */
static GVariant *
arp_addresses (char *const *lines, const char *mac)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(isu)"));
  for (guint i = 1; i < ARP_LINES_MAX && lines[0] != NULL && lines[i] != NULL; i++) {
    char address[64], hardware[64];

    if (sscanf (lines[i], "%63s %*s %*s %63s", address, hardware) == 2
        && g_ascii_strcasecmp (hardware, mac) == 0)
      g_variant_builder_add (&list, "(isu)", VIR_IP_ADDR_TYPE_IPV4, address, 0);
  }
  return g_variant_ref_sink (g_variant_builder_end (&list));
}

static void
answer_arp (Call *call)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  GVariantBuilder list;

  if (!g_file_get_contents (ARP_FILE, &text, NULL, NULL))
    text = g_strdup ("");
  lines = g_strsplit (text, "\n", ARP_LINES_MAX);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(smsa(isu))"));
  DOMAIN_FOREACH_DEVICE (call->domain->machine->def, interface_kind, DeviceInterface, interface) {
    g_autoptr (GVariant) addresses = NULL;

    if (interface->mac == NULL || interface->target_dev == NULL)
      continue;
    addresses = arp_addresses (lines, interface->mac);
    if (g_variant_n_children (addresses) > 0)
      g_variant_builder_add (&list, "(sms@a(isu))", interface->target_dev, interface->mac, addresses);
  }
  call_answer (call, g_variant_new ("(a(smsa(isu)))", &list));
}

void
op_domain_interface_addresses (Call *call)
{
  guint source = call_uint (call, 1);
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (!domain_check_active (call->domain, &error)) {
    call_fail (call, error);
    return;
  }
  switch (source) {
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE:
      call_answer_leased_addresses (call);
      return;
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP:
      answer_arp (call);
      return;
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT:
      call_ask_agent_for_addresses (call);
      return;
    default:
      call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED, "Unknown IP address data source %u", source);
  }
}
