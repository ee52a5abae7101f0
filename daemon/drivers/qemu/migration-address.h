/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include <gio/gio.h>

/*
 * Where a machine's state goes, as libvirt writes it: "tcp:HOST:PORT" (its oldest form), "tcp://HOST:PORT",
 * "unix:///PATH". Bare addresses of IPv6 are in brackets.
 */
typedef struct {
  char *host; /* NULL: a socket; without brackets */
  guint port; /* 0: not said */
  char *path; /* of a socket; absolute */
} MigrationAddress;

#define MIGRATION_PORTS_FIRST 49152 /* as libvirt's, which firewalls know */
#define MIGRATION_PORTS_LAST  49215

/* FALSE with VIR_ERR_INVALID_ARG, or VIR_ERR_ARGUMENT_UNSUPPORTED for RDMA. @ret is cleared by the caller. */
gboolean migration_address_parse (const char *uri, MigrationAddress *ret, GError **error);
void migration_address_clear (MigrationAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MigrationAddress, migration_address_clear)
/* As QEMU takes it. (transfer full) */
char *migration_address_to_qemu (const MigrationAddress *address);
/* As libvirt's clients take it. (transfer full) */
char *migration_address_to_uri (const MigrationAddress *address);
/* A connected socket, or -1. Job's thread; @cancellable wakes it. */
int migration_address_connect (const MigrationAddress *address, GCancellable *cancellable, GError **error);
