/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A display while its machine runs: where it listens when the document leaves that open, and its password,
 * which is told over the monitor and stands on no command line.
 */
#include "daemon/drivers/qemu/attach.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "daemon/drivers/qemu/runtime-values.h"

#include "daemon/host/ports.h"
#include "domain/devices/graphics.h"
#include "targets/qemu/recipe.h"

#define LISTEN_DEFAULT "127.0.0.1"

static void
set_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static void
choose_socket (DeviceGraphics *graphics, const char *directory)
{
  GraphicsListen *listen = graphics_first_listen (graphics);
  g_autofree char *name = NULL;

  if (listen == NULL || listen->type != LISTEN_SOCKET || listen->socket != NULL)
    return;
  name = g_strconcat (enum_table_name (&graphics_types, graphics->type), ".sock", NULL);
  listen->socket = g_build_filename (directory, name, NULL);
  if (graphics->type == GRAPHICS_VNC)
    set_text (&graphics->socket, listen->socket);
}

static gboolean
choose_port (SignedNumber *port, const char *address, guint first, LiveValues *values, GError **error)
{
  guint taken = ports_take (address, first, error);

  if (taken == 0)
    return FALSE;
  g_array_append_val (values->ports, taken);
  *port = (SignedNumber){ TRUE, taken };
  return TRUE;
}

/* What is listened on when the document leaves it open: the host itself, as the settings of libvirt's have
 * it. */
static const char *
choose_address (DeviceGraphics *graphics)
{
  GraphicsListen *listen = graphics_first_listen (graphics);

  if (listen == NULL || listen->type != LISTEN_ADDRESS)
    return listen != NULL && listen->address != NULL ? listen->address : LISTEN_DEFAULT;
  if (listen->address == NULL)
    listen->address = g_strdup (LISTEN_DEFAULT);
  set_text (&graphics->listen, listen->address);
  return listen->address;
}

gboolean
running_graphics_choose (Device *device, LiveValues *values, GError **error)
{
  DeviceGraphics *graphics = (DeviceGraphics *)device;
  const GraphicsListen *listen;
  const char *address;
  gboolean by_network = graphics->type == GRAPHICS_VNC || graphics->type == GRAPHICS_SPICE;
  gboolean any;

  choose_socket (graphics, values->directory);
  listen = graphics_first_listen (graphics);
  if (!by_network || (listen != NULL && (listen->type == LISTEN_SOCKET || listen->type == LISTEN_NONE)))
    return TRUE;
  address = choose_address (graphics);
  any = graphics->autoport == TRISTATE_YES || !graphics->port.set || graphics->port.value == -1;
  return (!any || choose_port (&graphics->port, address, PORTS_VNC_FIRST, values, error))
         && (!graphics->websocket.set || graphics->websocket.value != -1
             || choose_port (&graphics->websocket, address, PORTS_WEBSOCKET_FIRST, values, error));
}

/* When a password ends, as QEMU takes it: seconds since the epoch. */
static char *
password_end (const char *valid_to)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) end = g_date_time_new_from_iso8601 (valid_to, utc);

  return end != NULL ? g_strdup_printf ("%" G_GINT64_FORMAT, g_date_time_to_unix (end)) : NULL;
}

gboolean
running_graphics_started (const DomainDef *def G_GNUC_UNUSED, const Device *device, Qmp *qmp, Job *job,
                          GError **error)
{
  const DeviceGraphics *graphics = (const DeviceGraphics *)device;
  const char *protocol = graphics->type == GRAPHICS_SPICE ? "spice" : "vnc";
  g_autofree char *end = NULL;

  if (graphics->passwd == NULL || (graphics->type != GRAPHICS_VNC && graphics->type != GRAPHICS_SPICE))
    return TRUE;
  if (!qmp_run (qmp, job, "set_password",
                props ("protocol", "s", protocol, "password", "s", graphics->passwd, NULL), error))
    return FALSE;
  end = graphics->passwd_valid_to != NULL ? password_end (graphics->passwd_valid_to) : NULL;
  return end == NULL
         || qmp_run (qmp, job, "expire_password", props ("protocol", "s", protocol, "time", "s", end, NULL),
                     error);
}

gboolean
running_graphics_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device G_GNUC_UNUSED,
                         Device *updated, gboolean force G_GNUC_UNUSED, GError **error)
{
  return running_graphics_started (def, updated, plug->qmp, job, error);
}

gboolean
running_graphics_wants_render_node (const Device *device)
{
  return graphics_wants_gl ((const DeviceGraphics *)device);
}
