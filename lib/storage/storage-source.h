/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* Where the volumes of a pool come from: <source>. Which members there are is the pool type's to say. Pure.
 */

typedef struct {
  char *name;
  SignedNumber port; /* -1: the protocol's own */
} StorageHost;

typedef struct {
  Number start, end; /* bytes */
} StorageExtent;

typedef struct {
  char *path;         /* or the name of an iSCSI target */
  int part_separator; /* Tristate: is there a "p" between a partition's device and its number? */
  GPtrArray *extents; /* StorageExtent: what is free; NULL: none */
} StorageDevice;

/* A host bus adapter that is there, by its name or by its parent's PCI address; or one that is made. */
typedef struct {
  int type; /* 0: not said; scsi_host, fc_host */
  char *name, *parent, *parent_wwnn, *parent_wwpn, *parent_fabric_wwn, *wwnn, *wwpn;
  int managed; /* Tristate */
  Number unique_id;
  gboolean has_address;
  Number domain, bus, slot, function;
  int multifunction; /* Tristate */
} StorageAdapter;

typedef struct {
  int type; /* chap, ceph */
  char *username, *uuid, *usage;
} StorageAuth;

typedef struct {
  GPtrArray *hosts;   /* StorageHost; NULL: none */
  GPtrArray *devices; /* StorageDevice; NULL: none */
  char *directory;
  StorageAdapter *adapter;
  char *name, *initiator;
  char *format;
  StorageAuth *auth;
  char *protocol_version;
  char *vendor, *product;
} StoragePoolSource;

typedef struct {
  char *name, *value;
} StorageOption;

extern const FieldTable storage_source_table, storage_option_table, storage_mount_option_table,
    storage_extent_table;
