/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <source> of a disk that is no file and no block device, and what any <source> may have: slices, keys, TLS,
 * reservations, a data file. A disk, each image below it and each data file have one, so the fields are a
 * macro that each of their tables holds. What of it is refused, is in disk-source-validate.c.
 */

#include "domain/devices/disk-source.h"

#include <string.h>

const EnumTable disk_types = {
  "disk type", { NULL, "file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa" }
};
const EnumTable disk_protocols = { "disk source protocol",
                                   { NULL, "nbd", "rbd", "sheepdog", "gluster", "iscsi", "http", "https",
                                     "ftp", "ftps", "tftp", "ssh", "vxhs", "nfs" } };
const EnumTable disk_engines = { "encryption engine", { NULL, "qemu", "librbd" } };
const EnumTable disk_pool_modes = { "mode of a pool's volume", { NULL, "host", "direct" } };
static const EnumTable transports = { "transport", { NULL, "tcp", "unix", "rdma" } };

const FieldRange disk_range_32 = { 0, G_MAXUINT32 };

static const Field host_fields[] = {
  FIELD (DiskHost, name, "@name", field_text, NULL),
  FIELD (DiskHost, port, "@port", field_text, NULL),
  FIELD (DiskHost, transport, "@transport", field_enum, &transports),
  FIELD (DiskHost, socket, "@socket", field_text, NULL),
  FIELD_END,
};
const FieldTable disk_host_table = { sizeof (DiskHost), host_fields };

static const Field slice_fields[] = {
  FIELD (DiskSlice, type, "@type", field_text, NULL),
  FIELD (DiskSlice, offset, "@offset", field_number, NULL),
  FIELD (DiskSlice, size, "@size", field_number, NULL),
  FIELD_END,
};
const FieldTable disk_slice_table = { sizeof (DiskSlice), slice_fields };

static const Field cookie_fields[] = {
  FIELD (DiskCookie, name, "@name", field_text, NULL),
  FIELD (DiskCookie, value, ".", field_text, NULL),
  FIELD_END,
};
const FieldTable disk_cookie_table = { sizeof (DiskCookie), cookie_fields };

static const Field secret_fields[] = {
  FIELD (DiskSecret, type, "@type", field_text, NULL),
  FIELD (DiskSecret, uuid, "@uuid", field_text, NULL),
  FIELD (DiskSecret, usage, "@usage", field_text, NULL),
  FIELD_END,
};
static const FieldTable secret_table = { sizeof (DiskSecret), secret_fields };

static const Field auth_fields[] = {
  FIELD (DiskAuth, user, "@username", field_text, NULL),
  FIELD (DiskAuth, secret, "secret", field_optional, &secret_table),
  FIELD_END,
};
const FieldTable disk_auth_table = { sizeof (DiskAuth), auth_fields };

static const Field encryption_fields[] = {
  FIELD (DiskEncryption, format, "@format", field_text, NULL),
  FIELD (DiskEncryption, engine, "@engine", field_enum, &disk_engines),
  FIELD (DiskEncryption, secrets, "secret", field_list, &secret_table),
  FIELD (DiskEncryption, cipher, "cipher", field_verbatim, NULL),
  FIELD (DiskEncryption, ivgen, "ivgen", field_verbatim, NULL),
  FIELD_END,
};
const FieldTable disk_encryption_table = { sizeof (DiskEncryption), encryption_fields };

/* That a connection would be made again is read, and forgotten, by libvirt too. */
static const Field reservations_fields[] = {
  FIELD_WITH (DiskReservations, managed, "@managed", field_yes_no, NULL, FIELD_REQUIRED),
  FIELD (DiskReservations, type, "source/@type", field_text, NULL),
  FIELD (DiskReservations, path, "source/@path", field_text, NULL),
  FIELD (DiskReservations, mode, "source/@mode", field_text, NULL),
  { .path = "source/reconnect/@enabled", .flags = FIELD_IGNORED },
  { .path = "source/reconnect/@timeout", .flags = FIELD_IGNORED },
  { .path = "source/reconnect/@delay", .flags = FIELD_IGNORED },
  FIELD_END,
};
const FieldTable disk_reservations_table = { sizeof (DiskReservations), reservations_fields };

static const Field data_store_fields[] = {
  FIELD_WITH (DiskDataStore, type, "@type", field_enum, &disk_types, FIELD_REQUIRED),
  FIELD (DiskDataStore, format, "format/@type", field_text, NULL),
  FIELD_WHEN (DiskDataStore, file, "source/@file", field_text, NULL, type, DISK_TYPE_BIT (FILE)),
  FIELD_WHEN (DiskDataStore, fdgroup, "source/@fdgroup", field_text, NULL, type, DISK_TYPE_BIT (FILE)),
  FIELD_WHEN (DiskDataStore, dev, "source/@dev", field_text, NULL, type, DISK_TYPE_BIT (BLOCK)),
  DISK_SOURCE_ATTRIBUTES (DiskDataStore),
  FIELD (DiskDataStore, startup_policy, "source/@startupPolicy", field_enum, &startup_policies),
  FIELD_WITH (DiskDataStore, index, "source/@index", field_number, &disk_range_32, FIELD_LIVE),
  DISK_SOURCE_ELEMENTS (DiskDataStore),
  FIELD_END,
};
const FieldTable disk_data_store_table = { sizeof (DiskDataStore), data_store_fields };

/* The port a protocol has by itself; 0: the client knows it, or there is none. */
static const guint default_ports[] = {
  [DISK_PROTOCOL_NBD] = 10809,  [DISK_PROTOCOL_SHEEPDOG] = 7000, [DISK_PROTOCOL_GLUSTER] = 24007,
  [DISK_PROTOCOL_ISCSI] = 3260, [DISK_PROTOCOL_HTTP] = 80,       [DISK_PROTOCOL_HTTPS] = 443,
  [DISK_PROTOCOL_FTP] = 21,     [DISK_PROTOCOL_FTPS] = 990,      [DISK_PROTOCOL_TFTP] = 69,
  [DISK_PROTOCOL_SSH] = 22,     [DISK_PROTOCOL_VXHS] = 9999,     [DISK_PROTOCOL_NFS] = 0,
};

static void
complete_host (const DiskSource *source, DiskHost *host)
{
  guint port = default_ports[source->protocol];

  if (host->transport == DISK_TRANSPORT_TCP)
    host->transport = DISK_TRANSPORT_NONE;
  if (host->transport == DISK_TRANSPORT_UNIX) {
    g_clear_pointer (&host->name, g_free);
    g_clear_pointer (&host->port, g_free);
  } else if (host->port == NULL && port != 0)
    host->port = g_strdup_printf ("%u", port);
}

static void
drop_zero (Number *number)
{
  if (number->value == 0)
    number->set = FALSE;
}

/* A slice that is none of the storage is none to libvirt. */
static void
drop_other_slices (DiskSource *source)
{
  for (guint i = source->slices != NULL ? source->slices->len : 0; i > 0; i--) {
    DiskSlice *slice = g_ptr_array_index (source->slices, i - 1);

    if (g_strcmp0 (slice->type, "storage") == 0)
      continue;
    g_ptr_array_remove_index (source->slices, i - 1);
    field_free (&disk_slice_table, slice);
  }
  if (source->slices != NULL && source->slices->len == 0)
    g_clear_pointer (&source->slices, g_ptr_array_unref);
}

static void
complete_network (DiskSource *source)
{
  for (guint i = 0; i < disk_source_host_count (source); i++)
    complete_host (source, g_ptr_array_index (source->hosts, i));
  if (source->name != NULL && *source->name == '\0')
    g_clear_pointer (&source->name, g_free);
  if (source->protocol == DISK_PROTOCOL_ISCSI && source->name != NULL && strchr (source->name, '/') == NULL) {
    g_autofree char *target = source->name;

    source->name = g_strconcat (target, "/0", NULL);
  }
  drop_zero (&source->readahead);
  drop_zero (&source->timeout);
}

static void
complete_secret (DiskSecret *secret)
{
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  if (secret == NULL || secret->uuid == NULL || !uuid_parse (secret->uuid, uuid))
    return;
  uuid_format (uuid, text);
  g_free (secret->uuid);
  secret->uuid = g_strdup (text);
}

void
disk_auth_complete (DiskAuth *auth)
{
  if (auth != NULL)
    complete_secret (auth->secret);
}

void
disk_encryption_complete (DiskEncryption *encryption)
{
  if (encryption == NULL)
    return;
  if (encryption->engine == DISK_ENGINE_NONE)
    encryption->engine = DISK_ENGINE_QEMU;
  for (guint i = 0; encryption->secrets != NULL && i < encryption->secrets->len; i++)
    complete_secret (g_ptr_array_index (encryption->secrets, i));
}

static void
complete_vhost_user (DiskSource *source)
{
  if (source->reconnect != TRISTATE_YES)
    source->reconnect_timeout.set = FALSE;
}

void
disk_source_complete (Completion *completion, int type, DiskSource *source)
{
  if (type == DISK_TYPE_NETWORK)
    complete_network (source);
  if (type == DISK_TYPE_NVME)
    host_pci_complete (completion, &source->pci);
  if (type == DISK_TYPE_VHOST_USER)
    complete_vhost_user (source);
  drop_other_slices (source);
  disk_auth_complete (source->auth);
  disk_encryption_complete (source->encryption);
  if (source->data_store != NULL)
    disk_source_complete (completion, source->data_store->type, &source->data_store->source);
}

const char *
disk_source_name (int type, const DiskSource *source)
{
  switch (type) {
    case DISK_TYPE_DIR:
      return source->dir;
    case DISK_TYPE_NETWORK:
      return source->name;
    case DISK_TYPE_VHOST_USER:
      return source->socket;
    case DISK_TYPE_VHOST_VDPA:
      return source->vdpa;
    default:
      return NULL;
  }
}

gboolean
disk_source_is_set (int type, const DiskSource *source)
{
  switch (type) {
    case DISK_TYPE_DIR:
      return source->dir != NULL;
    case DISK_TYPE_NETWORK:
      return source->protocol != DISK_PROTOCOL_NONE;
    case DISK_TYPE_VOLUME:
      return source->pool != NULL || source->volume != NULL;
    case DISK_TYPE_NVME:
      return source->nvme_namespace.set || source->kind != NULL;
    case DISK_TYPE_VHOST_USER:
      return source->kind != NULL || source->socket != NULL;
    case DISK_TYPE_VHOST_VDPA:
      return source->vdpa != NULL;
    default:
      return FALSE;
  }
}

guint
disk_source_host_count (const DiskSource *source)
{
  return source->hosts != NULL ? source->hosts->len : 0;
}

const DiskHost *
disk_source_host (const DiskSource *source, guint index)
{
  return index < disk_source_host_count (source) ? g_ptr_array_index (source->hosts, index) : NULL;
}

guint
disk_host_port (const DiskSource *source, const DiskHost *host)
{
  return host->port != NULL ? (guint)g_ascii_strtoull (host->port, NULL, 10)
                            : default_ports[source->protocol];
}

const DiskSlice *
disk_source_slice (const DiskSource *source)
{
  return source->slices != NULL && source->slices->len > 0 ? g_ptr_array_index (source->slices, 0) : NULL;
}
