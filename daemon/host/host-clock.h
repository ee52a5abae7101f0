/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * How fast this host's processor counts, in kHz: what the emulated processor of a guest without KVM counts as
 * well. 0 where that cannot be measured, or the guest of @def finds it out itself. Measured once, which takes
 * some milliseconds: not for the main loop. Any thread.
 */
guint host_clock_khz (const DomainDef *def);
