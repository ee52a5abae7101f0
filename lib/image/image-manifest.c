/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a tag to the digests of an image's parts. An index may list an image once for each architecture, and
 * attestations beside them that are no images: what names another platform is passed over, and what is left
 * must be one.
 */
#include "image/image-manifest.h"

#include "base/untrusted-json.h"
#include "base/virt-error.h"
#include "image/image-config.h"
#include "image/image-digest.h"

#include <string.h>

#define REFERENCE_NAME "org.opencontainers.image.ref.name"
#define DAMAGED        "the image's %s is damaged: %s"

void
image_manifest_free (ImageManifest *manifest)
{
  if (manifest == NULL)
    return;
  g_free (manifest->config);
  g_strfreev (manifest->layers);
  g_free (manifest);
}

static JsonObject *
read_document (const char *text, gsize length, const char *what, GError **error)
{
  JsonObject *said = length <= IMAGE_DOCUMENT_BYTES_MAX ? untrusted_json_object (text, length) : NULL;

  if (said == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, DAMAGED, what, "it is no JSON object, or too large");
  return said;
}

/* Index. */

static gboolean
is_index (JsonObject *entry)
{
  const char *type = untrusted_text (entry, "mediaType");

  return g_strcmp0 (type, "application/vnd.oci.image.index.v1+json") == 0
         || g_strcmp0 (type, "application/vnd.docker.distribution.manifest.list.v2+json") == 0;
}

static gboolean
is_meant (JsonObject *entry, const char *tag, const char *architecture)
{
  JsonObject *platform = untrusted_object (entry, "platform");
  JsonObject *notes = untrusted_object (entry, "annotations");
  const char *name = notes != NULL ? untrusted_text (notes, REFERENCE_NAME) : NULL;
  const char *its = platform != NULL ? untrusted_text (platform, "architecture") : NULL;
  const char *os = platform != NULL ? untrusted_text (platform, "os") : NULL;

  return (tag == NULL || g_strcmp0 (name, tag) == 0) && (its == NULL || g_str_equal (its, architecture))
         && (os == NULL || g_str_equal (os, "linux"));
}

static char *
none_or_many (guint found, const char *tag, const char *architecture, GError **error)
{
  if (found == 0)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the index names no image%s%s for linux on %s",
                    tag != NULL ? " with the tag " : "", tag != NULL ? tag : "", architecture);
  else
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the index names %u images: say which by :TAG behind the name", found);
  return NULL;
}

char *
image_index_choose (const char *text, gsize length, const char *tag, const char *architecture,
                    gboolean *ret_is_index, GError **error)
{
  g_autoptr (JsonObject) said = read_document (text, length, "index", error);
  JsonArray *list = said != NULL ? untrusted_list (said, "manifests") : NULL;
  guint count = list != NULL ? json_array_get_length (list) : 0;
  const char *digest = NULL;
  guint found = 0;

  if (said == NULL)
    return NULL;
  if (count > IMAGE_INDEX_ENTRIES_MAX) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the image's index has %u entries: at most %d are read",
                    count, IMAGE_INDEX_ENTRIES_MAX);
    return NULL;
  }
  for (guint i = 0; i < count; i++) {
    JsonObject *entry = untrusted_object_of (json_array_get_element (list, i));

    if (entry == NULL || !is_meant (entry, tag, architecture)
        || g_strcmp0 (digest, untrusted_text (entry, "digest")) == 0)
      continue;
    found++;
    digest = untrusted_text (entry, "digest");
    *ret_is_index = is_index (entry);
  }
  if (found != 1)
    return none_or_many (found, tag, architecture, error);
  return image_digest_hex (digest, error) != NULL ? g_strdup (digest) : NULL;
}

/* Manifest. */

static gboolean
check_layers (JsonArray *layers, GError **error)
{
  guint count = layers != NULL ? json_array_get_length (layers) : 0;

  if (layers == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, DAMAGED, "manifest", "it has no list of layers");
  else if (count > IMAGE_LAYERS_MAX)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the image has %u layers: at most %d are read", count,
                    IMAGE_LAYERS_MAX);
  return layers != NULL && count <= IMAGE_LAYERS_MAX;
}

static char *
part_digest (JsonObject *part, GError **error)
{
  const char *digest = part != NULL ? untrusted_text (part, "digest") : NULL;

  return image_digest_hex (digest, error) != NULL ? g_strdup (digest) : NULL;
}

ImageManifest *
image_manifest_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonObject) said = read_document (text, length, "manifest", error);
  g_autoptr (ImageManifest) manifest = g_new0 (ImageManifest, 1);
  JsonArray *layers = said != NULL ? untrusted_list (said, "layers") : NULL;

  if (said == NULL || !check_layers (layers, error))
    return NULL;
  manifest->config = part_digest (untrusted_object (said, "config"), error);
  if (manifest->config == NULL)
    return NULL;
  manifest->layers = g_new0 (char *, json_array_get_length (layers) + 1);
  for (guint i = 0; i < json_array_get_length (layers); i++) {
    manifest->layers[i] = part_digest (untrusted_object_of (json_array_get_element (layers, i)), error);
    if (manifest->layers[i] == NULL)
      return NULL;
  }
  return g_steal_pointer (&manifest);
}

/* Docker's. */

static gboolean
has_tag (JsonObject *entry, const char *tag)
{
  JsonArray *tags = untrusted_list (entry, "RepoTags");

  for (guint i = 0; tag != NULL && tags != NULL && i < json_array_get_length (tags); i++) {
    if (g_strcmp0 (untrusted_text_of (json_array_get_element (tags, i)), tag) == 0)
      return TRUE;
  }
  return tag == NULL;
}

static ImageManifest *
read_docker (JsonObject *entry, GError **error)
{
  g_autoptr (ImageManifest) manifest = g_new0 (ImageManifest, 1);
  JsonArray *layers = untrusted_list (entry, "Layers");

  if (!check_layers (layers, error))
    return NULL;
  manifest->by_name = TRUE;
  manifest->config = g_strdup (untrusted_text (entry, "Config"));
  manifest->layers = g_new0 (char *, json_array_get_length (layers) + 1);
  for (guint i = 0; manifest->config != NULL && i < json_array_get_length (layers); i++) {
    manifest->layers[i] = g_strdup (untrusted_text_of (json_array_get_element (layers, i)));
    if (manifest->layers[i] == NULL)
      g_clear_pointer (&manifest->config, g_free);
  }
  if (manifest->config != NULL)
    return g_steal_pointer (&manifest);
  virt_error_set (error, VIR_ERR_INVALID_ARG, DAMAGED, "manifest", "a file has no name");
  return NULL;
}

ImageManifest *
image_manifest_parse_docker (const char *text, gsize length, const char *tag, GError **error)
{
  /* The document is a list, and only objects come through the bounded reader. */
  g_autofree char *wrapped =
      length <= IMAGE_DOCUMENT_BYTES_MAX ? g_strdup_printf ("{\"images\":%.*s}", (int)length, text) : NULL;
  g_autoptr (JsonObject) said =
      read_document (wrapped, wrapped != NULL ? strlen (wrapped) : G_MAXSIZE, "manifest.json", error);
  JsonArray *list = said != NULL ? untrusted_list (said, "images") : NULL;
  JsonObject *chosen = NULL;
  guint found = 0;

  if (said == NULL)
    return NULL;
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *entry = untrusted_object_of (json_array_get_element (list, i));

    if (entry != NULL && has_tag (entry, tag)) {
      chosen = entry;
      found++;
    }
  }
  if (found == 1)
    return read_docker (chosen, error);
  if (found == 0)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "the archive names no image%s%s",
                    tag != NULL ? " with the tag " : "", tag != NULL ? tag : "");
  else
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the archive names %u images: say which by :TAG behind the name", found);
  return NULL;
}
