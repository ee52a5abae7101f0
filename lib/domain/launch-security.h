/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"
#include "base/scalars.h"

/* <launchSecurity>: how the guest's memory is hidden from its host. */
typedef enum {
  LAUNCH_SECURITY_NONE,
  LAUNCH_SECURITY_SEV,
  LAUNCH_SECURITY_SEV_SNP,
  LAUNCH_SECURITY_S390_PV
} LaunchSecurityType;

typedef struct {
  int type;                             /* LaunchSecurityType */
  int kernel_hashes, author_key, vcek;  /* Tristate, yes/no */
  Number c_bit_position;                /* not set: the host's own */
  Number reduced_phys_bits;             /* the same */
  Number sev_policy, snp_policy;        /* each of its own type only */
  char *owner_certificate, *session;    /* base64, of sev */
  char *visible_workarounds, *id_block; /* base64, of sev-snp */
  char *id_authentication, *host_data;  /* the same */
} LaunchSecurity;

extern const FieldTable launch_security_table;
extern const EnumTable launch_security_types;
