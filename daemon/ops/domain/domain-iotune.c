/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits of a disk (<iotune>) as typed parameters. What a running machine's are, QEMU says; a machine
 * that is silent is answered for from its definition. A change names some limits and keeps the others.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/domain/counters.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/ops.h"

#include "domain/devices/disk.h"
#include "targets/qemu/throttle.h"

#define AFFECT        (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define ASK_SECONDS   5
#define EVENT_PREFIX  "blkdeviotune."
#define EVENT_OF_DISK VIR_DOMAIN_TUNABLE_BLKDEV_DISK

/* A change. */

typedef struct {
  char *disk;           /* as the client names it */
  DiskIotune *said;     /* what is set was said, 0 too */
  GVariant *parameters; /* the same, as it came */
} IotuneChange;

static void
change_free (gpointer data)
{
  IotuneChange *change = data;

  g_free (change->disk);
  field_free (&disk_iotune_table, change->said);
  g_variant_unref (change->parameters);
  g_free (change);
}

static const Field *
find_parameter (const char *name)
{
  for (const Field *field = disk_iotune_table.fields; field->path != NULL; field++)
    if (g_str_equal (field->path, name))
      return field;
  return NULL;
}

static gboolean
take_parameter (DiskIotune *said, const char *name, GVariant *value, GError **error)
{
  const Field *field = find_parameter (name);
  Number *number = field != NULL ? disk_iotune_number (said, field) : NULL;
  gboolean again = number != NULL ? number->set : said->group_name != NULL;
  const GVariantType *type = number != NULL ? G_VARIANT_TYPE_UINT64 : G_VARIANT_TYPE_STRING;

  if (field == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "parameter '%s' not supported", name);
  } else if (again) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "parameter '%s' occurs multiple times", name);
  } else if (!g_variant_is_of_type (value, type)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "invalid type for parameter '%s', expected %s", name,
                    number != NULL ? "ullong" : "string");
  } else {
    if (number != NULL)
      *number = NUMBER (g_variant_get_uint64 (value));
    else
      said->group_name = g_variant_dup_string (value, NULL);
    return TRUE;
  }
  return FALSE;
}

gboolean
iotune_take_parameters (DiskIotune *said, GVariant *parameters, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, parameters);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;

    if (!take_parameter (said, name, held, error))
      return FALSE;
  }
  return disk_iotune_check (said, error);
}

static gboolean
apply_iotune (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const IotuneChange *change = values;
  DeviceDisk *disk = domain_def_find_disk (def, change->disk);

  if (disk == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "missing %s configuration for disk '%s'",
                    machine != NULL ? "live" : "persistent", change->disk);
    return FALSE;
  }
  if (machine != NULL && !disk_has_nodes (disk)) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "disk '%s' has no image to be limited",
                    disk->target);
    return FALSE;
  }
  domain_def_set_iotune (def, disk, change->said);
  return machine == NULL || disk_iotune_check_bursts (disk->iotune, error);
}

static const char *
iotune_command (const Machine *machine, gconstpointer values, JsonObject **ret_arguments)
{
  const IotuneChange *change = values;
  g_autoptr (DomainDef) trial = domain_def_copy (machine->def);
  DeviceDisk *disk = domain_def_find_disk (trial, change->disk);

  domain_def_set_iotune (trial, disk, change->said);
  *ret_arguments = qemu_throttle_arguments (disk);
  return "block_set_io_throttle";
}

static void
tell_clients (Domain *domain, gconstpointer values)
{
  const IotuneChange *change = values;
  const DeviceDisk *disk = domain_def_find_disk (domain->machine->def, change->disk);
  GVariantBuilder list;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&list, "{sv}", EVENT_OF_DISK, g_variant_new_string (disk->target));
  g_variant_iter_init (&iter, change->parameters);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;
    g_autofree char *full = g_strconcat (EVENT_PREFIX, name, NULL);

    g_variant_builder_add (&list, "{sv}", full, held);
  }
  events_domain (domain->manager->events, domain, VIR_DOMAIN_EVENT_ID_TUNABLE,
                 g_variant_new ("(a{sv})", &list));
}

void
op_domain_set_block_io_tune (Call *call)
{
  guint flags = call_uint (call, 3);
  GError *error = NULL;
  IotuneChange *values;
  ChangeRequest change = {
    .name = "block-io-tune",
    .affect = flags & AFFECT,
    .apply = apply_iotune,
    .free_values = change_free,
    .command = iotune_command,
    .changed = tell_clients,
    .device_element = "iotune",
  };

  if (!call_check_flags (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY))
    return;
  change.values = values = g_new0 (IotuneChange, 1);
  values->disk = g_strdup (call_string (call, 1));
  values->said = field_new (&disk_iotune_table);
  values->parameters = g_variant_get_child_value (call->arguments, 2);
  if (iotune_take_parameters (values->said, values->parameters, &error)) {
    domain_change (call, &change);
  } else {
    change_free (values);
    call_fail (call, error);
  }
}

/* What they are. */

static void
answer_iotune (Call *call, const DiskIotune *tune)
{
  static const DiskIotune none;
  int room = call_int (call, 2), count = 0;
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (const Field *field = disk_iotune_table.fields; field->path != NULL; field++, count++) {
    const Number *number = disk_iotune_number (tune != NULL ? tune : &none, field);

    if (count >= room)
      continue;
    g_variant_builder_add (&list, "{sv}", field->path,
                           number != NULL ? g_variant_new_uint64 (number->value)
                           : tune != NULL && tune->group_name != NULL
                               ? g_variant_new_string (tune->group_name)
                               : g_variant_new_string (""));
  }
  call_answer (call, g_variant_new ("(a{sv}i)", &list, room == 0 ? count : MIN (room, count)));
}

static gboolean
find_or_fail (Call *call, const DomainDef *def, gboolean live, const DeviceDisk **ret_disk)
{
  const char *name = call_maybe_string (call, 1);

  *ret_disk = name != NULL ? domain_def_find_disk (def, name) : NULL;
  if (*ret_disk == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    live ? "disk '%s' not found in domain" : "disk '%s' was not found in the domain config",
                    name != NULL ? name : "");
  return *ret_disk != NULL;
}

static void
answer_live (Machine *machine, gpointer data)
{
  Call *call = data;
  const DeviceDisk *disk;
  DiskIotune *tune;
  JsonObject *inserted;

  if (machine == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return;
  }
  if (!find_or_fail (call, machine->def, TRUE, &disk))
    return;
  inserted = disk->device.alias != NULL ? disk_inserted (machine->disks, disk->device.alias) : NULL;
  if (machine->silent || inserted == NULL) {
    answer_iotune (call, disk->iotune);
    return;
  }
  tune = qemu_throttle_read (inserted);
  answer_iotune (call, tune);
  field_free (&disk_iotune_table, tune);
}

static void
answer_config (Call *call, DomainDef *def)
{
  const DeviceDisk *disk;

  if (find_or_fail (call, def, FALSE, &disk))
    answer_iotune (call, disk->iotune);
}

void
op_domain_get_block_io_tune (Call *call)
{
  guint flags = call_uint (call, 3);
  gboolean live = !(flags & VIR_DOMAIN_AFFECT_CONFIG);
  DefinitionWhich which;

  if (!call_check_flags (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY)
      || !call_check_affect (call, flags & AFFECT, &which))
    return;
  if ((flags & AFFECT) == AFFECT)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
  else if (call_int (call, 2) == 0)
    answer_iotune (call, NULL);
  else if (live && domain_is_active (call->domain))
    machine_ask_disks (call->domain->machine, ASK_SECONDS, answer_live, call);
  else
    call_with_definition (call, which, answer_config);
}
