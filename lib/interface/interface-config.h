/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interface/interface-document.h"

/*
 * What definitions become in the configuration of the host's network: files of ifupdown, systemd-networkd or
 * NetworkManager. All definitions are written together, for one may need a line in the file of another (the
 * interface below a VLAN, the ports of a bridge). Pure.
 */
typedef struct {
  char *path; /* absolute */
  char *text;
  int mode;
} ConfigFile;

typedef struct {
  const char *name;
  /* NULL-terminated: files and directories of which one is there while this one configures the host. */
  const char *const *signs;
  /* All its files begin with it, and no file that begins with it is another's. */
  const char *file_prefix; /* absolute */
  /* The files of @defs (HostInterfaceDef), into @files (ConfigFile). FALSE with what it cannot do, by name.
   */
  gboolean (*write) (GPtrArray *defs, GPtrArray *files, GError **error);
  /* Programs that are run, with "%s" for the interface's name, NULL-terminated; a NULL list: none. Those that
   * make the new files known, that start an interface, and that stop it. */
  const char *const *reload;
  const char *const *start;
  const char *const *stop;
} NetworkConfig;

extern const NetworkConfig config_ifupdown, config_networkd, config_network_manager;
/* In the order in which they are looked for; ends with NULL. */
extern const NetworkConfig *const network_configs[];

void config_file_free (ConfigFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfigFile, config_file_free)
/* Takes @text. @name goes behind the prefix, @suffix behind it. */
void config_file_add (GPtrArray *files, const NetworkConfig *config, const char *name, const char *suffix,
                      int mode, GString *text);
/* Every interface of @def, itself first, then its ports and theirs: HostInterfaceDef, borrowed; @ret_masters:
 * for each, whose port it is, NULL for none. */
GPtrArray *config_parts (const HostInterfaceDef *def, GPtrArray **ret_masters);
/* A first line that says whose file it is. (transfer full) */
GString *config_text_new (const HostInterfaceDef *def);
/* VIR_ERR_CONFIG_UNSUPPORTED: "NAME: CONFIG cannot WHAT". Gives FALSE. */
gboolean
config_refuse (GError **error, const NetworkConfig *config, const HostInterfaceDef *def, const char *what);
