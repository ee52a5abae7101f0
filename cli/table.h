/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A table as virsh prints it: columns as wide as their widest cell, a line of dashes under the titles. */
typedef struct Table Table;

Table *table_new (const char *title, ...) G_GNUC_NULL_TERMINATED;
void table_free (Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Table, table_free)
void table_add (Table *table, const char *cell, ...) G_GNUC_NULL_TERMINATED; /* as many cells as titles */
char *table_to_string (const Table *table);
