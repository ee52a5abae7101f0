/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/hostdev-source.h"

/*
 * Where the bytes of one image come from: what a disk's <source>, that of an image below it and that of a
 * data file have in common. Files and block devices are the owner's own fields; everything else is here. All
 * strings and lists may be NULL, and belong to the owner's table.
 */
typedef enum {
  DISK_TYPE_NONE,
  DISK_TYPE_FILE,
  DISK_TYPE_BLOCK,
  DISK_TYPE_DIR,
  DISK_TYPE_NETWORK,
  DISK_TYPE_VOLUME,
  DISK_TYPE_NVME,
  DISK_TYPE_VHOST_USER,
  DISK_TYPE_VHOST_VDPA
} DiskType;
typedef enum {
  DISK_PROTOCOL_NONE,
  DISK_PROTOCOL_NBD,
  DISK_PROTOCOL_RBD,
  DISK_PROTOCOL_SHEEPDOG,
  DISK_PROTOCOL_GLUSTER,
  DISK_PROTOCOL_ISCSI,
  DISK_PROTOCOL_HTTP,
  DISK_PROTOCOL_HTTPS,
  DISK_PROTOCOL_FTP,
  DISK_PROTOCOL_FTPS,
  DISK_PROTOCOL_TFTP,
  DISK_PROTOCOL_SSH,
  DISK_PROTOCOL_VXHS,
  DISK_PROTOCOL_NFS
} DiskProtocol;
typedef enum {
  DISK_TRANSPORT_NONE,
  DISK_TRANSPORT_TCP,
  DISK_TRANSPORT_UNIX,
  DISK_TRANSPORT_RDMA
} DiskTransport;
typedef enum { DISK_ENGINE_NONE, DISK_ENGINE_QEMU, DISK_ENGINE_LIBRBD } DiskEngine;
typedef enum { DISK_POOL_MODE_NONE, DISK_POOL_MODE_HOST, DISK_POOL_MODE_DIRECT } DiskPoolMode;

typedef struct {
  int transport; /* DiskTransport; none: tcp */
  char *name;
  char *port; /* as it stands; filled in where the protocol has one of its own */
  char *socket;
} DiskHost;

/* One of the daemon's secrets, by one of the two. */
typedef struct {
  char *type, *uuid, *usage;
} DiskSecret;

typedef struct {
  char *user;
  DiskSecret *secret;
} DiskAuth;

typedef struct {
  char *format;         /* "luks", "luks2", "luks-any", and what is refused */
  int engine;           /* DiskEngine */
  GPtrArray *secrets;   /* DiskSecret; the first is the image's own, the others those of images below it */
  char *cipher, *ivgen; /* verbatim: for volumes only */
} DiskEncryption;

typedef struct {
  int managed; /* Tristate */
  char *type, *path, *mode;
} DiskReservations;

typedef struct {
  char *type;          /* "storage" */
  Number offset, size; /* bytes */
} DiskSlice;

typedef struct {
  char *name, *value;
} DiskCookie;

typedef struct DiskDataStore DiskDataStore;

typedef struct {
  char *dir;
  int protocol; /* DiskProtocol */
  char *name, *query;
  int tls; /* Tristate */
  char *tls_hostname;
  GPtrArray *hosts; /* DiskHost */
  char *snapshot, *config, *initiator;
  int ssl_verify;                             /* Tristate */
  GPtrArray *cookies;                         /* DiskCookie; secrets */
  Number readahead, timeout, reconnect_delay; /* bytes; seconds */
  char *known_hosts, *ssh_user, *ssh_key, *ssh_agent;
  char *nfs_user, *nfs_group;

  char *pool, *volume;
  int pool_mode; /* DiskPoolMode */

  char *kind;  /* @type of an NVMe device's and a vhost-user disk's: "pci", "unix" */
  int managed; /* Tristate; NVMe */
  Number nvme_namespace;
  HostPci pci;
  char *vdpa; /* vhost-vdpa device */
  char *socket;
  int reconnect; /* Tristate */
  Number reconnect_timeout;

  GPtrArray *slices;    /* DiskSlice */
  GPtrArray *seclabels; /* verbatim */
  DiskAuth *auth;
  DiskEncryption *encryption;
  DiskReservations *reservations;
  DiskDataStore *data_store;
} DiskSource;

/* The raw data of a qcow2 image that keeps it in a file of its own. */
struct DiskDataStore {
  int type;     /* DiskType */
  Number index; /* live only */
  char *format;
  char *file, *fdgroup, *dev;
  int startup_policy; /* StartupPolicy; without a meaning */
  DiskSource source;
};

extern const EnumTable disk_types, disk_protocols, disk_engines, startup_policies;
extern const FieldTable disk_auth_table, disk_encryption_table, disk_data_store_table;

/* Fields of a struct that has `int type` and `DiskSource source`, in the order in which libvirt writes them:
 * first its own paths, then these, with @index between the two groups. */
extern const FieldTable disk_host_table, disk_slice_table, disk_cookie_table, disk_reservations_table;
extern const FieldRange disk_range_32;
extern const EnumTable disk_pool_modes;
#define DISK_TYPE_BIT(name) FIELD_VALUE (DISK_TYPE_##name)
#define DISK_SOURCE_ROW(Struct, member, path, type_, detail, flags, types)                               \
  HOST_SOURCE_FIELD (Struct, source.member, "source/" path, type_, detail, FIELD_NO_ABI | (flags), type, \
                     types)
#define DISK_NETWORK_ROW(Struct, member, path, type_, detail) \
  DISK_SOURCE_ROW (Struct, member, path, type_, detail, 0, DISK_TYPE_BIT (NETWORK))
#define DISK_SOURCE_ATTRIBUTES(Struct)                                                                       \
  DISK_SOURCE_ROW (Struct, dir, "@dir", field_text, NULL, 0, DISK_TYPE_BIT (DIR)),                           \
      DISK_SOURCE_ROW (Struct, protocol, "@protocol", field_enum, &disk_protocols, FIELD_REQUIRED,           \
                       DISK_TYPE_BIT (NETWORK)),                                                             \
      DISK_NETWORK_ROW (Struct, name, "@name", field_text, NULL),                                            \
      DISK_NETWORK_ROW (Struct, query, "@query", field_text, NULL),                                          \
      DISK_NETWORK_ROW (Struct, tls, "@tls", field_yes_no, NULL),                                            \
      DISK_NETWORK_ROW (Struct, tls_hostname, "@tlsHostname", field_text, NULL),                             \
      DISK_SOURCE_ROW (Struct, pool, "@pool", field_text, NULL, 0, DISK_TYPE_BIT (VOLUME)),                  \
      DISK_SOURCE_ROW (Struct, volume, "@volume", field_text, NULL, 0, DISK_TYPE_BIT (VOLUME)),              \
      DISK_SOURCE_ROW (Struct, pool_mode, "@mode", field_enum, &disk_pool_modes, 0, DISK_TYPE_BIT (VOLUME)), \
      DISK_SOURCE_ROW (Struct, kind, "@type", field_text, NULL, 0,                                           \
                       DISK_TYPE_BIT (NVME) | DISK_TYPE_BIT (VHOST_USER)),                                   \
      DISK_SOURCE_ROW (Struct, managed, "@managed", field_yes_no, NULL, 0, DISK_TYPE_BIT (NVME)),            \
      DISK_SOURCE_ROW (Struct, nvme_namespace, "@namespace", field_number, NULL, FIELD_REQUIRED,             \
                       DISK_TYPE_BIT (NVME)),                                                                \
      DISK_SOURCE_ROW (Struct, socket, "@path", field_text, NULL, 0, DISK_TYPE_BIT (VHOST_USER)),            \
      DISK_SOURCE_ROW (Struct, vdpa, "@dev", field_text, NULL, FIELD_REQUIRED, DISK_TYPE_BIT (VHOST_VDPA))
#define DISK_SOURCE_ELEMENTS(Struct)                                                                      \
  DISK_NETWORK_ROW (Struct, hosts, "host", field_list, &disk_host_table),                                 \
      DISK_NETWORK_ROW (Struct, snapshot, "snapshot/@name", field_text, NULL),                            \
      DISK_NETWORK_ROW (Struct, config, "config/@file", field_text, NULL),                                \
      DISK_NETWORK_ROW (Struct, initiator, "initiator/iqn/@name", field_text, NULL),                      \
      DISK_NETWORK_ROW (Struct, ssl_verify, "ssl/@verify", field_yes_no, NULL),                           \
      DISK_SOURCE_ROW (Struct, cookies, "cookies/cookie", field_list, &disk_cookie_table, FIELD_SECRET,   \
                       DISK_TYPE_BIT (NETWORK)),                                                          \
      DISK_NETWORK_ROW (Struct, readahead, "readahead/@size", field_number, NULL),                        \
      DISK_NETWORK_ROW (Struct, timeout, "timeout/@seconds", field_number, NULL),                         \
      DISK_NETWORK_ROW (Struct, reconnect_delay, "reconnect/@delay", field_number, &disk_range_32),       \
      DISK_NETWORK_ROW (Struct, known_hosts, "knownHosts/@path", field_text, NULL),                       \
      DISK_NETWORK_ROW (Struct, ssh_user, "identity/@username", field_text, NULL),                        \
      DISK_NETWORK_ROW (Struct, ssh_key, "identity/@keyfile", field_text, NULL),                          \
      DISK_NETWORK_ROW (Struct, ssh_agent, "identity/@agentsock", field_text, NULL),                      \
      DISK_NETWORK_ROW (Struct, nfs_user, "identity/@user", field_text, NULL),                            \
      DISK_NETWORK_ROW (Struct, nfs_group, "identity/@group", field_text, NULL),                          \
      HOST_PCI_FIELDS (Struct, source.pci, type, DISK_TYPE_BIT (NVME)),                                   \
      DISK_SOURCE_ROW (Struct, reconnect, "reconnect/@enabled", field_yes_no, NULL, 0,                    \
                       DISK_TYPE_BIT (VHOST_USER)),                                                       \
      DISK_SOURCE_ROW (Struct, reconnect_timeout, "reconnect/@timeout", field_number, &disk_range_32, 0,  \
                       DISK_TYPE_BIT (VHOST_USER)),                                                       \
      { "source/reconnect/@delay",                                                                        \
        0,                                                                                                \
        NULL,                                                                                             \
        NULL,                                                                                             \
        FIELD_IGNORED,                                                                                    \
        { G_STRUCT_OFFSET (Struct, type), DISK_TYPE_BIT (VHOST_USER) } },                                 \
      FIELD_WITH (Struct, source.slices, "source/slices/slice", field_list, &disk_slice_table,            \
                  FIELD_NO_ABI),                                                                          \
      FIELD_WITH (Struct, source.seclabels, "source/seclabel", field_verbatims, NULL, FIELD_NO_ABI),      \
      FIELD_WITH (Struct, source.auth, "source/auth", field_optional, &disk_auth_table, FIELD_NO_ABI),    \
      FIELD_WITH (Struct, source.encryption, "source/encryption", field_optional, &disk_encryption_table, \
                  FIELD_NO_ABI),                                                                          \
      FIELD_WITH (Struct, source.reservations, "source/reservations", field_optional,                     \
                  &disk_reservations_table, FIELD_NO_ABI),                                                \
      FIELD_WITH (Struct, source.data_store, "source/dataStore", field_optional, &disk_data_store_table,  \
                  FIELD_NO_ABI)

/* What libvirt fills in. */
void disk_source_complete (Completion *completion, int type, DiskSource *source);
void disk_auth_complete (DiskAuth *auth); /* NULL is fine, like the next */
void disk_encryption_complete (DiskEncryption *encryption);

/* Refuse what cannot be, of one image. @object: the disk, for the place. */
void disk_source_validate (Validation *validation, gconstpointer object, int type, const char *format,
                           const DiskSource *source);
void disk_auth_validate (Validation *validation, gconstpointer object, const DiskSource *source,
                         const DiskAuth *auth);
void disk_encryption_validate (Validation *validation, gconstpointer object, int type, const char *format,
                               const DiskSource *source, const DiskEncryption *encryption);

/* Is anything of the source said that could be opened? Of the types that are no file and no block device. */
gboolean disk_source_is_set (int type, const DiskSource *source);
/* Its name where a path is asked for ("pool/image", "/dev/vhost-vdpa-0"); NULL: it has none. */
const char *disk_source_name (int type, const DiskSource *source);
/* The port of @host: its own, or the protocol's; 0: neither has one. */
guint disk_host_port (const DiskSource *source, const DiskHost *host);
guint disk_source_host_count (const DiskSource *source);
const DiskHost *disk_source_host (const DiskSource *source, guint index);
/* The part of the image that is the disk; NULL: all of it. */
const DiskSlice *disk_source_slice (const DiskSource *source);
