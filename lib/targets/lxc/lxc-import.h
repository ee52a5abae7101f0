/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/import-text.h"

/* A network card. */
typedef struct {
  GHashTable *keys; /* "type", "link", "ipv4.address" → ImportLine of the last one */
  GPtrArray *ips;   /* ImportLine */
  guint64 index;
  Position where;
} LxcCard;

/* What a config has said so far. */
typedef struct {
  Diagnostics *diagnostics;
  const ImportLine *init;
  char *name, *arch, *directory, *user, *group, *root, *cpus, *nodes;
  gboolean root_readonly;
  GPtrArray *environment, *mounts, *mappings, *dropped, *kept, *shares; /* ImportLine */
  GPtrArray *cards;                                                     /* LxcCard */
  guint64 memory, soft_limit, swap, memory_and_swap, shares_weight, weight, period, terminals;
  gint64 quota;
} LxcImport;

#define MISTAKE(import, line, ...) \
  diagnostics_error ((import)->diagnostics, (line)->value_where, VIR_ERR_CONFIG_UNSUPPORTED, __VA_ARGS__)

/* What @line says has no place in the format. */
void lxc_import_warn_lost (const LxcImport *import, const ImportLine *line);

/*
 * Cards: lxc-import-cards.c
 */
/* "lxc.net.0.type" of 3.x, and "lxc.network.type" of 2.x, which begins a card. */
void lxc_import_card_key (LxcImport *import, ImportLine *line);
void lxc_import_old_card_key (LxcImport *import, ImportLine *line);
void lxc_import_add_card (const LxcImport *import, const LxcCard *card, XmlElement *devices);
/* Is the network the container's own, though it may have no card? That is LXC's default. */
gboolean lxc_import_has_own_network (const LxcImport *import);
void lxc_card_free (gpointer data);

/* The document of all that was said; NULL when there are mistakes. lxc-import-document.c. (transfer full) */
char *lxc_import_document (const LxcImport *import);
