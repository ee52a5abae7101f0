/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* Kata Containers: the machine that its containers run in, as configuration.toml and as annotations. */
extern const Target kata_target;
