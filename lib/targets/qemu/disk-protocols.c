/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The node that fetches an image's bytes: a file, a device, or one of QEMU's clients for what is elsewhere.
 * Local files are opened by the daemon and passed; connections are QEMU's own, so that it can make them
 * again. One function a client, chosen from a table, gives the properties that are the source's; what all
 * nodes have in common is added in disk-nodes.c.
 */
#include "targets/qemu/disk-nodes.h"

#include <string.h>

#define DEFAULT_ISCSI_PORT 3260
#define GLUSTER_DEBUG      4 /* the log level libvirt asks for */

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s", text);
  return FALSE;
}

/* A server of exactly one host. */
static const DiskHost *
only_host (const DiskSource *source, const char *what, GError **error)
{
  if (disk_source_host_count (source) == 1)
    return disk_source_host (source, 0);
  refuse (error, "%s accepts only one host", what);
  return NULL;
}

static char *
port_text (const DiskSource *source, const DiskHost *host)
{
  return g_strdup_printf ("%u", disk_host_port (source, host));
}

/* A SocketAddress; NULL with @error for what QEMU cannot reach. */
static JsonObject *
socket_address (const DiskSource *source, const DiskHost *host, GError **error)
{
  g_autofree char *port = port_text (source, host);

  if (host->transport == DISK_TRANSPORT_UNIX)
    return props ("type", "s", "unix", "path", "s", host->socket, NULL);
  if (host->transport == DISK_TRANSPORT_RDMA) {
    refuse (error, "transport protocol 'rdma' is not yet supported");
    return NULL;
  }
  return props ("type", "s", "inet", "host", "s", host->name, "port", "s", port, NULL);
}

/* "pool/image" */
static void
split_name (const DiskSource *source, char **ret_pool, char **ret_image)
{
  const char *slash = strchr (source->name, '/');

  *ret_pool = g_strndup (source->name, (gsize)(slash - source->name));
  *ret_image = g_strdup (slash + 1);
}

static JsonObject *
nbd_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  const DiskHost *host = only_host (source, "nbd protocol", error);
  JsonObject *server = host != NULL ? socket_address (source, host, error) : NULL;

  if (server == NULL)
    return NULL;
  return props ("driver", "s", "nbd", "server", "o", server, "export", "?s", source->name, "tls-creds", "?s",
                node->tls, "tls-hostname", "?s", node->tls != NULL ? source->tls_hostname : NULL,
                "reconnect-delay", "N", &source->reconnect_delay, NULL);
}

static JsonArray *
rbd_servers (const DiskSource *source)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < disk_source_host_count (source); i++) {
    const DiskHost *host = disk_source_host (source, i);
    g_autofree char *port = port_text (source, host);

    json_array_add_object_element (list, props ("host", "s", host->name, "port", "s", port, NULL));
  }
  return list;
}

/* The keys of an image that librbd decrypts: its own, with those of the images it was cloned from inside. */
static JsonObject *
rbd_encryption (const DiskNode *node)
{
  JsonObject *inner = NULL;

  for (guint i = node->encryption_secrets != NULL ? node->encryption_secrets->len : 0; i > 0; i--)
    inner = props ("format", "s", node->image.encryption->format, "key-secret", "s",
                   g_ptr_array_index (node->encryption_secrets, i - 1), "parent", "?o", inner, NULL);
  return inner;
}

static JsonObject *
rbd_node (DiskNode *node, GError **error G_GNUC_UNUSED)
{
  const DiskSource *source = node->image.source;
  g_autofree char *pool = NULL, *image = NULL;
  JsonObject *properties;

  split_name (source, &pool, &image);
  properties = props ("driver", "s", "rbd", "pool", "s", pool, "image", "s", image, "snapshot", "?s",
                      source->snapshot, "conf", "?s", source->config, NULL);
  if (disk_source_host_count (source) > 0)
    props_add (properties, "server", "a", rbd_servers (source), NULL);
  if (disk_has_engine (&node->image, DISK_ENGINE_LIBRBD))
    props_add (properties, "encrypt", "?o", rbd_encryption (node), NULL);
  if (node->image.auth != NULL) {
    JsonArray *ways = json_array_new ();

    json_array_add_string_element (ways, "cephx");
    json_array_add_string_element (ways, "none");
    props_add (properties, "user", "s", node->image.auth->user, "auth-client-required", "a", ways,
               "key-secret", "s", node->auth_secret, NULL);
  }
  return properties;
}

static JsonObject *
gluster_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  g_autoptr (JsonArray) servers = json_array_new ();
  g_autofree char *volume = NULL, *path = NULL;

  split_name (source, &volume, &path);
  for (guint i = 0; i < disk_source_host_count (source); i++) {
    JsonObject *server = socket_address (source, disk_source_host (source, i), error);

    if (server == NULL)
      return NULL;
    json_array_add_object_element (servers, server);
  }
  return props ("driver", "s", "gluster", "volume", "s", volume, "path", "s", path, "server", "a",
                json_array_ref (servers), "debug", "i", GLUSTER_DEBUG, NULL);
}

/* "iqn.1992-01.com.example:storage/1": the target, and the unit behind the slash. */
static JsonObject *
iscsi_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  const DiskHost *host = only_host (source, "iSCSI protocol", error);
  g_auto (GStrv) parts = g_strsplit (source->name, "/", 2);
  g_autofree char *portal = NULL;
  guint64 unit;

  if (host == NULL)
    return NULL;
  if (host->transport == DISK_TRANSPORT_UNIX) {
    refuse (error, "an iSCSI target is not reached over transport 'unix'");
    return NULL;
  }
  if (parts[1] == NULL || !parse_uint (parts[1], G_MAXUINT32, &unit)) {
    refuse (error, "cannot parse target for lunStr '%s': expected TARGET/UNIT with a number as unit",
            parts[0]);
    return NULL;
  }
  portal = g_strdup_printf (strchr (host->name, ':') != NULL ? "[%s]:%u" : "%s:%u", host->name,
                            disk_host_port (source, host));
  return props ("driver", "s", "iscsi", "portal", "s", portal, "target", "s", parts[0], "lun", "u",
                (guint)unit, "transport", "s", "tcp", "user", "?s",
                node->image.auth != NULL ? node->image.auth->user : NULL, "password-secret", "?s",
                node->auth_secret, "initiator-name", "?s", source->initiator, NULL);
}

/* scheme://host:port/path?query, with what a path may not hold escaped. */
static char *
make_url (const DiskSource *source, const DiskHost *host)
{
  const char *scheme = enum_table_name (&disk_protocols, source->protocol);
  const char *name = source->name[0] == '/' ? source->name + 1 : source->name;
  g_autofree char *path = g_uri_escape_string (name, "/!$&'()*+,;=:@", FALSE);
  gboolean is_ipv6 = strchr (host->name, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u/%s%s%s", scheme, is_ipv6 ? "[" : "", host->name, is_ipv6 ? "]" : "",
                          disk_host_port (source, host), path, source->query != NULL ? "?" : "",
                          source->query != NULL ? source->query : "");
}

static JsonObject *
url_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  const char *protocol = enum_table_name (&disk_protocols, source->protocol);
  g_autofree char *what = g_strdup_printf ("protocol '%s'", protocol);
  const DiskHost *host = only_host (source, what, error);
  g_autofree char *url = NULL;
  JsonObject *properties;

  if (host == NULL)
    return NULL;
  if (host->name == NULL) {
    refuse (error, "a server of protocol '%s' is not reached over transport 'unix'", protocol);
    return NULL;
  }
  url = make_url (source, host);
  properties = props ("driver", "s", protocol, "url", "s", url, "username", "?s",
                      node->image.auth != NULL ? node->image.auth->user : NULL, "password-secret", "?s",
                      node->auth_secret, NULL);
  if (source->protocol == DISK_PROTOCOL_HTTPS || source->protocol == DISK_PROTOCOL_FTPS)
    props_add (properties, "sslverify", "T", source->ssl_verify, NULL);
  if (source->protocol == DISK_PROTOCOL_HTTPS || source->protocol == DISK_PROTOCOL_HTTP)
    props_add (properties, "cookie-secret", "?s", node->cookie_secret, NULL);
  props_add (properties, "timeout", "N", &source->timeout, "readahead", "N", &source->readahead, NULL);
  return properties;
}

/* QEMU finds the keys of its user by itself: the others are for nbdkit, as in libvirt. */
static JsonObject *
ssh_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  const DiskHost *host = only_host (source, "ssh protocol", error);
  const char *user = node->image.auth != NULL ? node->image.auth->user : source->ssh_user;
  g_autofree char *port = NULL;

  if (host == NULL)
    return NULL;
  port = port_text (source, host);
  return props ("driver", "s", "ssh", "path", "s", source->name, "server", "o",
                props ("host", "?s", host->name, "port", "s", port, NULL), "user", "?s", user, NULL);
}

/* "+12" and "12" are numbers; names are looked up where the machine runs. */
static gboolean
resolve_id (const DiskNode *node, const char *name, gboolean group, Number *ret_id, GError **error)
{
  const RecipeHost *host = recipe_host (node->recipe);
  guint64 id;

  if (name == NULL)
    return TRUE;
  if (parse_uint (name[0] == '+' ? name + 1 : name, G_MAXUINT32, &id)) {
    *ret_id = NUMBER (id);
    return TRUE;
  }
  if (g_str_equal (name, "root"))
    *ret_id = NUMBER (0);
  else if (host->account_id == NULL || !host->account_id (name, group, ret_id)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "Failed to parse %s '%s'", group ? "group" : "user", name);
    return FALSE;
  }
  return TRUE;
}

static JsonObject *
nfs_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;
  const DiskHost *host = only_host (source, "nfs protocol", error);
  Number user = { 0 }, group = { 0 };

  if (host == NULL || !resolve_id (node, source->nfs_user, FALSE, &user, error)
      || !resolve_id (node, source->nfs_group, TRUE, &group, error))
    return NULL;
  return props ("driver", "s", "nfs", "server", "o",
                props ("host", "s", host->name, "type", "s", "inet", NULL), "path", "s", source->name, "user",
                "N", &user, "group", "N", &group, NULL);
}

static JsonObject *
vxhs_node (DiskNode *node G_GNUC_UNUSED, GError **error)
{
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "VxHS protocol is not supported with this QEMU binary");
  return NULL;
}

static JsonObject *(*const network_nodes[]) (DiskNode *node, GError **error) = {
  [DISK_PROTOCOL_NBD] = nbd_node,         [DISK_PROTOCOL_RBD] = rbd_node,
  [DISK_PROTOCOL_GLUSTER] = gluster_node, [DISK_PROTOCOL_ISCSI] = iscsi_node,
  [DISK_PROTOCOL_HTTP] = url_node,        [DISK_PROTOCOL_HTTPS] = url_node,
  [DISK_PROTOCOL_FTP] = url_node,         [DISK_PROTOCOL_FTPS] = url_node,
  [DISK_PROTOCOL_TFTP] = url_node,        [DISK_PROTOCOL_SSH] = ssh_node,
  [DISK_PROTOCOL_VXHS] = vxhs_node,       [DISK_PROTOCOL_NFS] = nfs_node,
};

static JsonObject *
network_node (DiskNode *node, GError **error)
{
  const DiskSource *source = node->image.source;

  if (source->protocol >= (int)G_N_ELEMENTS (network_nodes) || network_nodes[source->protocol] == NULL) {
    qemu_unsupported (&node->disk->device, error, "the protocol '%s' is not supported by the QEMU target",
                      enum_table_name (&disk_protocols, source->protocol));
    return NULL;
  }
  return network_nodes[source->protocol](node, error);
}

static const char *
aio_of (const DeviceDisk *disk)
{
  static const char *const names[] = { NULL, "native", "threads", "io_uring" };

  return names[disk->io];
}

static JsonObject *
file_node (DiskNode *node, GError **error G_GNUC_UNUSED)
{
  const DeviceDisk *disk = node->disk;
  /* Whether it is a drive with a tray, only its host can tell. */
  gboolean is_drive = disk->device_type == DISK_DEVICE_CDROM && recipe_by_descriptor (node->recipe);
  const char *driver = node->image.type != DISK_TYPE_BLOCK ? "file" : is_drive ? "host_cdrom" : "host_device";

  return props ("driver", "s", driver, "filename", "s",
                recipe_file (node->recipe, node->image.path, !node->readonly, &disk->device, "disk image"),
                "aio", "?s", aio_of (disk), "pr-manager", "?s", node->pr_manager, NULL);
}

/* QEMU reads the directory by itself, with the rights of its account. */
static JsonObject *
directory_node (DiskNode *node, GError **error G_GNUC_UNUSED)
{
  return props ("driver", "s", "vvfat", "dir", "s", node->image.source->dir, "floppy", "b",
                node->disk->device_type == DISK_DEVICE_FLOPPY, "rw", "b", FALSE, NULL);
}

static JsonObject *
nvme_node (DiskNode *node, GError **error G_GNUC_UNUSED)
{
  g_autofree char *device = host_pci_name (&node->image.source->pci);

  return props ("driver", "s", "nvme", "device", "s", device, "namespace", "N",
                &node->image.source->nvme_namespace, NULL);
}

static JsonObject *
vdpa_node (DiskNode *node, GError **error)
{
  const DeviceDisk *disk = node->disk;

  if (recipe_host (node->recipe)->paused
      && qemu_caps_version (recipe_caps (node->recipe)) < VDPA_OLDEST_QEMU) {
    qemu_lacks (node->recipe, &disk->device, "a disk of type 'vhostvdpa'", NULL, error);
    return NULL;
  }
  return props ("driver", "s", "virtio-blk-vhost-vdpa", "path", "s",
                recipe_file (node->recipe, node->image.source->vdpa, TRUE, &disk->device, "vDPA device"),
                NULL);
}

JsonObject *
disk_storage_node (DiskNode *node, GError **error)
{
  static JsonObject *(*const nodes[]) (DiskNode *, GError **) = {
    [DISK_TYPE_NONE] = file_node,       [DISK_TYPE_FILE] = file_node,       [DISK_TYPE_BLOCK] = file_node,
    [DISK_TYPE_DIR] = directory_node,   [DISK_TYPE_NETWORK] = network_node, [DISK_TYPE_NVME] = nvme_node,
    [DISK_TYPE_VHOST_VDPA] = vdpa_node,
  };
  int type = node->image.type;

  if (type == DISK_TYPE_VHOST_USER) {
    refuse (error, "unable to create blockdev props for %s disk type", enum_table_name (&disk_types, type));
    return NULL;
  }
  if (type >= (int)G_N_ELEMENTS (nodes) || nodes[type] == NULL) {
    qemu_unsupported (&node->disk->device, error, "disks of type '%s' are not supported by the QEMU target",
                      enum_table_name (&disk_types, type));
    return NULL;
  }
  return nodes[type](node, error);
}
