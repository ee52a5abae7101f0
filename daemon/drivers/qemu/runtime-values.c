/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The values of a running machine. Those that QEMU must be told on its command line are chosen before; those
 * that only QEMU knows (the pty it got) are asked after, and only when the machine has such a thing, since
 * each byte through the monitor is dear. What a kind of device needs, its row of running_kinds says.
 */
#include "daemon/drivers/qemu/runtime-values.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/host/endpoint.h"
#include "daemon/host/image.h"
#include "daemon/host/ports.h"
#include "domain/devices/chardev.h"

#include <string.h>

#define CHARDEVS_MAX 4096 /* read of one answer */

void
live_values_init (LiveValues *values, const char *directory, const char *host, Files *files)
{
  values->directory = directory;
  values->host = host;
  values->files = files;
  values->images = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)image_info_free);
  values->ports = g_array_new (FALSE, FALSE, sizeof (guint));
  values->next_node = 1;
}

void
live_values_clear (LiveValues *values)
{
  for (guint i = 0; values->ports != NULL && i < values->ports->len; i++)
    ports_release (g_array_index (values->ports, guint, i));
  g_clear_pointer (&values->ports, g_array_unref);
  g_clear_pointer (&values->images, g_hash_table_unref);
  g_clear_pointer (&values->problems, g_ptr_array_unref);
}

void
live_problem_free (gpointer data)
{
  LiveProblem *problem = data;

  g_error_free (problem->error);
  g_free (problem);
}

typedef struct {
  DomainDef *def;
  LiveValues *values;
  Qmp *qmp;
  Job *job;
} Walk;

/* Kind by kind, in the order of their table. */
static gboolean
walk (const Walk *walk, gboolean (*visit) (const RunningKind *, Device *, const Walk *, GError **),
      GError **error)
{
  for (const RunningKind *row = running_kinds; row->kind != NULL; row++)
    for (guint i = 0; i < walk->def->devices->len; i++) {
      Device *device = g_ptr_array_index (walk->def->devices, i);

      if (device->kind == row->kind && !visit (row, device, walk, error))
        return FALSE;
    }
  return TRUE;
}

/* Takes @problem. TRUE: it is told later, and the choice goes on. */
static gboolean
keep_problem (const RunningKind *row, const Device *device, LiveValues *values, GError *problem,
              GError **error)
{
  int code = virt_error_code (problem);
  gboolean is_kept = values->problems != NULL && (values->keeps_all || row->problem_waits);
  LiveProblem *kept;

  if (!is_kept || code == VIR_ERR_OPERATION_ABORTED || code == VIR_ERR_OPERATION_TIMEOUT) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  kept = g_new0 (LiveProblem, 1);
  *kept = (LiveProblem){ device, problem };
  g_ptr_array_add (values->problems, kept);
  return TRUE;
}

static gboolean
choose (const RunningKind *row, Device *device, const Walk *walk, GError **error)
{
  GError *problem = NULL;

  return row->choose == NULL || row->choose (device, walk->values, &problem)
         || keep_problem (row, device, walk->values, problem, error);
}

gboolean
live_choose (DomainDef *def, int id, LiveValues *values, GError **error)
{
  def->id = (SignedNumber){ TRUE, id };
  domain_def_assign_aliases (def);
  if (!walk (&(Walk){ .def = def, .values = values }, choose, error))
    return FALSE;
  for (guint i = def->devices->len; i > 0; i--) {
    Device *device = g_ptr_array_index (def->devices, i - 1);
    const RunningKind *row = running_kind (device->kind);

    if (row->number != NULL)
      row->number (device, values);
  }
  return TRUE;
}

gboolean
live_choose_device (Device *device, LiveValues *values, GError **error)
{
  const RunningKind *row = running_kind (device->kind);

  if (row->choose != NULL && !row->choose (device, values, error))
    return FALSE;
  if (row->number != NULL)
    row->number (device, values);
  return TRUE;
}

gboolean
live_wants_render_node (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);
    const RunningKind *row = running_kind (device->kind);

    if (row->wants_render_node != NULL && row->wants_render_node (device))
      return TRUE;
  }
  return FALSE;
}

/* The terminals QEMU got. */

static gboolean
is_pty (Device *device)
{
  const Chardev *chardev = device->kind->chardev != NULL ? device->kind->chardev (device) : NULL;

  return chardev != NULL && chardev->type == CHARDEV_PTY;
}

static gboolean
has_pty (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (is_pty (g_ptr_array_index (def->devices, i)))
      return TRUE;
  return FALSE;
}

static void
set_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static gboolean
is_first_of_kind (const DomainDef *def, const Device *device)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (((const Device *)g_ptr_array_index (def->devices, i))->kind == device->kind)
      return g_ptr_array_index (def->devices, i) == device;
  return FALSE;
}

static void
set_pty (DomainDef *def, const char *label, const char *path)
{
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (!is_pty (device) || g_strcmp0 (device->alias, label) != 0)
      continue;
    set_text (&chardev_ensure_source (device->kind->chardev (device))->path, path);
    if (device->kind->shows_tty && is_first_of_kind (def, device))
      set_text (&device->kind->chardev (device)->tty, path);
  }
}

/* query-chardev: [{ "label": "charserial0", "filename": "pty:/dev/pts/3" }, ...] */
static gboolean
ask_ptys (DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = has_pty (def) ? qmp_call (qmp, job, "query-chardev", NULL, error) : NULL;

  if (answer == NULL)
    return !has_pty (def);
  JsonArray *list = untrusted_list_of (answer);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), CHARDEVS_MAX); i++) {
    JsonObject *element = untrusted_object_of (json_array_get_element (list, i));
    const char *label = untrusted_text (element, "label");
    const char *name = untrusted_text (element, "filename");
    if (label != NULL && name != NULL && g_str_has_prefix (label, "char") && g_str_has_prefix (name, "pty:")
        && endpoint_is_pty_path (name + strlen ("pty:")))
      set_pty (def, label + strlen ("char"), name + strlen ("pty:"));
  }
  return TRUE;
}

/* After the launch. */

static gboolean
started (const RunningKind *row, Device *device, const Walk *walk, GError **error)
{
  return row->started == NULL || row->started (walk->def, device, walk->qmp, walk->job, error);
}

gboolean
live_first_conversation (DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  return ask_ptys (def, qmp, job, error)
         && walk (&(Walk){ .def = def, .qmp = qmp, .job = job }, started, error);
}

gboolean
live_device_conversation (DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error)
{
  const RunningKind *row = running_kind (device->kind);

  if (device->kind->chardev != NULL && !ask_ptys (def, qmp, job, error))
    return FALSE;
  return row->started == NULL || row->started (def, device, qmp, job, error);
}
