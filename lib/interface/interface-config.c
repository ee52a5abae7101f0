/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the three ways of configuring a host's network have in common. libvirt leaves this to netcf, which
 * knows ifcfg files and, on Debian, ifupdown; which of these programs a host has is seen by what lies on it.
 */
#include "interface/interface-config.h"

const NetworkConfig *const network_configs[] = { &config_network_manager, &config_networkd, &config_ifupdown,
                                                 NULL };

void
config_file_free (ConfigFile *file)
{
  g_free (file->path);
  g_free (file->text);
  g_free (file);
}

void
config_file_add (GPtrArray *files, const NetworkConfig *config, const char *name, const char *suffix,
                 int mode, GString *text)
{
  ConfigFile *file = g_new0 (ConfigFile, 1);

  file->path = g_strconcat (config->file_prefix, name, suffix, NULL);
  file->text = g_string_free (text, FALSE);
  file->mode = mode;
  g_ptr_array_add (files, file);
}

static void
add_part (GPtrArray *parts, GPtrArray *masters, const HostInterfaceDef *def, const HostInterfaceDef *master)
{
  GPtrArray *ports = host_interface_ports (def);

  g_ptr_array_add (parts, (gpointer)def);
  g_ptr_array_add (masters, (gpointer)master);
  /* A bridge has bonds, a bond has cards: the document goes no deeper. */
  for (guint i = 0; ports != NULL && i < ports->len; i++)
    add_part (parts, masters, g_ptr_array_index (ports, i), def);
}

GPtrArray *
config_parts (const HostInterfaceDef *def, GPtrArray **ret_masters)
{
  GPtrArray *parts = g_ptr_array_new ();

  *ret_masters = g_ptr_array_new ();
  add_part (parts, *ret_masters, def, NULL);
  return parts;
}

GString *
config_text_new (const HostInterfaceDef *def)
{
  GString *text = g_string_new (NULL);

  g_string_printf (
      text,
      "# Written by domaind from the definition of the interface %s, and written anew when it changes.\n",
      def->name);
  return text;
}

gboolean
config_refuse (GError **error, const NetworkConfig *config, const HostInterfaceDef *def, const char *what)
{
  virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_CONFIG_UNSUPPORTED, "interface '%s': %s cannot %s",
                       def->name, config->name, what);
  return FALSE;
}
