/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What libvirt tells Open vSwitch of a port: the machine and the card behind it, its profile, and its VLANs.
 */
#include "daemon/host/openvswitch.h"

#include "base/virt-error.h"
#include "daemon/host/program.h"

#define TIMEOUT_OPTION "--timeout=5" /* OPENVSWITCH_SECONDS */

/* VIR_ERR_CONFIG_UNSUPPORTED where the tool is not there; what it says is in the error otherwise. */
static gboolean
run_tool (GPtrArray *arguments, const char *what, const char *name, GError **error)
{
  g_autoptr (GError) problem = NULL;

  g_ptr_array_add (arguments, NULL);
  if (program_succeeds (&(ProgramRun){ .arguments = (const char *const *)arguments->pdata,
                                       .seconds = OPENVSWITCH_SECONDS + 1 },
                        &problem))
    return TRUE;
  if (virt_error_code (problem) == VIR_ERR_OPERATION_UNSUPPORTED)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "virtualport type='openvswitch' needs '" OPENVSWITCH_TOOL
                    "', which is not installed (package openvswitch-switch)");
  else
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Unable to %s port %s: %s", what, name,
                    virt_error_detail (problem));
  return FALSE;
}

static void add (GPtrArray *arguments, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add (GPtrArray *arguments, const char *format, ...)
{
  va_list values;

  va_start (values, format);
  g_ptr_array_add (arguments, g_strdup_vprintf (format, values));
  va_end (values);
}

/* The native VLAN is the port's own tag; the others are its trunks. */
static void
add_vlans (GPtrArray *arguments, const InterfaceVlan *vlan)
{
  g_autoptr (GString) trunks = g_string_new (NULL);
  gboolean is_trunk = vlan->trunk == TRISTATE_YES || vlan->tags->len > 1;

  for (guint i = 0; i < vlan->tags->len; i++) {
    const InterfaceVlanTag *tag = g_ptr_array_index (vlan->tags, i);

    if (tag->native_mode != 0) {
      add (arguments, "vlan_mode=native-%s", tag->native_mode == 1 ? "tagged" : "untagged");
      add (arguments, "tag=%u", (guint)tag->id.value);
    }
    g_string_append_printf (trunks, "%s%u", i == 0 ? "" : ",", (guint)tag->id.value);
  }
  add (arguments, is_trunk ? "trunk=%s" : "tag=%s", trunks->str);
}

gboolean
openvswitch_add_port (const char *bridge, const char *name, const DeviceInterface *interface,
                      const char *uuid, GError **error)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);
  const InterfaceVirtualPort *port = interface->virtualport;
  g_autofree char *what = g_strdup_printf ("add to OVS bridge %s the", bridge);
  const struct {
    const char *key, *value;
  } ids[] = {
    { "attached-mac", interface->mac },
    { "iface-id", port->interface_id },
    { "vm-id", uuid },
    { "iface-status", "active" },
  };
  const char *const words[] = { "--", "--if-exists", "del-port", name, "--", "add-port", bridge, name };

  add (arguments, "%s", OPENVSWITCH_TOOL);
  add (arguments, "%s", TIMEOUT_OPTION);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    add (arguments, "%s", words[i]);
  if (interface->vlan != NULL && interface->vlan->tags != NULL)
    add_vlans (arguments, interface->vlan);
  add (arguments, "--");
  add (arguments, "set");
  add (arguments, "Interface");
  add (arguments, "%s", name);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    add (arguments, "external-ids:%s=\"%s\"", ids[i].key, ids[i].value);
  if (port->profile_id != NULL)
    add (arguments, "external-ids:port-profile=\"%s\"", port->profile_id);
  return run_tool (arguments, what, name, error);
}

gboolean
openvswitch_remove_port (const char *name, GError **error)
{
  const char *const words[] = { "--", "--if-exists", "del-port", name };
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);

  add (arguments, "%s", OPENVSWITCH_TOOL);
  add (arguments, "%s", TIMEOUT_OPTION);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    add (arguments, "%s", words[i]);
  return run_tool (arguments, "delete", name, error);
}
