/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What --virt-type says: TRUE is KVM. @word NULL: KVM where this host has it and this user may use it. FALSE
 * when it is neither "kvm" nor "qemu": that has been said. */
gboolean virt_type_choose (const char *word, gboolean *kvm);
