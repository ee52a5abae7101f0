/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-document.h"

/*
 * Two documents of one kind side by side: which element of the one is which of the other, whatever the order
 * of those that are known by a name. And so, of a completed document, what of it its author wrote and where:
 * the rest was chosen. Pure; any thread.
 */

/* The children of two elements that are the same; those of either that have no partner are NULL there. */
typedef struct {
  xmlNode *one, *other;
} ElementPair;

/* In the order of @one's children, then those of @other alone. (transfer container of ElementPair) */
GArray *elements_match (const xmlNode *one, const xmlNode *other);
/* What tells @element from others of its name, as it is in a path: "[target/@dev='vda']"; NULL: nothing does.
 * (transfer full) */
char *element_identity (const xmlNode *element);

typedef struct Origins Origins;

/* Of the completed document @completed, which was made of @source; NULL, with mistakes in @diagnostics, when
 * one of them is not well-formed. */
Origins *origins_new (const char *source, const char *completed, Diagnostics *diagnostics);
void origins_free (Origins *origins);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Origins, origins_free)
xmlNode *origins_root (const Origins *origins); /* of the completed document */
/* Did the author write @node, an element or an attribute of the completed document? */
gboolean origins_is_written (const Origins *origins, const xmlNode *node);
/* Where it stands in the source, or where what it is in does. */
Position origins_place (const Origins *origins, const xmlNode *node);
/* The line of an element in the completed document. */
guint origins_line (const Origins *origins, const xmlNode *element);
/* Has an attribute that the author wrote the value he gave it? */
gboolean origins_says_same (const Origins *origins, const xmlAttr *attribute);
