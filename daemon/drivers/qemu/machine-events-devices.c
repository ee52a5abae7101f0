/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events of a machine's devices and displays: nothing here changes what the machine does, but for a disk
 * whose error stops it.
 */
#include "daemon/drivers/qemu/machine-events-private.h"

#include "base/untrusted-json.h"
#include "domain/devices/channel.h"
#include "domain/devices/disk.h"
#include "domain/vcpus.h"

#include <string.h>

/* _OST of ACPI: what was asked, and how it went. */
#define OST_EJECTION_REQUEST  3
#define OST_EJECTION_BY_GUEST 0x103
#define OST_SUCCESS           0
#define OST_FAILURE           1
#define OST_UNRECOGNIZED      2
#define OST_LOCKED            0x80
#define OST_DEPENDENCY_BUSY   0x82

/* The number of a block node, "libvirt-3-format": the <source index=> of its image. 0: not such a name. */
static guint64
index_of_node (const char *node)
{
  char *end = NULL;
  guint64 index;

  if (!g_str_has_prefix (node, "libvirt-"))
    return 0;
  index = g_ascii_strtoull (node + strlen ("libvirt-"), &end, 10);
  return *end == '-' ? index : 0;
}

static const DeviceDisk *
disk_of_index (const MachineEvents *events, guint64 index)
{
  DOMAIN_FOREACH_DEVICE (events->def, disk_kind, DeviceDisk, disk) {
    if (disk_has_image (disk, index))
      return disk;
  }
  return NULL;
}

static const DeviceDisk *
disk_of_alias (const MachineEvents *events, const char *alias)
{
  DOMAIN_FOREACH_DEVICE (events->def, disk_kind, DeviceDisk, disk) {
    if (disk->device.alias != NULL && g_str_equal (disk->device.alias, alias))
      return disk;
  }
  return NULL;
}

/* The alias in a path of QEMU's object model: "/machine/peripheral/ALIAS/...". (transfer full) */
static char *
alias_of_path (const char *path)
{
  static const char prefix[] = "/machine/peripheral/";

  if (!g_str_has_prefix (path, prefix))
    return g_strdup (path);
  const char *alias = path + strlen (prefix);
  return g_strndup (alias, strcspn (alias, "/"));
}

void
on_io_error (MachineEvents *events, JsonObject *arguments)
{
  static const char *const actions[] = { "ignore", "stop", "report" };
  int action = event_word (event_text (arguments, "action"), actions, G_N_ELEMENTS (actions),
                           VIR_DOMAIN_EVENT_IO_ERROR_NONE);
  g_autofree char *alias =
      alias_of_path (*event_text (arguments, "qom-path") != '\0' ? event_text (arguments, "qom-path")
                                                                 : event_text (arguments, "device"));
  const DeviceDisk *disk = disk_of_alias (events, alias);
  const char *path, *name;

  if (disk == NULL)
    disk = disk_of_index (events, index_of_node (event_text (arguments, "node-name")));
  path = disk != NULL && disk_source_text (disk) != NULL ? disk_source_text (disk) : "";
  name = disk != NULL && disk->device.alias != NULL ? disk->device.alias : "";

  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_IO_ERROR, g_variant_new ("(ssi)", path, name, action));
  machine_events_emit (
      events, VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
      g_variant_new ("(ssis)", path, name, action, untrusted_switch (arguments, "nospace") ? "enospc" : ""));
  if (action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE && events->state == VIR_DOMAIN_RUNNING)
    machine_events_change (events, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, VIR_DOMAIN_EVENT_SUSPENDED,
                           VIR_DOMAIN_EVENT_SUSPENDED_IOERROR);
}

static void
emit_threshold (MachineEvents *events, const char *device, const char *path, JsonObject *arguments)
{
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
                       g_variant_new ("(smstt)", device, path, untrusted_count (arguments, "write-threshold"),
                                      untrusted_count (arguments, "amount-exceeded")));
}

/* Told by the name a client may have used: the target's for the image on top, and the one with its index. */
void
on_write_threshold (MachineEvents *events, JsonObject *arguments)
{
  guint64 index = index_of_node (event_text (arguments, "node-name"));
  const DeviceDisk *disk = disk_of_index (events, index);
  g_autofree char *indexed = NULL;

  if (disk == NULL)
    return;
  indexed = g_strdup_printf ("%s[%" G_GUINT64_FORMAT "]", disk->target, index);
  if (disk->source_index.value == index && !disk->threshold_by_index)
    emit_threshold (events, disk->target, disk_path (disk), arguments);
  emit_threshold (events, indexed, disk_path (disk), arguments);
}

void
on_rtc_change (MachineEvents *events, JsonObject *arguments)
{
  gint64 offset = event_number (arguments, "offset");
  const DomainClock *clock = &events->def->clock;

  /* QEMU counts from the clock the machine was started with. */
  if (clock->offset == CLOCK_VARIABLE && clock->adjustment != NULL)
    if (__builtin_add_overflow (offset, g_ascii_strtoll (clock->adjustment, NULL, 10), &offset))
      return;
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_RTC_CHANGE, g_variant_new ("(x)", offset));
}

void
on_balloon_change (MachineEvents *events, JsonObject *arguments)
{
  guint64 kib = untrusted_count (arguments, "actual") / 1024;
  const DomainDef *def = events->def;

  if (def->memory.set) /* no balloon is more than the machine has */
    kib = MIN (kib, MAX (def->memory.value, def->max_memory.value));
  if (events->handlers->balloon != NULL)
    events->handlers->balloon (events->data, kib);
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, g_variant_new ("(t)", kib));
}

void
on_tray_moved (MachineEvents *events, JsonObject *arguments)
{
  gboolean open = untrusted_switch (arguments, "tray-open");
  g_autofree char *alias =
      alias_of_path (*event_text (arguments, "device") != '\0' ? event_text (arguments, "device")
                                                               : event_text (arguments, "id"));

  if (disk_of_alias (events, alias) == NULL)
    return;
  if (events->handlers->tray != NULL)
    events->handlers->tray (events->data, alias, open);
  machine_events_emit (
      events, VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
      g_variant_new ("(si)", alias,
                     open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE));
}

/* Clients are told of what the machine has. As in libvirt, of its processors they are not: their number is a
 * value of the machine. */
static gboolean
is_for_clients (const MachineEvents *events, const char *alias)
{
  guint number;

  return !domain_vcpu_of_alias (alias, &number) && domain_def_find_alias (events->def, alias) != NULL;
}

void
on_device_deleted (MachineEvents *events, JsonObject *arguments)
{
  const char *alias = event_text (arguments, "device");
  gboolean is_told = is_for_clients (events, alias); /* afterwards the machine does not have it any more */

  if (*alias == '\0')
    return; /* a part of a device */
  if (events->handlers->device_deleted != NULL)
    events->handlers->device_deleted (events->data, alias);
  if (is_told)
    machine_events_emit (events, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, g_variant_new ("(s)", alias));
}

static void
tell_refused (MachineEvents *events, const char *alias)
{
  if (events->handlers->device_refused != NULL)
    events->handlers->device_refused (events->data, alias);
  if (is_for_clients (events, alias))
    machine_events_emit (events, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, g_variant_new ("(s)", alias));
}

void
on_unplug_error (MachineEvents *events, JsonObject *arguments)
{
  const char *alias = event_text (arguments, "device");

  if (*alias != '\0')
    tell_refused (events, alias);
}

/* A processor that the guest has ejected has no name any more, but a slot, which is its number. QEMU tells of
 * its end by DEVICE_DELETED as well, but not where it emulates the processor. */
static void
tell_ejected_vcpu (MachineEvents *events, JsonObject *info)
{
  g_autofree char *alias = NULL;
  guint64 number;

  if (!g_str_equal (event_text (info, "slot-type"), "CPU")
      || !parse_uint (event_text (info, "slot"), G_MAXUINT16, &number))
    return;
  alias = domain_vcpu_alias ((guint)number);
  if (events->handlers->device_deleted != NULL)
    events->handlers->device_deleted (events->data, alias);
}

/* What the guest's ACPI says of an ejection that it was asked for, or began itself. Of those under way it
 * says so too. */
void
on_acpi_ost (MachineEvents *events, JsonObject *arguments)
{
  JsonObject *info = untrusted_object (arguments, "info");
  const char *alias = event_text (info, "device");
  gint64 source = event_number (info, "source"), status = event_number (info, "status");
  gboolean refused = status == OST_FAILURE || status == OST_UNRECOGNIZED
                     || (status >= OST_LOCKED && status <= OST_DEPENDENCY_BUSY);

  if (source != OST_EJECTION_REQUEST && source != OST_EJECTION_BY_GUEST)
    return;
  if (*alias != '\0' && refused)
    tell_refused (events, alias);
  else if (*alias == '\0' && status == OST_SUCCESS)
    tell_ejected_vcpu (events, info);
}

void
on_port_change (MachineEvents *events, JsonObject *arguments)
{
  const char *alias = event_text (arguments, "id");
  gboolean open = untrusted_switch (arguments, "open");

  DOMAIN_FOREACH_DEVICE (events->def, channel_kind, DeviceChannel, channel) {
    if (g_strcmp0 (channel->device.alias, alias) != 0)
      continue;
    gboolean is_agent = g_strcmp0 (channel->name, CHANNEL_OF_AGENT) == 0;
    /* It may put another definition in the place of this one. */
    if (events->handlers->channel != NULL)
      events->handlers->channel (events->data, alias, open);
    if (is_agent)
      machine_events_emit (events, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                           g_variant_new ("(ii)",
                                          open ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                                               : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                                          VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL));
    return;
  }
}

void
on_memory_failure (MachineEvents *events, JsonObject *arguments)
{
  static const char *const recipients[] = { "hypervisor", "guest" };
  static const char *const actions[] = { "ignore", "inject", "fatal", "reset" };
  JsonObject *flags = untrusted_object (arguments, "flags");
  guint32 bits = (untrusted_switch (flags, "action-required") ? VIR_DOMAIN_MEMORY_FAILURE_ACTION_REQUIRED : 0)
                 | (untrusted_switch (flags, "recursive") ? VIR_DOMAIN_MEMORY_FAILURE_RECURSIVE : 0);

  machine_events_emit (
      events, VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE,
      g_variant_new (
          "(iiu)", event_word (event_text (arguments, "recipient"), recipients, G_N_ELEMENTS (recipients), 0),
          event_word (event_text (arguments, "action"), actions, G_N_ELEMENTS (actions), 0), bits));
}

void
on_memory_size_change (MachineEvents *events, JsonObject *arguments)
{
  guint64 kib = untrusted_count (arguments, "size") / 1024;

  if (!is_for_clients (events, event_text (arguments, "id")))
    return;
  if (events->handlers->memory != NULL)
    events->handlers->memory (events->data, event_text (arguments, "id"), kib);
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
                       g_variant_new ("(st)", event_text (arguments, "id"), kib));
}

/* Somebody at its display. */

static GVariant *
graphics_address (JsonObject *address)
{
  static const char *const families[] = { "ipv4", "ipv6", "unix" };
  /* VNC says "service", SPICE "port". */
  const char *service = *event_text (address, "service") != '\0' ? event_text (address, "service")
                                                                 : event_text (address, "port");

  return g_variant_new ("(iss)",
                        event_word (event_text (address, "family"), families, G_N_ELEMENTS (families), 0),
                        event_text (address, "host"), service);
}

static void
emit_graphics (MachineEvents *events, JsonObject *arguments, int phase)
{
  static const struct {
    const char *member, *name;
  } identities[] = { { "x509_dname", "x509dname" }, { "sasl_username", "saslUsername" } };
  JsonObject *client = untrusted_object (arguments, "client"),
             *server = untrusted_object (arguments, "server");
  g_auto (GVariantBuilder) subject = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ss)"));

  for (guint i = 0; i < G_N_ELEMENTS (identities); i++)
    if (*event_text (client, identities[i].member) != '\0')
      g_variant_builder_add (&subject, "(ss)", identities[i].name, event_text (client, identities[i].member));
  machine_events_emit (events, VIR_DOMAIN_EVENT_ID_GRAPHICS,
                       g_variant_new ("(i@(iss)@(iss)sa(ss))", phase, graphics_address (server),
                                      graphics_address (client), event_text (server, "auth"), &subject));
}

void
on_graphics_connected (MachineEvents *events, JsonObject *arguments)
{
  emit_graphics (events, arguments, VIR_DOMAIN_EVENT_GRAPHICS_CONNECT);
}

void
on_graphics_initialized (MachineEvents *events, JsonObject *arguments)
{
  emit_graphics (events, arguments, VIR_DOMAIN_EVENT_GRAPHICS_INITIALIZE);
}

void
on_graphics_disconnected (MachineEvents *events, JsonObject *arguments)
{
  emit_graphics (events, arguments, VIR_DOMAIN_EVENT_GRAPHICS_DISCONNECT);
}
