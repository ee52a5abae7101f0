/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Throttle groups: a client makes one, changes its limits, or takes away one that no disk has joined. In a
 * running QEMU a group is an object: its limits are a property of it. They are read from the document.
 */
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/ops.h"

#include "daemon/domain/machine.h"
#include "domain/complete-parts.h"
#include "domain/devices/disk.h"
#include "targets/qemu/recipe.h"
#include "targets/qemu/throttle.h"

#include <libvirt/libvirt.h>

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

typedef struct {
  DiskIotune *said; /* with the group's name */
} GroupChange;

static void
change_free (gpointer data)
{
  GroupChange *change = data;

  field_free (&throttle_group_table, change->said);
  g_free (change);
}

static GroupChange *
change_new (const char *name)
{
  GroupChange *change = g_new0 (GroupChange, 1);

  change->said = field_new (&throttle_group_table);
  change->said->group_name = g_strdup (name);
  return change;
}

/* What is not said of a group that is there, stays. */
static void
set_group (DomainDef *def, const DiskIotune *said)
{
  DiskIotune *group = field_copy (&throttle_group_table, said);
  DiskIotune *old = domain_def_find_throttle_group (def, said->group_name);
  guint index;

  if (old != NULL)
    disk_iotune_merge (group, old);
  if (def->throttle_groups == NULL)
    def->throttle_groups = g_ptr_array_new ();
  if (old != NULL && g_ptr_array_find (def->throttle_groups, old, &index)) {
    g_ptr_array_index (def->throttle_groups, index) = group;
    field_free (&throttle_group_table, old);
  } else
    g_ptr_array_add (def->throttle_groups, group);
  throttle_groups_complete (def);
}

static gboolean
apply_set (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const GroupChange *change = values;

  set_group (def, change->said);
  return machine == NULL
         || disk_iotune_check_bursts (domain_def_find_throttle_group (def, change->said->group_name), error);
}

static const char *
set_command (const Machine *machine, gconstpointer values, JsonObject **ret_arguments)
{
  const GroupChange *change = values;
  g_autoptr (DomainDef) trial = domain_def_copy (machine->def);
  g_autofree char *id = qemu_throttle_group_id (change->said->group_name);
  g_autofree char *path = g_strconcat ("/objects/", id, NULL);
  gboolean known = domain_def_find_throttle_group (trial, change->said->group_name) != NULL;
  JsonObject *limits;

  set_group (trial, change->said);
  limits = qemu_throttle_limits (domain_def_find_throttle_group (trial, change->said->group_name));
  if (known)
    *ret_arguments = props ("path", "s", path, "property", "s", "limits", "value", "o", limits, NULL);
  else
    *ret_arguments = props ("qom-type", "s", "throttle-group", "id", "s", id, "limits", "o", limits, NULL);
  return known ? "qom-set" : "object-add";
}

void
op_domain_set_throttle_group (Call *call)
{
  guint flags = call_uint (call, 3);
  g_autoptr (GVariant) parameters = NULL;
  GError *error = NULL;
  GroupChange *values;
  ChangeRequest change = {
    .name = "throttle-group",
    .affect = flags & AFFECT,
    .apply = apply_set,
    .free_values = change_free,
    .command = set_command,
    .elements = { "throttlegroups" },
  };

  if (!call_check_flags (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY))
    return;
  change.values = values = change_new (NULL);
  parameters = g_variant_get_child_value (call->arguments, 2);
  if (!iotune_take_parameters (values->said, parameters, &error)) {
    change_free (values);
    call_fail (call, error);
    return;
  }
  g_free (values->said->group_name);
  values->said->group_name = g_strdup (call_string (call, 1));
  if (*values->said->group_name == '\0') {
    change_free (values);
    call_fail_with (call, VIR_ERR_INVALID_ARG, "string group in must not be empty");
    return;
  }
  domain_change (call, &change);
}

static gboolean
apply_delete (DomainDef *def, G_GNUC_UNUSED const Machine *machine, gconstpointer values, GError **error)
{
  const GroupChange *change = values;
  const char *name = change->said->group_name;
  DiskIotune *group = domain_def_find_throttle_group (def, name);
  const DeviceDisk *disk = domain_def_find_throttled_disk (def, name);

  if (group == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "throttle group '%s' was not found", name);
  else if (disk != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "throttle group '%s' is still being used by disk '%s'",
                    name, disk->target);
  else {
    g_ptr_array_remove (def->throttle_groups, group);
    field_free (&throttle_group_table, group);
    return TRUE;
  }
  return FALSE;
}

static const char *
delete_command (G_GNUC_UNUSED const Machine *machine, gconstpointer values, JsonObject **ret_arguments)
{
  const GroupChange *change = values;
  g_autofree char *id = qemu_throttle_group_id (change->said->group_name);

  *ret_arguments = props ("id", "s", id, NULL);
  return "object-del";
}

void
op_domain_del_throttle_group (Call *call)
{
  guint flags = call_uint (call, 2);
  const char *name = call_maybe_string (call, 1);
  ChangeRequest change = {
    .name = "throttle-group",
    .affect = flags & AFFECT,
    .apply = apply_delete,
    .free_values = change_free,
    .command = delete_command,
    .elements = { "throttlegroups" },
  };

  if (!call_check_flags (call, flags, AFFECT))
    return;
  if (name == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "group in must not be NULL");
    return;
  }
  change.values = change_new (name);
  domain_change (call, &change);
}
