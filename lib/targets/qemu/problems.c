/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a document cannot be made: all of it in one run, so that nobody corrects one thing to be told of
 * the next. A part that is refused adds no steps, and the parts behind it are tried all the same: the recipe
 * is then good for nothing but its problems. Their places are looked up in the user's text, which only the
 * callers have.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/source-place.h"

#include <string.h>

typedef struct {
  const Device *device; /* NULL: the domain's own */
  char *part;           /* as source_places_find takes it */
  GError *error;
} RecipeProblem;

static void
problem_free (gpointer data)
{
  RecipeProblem *problem = data;

  g_free (problem->part);
  g_error_free (problem->error);
  g_free (problem);
}

GPtrArray *
recipe_problems_new (void)
{
  return g_ptr_array_new_with_free_func (problem_free);
}

gboolean
recipe_keep_problem (Recipe *recipe, const Device *device, const char *part, GError *error)
{
  RecipeProblem *problem = g_new0 (RecipeProblem, 1);

  problem->device = device;
  problem->part = g_strdup (part);
  problem->error = error;
  g_ptr_array_add (recipe_problems (recipe), problem);
  return FALSE;
}

void
recipe_add_problem (Recipe *recipe, const Device *device, GError *problem)
{
  recipe_keep_problem (recipe, device, NULL, problem);
}

gboolean
recipe_refuse (Recipe *recipe, const Device *device, const char *part, const char *format, ...)
{
  g_autofree char *detail = NULL;
  GError *error = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  qemu_unsupported (device, &error, "%s", detail);
  return recipe_keep_problem (recipe, device, part, error);
}

gboolean
recipe_check_parts (Recipe *recipe, const Device *device, const UnsupportedPart *parts, guint count)
{
  gboolean fine = TRUE;

  for (guint i = 0; i < count; i++)
    if (parts[i].said)
      fine = recipe_refuse (recipe, device, parts[i].what, "%s is not supported yet by the QEMU target",
                            parts[i].what);
  return fine;
}

void
recipe_add_part (Recipe *recipe, gboolean (*add) (Recipe *recipe, GError **error), const char *part)
{
  GError *error = NULL;

  if (!add (recipe, &error) && error != NULL)
    recipe_keep_problem (recipe, NULL, part, error);
}

void
recipe_add_device_part (Recipe *recipe, const QemuDeviceKind *row, const Device *device)
{
  GError *error = NULL;

  if (!row->add (recipe, device, &error) && error != NULL)
    recipe_keep_problem (recipe, device, NULL, error);
}

/* The message without libvirt's words, and with the device as the document says it: what completion chose (a
 * MAC address, a target) names nothing that could be found there. (transfer full) */
static char *
detail_of (const RecipeProblem *problem, SourcePlaces *places)
{
  const char *detail = virt_error_detail (problem->error);
  g_autofree char *known = problem->device != NULL ? device_describe (problem->device) : NULL;
  g_autofree char *said =
      known != NULL && places != NULL ? source_places_describe (places, problem->device) : NULL;

  if (said == NULL || !g_str_has_prefix (detail, known))
    return g_strdup (detail);
  return g_strconcat (said, detail + strlen (known), NULL);
}

void
recipe_report_problems (const Recipe *recipe, const char *document, Diagnostics *diagnostics)
{
  const GPtrArray *problems = recipe_problems (recipe);
  g_autoptr (SourcePlaces) places =
      document != NULL && problems->len > 0 ? source_places_new (document) : NULL;

  for (guint i = 0; i < MIN (problems->len, DIAGNOSTICS_MAX + 1); i++) {
    const RecipeProblem *problem = g_ptr_array_index (problems, i);
    g_autofree char *detail = detail_of (problem, places);
    Position where =
        places != NULL ? source_places_find (places, problem->device, problem->part) : (Position){ 0, 0 };
    int origin = virt_error_origin (problem->error);

    if (origin >= 0)
      diagnostics_error_from (diagnostics, where, (virErrorDomain)origin, virt_error_code (problem->error),
                              "%s", detail);
    else
      diagnostics_error (diagnostics, where, virt_error_code (problem->error), "%s", detail);
  }
}

gboolean
recipe_check (const Recipe *recipe, const char *document, const char *file_name, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (file_name);

  recipe_report_problems (recipe, document, diagnostics);
  return diagnostics_check (diagnostics, error);
}
