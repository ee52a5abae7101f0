/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * When a difference takes effect. Whether the guest can see a value is a flag of its row in the field tables,
 * and whether a device takes it while it is used is asked of its kind, as an update of the device does. Only
 * the parts outside of devices that calls of their own change in a running machine are listed here.
 */
#include "domain/difference-effect.h"

#include "domain/device-change.h"

#include <string.h>

/* Each begins the path of what a call changes in a running machine. */
static const char *const live_paths[] = {
  "/domain/title",         "/domain/description", "/domain/metadata",    "/domain/currentMemory",
  "/domain/vcpu/@current", "/domain/cputune",     "/domain/blkiotune",   "/domain/memtune",
  "/domain/numatune",      "/domain/iothreads",   "/domain/iothreadids", "/domain/on_poweroff",
  "/domain/on_reboot",     "/domain/on_crash",    "/domain/perf",
};

/* @path without what names its elements: "/domain/devices/disk/driver/@cache". (transfer full) */
static char *
plain_path (const char *path)
{
  GString *plain = g_string_new (NULL);
  gboolean inside = FALSE, quoted = FALSE;

  for (; *path != '\0'; path++) {
    if (!inside && *path == '[')
      inside = TRUE;
    else if (inside && *path == '\'')
      quoted = !quoted;
    else if (inside && !quoted && *path == ']')
      inside = FALSE;
    else if (!inside)
      g_string_append_c (plain, *path);
  }
  return g_string_free (plain, FALSE);
}

static gboolean
is_below (const char *path, const char *above)
{
  gsize length = strlen (above);

  return strncmp (path, above, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Can the guest see what stands at @path of the table's element? Whole elements show as much as any part of
 * them; what no row has is taken for visible. */
static gboolean
is_visible (const FieldTable *table, const char *path)
{
  gboolean found = FALSE, visible = FALSE;

  for (const Field *field = table->fields; field->path != NULL; field++) {
    gboolean hidden = (field->flags & FIELD_NO_ABI) != 0;

    if (is_below (field->path, path)) {
      visible = visible || !hidden;
    } else if (is_below (path, field->path)) {
      gboolean nested =
          field->type == &field_struct || field->type == &field_optional || field->type == &field_list;

      visible =
          visible || (!hidden && (!nested || is_visible (field->detail, path + strlen (field->path) + 1)));
    } else {
      continue;
    }
    found = TRUE;
  }
  return !found || visible;
}

static const Device *
device_at (const DomainDef *def, int number)
{
  return number >= 0 && (guint)number < def->devices->len ? g_ptr_array_index (def->devices, number) : NULL;
}

static DifferenceEffect
judge_device (const Device *before, const Device *after, const char *path)
{
  const Device *either = before != NULL ? before : after;
  const char *inside = path + strlen ("/domain/devices/");
  const char *rest = strchr (inside, '/');

  if (before == NULL || after == NULL)
    return either->kind->attachable ? DIFFERENCE_LIVE : DIFFERENCE_HARDWARE;
  if (before->kind == after->kind) {
    Device *updated = device_updated_live (before, after, NULL);

    if (updated != NULL) {
      device_free (updated);
      return DIFFERENCE_LIVE;
    }
  }
  return rest != NULL && !is_visible (&either->kind->table, rest + 1) ? DIFFERENCE_START
                                                                      : DIFFERENCE_HARDWARE;
}

static DifferenceEffect
judge (const Difference *difference, const DomainDef *before, const DomainDef *after)
{
  g_autofree char *path = plain_path (difference->path);
  const Device *device = device_at (before, difference->device_before);
  const Device *other = device_at (after, difference->device_after);

  if (g_str_has_prefix (path, "/domain/devices/") && (device != NULL || other != NULL))
    return judge_device (device, other, path);
  for (guint i = 0; i < G_N_ELEMENTS (live_paths); i++)
    if (is_below (path, live_paths[i]))
      return DIFFERENCE_LIVE;
  if (!g_str_has_prefix (path, "/domain/"))
    return DIFFERENCE_START;
  return is_visible (&domain_table, path + strlen ("/domain/")) ? DIFFERENCE_HARDWARE : DIFFERENCE_START;
}

void
domain_differences_judge (GPtrArray *differences, const DomainDef *before, const DomainDef *after)
{
  for (guint i = 0; i < differences->len; i++) {
    Difference *difference = g_ptr_array_index (differences, i);

    difference->effect = judge (difference, before, after);
  }
}
