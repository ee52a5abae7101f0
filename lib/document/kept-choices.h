/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * A document that takes the place of another of the same object: what was chosen for the other (its UUID, MAC
 * addresses, where devices sit, the version of its machine type) is chosen for it as well, as far as it says
 * nothing else, so that the guest finds the hardware it knows. Pure; any thread.
 */

/* @source with what was chosen in @old_completed, which was made of @old_source (NULL: as if it had been
 * made of @source): what is to be completed, and not what is to be kept. NULL with mistakes in @diagnostics
 * when one of them is not well-formed. (transfer full) */
char *choices_keep (const char *source, const char *old_source, const char *old_completed,
                    Diagnostics *diagnostics);
