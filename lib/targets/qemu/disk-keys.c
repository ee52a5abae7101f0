/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an image needs before it can be opened, as objects of QEMU: keys and passwords, the machine's side of
 * a TLS connection, the helper for persistent reservations. They are named after the node they are for, as
 * libvirt names them. A secret is no text of the command line: QEMU reads it from a file that the daemon
 * makes for it in memory.
 */
#include "targets/qemu/disk-nodes.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define TLS_DIRECTORY    "/etc/pki/qemu" /* libvirt's default */
#define PR_HELPER_ID     "pr-helper0"
#define PR_HELPER_SOCKET PR_HELPER_ID ".sock"

void
disk_node_clear (DiskNode *node)
{
  g_free (node->tls);
  g_free (node->auth_secret);
  g_free (node->cookie_secret);
  g_free (node->pr_manager);
  g_clear_pointer (&node->encryption_secrets, g_ptr_array_unref);
}

static int
usage_type (const DiskSecret *secret)
{
  if (g_strcmp0 (secret->type, "ceph") == 0)
    return VIR_SECRET_USAGE_TYPE_CEPH;
  if (g_strcmp0 (secret->type, "iscsi") == 0)
    return VIR_SECRET_USAGE_TYPE_ISCSI;
  return VIR_SECRET_USAGE_TYPE_VOLUME;
}

void
recipe_add_secret (Recipe *recipe, const Device *device, const char *id, const DiskSecret *secret)
{
  const char *file =
      recipe_secret_file (recipe, device, id, secret->uuid, usage_type (secret), secret->usage);

  recipe_step (
      recipe, STEP_OBJECT,
      props ("qom-type", "s", "secret", "id", "s", id, "format", "s", "raw", "file", "s", file, NULL));
}

static void
add_auth (DiskNode *node)
{
  const DiskAuth *auth = node->image.auth;

  if (auth == NULL || auth->secret == NULL)
    return;
  node->auth_secret = g_strdup_printf ("libvirt-%u-storage-auth-secret0", node->number);
  recipe_add_secret (node->recipe, &node->disk->device, node->auth_secret, auth->secret);
}

/* "a=1; b=2" */
static char *
cookie_text (const DiskSource *source)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < source->cookies->len; i++) {
    const DiskCookie *cookie = g_ptr_array_index (source->cookies, i);

    g_string_append_printf (text, "%s%s=%s", i > 0 ? "; " : "", cookie->name, cookie->value);
  }
  return g_string_free (text, FALSE);
}

static void
add_cookies (DiskNode *node)
{
  const DiskSource *source = node->image.source;
  g_autofree char *text = NULL;
  const char *file;

  if (node->image.type != DISK_TYPE_NETWORK || source->cookies == NULL || source->cookies->len == 0
      || (source->protocol != DISK_PROTOCOL_HTTP && source->protocol != DISK_PROTOCOL_HTTPS))
    return;
  text = cookie_text (source);
  node->cookie_secret = g_strdup_printf ("libvirt-%u-storage-httpcookie-secret0", node->number);
  file = recipe_secret_text (node->recipe, &node->disk->device, node->cookie_secret, text);
  recipe_step (node->recipe, STEP_OBJECT,
               props ("qom-type", "s", "secret", "id", "s", node->cookie_secret, "format", "s", "raw", "file",
                      "s", file, NULL));
}

/* librbd decrypts in the node that fetches the bytes, QEMU in the one above it. */
static gboolean
add_encryption (DiskNode *node, GError **error)
{
  const DiskEncryption *encryption = node->image.encryption;
  const char *layer = disk_has_engine (&node->image, DISK_ENGINE_LIBRBD) ? "storage" : "format";

  if (encryption == NULL)
    return TRUE;
  if (encryption->secrets == NULL || encryption->secrets->len == 0) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing secret info for '%s' driver", encryption->format);
    return FALSE;
  }
  node->encryption_secrets = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < encryption->secrets->len; i++) {
    char *id = g_strdup_printf ("libvirt-%u-%s-encryption-secret%u", node->number, layer, i);

    g_ptr_array_add (node->encryption_secrets, id);
    recipe_add_secret (node->recipe, &node->disk->device, id, g_ptr_array_index (encryption->secrets, i));
  }
  return TRUE;
}

static gboolean
add_tls (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;

  if (node->image.type != DISK_TYPE_NETWORK || source->tls != TRISTATE_YES)
    return TRUE;
  if (source->protocol == DISK_PROTOCOL_VXHS)
    return TRUE; /* it is refused with better words */
  if (source->protocol != DISK_PROTOCOL_NBD) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "TLS transport is not supported for disk protocol '%s'",
                    enum_table_name (&disk_protocols, source->protocol));
    return FALSE;
  }
  node->tls = g_strdup_printf ("objlibvirt-%u-storage_tls0", node->number);
  recipe_step (node->recipe, STEP_OBJECT,
               props ("qom-type", "s", "tls-creds-x509", "id", "s", node->tls, "dir", "s", TLS_DIRECTORY,
                      "endpoint", "s", "client", "verify-peer", "b", TRUE, NULL));
  return TRUE;
}

/* One helper of the daemon serves all the machine's disks; the first of them brings it, and the last that is
 * plugged out takes it away. */
static gboolean
brings_helper (const DiskNode *node)
{
  gboolean plugging = recipe_host (node->recipe)->plugging;

  DOMAIN_FOREACH_DEVICE (recipe_def (node->recipe), disk_kind, const DeviceDisk, other) {
    if (!disk_is_reserved (other))
      continue;
    if (!plugging)
      return other == node->disk;
    if (g_strcmp0 (other->device.alias, node->disk->device.alias) != 0)
      return FALSE;
  }
  return TRUE;
}

char *
recipe_pr_helper_socket (const char *run_directory)
{
  return g_build_filename (run_directory, PR_HELPER_SOCKET, NULL);
}

gboolean
domain_def_wants_pr_helper (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, disk) {
    if (disk_is_reserved (disk))
      return TRUE;
  }
  return FALSE;
}

static void
add_reservations (DiskNode *node)
{
  const DiskReservations *reservations = node->image.source->reservations;
  g_autofree char *path = NULL;
  gboolean managed = reservations != NULL && reservations->managed == TRISTATE_YES;

  if (reservations == NULL)
    return;
  node->pr_manager =
      managed ? g_strdup (PR_HELPER_ID) : g_strdup_printf ("pr-helper-libvirt-%u-storage", node->number);
  path = managed ? recipe_pr_helper_socket (recipe_host (node->recipe)->run_directory)
                 : g_strdup (reservations->path);
  if (!managed || brings_helper (node))
    recipe_step (
        node->recipe, STEP_OBJECT,
        props ("qom-type", "s", "pr-manager-helper", "id", "s", node->pr_manager, "path", "s", path, NULL));
}

gboolean
disk_add_objects (DiskNode *node, GError **error)
{
  add_reservations (node);
  add_auth (node);
  if (!add_encryption (node, error))
    return FALSE;
  add_cookies (node);
  return add_tls (node, error);
}
