/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A new snapshot, or one that is told of again. */
#include "daemon/call/libvirt-names.h"
#include "daemon/ops/ops.h"
#include "daemon/ops/snapshot/snapshot-redefine.h"

#define CREATE_KNOWN_FLAGS                                                       \
  (VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT      \
   | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | VIR_DOMAIN_SNAPSHOT_CREATE_HALT    \
   | VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT \
   | VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC      \
   | VIR_DOMAIN_SNAPSHOT_CREATE_LIVE | VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE)

/* Flags that go together, or do not, in libvirt's words. */
static const struct {
  guint flag;
  const char *name;
  guint other;
  const char *other_name;
  gboolean needs; /* the other one; FALSE: excludes it */
} rules[] = {
#define RULE(flag_, other_, needs_)                                                          \
  {                                                                                          \
    VIR_DOMAIN_SNAPSHOT_CREATE_##flag_, "VIR_DOMAIN_SNAPSHOT_CREATE_" #flag_,                \
        VIR_DOMAIN_SNAPSHOT_CREATE_##other_, "VIR_DOMAIN_SNAPSHOT_CREATE_" #other_, (needs_) \
  }
  RULE (CURRENT, REDEFINE, TRUE),  RULE (REDEFINE, NO_METADATA, FALSE), RULE (REDEFINE, HALT, FALSE),
  RULE (QUIESCE, DISK_ONLY, TRUE), RULE (LIVE, REDEFINE, FALSE),
};

static gboolean
check_flags (Call *call, guint flags)
{
  if (!call_check_flags (call, flags, CREATE_KNOWN_FLAGS))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++) {
    if ((flags & rules[i].flag) == 0 || ((flags & rules[i].other) != 0) == rules[i].needs)
      continue;
    if (rules[i].needs)
      call_fail_with (call, VIR_ERR_INVALID_ARG, "Flag '%s' is required by flag '%s'", rules[i].other_name,
                      rules[i].name);
    else
      call_fail_with (call, VIR_ERR_INVALID_ARG, "Flags '%s' and '%s' are mutually exclusive", rules[i].name,
                      rules[i].other_name);
    return FALSE;
  }
  return TRUE;
}

static void
begin (Domain *domain, Call *call)
{
  if (call_uint (call, 2) & VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)
    snapshot_redefine (domain, call);
  else
    call_fail_from (call, VIR_FROM_QEMU, VIR_ERR_NO_SUPPORT, "%s", "virDomainSnapshotCreateXML");
}

void
op_domain_snapshot_create_xml (Call *call)
{
  if (check_flags (call, call_uint (call, 2)))
    domain_lock (call->domain, "snapshot", call, begin);
}
