/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The definition as a table: every part in the order libvirt writes them. The parts have files of their own;
 * the devices, which are of many kinds, are one field whose type is in device-list.c.
 */

#include "domain/domain-def.h"

#include "domain/device-list.h"
#include "domain/devices/disk.h"
#include "domain/sysinfo.h"

const EnumTable virt_types = { "domain type",
                               { NULL, "qemu", "kvm", "kqemu", "xen", "lxc", "uml", "openvz", "test",
                                 "vmware", "hyperv", "vbox", "phyp", "vz", "bhyve", "hvf" } };
static const EnumTable placements = { "vcpu placement", { NULL, "static", "auto" } };
static const EnumTable lifecycle_actions = { "action",
                                             { NULL, "destroy", "restart", "preserve", "rename-restart",
                                               "coredump-destroy", "coredump-restart" } };
static const EnumTable lock_failure_actions = { "action on a lost lock",
                                                { NULL, "poweroff", "restart", "pause", "ignore" } };

/* The domain's type is read like any word, but a wrong one is left at none: domain-xml.c reports it with the
 * code that clients know for it. */
static gboolean
virt_type_parse (const Field *field G_GNUC_UNUSED, gpointer member, const char *text,
                 char **ret_accepted G_GNUC_UNUSED)
{
  *(int *)member = enum_table_value (&virt_types, text);
  return TRUE;
}

static char *
virt_type_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return g_strdup (enum_table_name (&virt_types, *(const int *)member));
}

static const FieldType field_virt_type = { .size = sizeof (int),
                                           .parse = virt_type_parse,
                                           .format = virt_type_format };

/* Only a running machine has an id: one that is none is nobody's mistake but the schema's. */
static gboolean
domain_id_parse (const Field *field, gpointer member, const char *text, char **ret_accepted G_GNUC_UNUSED)
{
  g_autofree char *accepted = NULL;

  field_signed.parse (field, member, text, &accepted);
  return TRUE;
}

static char *
domain_id_format (const Field *field, gconstpointer member)
{
  return field_signed.format (field, member);
}

static const FieldType field_domain_id = { .size = sizeof (SignedNumber),
                                           .parse = domain_id_parse,
                                           .format = domain_id_format };

static const FieldRange vcpu_counts = { 1, G_MAXUINT16 };

static const EnumTable keywrap_ciphers = { "keywrap cipher", { NULL, "aes", "dea" } };

static const FieldTable keywrap_cipher_table = {
  sizeof (KeywrapCipher),
  (const Field[]){
      FIELD_WITH (KeywrapCipher, name, "@name", field_enum, &keywrap_ciphers, FIELD_REQUIRED),
      FIELD_WITH (KeywrapCipher, state, "@state", field_on_off, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

#define PART(member, path) FIELD (DomainDef, verbatim.member, path, field_verbatim, NULL)
/* Parts that are about the host or the management of the machine: no guest sees them. */
#define HOST_PART(member, path) \
  FIELD_WITH (DomainDef, verbatim.member, path, field_verbatim, NULL, FIELD_NO_ABI)
#define HOST_STRUCT(member, path, table) \
  FIELD_WITH (DomainDef, member, path, field_struct, table, FIELD_NO_ABI)

/* Elements of libvirt's other namespaces; which one, the prefix in the path says. */
#define NAMESPACED(member, path) FIELD (DomainDef, verbatim.member, path, field_namespaced, NULL)

static const Field domain_fields[] = {
  FIELD_WITH (DomainDef, type, "@type", field_virt_type, NULL, FIELD_REQUIRED),
  FIELD_WITH (DomainDef, id, "@id", field_domain_id, NULL, FIELD_LIVE),
  FIELD_WITH (DomainDef, name, "name", field_text, NULL, FIELD_NO_ABI),
  FIELD (DomainDef, uuid, "uuid", field_uuid, NULL),
  FIELD (DomainDef, genid, "genid", field_text, NULL),
  FIELD_WITH (DomainDef, title, "title", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, description, "description", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, metadata, "metadata", field_foreign, NULL, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, max_memory_slots, "maxMemory/@slots", field_number, NULL, FIELD_EMPTY_IS_NONE),
  FIELD (DomainDef, max_memory, "maxMemory", field_memory, NULL),
  FIELD_WITH (DomainDef, memory_dump_core, "memory/@dumpCore", field_on_off, NULL, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, memory, "memory", field_memory, NULL, FIELD_FILLED),
  FIELD_WITH (DomainDef, current_memory, "currentMemory", field_memory, NULL, FIELD_NO_ABI),
  HOST_STRUCT (blkiotune, "blkiotune", &domain_blkiotune_table),
  HOST_STRUCT (memtune, "memtune", &domain_memtune_table),
  HOST_STRUCT (memory_backing, "memoryBacking", &domain_memory_backing_table),
  FIELD_WITH (DomainDef, vcpu_placement, "vcpu/@placement", field_enum, &placements, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, vcpu_cpuset, "vcpu/@cpuset", field_cpu_set, NULL, FIELD_NO_ABI),
  FIELD (DomainDef, vcpus_current, "vcpu/@current", field_number, &vcpu_counts),
  FIELD_WITH (DomainDef, vcpus, "vcpu", field_number, &vcpu_counts, FIELD_FILLED),
  FIELD (DomainDef, vcpu_list, "vcpus/vcpu", field_list, &domain_vcpu_table),
  FIELD_WITH (DomainDef, iothreads, "iothreads", field_number, NULL, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, iothread_ids, "iothreadids/iothread", field_list, &domain_iothread_table,
              FIELD_NO_ABI),
  HOST_STRUCT (default_iothread, "defaultiothread", &default_iothread_table),
  FIELD_WITH (DomainDef, throttle_groups, "throttlegroups/throttlegroup", field_list, &throttle_group_table,
              FIELD_NO_ABI),
  HOST_STRUCT (cputune, "cputune", &domain_cputune_table),
  HOST_STRUCT (numatune, "numatune", &domain_numatune_table),
  HOST_STRUCT (resource, "resource", &domain_resource_table),
  FIELD (DomainDef, sysinfos, "sysinfo", field_list, &sysinfo_table),
  PART (bootloader, "bootloader"),
  PART (bootloader_arguments, "bootloader_args"),
  FIELD (DomainDef, os, "os", field_struct, &domain_os_table),
  HOST_PART (idmap, "idmap"),
  FIELD (DomainDef, features, "features", field_struct, &domain_features_table),
  FIELD (DomainDef, cpu, "cpu", field_optional, &domain_cpu_table),
  FIELD (DomainDef, clock, "clock", field_struct, &domain_clock_table),
  FIELD_WITH (DomainDef, on_poweroff, "on_poweroff", field_enum, &lifecycle_actions, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, on_reboot, "on_reboot", field_enum, &lifecycle_actions, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, on_crash, "on_crash", field_enum, &lifecycle_actions, FIELD_NO_ABI),
  FIELD_WITH (DomainDef, on_lockfailure, "on_lockfailure", field_enum, &lock_failure_actions, FIELD_NO_ABI),
  FIELD (DomainDef, pm_suspend_to_mem, "pm/suspend-to-mem/@enabled", field_yes_no, NULL),
  FIELD (DomainDef, pm_suspend_to_disk, "pm/suspend-to-disk/@enabled", field_yes_no, NULL),
  FIELD_WITH (DomainDef, perf_events, "perf/event", field_list, &perf_event_table, FIELD_NO_ABI),
  FIELD (DomainDef, devices, "devices", field_devices, NULL),
  FIELD_WITH (DomainDef, seclabels, "seclabel", field_list, &seclabel_table, FIELD_NO_ABI),
  FIELD (DomainDef, keywrap, "keywrap/cipher", field_list, &keywrap_cipher_table),
  FIELD (DomainDef, launch_security, "launchSecurity", field_optional, &launch_security_table),
  FIELD (DomainDef, qemu.arguments, "qemu:commandline/qemu:arg", field_list, &qemu_argument_table),
  FIELD (DomainDef, qemu.environment, "qemu:commandline/qemu:env", field_list, &qemu_variable_table),
  FIELD (DomainDef, qemu.added, "qemu:capabilities/qemu:add", field_list, &qemu_capability_table),
  FIELD (DomainDef, qemu.lacked, "qemu:capabilities/qemu:del", field_list, &qemu_capability_table),
  FIELD (DomainDef, qemu.overrides, "qemu:override/qemu:device", field_list, &qemu_override_table),
  FIELD (DomainDef, qemu.deprecation, "qemu:deprecation/@behavior", field_text, NULL),
  NAMESPACED (lxc_namespace, "lxc:namespace"),
  NAMESPACED (xen_commandline, "xen:commandline"),
  NAMESPACED (bhyve_commandline, "bhyve:commandline"),
  NAMESPACED (vmware_datacenter_path, "vmware:datacenterpath"),
  FIELD_END,
};

const FieldTable domain_table = { sizeof (DomainDef), domain_fields };

const DocumentKind domain_document = {
  .root = "domain",
  .schema = SCHEMA_DOMAIN,
  .table = &domain_table,
  .ref_count = G_STRUCT_OFFSET (DomainDef, ref_count),
  .name = G_STRUCT_OFFSET (DomainDef, name),
  .uuid = G_STRUCT_OFFSET (DomainDef, uuid),
};
