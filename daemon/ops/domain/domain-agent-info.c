/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the guest's agent tells of the guest: its name, file systems, users, system, time zone and network
 * addresses. All of it is the guest's word, and bounded by what the answers' shapes hold.
 */
#include "daemon/ops/domain/agent-call.h"

#include "domain/devices/disk.h"

#include <string.h>

#define FILE_SYSTEMS_MAX 256
#define DISKS_MAX        256 /* of one file system */
#define INTERFACES_MAX   256
#define ADDRESSES_MAX    256 /* of one interface */
#define USERS_MAX        256
#define PREFIX_MAX       128  /* bits of an address */
#define PARAMETERS_MAX   2048 /* what the answer may hold */

/* Its name. */

static GVariant *
get_hostname (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (JsonNode) answer = agent_call (agent, "guest-get-host-name", NULL, error);
  const char *name = NULL;

  if (answer != NULL && JSON_NODE_HOLDS_OBJECT (answer))
    name = untrusted_text (json_node_get_object (answer), "host-name");
  if (answer != NULL && name == NULL)
    virt_error_set (error, VIR_ERR_NO_HOSTNAME, "no hostname found for domain %s", context->def->name);
  return name != NULL ? g_variant_new ("(s)", name) : NULL;
}

void
op_domain_get_hostname (Call *call)
{
  guint32 flags = call_uint (call, 1);

  if (!call_check_flags (call, flags, VIR_DOMAIN_GET_HOSTNAME_LEASE | VIR_DOMAIN_GET_HOSTNAME_AGENT))
    return;
  if (flags & VIR_DOMAIN_GET_HOSTNAME_LEASE)
    call_answer_leased_hostname (call);
  else
    agent_call_query (call, get_hostname);
}

/* File systems. */

static gboolean
is_pci_address (const DeviceAddress *address, JsonObject *pci)
{
  return (gint64)address->domain.value == agent_number (pci, "domain")
         && (gint64)address->bus.value == agent_number (pci, "bus")
         && (gint64)address->slot.value == agent_number (pci, "slot")
         && (gint64)address->function.value == agent_number (pci, "function");
}

/* The target ("vda") of the disk that the guest means, or NULL. A virtio disk is a PCI device itself. */
static const char *
disk_target (const DomainDef *def, JsonObject *guest_disk)
{
  JsonObject *pci = untrusted_object (guest_disk, "pci-controller");
  const char *serial = untrusted_text (guest_disk, "serial");

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (disk->bus == DISK_BUS_VIRTIO && pci != NULL && is_pci_address (&disk->device.address, pci))
      return disk->target;
    if (serial != NULL && disk->serial != NULL && g_str_equal (serial, disk->serial))
      return disk->target;
  }
  return NULL;
}

static GVariant *
get_fsinfo (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-get-fsinfo", FILE_SYSTEMS_MAX, error);
  GVariantBuilder systems;
  guint count = 0;

  if (list == NULL)
    return NULL;
  g_variant_builder_init (&systems, G_VARIANT_TYPE ("a(sssas)"));
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *system = agent_item (list, i);
    JsonArray *disks = untrusted_list (system, "disk");
    const char *mount_point = untrusted_text (system, "mountpoint"), *name = untrusted_text (system, "name"),
               *type = untrusted_text (system, "type");
    GVariantBuilder targets;

    if (mount_point == NULL || name == NULL || type == NULL)
      continue;
    g_variant_builder_init (&targets, G_VARIANT_TYPE ("as"));
    for (guint j = 0; disks != NULL && j < MIN (json_array_get_length (disks), DISKS_MAX); j++)
      if (disk_target (context->def, agent_item (disks, j)) != NULL)
        g_variant_builder_add (&targets, "s", disk_target (context->def, agent_item (disks, j)));
    g_variant_builder_add (&systems, "(sssas)", mount_point, name, type, &targets);
    count++;
  }
  return g_variant_new ("(a(sssas)u)", &systems, count);
}

void
op_domain_get_fsinfo (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    agent_call_query (call, get_fsinfo);
}

/* Guest information, as typed parameters. */

typedef struct {
  GVariantBuilder list;
  guint count;
} Parameters;

static void add (Parameters *parameters, GVariant *value, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Takes @value, floating; a NULL one is left out. */
static void
add (Parameters *parameters, GVariant *value, const char *format, ...)
{
  g_autoptr (GVariant) owned = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_autofree char *name = NULL;
  va_list arguments;

  if (owned == NULL || parameters->count >= PARAMETERS_MAX)
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_variant_builder_add (&parameters->list, "{sv}", name, owned);
  parameters->count++;
}

static GVariant *
text_value (JsonObject *object, const char *member)
{
  const char *text = untrusted_text (object, member);

  return text != NULL ? g_variant_new_string (text) : NULL;
}

static gboolean
tell_users (Agent *agent, const AgentContext *context G_GNUC_UNUSED, Parameters *parameters, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-get-users", USERS_MAX, error);

  if (list == NULL)
    return FALSE;
  add (parameters, g_variant_new_uint32 (json_array_get_length (list)), "user.count");
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *user = agent_item (list, i);
    JsonNode *login = user != NULL ? json_object_get_member (user, "login-time") : NULL;
    double seconds = login != NULL && JSON_NODE_HOLDS_VALUE (login) ? json_node_get_double (login) : 0;

    add (parameters, text_value (user, "user"), "user.%u.name", i);
    add (parameters, text_value (user, "domain"), "user.%u.domain", i);
    /* milliseconds */
    add (parameters, g_variant_new_uint64 ((guint64)(CLAMP (seconds, 0, 1e15) * 1000)), "user.%u.login-time",
         i);
  }
  return TRUE;
}

static JsonObject *
ask_object (Agent *agent, const char *command, GError **error)
{
  g_autoptr (JsonNode) answer = agent_call (agent, command, NULL, error);

  if (answer == NULL || JSON_NODE_HOLDS_OBJECT (answer))
    return answer != NULL ? json_node_dup_object (answer) : NULL;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the guest agent answered '%s' with no object", command);
  return NULL;
}

static gboolean
tell_system (Agent *agent, const AgentContext *context G_GNUC_UNUSED, Parameters *parameters, GError **error)
{
  static const char *const members[] = {
    "id",      "name",    "pretty-name", "version",        "version-id",
    "machine", "variant", "variant-id",  "kernel-release", "kernel-version"
  };
  g_autoptr (JsonObject) system = ask_object (agent, "guest-get-osinfo", error);

  for (guint i = 0; system != NULL && i < G_N_ELEMENTS (members); i++)
    add (parameters, text_value (system, members[i]), "os.%s", members[i]);
  return system != NULL;
}

static gboolean
tell_time_zone (Agent *agent, const AgentContext *context G_GNUC_UNUSED, Parameters *parameters,
                GError **error)
{
  g_autoptr (JsonObject) zone = ask_object (agent, "guest-get-timezone", error);
  gint64 offset = agent_number (zone, "offset");

  if (zone == NULL)
    return FALSE;
  add (parameters, text_value (zone, "zone"), "timezone.name");
  add (parameters, g_variant_new_int32 ((gint32)CLAMP (offset, G_MININT32, G_MAXINT32)), "timezone.offset");
  return TRUE;
}

static gboolean
tell_hostname (Agent *agent, const AgentContext *context G_GNUC_UNUSED, Parameters *parameters,
               GError **error)
{
  g_autoptr (JsonObject) name = ask_object (agent, "guest-get-host-name", error);

  add (parameters, text_value (name, "host-name"), "hostname");
  return name != NULL;
}

static gboolean
tell_file_systems (Agent *agent, const AgentContext *context, Parameters *parameters, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-get-fsinfo", FILE_SYSTEMS_MAX, error);

  if (list == NULL)
    return FALSE;
  add (parameters, g_variant_new_uint32 (json_array_get_length (list)), "fs.count");
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *system = agent_item (list, i);
    JsonArray *disks = untrusted_list (system, "disk");

    add (parameters, text_value (system, "name"), "fs.%u.name", i);
    add (parameters, text_value (system, "mountpoint"), "fs.%u.mountpoint", i);
    add (parameters, text_value (system, "type"), "fs.%u.fstype", i);
    add (parameters, g_variant_new_uint64 (untrusted_count (system, "total-bytes")), "fs.%u.total-bytes", i);
    add (parameters, g_variant_new_uint64 (untrusted_count (system, "used-bytes")), "fs.%u.used-bytes", i);
    add (parameters,
         g_variant_new_uint32 (disks != NULL ? MIN (json_array_get_length (disks), DISKS_MAX) : 0),
         "fs.%u.disk.count", i);
    for (guint j = 0; disks != NULL && j < MIN (json_array_get_length (disks), DISKS_MAX); j++) {
      const char *target = disk_target (context->def, agent_item (disks, j));

      add (parameters, target != NULL ? g_variant_new_string (target) : NULL, "fs.%u.disk.%u.alias", i, j);
      add (parameters, text_value (agent_item (disks, j), "serial"), "fs.%u.disk.%u.serial", i, j);
      add (parameters, text_value (agent_item (disks, j), "dev"), "fs.%u.disk.%u.device", i, j);
    }
  }
  return TRUE;
}

static void
tell_disk (const DomainDef *def, JsonObject *disk, guint index, Parameters *parameters)
{
  JsonArray *dependencies = untrusted_list (disk, "dependencies");
  JsonObject *address = untrusted_object (disk, "address");
  guint count = dependencies != NULL ? MIN (json_array_get_length (dependencies), DISKS_MAX) : 0;
  const char *target = address != NULL ? disk_target (def, address) : NULL;

  add (parameters, text_value (disk, "name"), "disk.%u.name", index);
  add (parameters, g_variant_new_boolean (untrusted_switch (disk, "partition")), "disk.%u.partition", index);
  if (count > 0)
    add (parameters, g_variant_new_uint32 (count), "disk.%u.dependency.count", index);
  for (guint i = 0; i < count; i++) {
    JsonNode *name = json_array_get_element (dependencies, i);

    if (json_node_get_value_type (name) == G_TYPE_STRING)
      add (parameters, g_variant_new_string (json_node_get_string (name)), "disk.%u.dependency.%u.name",
           index, i);
  }
  add (parameters, text_value (address, "serial"), "disk.%u.serial", index);
  add (parameters, target != NULL ? g_variant_new_string (target) : NULL, "disk.%u.alias", index);
  add (parameters, text_value (disk, "alias"), "disk.%u.guest_alias", index);
}

static gboolean
tell_disks (Agent *agent, const AgentContext *context, Parameters *parameters, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-get-disks", DISKS_MAX, error);

  if (list == NULL)
    return FALSE;
  add (parameters, g_variant_new_uint32 (json_array_get_length (list)), "disk.count");
  for (guint i = 0; i < json_array_get_length (list); i++)
    tell_disk (context->def, agent_item (list, i), i, parameters);
  return TRUE;
}

static gboolean
tell_interfaces (Agent *agent, const AgentContext *context G_GNUC_UNUSED, Parameters *parameters,
                 GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-network-get-interfaces", INTERFACES_MAX, error);

  if (list == NULL)
    return FALSE;
  add (parameters, g_variant_new_uint32 (json_array_get_length (list)), "if.count");
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *interface = agent_item (list, i);
    JsonArray *addresses = untrusted_list (interface, "ip-addresses");
    guint count = addresses != NULL ? MIN (json_array_get_length (addresses), ADDRESSES_MAX) : 0;

    add (parameters, text_value (interface, "name"), "if.%u.name", i);
    add (parameters, text_value (interface, "hardware-address"), "if.%u.hwaddr", i);
    add (parameters, g_variant_new_uint32 (count), "if.%u.addr.count", i);
    for (guint j = 0; j < count; j++) {
      JsonObject *address = agent_item (addresses, j);

      add (parameters, text_value (address, "ip-address-type"), "if.%u.addr.%u.type", i, j);
      add (parameters, text_value (address, "ip-address"), "if.%u.addr.%u.addr", i, j);
      add (parameters, g_variant_new_uint32 ((guint32)MIN (untrusted_count (address, "prefix"), PREFIX_MAX)),
           "if.%u.addr.%u.prefix", i, j);
    }
  }
  return TRUE;
}

static const struct {
  guint32 type;
  gboolean (*tell) (Agent *agent, const AgentContext *context, Parameters *parameters, GError **error);
} kinds_of_information[] = {
  { VIR_DOMAIN_GUEST_INFO_USERS, tell_users },
  { VIR_DOMAIN_GUEST_INFO_OS, tell_system },
  { VIR_DOMAIN_GUEST_INFO_TIMEZONE, tell_time_zone },
  { VIR_DOMAIN_GUEST_INFO_HOSTNAME, tell_hostname },
  { VIR_DOMAIN_GUEST_INFO_FILESYSTEM, tell_file_systems },
  { VIR_DOMAIN_GUEST_INFO_DISKS, tell_disks },
  { VIR_DOMAIN_GUEST_INFO_INTERFACES, tell_interfaces },
};

/* Without types, as much as this agent knows; with types, all of them or an error. */
static GVariant *
get_information (Agent *agent, const AgentContext *context, GError **error)
{
  Parameters parameters = { .count = 0 };
  GError *problem = NULL;
  guint32 types;

  g_variant_get_child (context->arguments, 1, "u", &types);
  g_variant_builder_init (&parameters.list, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (kinds_of_information) && problem == NULL; i++)
    if ((types == 0 || (types & kinds_of_information[i].type) != 0)
        && !kinds_of_information[i].tell (agent, context, &parameters, &problem) && types == 0
        && problem->code == VIR_ERR_INTERNAL_ERROR)
      g_clear_error (&problem);
  if (problem == NULL)
    return g_variant_new ("(a{sv})", &parameters.list);
  g_variant_builder_clear (&parameters.list);
  g_propagate_error (error, problem);
  return NULL;
}

void
op_domain_get_guest_info (Call *call)
{
  guint32 known = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kinds_of_information); i++)
    known |= kinds_of_information[i].type;
  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if ((call_uint (call, 1) & ~known) != 0)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "unsupported guest information types '0x%x'",
                    call_uint (call, 1) & ~known);
  else
    agent_call_query (call, get_information);
}

/* Network addresses. */

#define INTERFACE_TYPE "(smsa(isu))"

static void
add_addresses (JsonArray *addresses, GVariantBuilder *list)
{
  for (guint i = 0; addresses != NULL && i < MIN (json_array_get_length (addresses), ADDRESSES_MAX); i++) {
    JsonObject *address = agent_item (addresses, i);
    const char *text = untrusted_text (address, "ip-address");
    gboolean ipv6 = g_strcmp0 (untrusted_text (address, "ip-address-type"), "ipv6") == 0;

    if (text != NULL)
      g_variant_builder_add (list, "(isu)", ipv6 ? VIR_IP_ADDR_TYPE_IPV6 : VIR_IP_ADDR_TYPE_IPV4, text,
                             (guint32)MIN (untrusted_count (address, "prefix"), PREFIX_MAX));
  }
}

static GVariant *
addresses_by_agent (Agent *agent, const AgentContext *context G_GNUC_UNUSED, GError **error)
{
  g_autoptr (JsonArray) list = agent_ask_list (agent, "guest-network-get-interfaces", INTERFACES_MAX, error);
  GVariantBuilder interfaces;

  if (list == NULL)
    return NULL;
  g_variant_builder_init (&interfaces, G_VARIANT_TYPE ("a" INTERFACE_TYPE));
  for (guint i = 0; i < json_array_get_length (list); i++) {
    JsonObject *interface = agent_item (list, i);
    GVariantBuilder addresses;

    if (untrusted_text (interface, "name") == NULL)
      continue;
    g_variant_builder_init (&addresses, G_VARIANT_TYPE ("a(isu)"));
    add_addresses (untrusted_list (interface, "ip-addresses"), &addresses);
    g_variant_builder_add (&interfaces, INTERFACE_TYPE, untrusted_text (interface, "name"),
                           untrusted_text (interface, "hardware-address"), &addresses);
  }
  return g_variant_new ("(a" INTERFACE_TYPE ")", &interfaces);
}

void
call_ask_agent_for_addresses (Call *call)
{
  agent_call_query (call, addresses_by_agent);
}
