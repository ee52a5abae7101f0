/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of the kinds that are applied. A machine runs only where its policy says so; a network or a pool
 * that stands in the directory is there to be used. A volume is no object of its own: its pool makes it.
 */
#include "daemon/ops/apply/apply-kind.h"

#include "daemon/domain/domain-kind.h"
#include "daemon/network/networks.h"
#include "daemon/nwfilter/filters.h"
#include "daemon/secret/secrets.h"
#include "daemon/storage/pools.h"

/* Numbers of remote_protocol, as in daemon/call/operations.c. */
const ApplyKind apply_kinds[APPLY_KINDS + 1] = {
  { .kind = &secret_kind, .rank = 0 },
  { .kind = &filter_kind, .rank = 0 },
  { .kind = &storage_pool_kind,
    .rank = 1,
    .runs = TRUE,
    .start = 78,
    .start_flags = VIR_STORAGE_POOL_CREATE_NORMAL,
    .start_has_flags = TRUE,
    .stop = 80,
    .set_autostart = 90 },
  { .kind = &network_kind, .rank = 1, .runs = TRUE, .start = 39, .stop = 42, .set_autostart = 48 },
  { .kind = &domain_kind, .rank = APPLY_RANK_DOMAIN, .start = 9, .stop = 12, .set_autostart = 29 },
  { .kind = &storage_volume_kind, .rank = APPLY_RANK_VOLUME },
  { NULL },
};

const ApplyKind *
apply_kind_of_root (const char *root)
{
  for (const ApplyKind *row = apply_kinds; row->kind != NULL; row++)
    if (g_str_equal (row->kind->document->root, root))
      return row;
  return NULL;
}
