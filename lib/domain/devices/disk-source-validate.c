/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What makes the source of an image impossible, whether it is a disk's, that of an image below it or that of
 * a data file: libvirt refuses the same, in the same words. A function a concern; each points at the
 * attribute to change, or at the disk where nothing stands yet.
 */

#include "domain/devices/disk-private.h"

#include <string.h>

#define PORT_MAX 65535

#define REFUSE(member, ...) validation_error (validation, (member), object, __VA_ARGS__)
#define REFUSE_XML(member, ...) \
  validation_error_code (validation, VIR_ERR_XML_ERROR, (member), object, __VA_ARGS__)

static void
validate_port (Validation *validation, gconstpointer object, const DiskHost *host)
{
  char *end;
  gint64 port = g_ascii_strtoll (host->port, &end, 10);

  if (end == host->port || *end != '\0')
    validation_error_code (validation, VIR_ERR_INVALID_ARG, &host->port, object,
                           "failed to parse port number '%s'", host->port);
  else if (port < 0 || port > PORT_MAX)
    validation_error_code (validation, VIR_ERR_INVALID_ARG, &host->port, object, "port '%s' out of range",
                           host->port);
}

static void
validate_host (Validation *validation, gconstpointer object, const DiskHost *host)
{
  if (host->transport == DISK_TRANSPORT_UNIX) {
    if (host->socket == NULL)
      REFUSE_XML (&host->transport, "missing socket for unix transport");
    return;
  }
  if (host->socket != NULL)
    REFUSE_XML (&host->socket, "transport '%s' does not support socket attribute",
                host->transport == DISK_TRANSPORT_RDMA ? "rdma" : "tcp");
  else if (host->name == NULL)
    REFUSE_XML (host, "missing name for host");
  if (host->port != NULL)
    validate_port (validation, object, host);
}

/* RBD and GlusterFS: "pool/image". */
static gboolean
has_volume (const DiskSource *source)
{
  const char *slash = strchr (source->name, '/');

  return slash != NULL && slash != source->name && slash[1] != '\0';
}

static void
validate_name (Validation *validation, gconstpointer object, const DiskSource *source)
{
  if (source->name == NULL) {
    if (source->protocol != DISK_PROTOCOL_NBD)
      REFUSE_XML (&source->name, "missing name for disk source");
    return;
  }
  if ((source->protocol == DISK_PROTOCOL_RBD || source->protocol == DISK_PROTOCOL_GLUSTER)
      && !has_volume (source))
    REFUSE_XML (&source->name, "can't split path '%s' into pool name and image name", source->name);
}

/* RFC 6265, as libvirt reads it. */
static gboolean
is_cookie_text (const char *text, const char *special, gboolean quoted)
{
  gsize length = strlen (text);

  if (quoted && length > 0 && *text == '"') {
    text++;
    length--;
  }
  if (quoted && length > 0 && text[length - 1] == '"')
    length--;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr (special, text[i]) == NULL)
      return FALSE;
  return length > 0;
}

static void
validate_cookies (Validation *validation, gconstpointer object, const DiskSource *source)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; source->cookies != NULL && i < source->cookies->len; i++) {
    const DiskCookie *cookie = g_ptr_array_index (source->cookies, i);

    if (cookie->name == NULL)
      REFUSE_XML (cookie, "missing cookie name");
    else if (cookie->value == NULL || *cookie->value == '\0')
      REFUSE_XML (cookie, "missing value for cookie '%s'", cookie->name);
    else if (!is_cookie_text (cookie->name, "!#$%&'*+-.^_`|~", FALSE))
      REFUSE_XML (cookie, "cookie name '%s' contains invalid characters", cookie->name);
    else if (!is_cookie_text (cookie->value, "!#$%&'()*+-./:>=<?@^_`[]|~", TRUE))
      REFUSE_XML (cookie, "value of cookie '%s' contains invalid characters", cookie->name);
    else if (!g_hash_table_add (names, cookie->name))
      REFUSE_XML (cookie, "duplicate cookie '%s'", cookie->name);
  }
}

static void
validate_network (Validation *validation, gconstpointer object, const DiskSource *source)
{
  guint hosts = disk_source_host_count (source);

  if (source->protocol == DISK_PROTOCOL_NONE)
    return; /* the reader has said so */
  if (source->protocol == DISK_PROTOCOL_SHEEPDOG) {
    REFUSE (&source->protocol, "'sheepdog' protocol is no longer supported by any hypervisor driver");
    return;
  }
  validate_name (validation, object, source);
  for (guint i = 0; i < hosts; i++)
    validate_host (validation, object, disk_source_host (source, i));
  validate_cookies (validation, object, source);
  if (source->protocol == DISK_PROTOCOL_TFTP)
    REFUSE (&source->protocol, "'tftp' protocol is not supported with this QEMU binary");
  if (source->protocol != DISK_PROTOCOL_NFS)
    return;
  if (hosts != 1)
    REFUSE (&source->hosts, "'nfs' protocol requires the usage of exactly one host");
  else if (disk_source_host (source, 0)->port != NULL)
    REFUSE (&disk_source_host (source, 0)->port, "port cannot be specified in 'nfs' protocol host");
}

static void
validate_nvme (Validation *validation, gconstpointer object, const DiskSource *source)
{
  if (source->kind == NULL)
    REFUSE_XML (&source->kind, "missing 'type' attribute to disk source");
  else if (strcmp (source->kind, "pci") != 0)
    REFUSE_XML (&source->kind, "unsupported source type '%s'; expected 'pci'", source->kind);
  else if (!source->pci.bus.set)
    REFUSE_XML (&source->pci.bus, "NVMe disk source is missing address");
  else if (source->nvme_namespace.set && source->nvme_namespace.value == 0)
    REFUSE (&source->nvme_namespace, "NVMe namespace can't be zero");
}

static void
validate_vhost_user (Validation *validation, gconstpointer object, const DiskSource *source)
{
  if (source->kind == NULL)
    REFUSE_XML (&source->kind, "missing 'type' attribute for vhostuser disk source");
  else if (strcmp (source->kind, "unix") != 0)
    REFUSE_XML (&source->kind, "invalid 'type' attribute for vhostuser disk source; expected 'unix'");
  else if (source->socket == NULL)
    REFUSE_XML (&source->socket, "missing 'path' attribute for vhostuser disk source");
  if (source->reconnect == TRISTATE_YES && !source->reconnect_timeout.set)
    REFUSE_XML (&source->reconnect, "Missing required attribute 'timeout' in element 'reconnect'");
}

static gboolean
validate_secret (Validation *validation, gconstpointer object, const DiskSecret *secret)
{
  guint8 uuid[UUID_BYTES];

  if (secret->uuid == NULL && secret->usage == NULL)
    REFUSE_XML (secret, "missing secret uuid or usage attribute");
  else if (secret->uuid != NULL && secret->usage != NULL)
    REFUSE_XML (&secret->usage, "either secret uuid or usage expected");
  else if (secret->uuid != NULL && !uuid_parse (secret->uuid, uuid))
    REFUSE_XML (&secret->uuid, "invalid secret uuid '%s'", secret->uuid);
  else
    return TRUE;
  return FALSE;
}

/* What each protocol has its keys kept as; NULL: any. */
static const char *
secret_type_of (int protocol)
{
  return protocol == DISK_PROTOCOL_RBD ? "ceph" : protocol == DISK_PROTOCOL_ISCSI ? "iscsi" : NULL;
}

void
disk_auth_validate (Validation *validation, gconstpointer object, const DiskSource *source,
                    const DiskAuth *auth)
{
  static const char *const types[] = { "none", "volume", "ceph", "iscsi", "tls", "vtpm", NULL };
  const char *expected = secret_type_of (source->protocol);

  if (auth == NULL)
    return;
  if (auth->user == NULL)
    REFUSE_XML (auth, "missing username for auth");
  else if (auth->secret == NULL)
    REFUSE_XML (auth, "Missing <secret> element in auth");
  else if (!validate_secret (validation, object, auth->secret))
    return;
  else if (auth->secret->type != NULL && !g_strv_contains (types, auth->secret->type))
    REFUSE (&auth->secret->type, "unknown secret type '%s'; expected 'ceph' or 'iscsi'", auth->secret->type);
  else if (expected != NULL && g_strcmp0 (auth->secret->type, expected) != 0)
    REFUSE (&auth->secret->type, "invalid secret type '%s'; expected '%s'",
            auth->secret->type != NULL ? auth->secret->type : "none", expected);
}

/* FALSE: refused. */
static gboolean
validate_encryption_secrets (Validation *validation, gconstpointer object, const DiskEncryption *encryption)
{
  for (guint i = 0; encryption->secrets != NULL && i < encryption->secrets->len; i++) {
    const DiskSecret *secret = g_ptr_array_index (encryption->secrets, i);

    if (secret->type == NULL)
      REFUSE_XML (secret, "unknown volume encryption secret type; expected 'passphrase'");
    else if (strcmp (secret->type, "passphrase") != 0)
      REFUSE (&secret->type, "unknown volume encryption secret type %s; expected 'passphrase'", secret->type);
    else if (validate_secret (validation, object, secret))
      continue;
    return FALSE;
  }
  return TRUE;
}

/* FALSE: refused. */
static gboolean
validate_encryption_format (Validation *validation, gconstpointer object, const DiskEncryption *encryption)
{
  static const char *const formats[] = { "default", "qcow", "luks", "luks2", "luks-any", NULL };

  if (encryption->format == NULL)
    REFUSE_XML (encryption, "unknown volume encryption format");
  else if (!g_strv_contains (formats, encryption->format))
    REFUSE (&encryption->format, "unknown volume encryption format type %s; expected 'luks' or 'luks2'",
            encryption->format);
  else if (encryption->cipher != NULL && strstr (encryption->cipher, " name=") == NULL)
    REFUSE_XML (&encryption->cipher, "cipher info missing 'name' attribute");
  else if (encryption->cipher == NULL && encryption->ivgen != NULL)
    REFUSE_XML (&encryption->ivgen, "ivgen element found, but cipher is missing");
  else if (encryption->cipher != NULL)
    REFUSE (&encryption->cipher, "supplying <cipher> for domain disk definition is unnecessary");
  else
    return TRUE;
  return FALSE;
}

void
disk_encryption_validate (Validation *validation, gconstpointer object, int type, const char *format,
                          const DiskSource *source, const DiskEncryption *encryption)
{
  guint secrets = encryption != NULL && encryption->secrets != NULL ? encryption->secrets->len : 0;

  if (encryption == NULL || !validate_encryption_secrets (validation, object, encryption)
      || !validate_encryption_format (validation, object, encryption))
    return;
  if (g_str_equal (encryption->format, "qcow") || g_str_equal (encryption->format, "default"))
    REFUSE (&encryption->format, "old qcow/qcow2 encryption is not supported; expected 'luks'");
  else if (encryption->engine == DISK_ENGINE_LIBRBD) {
    if (type != DISK_TYPE_NETWORK || source->protocol != DISK_PROTOCOL_RBD)
      REFUSE (&encryption->engine, "librbd encryption is supported only with RBD backed disks");
  } else if (!g_str_equal (encryption->format, "luks"))
    REFUSE (&encryption->format, "'%s' is currently not supported by the qemu encryption engine",
            encryption->format);
  else if (secrets > 1)
    REFUSE (&encryption->secrets, "qemu encryption engine expects only a single secret");
  if (format != NULL && strcmp (format, "raw") != 0 && strcmp (format, "qcow2") != 0)
    REFUSE (encryption, "encryption is supported only with 'raw' and 'qcow2' image format, not '%s'", format);
}

static void
validate_reservations (Validation *validation, gconstpointer object, const DiskReservations *reservations)
{
  gboolean said = reservations->type != NULL || reservations->path != NULL || reservations->mode != NULL;

  if (reservations->managed == TRISTATE_YES && !said)
    return;
  if (reservations->type == NULL)
    REFUSE_XML (reservations, "missing connection type for <reservations/>");
  else if (strcmp (reservations->type, "unix") != 0)
    REFUSE_XML (&reservations->type, "unsupported connection type for <reservations/>: %s; expected 'unix'",
                reservations->type);
  else if (reservations->path == NULL)
    REFUSE_XML (reservations, "missing path for <reservations/>");
  else if (reservations->mode == NULL)
    REFUSE_XML (reservations, "missing connection mode for <reservations/>");
  else if (strcmp (reservations->mode, "client") != 0)
    REFUSE_XML (&reservations->mode, "unsupported connection mode for <reservations/>: %s; expected 'client'",
                reservations->mode);
}

static void
validate_data_store (Validation *validation, gconstpointer object, const char *format,
                     const DiskDataStore *store)
{
  if (store->type == DISK_TYPE_NONE)
    return; /* the reader has said so */
  if (store->format == NULL)
    REFUSE_XML (store, "missing data file store format");
  else if (store->file == NULL && store->dev == NULL && !disk_source_is_set (store->type, &store->source))
    REFUSE_XML (store, "missing disk data file store source");
  else if (disk_source_slice (&store->source) != NULL)
    REFUSE_XML (store, "slices are not supported for <dataStore>");
  else if (g_strcmp0 (format, "qcow2") != 0)
    REFUSE (store, "<dataStore> feature available only with qcow2 images");
  else if (strcmp (store->format, "raw") != 0)
    REFUSE (&store->format, "only 'raw' images supported as <dataStore>");
  else
    disk_source_validate (validation, object, store->type, store->format, &store->source);
}

void
disk_source_validate (Validation *validation, gconstpointer object, int type, const char *format,
                      const DiskSource *source)
{
  static void (*const validators[]) (Validation *, gconstpointer, const DiskSource *) = {
    [DISK_TYPE_NETWORK] = validate_network,
    [DISK_TYPE_NVME] = validate_nvme,
    [DISK_TYPE_VHOST_USER] = validate_vhost_user,
    [DISK_TYPE_VHOST_VDPA] = NULL,
  };

  if (validators[type] != NULL && (type == DISK_TYPE_NETWORK || disk_source_is_set (type, source)))
    validators[type](validation, object, source);
  for (guint i = 0; source->slices != NULL && i < source->slices->len; i++) {
    const DiskSlice *slice = g_ptr_array_index (source->slices, i);

    if (!slice->offset.set || !slice->size.set)
      REFUSE_XML (slice, "missing offset or size attribute of slice");
  }
  disk_auth_validate (validation, object, source, source->auth);
  disk_encryption_validate (validation, object, type, format, source, source->encryption);
  if (source->reservations != NULL && source->reservations->managed != TRISTATE_ABSENT)
    validate_reservations (validation, object, source->reservations);
  if (source->data_store != NULL)
    validate_data_store (validation, object, format, source->data_store);
}
