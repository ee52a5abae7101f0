/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/policy.h"

/*
 * What a <seed> without files of its own says to cloud-init, as the texts of the NoCloud form. Pure; any
 * thread. The answers are (transfer full).
 */

/* A "#cloud-config" with the seed's user and keys; those of the image's default user where none is named. */
char *seed_user_data (const PolicySeed *seed);
/* @name, @uuid: the machine's. The UUID is what cloud-init tells a first start by, so it stays when the rest
 * changes: a machine does not become another one by a new name. */
char *seed_meta_data (const PolicySeed *seed, const char *name, const char *uuid);
