/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"
#include "cli/connection.h"

/* What the commands about networks share. */
#define NETWORK_INTERFACE     "org.libvirt.Network"
#define OWN_NETWORK_INTERFACE "org.domaind1.Network"

/* The path of the network that @word, its name or UUID, names; NULL after an error was printed. */
char *network_find (CommandLine *line, const char *word);
char *network_name (Connection *connection, const char *path);
/* Define @text strictly; the network's path. */
char *network_define_text (CommandLine *line, const char *text, GError **error);
/* The network's document: with @own_bytes as its user wrote it. @flags: virNetworkXMLFlags. */
char *network_text (CommandLine *line, const char *path, gboolean own_bytes, guint flags, GError **error);
/* What a command that did something to one network says: text for people, {"network", "message"} for
 * programs.
 */
int network_done (const CommandLine *line, const char *network, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* cli/network-default.c: a document of libvirt's default network, in a subnet that neither the host nor
 * another network has. @ret_subnet: "192.168.122.0/24"; @ret_wanted: it is that one. (transfer full) */
char *network_default_document (CommandLine *line, char **ret_subnet, gboolean *ret_wanted, GError **error);
