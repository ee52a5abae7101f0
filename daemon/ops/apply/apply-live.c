/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a running machine takes of its new definition: devices that came, went or changed, memory, processors
 * and texts, each by the call that a client would make. What its guest does not take now is there at its next
 * start, and said.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/apply/apply-run.h"
#include "daemon/ops/apply/inner-call.h"
#include "domain/devices/device.h"

#include <string.h>

/* Numbers of remote_protocol, as in daemon/call/operations.c. */
enum { ATTACH = 160, DETACH = 161, UPDATE = 174, SET_VCPUS = 199, SET_MEMORY = 204 };

typedef struct {
  int procedure;
  GVariant *rest;
  char *what; /* for the note */
} Change;

typedef struct {
  ApplyStep *step;
  GQueue changes; /* Change */
} Live;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_clear_pointer (&change->rest, g_variant_unref);
  g_free (change->what);
  g_free (change);
}

static const Difference *
difference_at (const PlanItem *item, guint index)
{
  return g_ptr_array_index (item->differences, index);
}

gboolean
apply_is_live (const PlanItem *item)
{
  for (guint i = 0; item->active && item->differences != NULL && i < item->differences->len; i++)
    if (difference_at (item, i)->effect == DIFFERENCE_LIVE)
      return TRUE;
  return FALSE;
}

static void
add (Live *live, int procedure, GVariant *rest, const char *what)
{
  Change *change = g_new0 (Change, 1);

  *change = (Change){ procedure, g_variant_ref_sink (rest), g_strdup (what) };
  g_queue_push_tail (&live->changes, change);
}

/* The device by itself, as a client would give it. (transfer full) */
static char *
device_text (const Device *device)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autofree char *text = NULL;
  const char *start, *end;

  device_write (device, root, FIELD_WRITE_SECURE);
  text = xml_element_to_string (root);
  start = strchr (text, '\n');
  end = g_strrstr (text, "</devices>");
  return start != NULL && end != NULL ? g_strndup (start, (gsize)(end - start)) : g_strdup ("");
}

static const Device *
device_of (const DomainDef *def, int number)
{
  return number >= 0 && (guint)number < def->devices->len ? g_ptr_array_index (def->devices, number) : NULL;
}

/* Each device once, however many of its values differ. */
static void
add_device (Live *live, GHashTable *seen, const Difference *difference)
{
  const PlanItem *item = live->step->item;
  const Device *before = device_of (item->was, difference->device_before);
  const Device *after = device_of (item->def, difference->device_after);
  const Device *either = after != NULL ? after : before;
  g_autofree char *text = NULL;

  if (either == NULL || !g_hash_table_add (seen, (gpointer)either))
    return;
  text = device_text (either);
  add (live,
       before == NULL  ? ATTACH
       : after == NULL ? DETACH
                       : UPDATE,
       g_variant_new ("(su)", text, VIR_DOMAIN_AFFECT_LIVE), difference->path);
}

/* Title, description and metadata are the daemon's alone. */
static void
take_texts (ApplyStep *step)
{
  const Domain *domain = (Domain *)apply_object (step->run, step->item, NULL);
  const DomainDef *def = step->item->def;
  DomainDef *changed;

  if (domain == NULL || domain->machine == NULL)
    return;
  changed = domain_def_copy (domain->machine->def);
  g_free (changed->title);
  g_free (changed->description);
  changed->title = g_strdup (def->title);
  changed->description = g_strdup (def->description);
  domain_def_set_metadata (changed, def->metadata, def->policy);
  machine_replace_def (domain->machine, changed);
}

static void
collect (Live *live)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  const PlanItem *item = live->step->item;
  gboolean texts = FALSE;

  for (guint i = 0; i < item->differences->len; i++) {
    const Difference *difference = difference_at (item, i);

    if (difference->effect != DIFFERENCE_LIVE)
      continue;
    if (g_str_has_prefix (difference->path, "/domain/devices"))
      add_device (live, seen, difference);
    else if (g_str_has_prefix (difference->path, "/domain/currentMemory"))
      add (live, SET_MEMORY, g_variant_new ("(tu)", item->def->current_memory.value, VIR_DOMAIN_AFFECT_LIVE),
           difference->path);
    else if (g_str_has_prefix (difference->path, "/domain/vcpu/"))
      add (live, SET_VCPUS,
           g_variant_new ("(uu)",
                          (guint32)(item->def->vcpus_current.set ? item->def->vcpus_current.value
                                                                 : item->def->vcpus.value),
                          VIR_DOMAIN_AFFECT_LIVE),
           difference->path);
    else
      texts = TRUE;
  }
  if (texts)
    take_texts (live->step);
}

static void next (Live *live);

static void
changed (const GError *error, gpointer data)
{
  Live *live = data;
  Change *change = g_queue_pop_head (&live->changes);

  if (error != NULL)
    apply_note (live->step->run, live->step->item, "%s changes with its next start: %s", change->what,
                error->message);
  change_free (change);
  next (live);
}

static void
next (Live *live)
{
  const Change *change = g_queue_peek_head (&live->changes);
  const Object *object = change != NULL ? apply_object (live->step->run, live->step->item, NULL) : NULL;

  if (object != NULL && object->active) {
    inner_call (live->step->run->call, change->procedure, object, change->rest, changed, live);
    return;
  }
  apply_step_over (live->step, NULL);
  g_queue_clear_full (&live->changes, change_free);
  g_free (live);
}

void
apply_live (ApplyStep *step)
{
  Live *live = g_new0 (Live, 1);

  live->step = step;
  collect (live);
  next (live);
}
