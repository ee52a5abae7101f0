/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/object.h"

/* Domains as a kind of object. Their registry is the manager's own, by id too and read lazily. */
extern const ObjectKind domain_kind;
