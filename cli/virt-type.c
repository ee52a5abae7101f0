/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * KVM or emulation, where a command makes a machine: as it was asked for, or as the host has it. One that has
 * /dev/kvm may still run no guest with it, as in a virtual machine whose host passes it on badly; who knows
 * that asks for emulation.
 */
#include "cli/virt-type.h"

#include "cli/command.h"

#include <unistd.h>

gboolean
virt_type_choose (const char *word, gboolean *kvm)
{
  if (word != NULL && !g_str_equal (word, "kvm") && !g_str_equal (word, "qemu")) {
    command_error (_ ("unknown type '%s': expected 'kvm' or 'qemu'"), word);
    return FALSE;
  }
  *kvm = word != NULL ? g_str_equal (word, "kvm") : access ("/dev/kvm", R_OK | W_OK) == 0;
  return TRUE;
}
