/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the controllers that were added stand among those that the document has: with the others of their
 * type, before the first that has a greater index. Types stand in the order in which each first came. The
 * order decides which PCI slot each controller gets, so it is made before addresses are given out, and again
 * for the PCI controllers that were found to be needed meanwhile.
 */
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

typedef struct {
  GPtrArray *said, *added; /* DeviceController, borrowed */
} TypeGroup;

static gint
compare_added (gconstpointer a, gconstpointer b)
{
  const DeviceController *const *one = a, *const *other = b;

  return ((*one)->index.value > (*other)->index.value) - ((*one)->index.value < (*other)->index.value);
}

/* Into @devices from @place on; the place after the last. */
static guint
put_group (const TypeGroup *group, GPtrArray *devices, guint place)
{
  guint next = 0;

  g_ptr_array_sort (group->added, compare_added);
  for (guint i = 0; i < group->said->len; i++) {
    DeviceController *said = g_ptr_array_index (group->said, i);

    for (; next < group->added->len && compare_added (&group->added->pdata[next], &group->said->pdata[i]) < 0;
         next++)
      g_ptr_array_index (devices, place++) = g_ptr_array_index (group->added, next);
    g_ptr_array_index (devices, place++) = said;
  }
  for (; next < group->added->len; next++)
    g_ptr_array_index (devices, place++) = g_ptr_array_index (group->added, next);
  return place;
}

void
controllers_order_added (DomainDef *def)
{
  TypeGroup groups[REPORT_CONTROLLER_TYPES] = { 0 };
  int types[REPORT_CONTROLLER_TYPES];
  guint count = 0, first = G_MAXUINT, place;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    TypeGroup *group = &groups[controller->type];

    if (first == G_MAXUINT)
      first = controller_index;
    if (group->said == NULL) {
      group->said = g_ptr_array_new ();
      group->added = g_ptr_array_new ();
      types[count++] = controller->type;
    }
    g_ptr_array_add (controller->device.implied ? group->added : group->said, controller);
  }
  place = first;
  for (guint i = 0; i < count; i++) {
    place = put_group (&groups[types[i]], def->devices, place);
    g_ptr_array_unref (groups[types[i]].said);
    g_ptr_array_unref (groups[types[i]].added);
  }
}
