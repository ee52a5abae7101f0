/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The sums of an archive's files. Whoever reads an archive makes a manifest of its own while it reads, and at
 * the end the two must be the same, file for file: that is the whole of the check, and it leaves nothing out.
 */
#include "bundle/bundle-manifest.h"

#include "base/untrusted-json.h"
#include "bundle/bundle-head.h"
#include "bundle/bundle-name.h"

#include <string.h>

#define SUM_DIGITS          64
#define MANIFEST_FILES_MAX  (BUNDLE_FILES_MAX + 1) /* with the head */
#define MANIFEST_VALUES_MAX (16 * MANIFEST_FILES_MAX)

typedef struct {
  char *name;
  guint64 size;
  gboolean sparse;
  char *sum;
} Line;

struct BundleManifest {
  GPtrArray *lines; /* Line, in the archive's order */
};

static const char *const sum_names[] = { "sha256", "sparse-sha256" }; /* by Line.sparse */

static void
line_free (gpointer data)
{
  Line *line = data;

  g_free (line->name);
  g_free (line->sum);
  g_free (line);
}

BundleManifest *
bundle_manifest_new (void)
{
  BundleManifest *manifest = g_new0 (BundleManifest, 1);

  manifest->lines = g_ptr_array_new_with_free_func (line_free);
  return manifest;
}

void
bundle_manifest_free (BundleManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_ptr_array_unref (manifest->lines);
  g_free (manifest);
}

void
bundle_manifest_add (BundleManifest *manifest, const char *name, guint64 size, gboolean sparse,
                     const char *sum)
{
  Line *line = g_new0 (Line, 1);

  *line = (Line){ g_strdup (name), size, sparse, g_strdup (sum) };
  g_ptr_array_add (manifest->lines, line);
}

char *
bundle_manifest_to_json (const BundleManifest *manifest)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "format");
  json_builder_add_string_value (json, BUNDLE_MANIFEST_FORMAT);
  json_builder_set_member_name (json, "version");
  json_builder_add_int_value (json, BUNDLE_MANIFEST_VERSION);
  json_builder_set_member_name (json, "files");
  json_builder_begin_array (json);
  for (guint i = 0; i < manifest->lines->len; i++) {
    const Line *line = g_ptr_array_index (manifest->lines, i);

    json_builder_begin_object (json);
    json_builder_set_member_name (json, "name");
    json_builder_add_string_value (json, line->name);
    json_builder_set_member_name (json, "size");
    json_builder_add_int_value (json, (gint64)line->size);
    json_builder_set_member_name (json, sum_names[line->sparse]);
    json_builder_add_string_value (json, line->sum);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, TRUE);
}

static gboolean
is_sum (const char *text)
{
  return text != NULL && strlen (text) == SUM_DIGITS && strspn (text, "0123456789abcdef") == SUM_DIGITS;
}

static gboolean
read_line (JsonObject *said, BundleManifest *manifest)
{
  const char *name = untrusted_text (said, "name");
  gboolean sparse = untrusted_text (said, sum_names[TRUE]) != NULL;
  const char *sum = untrusted_text (said, sum_names[sparse]);
  gint64 size = -1;

  if (name == NULL || !bundle_name_check (name, NULL) || !untrusted_number (said, "size", &size) || size < 0
      || !is_sum (sum))
    return FALSE;
  bundle_manifest_add (manifest, name, (guint64)size, sparse, sum);
  return TRUE;
}

BundleManifest *
bundle_manifest_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonObject) said = length <= BUNDLE_MANIFEST_BYTES_MAX
                                    ? untrusted_json_object_of (text, length, MANIFEST_VALUES_MAX)
                                    : NULL;
  g_autoptr (BundleManifest) manifest = bundle_manifest_new ();
  JsonArray *files = said != NULL ? untrusted_list (said, "files") : NULL;
  guint count = files != NULL ? json_array_get_length (files) : 0;
  gint64 version = 0;
  gboolean good = said != NULL && g_strcmp0 (untrusted_text (said, "format"), BUNDLE_MANIFEST_FORMAT) == 0
                  && untrusted_number (said, "version", &version) && version > 0;

  if (good && version > BUNDLE_MANIFEST_VERSION) {
    virt_error_set (error, VIR_ERR_NO_SUPPORT,
                    "the archive's manifest is of version %" G_GINT64_FORMAT
                    ": this domaind reads up to version %d",
                    version, BUNDLE_MANIFEST_VERSION);
    return NULL;
  }
  good = good && count > 0 && count <= MANIFEST_FILES_MAX;
  for (guint i = 0; good && i < count; i++)
    good = read_line (untrusted_object_of (json_array_get_element (files, i)), manifest);
  if (good)
    return g_steal_pointer (&manifest);
  virt_error_set (error, VIR_ERR_INVALID_ARG, "the archive's %s is damaged", BUNDLE_MANIFEST_NAME);
  return NULL;
}

gboolean
bundle_manifest_check (const BundleManifest *said, const BundleManifest *found, GError **error)
{
  for (guint i = 0; i < MAX (said->lines->len, found->lines->len); i++) {
    const Line *one = i < said->lines->len ? g_ptr_array_index (said->lines, i) : NULL;
    const Line *other = i < found->lines->len ? g_ptr_array_index (found->lines, i) : NULL;

    if (one == NULL || other == NULL || !g_str_equal (one->name, other->name)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                      "the archive's manifest does not speak of '%s', which is in the archive",
                      other != NULL ? other->name : one->name);
      return FALSE;
    }
    if (one->size != other->size || one->sparse != other->sparse || !g_str_equal (one->sum, other->sum)) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                      "'%s' is damaged: its SHA-256 is %s, and the archive's manifest says %s", other->name,
                      other->sum, one->sum);
      return FALSE;
    }
  }
  return TRUE;
}
