/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "base/virt-error.h"
#include "network/network-def.h"

/*
 * What is there of a network on the host, as the file "status.json" of its directory says it. It is written
 * before each step that makes something, so that a daemon that finds it knows what there may be.
 */
#define NETWORK_STATUS_FILE "status.json"
#define NETWORK_STATUS_MAX  65536 /* bytes of the file */

typedef enum { NETWORK_STARTING, NETWORK_RUNNING, NETWORK_STOPPING, NETWORK_STAGES } NetworkStage;

typedef struct {
  gint ref_count;
  NetworkStage stage;
  guint steps;           /* 1 << number of each step that was begun; see network-steps.h */
  char *bridge;          /* NULL: it has none of ours */
  guint8 mac[MAC_BYTES]; /* of the bridge: so it is known for ours */
  guint helper;          /* which dnsmasq it is, counted from 1; 0: none */
  char *zone;            /* of firewalld, that the bridge was put in; NULL: none */
  /* Not in the file: */
  char *leases;    /* dnsmasq's, where its changes are wanted; NULL: they are not */
  NetworkDef *def; /* the definition with what was found on the host; NULL: as it was given */
} NetworkStatus;   /* immutable once a job has returned it, shared by reference */

NetworkStatus *network_status_ref (NetworkStatus *status);
void network_status_unref (NetworkStatus *status);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkStatus, network_status_unref)
/* The definition with what was found on the host: the interfaces or addresses of a <pf>. NULL: as it was
 * given. (borrowed) */
const NetworkDef *network_status_def (const NetworkStatus *status);

/* For those who make one. */
NetworkStatus *network_status_new (void);
NetworkStatus *network_status_copy (const NetworkStatus *status);
/* FALSE with @error: the file is as it was. */
gboolean network_status_save (const NetworkStatus *status, const char *directory, GError **error);
/* NULL: there is none, or with @error one that cannot be understood. */
NetworkStatus *network_status_load (const char *directory, GError **error);
void network_status_remove (const char *directory);
