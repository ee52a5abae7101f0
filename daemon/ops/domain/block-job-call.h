/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine-block-jobs.h"
#include "daemon/ops/ops.h"
#include "domain/devices/disk-chain.h"

/* What the calls that begin a block job have in common. */

/* MiB a second, or bytes, as bytes; FALSE, and the call failed in libvirt's words, when it is too much. */
gboolean block_job_call_speed (Call *call, guint64 bandwidth, gboolean is_bytes, guint64 *ret_bytes);
/* Have the domain's lock and a disk without a block job, that of the call's argument 1 (a target or a path),
 * then @begin; the call has failed otherwise. @name is static; @data is freed with the call by @free_data,
 * unless a request has taken it. */
typedef void (*BlockJobCallBegin) (Call *call, Machine *machine, const DeviceDisk *disk, gpointer data);
void block_job_call (Call *call, const char *name, BlockJobCallBegin begin, gpointer data,
                     GDestroyNotify free_data);
/* A new request whose end answers @call; the call's data is request->data. (transfer full) */
BlockJobRequest *block_job_call_request (Call *call, const DeviceDisk *disk);

/* A job's thread: the record of @request's job, whose id names the node of image @named. FALSE: the emulator
 * is not there. */
gboolean
block_job_call_prepare (BlockJobRequest *request, const BlockJobKind *kind, guint64 named, GError **error);
/* A job's thread: what the header of image @above is to say when image @base is below it: the path, or, with
 * @relative, one relative to the image, where all headers between them have such names. NULL without an
 * error: QEMU's own word. */
gboolean block_job_call_backing (BlockJobRequest *request, guint64 above, guint64 base, gboolean relative,
                                 GError **error);

/* domain-block-copy.c: a copy asked for by BLOCK_REBASE, whose arguments the call has. */
void block_copy_of_rebase (Call *call);
