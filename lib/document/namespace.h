/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

/*
 * Elements of namespaces in field tables, whose rows have them with the prefix that libvirt writes. In a
 * document the namespace counts, whatever prefix it is given there, and a prefix by itself means nothing.
 */

/* Give what @element declares the prefix of the table: @uri gets @prefix, and another namespace that has it
 * another. A default namespace of the root (@is_root) is that of every element below, and none of them is one
 * of ours. */
void namespace_claim (xmlNode *element, const char *prefix, const char *uri, int is_root);
