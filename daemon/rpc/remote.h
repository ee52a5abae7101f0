/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * The daemon as a client of another one, libvirt's or ours: for migrations from peer to peer. Job's thread:
 * every call is sent and its answer awaited, no longer than the job's deadline and no longer than the job is
 * wanted. What the other daemon says is untrusted, as any client's words are.
 */
typedef struct Remote Remote;

/* @uri: "qemu:///system", "qemu:///system?socket=PATH", "qemu+unix:///session?socket=PATH", or
 * "qemu+tcp://HOST[:PORT]/system" for a daemon that asks for no authentication. VIR_ERR_OPERATION_FAILED, in
 * libvirt's words, when there is no way to it, VIR_ERR_INVALID_ARG for another URI, VIR_ERR_OPERATION_TIMEOUT
 * when it has not let us in after @patience seconds. */
Remote *remote_open (const char *uri, guint patience, Job *job, GError **error);
void remote_free (Remote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Remote, remote_free)

/* The answer of procedure @procedure of libvirt's protocol, in the shape @out ("-": "()"). @arguments (sunk)
 * has the shape @in. NULL with the other daemon's own error, or one that says how the connection ended: then
 * it is lost, and nothing is known of what the other daemon did. (transfer full) */
GVariant *remote_call (Remote *remote, Job *job, int procedure, const char *in, const char *out,
                       GVariant *arguments, GError **error);
gboolean remote_is_lost (const Remote *remote);
/* Has the other daemon the feature (VIR_DRV_FEATURE_*)? FALSE also when it cannot be asked. */
gboolean remote_supports (Remote *remote, Job *job, int feature);
