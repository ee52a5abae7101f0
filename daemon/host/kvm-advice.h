/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What /proc and /sys say of hardware virtualization. */
typedef struct {
  const char *vendor_module; /* "kvm_intel", "kvm_amd": the one for this processor; NULL: it has none */
  gboolean is_guest;         /* the host is a virtual machine itself */
  gboolean module_loaded, device_there;
} KvmFacts;

/* @cpuinfo: the text of /proc/cpuinfo; the rest is looked up below @host ("/"). */
void kvm_facts_read (const char *cpuinfo, const char *host, KvmFacts *ret);
/* Why there is no KVM, the flag, the firmware's switch, the module or the rights, and what to do about it.
 * @account: who has to open /dev/kvm. (transfer full) */
char *kvm_advice (const KvmFacts *facts, const char *account);
/* Of this host. (transfer full) */
char *kvm_advice_here (const char *account);
