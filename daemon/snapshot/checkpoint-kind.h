/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/child.h"
#include "snapshot/checkpoint-document.h"

/* Checkpoints: children of domains. Their definitions (CheckpointDef) hold the domain's of that time, secrets
 * and all. Domain.checkpoints is their tree. */
/* @def, a new one that nobody else has yet, follows the current one of @tree. FALSE with @error in libvirt's
 * words where its name is taken. Main loop only. */
gboolean checkpoint_follow_current (const ChildTree *tree, CheckpointDef *def, GError **error);
extern const ObjectKind checkpoint_kind;
