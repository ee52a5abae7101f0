/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that end the same way on every host this daemon runs on, as they end with libvirt's QEMU driver where
 * what they are about is not there: AMD's SEV, which no machine here has, and hosts that are put to sleep.
 * Each looks at its arguments first, so that a mistake in them is told.
 */
#include "daemon/ops/ops.h"

void
op_node_suspend_for_duration (Call *call)
{
  static const char *const targets[] = { "Suspend-to-RAM", "Suspend-to-Disk", "Hybrid-Suspend" };
  guint target = call_uint (call, 0);

  if (call_uint (call, 2) != 0)
    call_fail_plain (call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                     "unsupported flags (0x%x) in function virNodeSuspend", call_uint (call, 2));
  else if (target >= G_N_ELEMENTS (targets))
    call_fail_from (call, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Invalid suspend target");
  else
    call_fail_from (call, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED, "%s", targets[target]);
}

void
op_node_get_sev_info (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_TYPED_PARAM_STRING_OKAY))
    call_fail_from (call, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "QEMU does not support SEV guest");
}

/* A machine without launch security has nothing to tell, and one with it is not started. */
void
op_domain_get_launch_security_info (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_TYPED_PARAM_STRING_OKAY))
    call_answer (call, g_variant_new ("(@a{sv})", g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
}

void
op_domain_set_launch_security_state (Call *call)
{
  static const char *const known[] = { VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_HEADER,
                                       VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET,
                                       VIR_DOMAIN_LAUNCH_SECURITY_SEV_SECRET_SET_ADDRESS, NULL };
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 1);
  GVariantIter iter;
  const char *name;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  g_variant_iter_init (&iter, parameters);
  while (g_variant_iter_next (&iter, "{&sv}", &name, NULL))
    if (!g_strv_contains (known, name)) {
      call_fail_from (call, VIR_FROM_NONE, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported",
                      name);
      return;
    }
  call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED,
                  "setting a launch secret is only supported in SEV-enabled domains");
}

/* Disks are opened here, where they are named, and given to QEMU as descriptors in any case. */
void
op_domain_fd_associate (Call *call)
{
  call_fail_with (
      call, VIR_ERR_ARGUMENT_UNSUPPORTED,
      "disks that a client has opened (<source fdgroup='%s'/>) are not supported; the daemon opens "
      "<source file=''/> and <source dev=''/> itself",
      call_string (call, 1));
}
