/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A device taken out of a running machine. Asking and being done are two things: the guest has to let go of
 * it, and may take its time or refuse. What was behind the device goes only when it is gone, by its recipe
 * backwards; block nodes and descriptors that no recipe can name any more are found by what QEMU says it has.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/running-kinds.h"

gboolean
detach_request (Job *job, const Hotplug *plug, const Device *device, GError **error)
{
  g_autoptr (JsonNode) answer =
      qmp_call (plug->qmp, job, "device_del", props ("id", "s", device->alias, NULL), error);

  return answer != NULL;
}

gboolean
detach_remove_backend (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device,
                       gboolean partly, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (DomainDef) copy = domain_def_copy (def); /* making a recipe may choose values in it */
  guint index = 0;
  Device *own;

  g_ptr_array_find (def->devices, device, &index);
  own = g_ptr_array_index (copy->devices, index);
  plugging_init (&plugging, job, plug);
  g_autoptr (GArray) sets = plugging_sets_of (&plugging, own->alias, error);
  if (sets == NULL || !plugging_add (&plugging, copy, own, RECIPE_BY_PATH, error))
    return FALSE;

  if (running_kind (own->kind)->release != NULL)
    running_kind (own->kind)->release (&plugging, own);
  for (guint i = recipe_step_count (plugging.recipe); i > 0; i--) {
    const Step *step = recipe_get_step (plugging.recipe, i - 1);
    g_autoptr (GError) problem = NULL;

    if (step->kind != STEP_DEVICE && !plugging_undo_step (&plugging, step, &problem) && !partly)
      g_warning ("domain '%s': a part of %s stays behind: %s", def->name, own->alias, problem->message);
  }
  if (running_kind (own->kind)->remove_rest != NULL)
    running_kind (own->kind)->remove_rest (&plugging, own);
  if (running_kind (own->kind)->close != NULL)
    running_kind (own->kind)->close (&plugging, def, own);
  plugging_remove_sets (&plugging, sets);
  return job_check (job, error);
}

gboolean
detach_has_peripheral (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (DomainDef) copy = domain_def_copy (def);
  guint index = 0;

  g_ptr_array_find (def->devices, device, &index);
  plugging_init (&plugging, job, plug);
  if (!plugging_add (&plugging, copy, g_ptr_array_index (copy->devices, index), RECIPE_BY_PATH, NULL))
    return FALSE;
  for (guint i = 0; i < recipe_step_count (plugging.recipe); i++) {
    const Step *step = recipe_get_step (plugging.recipe, i);

    if (step->kind == STEP_DEVICE
        && g_strcmp0 (json_object_get_string_member_with_default (step->properties, "id", NULL),
                      device->alias)
               == 0)
      return TRUE;
  }
  return FALSE;
}
