/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Errors on D-Bus: org.libvirt.Error with libvirt's text and nothing else, since that is what clients of
 * libvirt-dbus know and match. Only errors that are D-Bus's own (limits, wrong types) have D-Bus's names.
 */
#include "daemon/dbus/private.h"

#define ERROR_NAME "org.libvirt.Error"

void
dbus_return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  g_autofree char *message = NULL;

  if (error->domain == G_DBUS_ERROR) {
    g_dbus_method_invocation_return_gerror (invocation, error);
    return;
  }
  message = g_utf8_make_valid (error->message, -1); /* it may quote a document */
  g_dbus_method_invocation_return_dbus_error (invocation, ERROR_NAME, message);
}
