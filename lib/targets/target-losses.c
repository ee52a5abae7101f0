/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a document a target cannot do. The user's own text is walked, and not the definition: what
 * completion chose was not asked for, so nobody loses it, and each mistake has its place at hand. One path
 * down the tree is looked up in the target's table with one hash lookup for each element and attribute.
 */
#include "targets/target.h"

#include "base/xml-document.h"
#include "domain/devices/device-kinds.h"
#include "domain/source-place.h"

#include <string.h>

#define DEVICES_PREFIX "devices/"
#define NO_REASON      "has nothing for it"

/* What is the same for every target: a row of its own for the path comes before. */
static const TargetPart common_parts[] = {
  CARRIED ("@type"),        NEEDLESS ("@id"),      NEEDLESS ("title"),
  NEEDLESS ("description"), NEEDLESS ("metadata"), NEEDLESS (DEVICES_PREFIX "*/alias"),
};

struct TargetLosses {
  const Target *target;
  SourcePlaces *places;  /* NULL when the document cannot be read */
  Diagnostics *lost;     /* the machine can be without it */
  Diagnostics *refused;  /* it cannot */
  GHashTable *rows;      /* path → TargetPart */
  GHashTable *holders;   /* paths above those of rows */
  XmlDocument *document; /* while it is walked */
};

static void
add_row (TargetLosses *losses, const TargetPart *part)
{
  g_hash_table_insert (losses->rows, (gpointer)part->path, (gpointer)part);
  for (const char *end = part->path; (end = strpbrk (end, "/@")) != NULL; end++)
    g_hash_table_add (losses->holders, g_strndup (part->path, (gsize)(end - part->path)));
}

/* "devices/disk/alias" is also in a row as "devices/" "*" "/alias". NULL for what is not within a device. */
static char *
path_of_any_device (const char *path)
{
  const char *within;

  if (!g_str_has_prefix (path, DEVICES_PREFIX))
    return NULL;
  within = strpbrk (path + strlen (DEVICES_PREFIX), "/@");
  return within != NULL ? g_strconcat (DEVICES_PREFIX "*", within, NULL) : NULL;
}

static const TargetPart *
find_row (TargetLosses *losses, const char *path)
{
  const TargetPart *part = g_hash_table_lookup (losses->rows, path);
  g_autofree char *any = part == NULL ? path_of_any_device (path) : NULL;

  return any != NULL ? g_hash_table_lookup (losses->rows, any) : part;
}

static gboolean
holds_rows (TargetLosses *losses, const char *path)
{
  g_autofree char *any = path_of_any_device (path);

  return g_hash_table_contains (losses->holders, path)
         || (any != NULL && g_hash_table_contains (losses->holders, any));
}

static void
keep_loss (TargetLosses *losses, Position where, const char *what, const char *reason)
{
  diagnostics_error (losses->lost, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s: %s %s", what,
                     losses->target->title, reason != NULL ? reason : NO_REASON);
}

static void
walk_attributes (TargetLosses *losses, xmlNode *element, const char *path, const TargetPart *above)
{
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    g_autofree char *own = g_strdup_printf ("%s@%s", path, (const char *)attribute->name);
    const TargetPart *part = find_row (losses, own);
    g_autofree char *what = NULL;

    if (part == NULL)
      part = above;
    if (part != NULL && part->support != TARGET_LOST)
      continue;
    what = g_strdup_printf ("<%s %s=>", (const char *)element->name, (const char *)attribute->name);
    keep_loss (losses, xml_document_attribute_position (losses->document, attribute), what,
               part != NULL ? part->reason : NULL);
  }
}

/* @above: the row that decides for what has none of its own; NULL: there is none, and it is lost. */
static void
walk (TargetLosses *losses, xmlNode *element, const char *path, const TargetPart *above)
{
  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    const char *prefix =
        child->ns != NULL && child->ns->prefix != NULL ? (const char *)child->ns->prefix : NULL;
    g_autofree char *own = NULL;
    const TargetPart *part;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    own = g_strconcat (path, *path != '\0' ? "/" : "", prefix != NULL ? prefix : "",
                       prefix != NULL ? ":" : "", (const char *)child->name, NULL);
    part = find_row (losses, own);
    if (part == NULL)
      part = above;
    if (part != NULL ? part->support != TARGET_LOST : holds_rows (losses, own)) {
      walk_attributes (losses, child, own, part);
      walk (losses, child, own, part);
    } else {
      g_autofree char *what = g_strdup_printf ("<%s>", (const char *)child->name);

      keep_loss (losses, xml_document_node_position (losses->document, child), what,
                 part != NULL ? part->reason : NULL);
    }
  }
}

static void
add_rows (TargetLosses *losses)
{
  losses->rows = g_hash_table_new (g_str_hash, g_str_equal);
  losses->holders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (common_parts); i++)
    add_row (losses, &common_parts[i]);
  for (const TargetPart *part = losses->target->parts; part != NULL && part->path != NULL; part++)
    add_row (losses, part);
}

static gboolean
lacks (TargetLosses *losses, const char *path)
{
  const TargetPart *part = find_row (losses, path);

  if (part == NULL)
    part = find_row (losses, "");
  return part != NULL ? part->support == TARGET_LOST : !holds_rows (losses, path);
}

const char **
target_lacking_devices (const Target *target)
{
  TargetLosses losses = { .target = target };
  g_autoptr (GPtrArray) elements = g_ptr_array_new ();

  add_rows (&losses);
  for (guint i = 0; target->parts != NULL && device_kinds[i] != NULL; i++) {
    g_autofree char *path = g_strconcat (DEVICES_PREFIX, device_kinds[i]->element, NULL);

    if (lacks (&losses, path))
      g_ptr_array_add (elements, (gpointer)device_kinds[i]->element);
  }
  g_hash_table_unref (losses.rows);
  g_hash_table_unref (losses.holders);
  g_ptr_array_add (elements, NULL);
  return (const char **)g_ptr_array_steal (elements, NULL);
}

TargetLosses *
target_losses_new (const Target *target, const char *document)
{
  TargetLosses *losses = g_new0 (TargetLosses, 1);
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (XmlDocument) read = NULL;
  const TargetPart *all;

  losses->target = target;
  losses->places = source_places_new (document);
  losses->lost = diagnostics_new (NULL);
  losses->refused = diagnostics_new (NULL);
  add_rows (losses);
  if (target->parts == NULL || losses->places == NULL)
    return losses;
  read = losses->document = xml_document_parse (document, -1, ignored);
  all = find_row (losses, "");
  walk_attributes (losses, xml_document_root (read), "", all);
  walk (losses, xml_document_root (read), "", all);
  losses->document = NULL;
  return losses;
}

void
target_losses_free (TargetLosses *losses)
{
  if (losses == NULL)
    return;
  g_clear_pointer (&losses->places, source_places_free);
  diagnostics_free (losses->lost);
  diagnostics_free (losses->refused);
  g_hash_table_unref (losses->rows);
  g_hash_table_unref (losses->holders);
  g_free (losses);
}

static void
keep_problem (TargetLosses *losses, Diagnostics *diagnostics, const Device *device, const char *part,
              const char *reason)
{
  Position where =
      losses->places != NULL ? source_places_find (losses->places, device, part) : (Position){ 0, 0 };
  g_autofree char *what = part == NULL && device != NULL ? device_describe (device) : g_strdup (part);

  if (what != NULL)
    diagnostics_error (diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s: %s %s", what,
                       losses->target->title, reason);
  else
    diagnostics_error (diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s %s", losses->target->title,
                       reason);
}

void
target_lose (TargetLosses *losses, const Device *device, const char *part, const char *format, ...)
{
  g_autofree char *own =
      device != NULL && losses->places != NULL ? source_places_describe (losses->places, device) : NULL;
  g_autofree char *reason = NULL;
  va_list arguments;

  if (device != NULL && own == NULL)
    return; /* completion chose it */
  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  keep_problem (losses, losses->lost, device, part, reason);
}

void
target_refuse (TargetLosses *losses, const Device *device, const char *part, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  keep_problem (losses, losses->refused, device, part, reason);
}

Diagnostics *
target_losses_refused (TargetLosses *losses)
{
  return losses->refused;
}

void
target_losses_report (const TargetLosses *losses, gboolean drop, Diagnostics *diagnostics)
{
  diagnostics_add_further (diagnostics, losses->refused);
  for (guint i = 0; i < diagnostics_count (losses->lost); i++) {
    const Diagnostic *loss = diagnostics_get (losses->lost, i);

    if (drop)
      diagnostics_warning (diagnostics, loss->where, loss->code, "%s", loss->message);
    else
      diagnostics_error (diagnostics, loss->where, loss->code, "%s", loss->message);
  }
}
