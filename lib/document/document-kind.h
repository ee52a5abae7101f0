/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"
#include "document/schema.h"

/*
 * What all kinds of document share. A row says the root element, the table of fields, the schema, and what
 * only this kind checks and fills in; reading, sharing and writing are done here for all of them. Pure; a
 * definition is immutable once made, shared by reference, any thread.
 */
typedef enum {
  DOCUMENT_LAX = 1 << 0, /* unknown names are warnings, and the schema is not asked */
} DocumentReadFlags;     /* a kind's own begin at DOCUMENT_OWN_FLAGS */
#define DOCUMENT_OWN_FLAGS (1 << 8)

#define DOCUMENT_NO_MEMBER ((gsize)-1)

/* A namespace whose elements the table has, with this prefix. */
typedef struct {
  const char *prefix; /* NULL ends the list */
  const char *uri;
  gboolean (*is_used) (gconstpointer def); /* is it to be declared? NULL: the table says so */
} DocumentNamespace;

typedef struct {
  const char *root; /* element */
  SchemaKind schema;
  const FieldTable *table;             /* NULL: it is only checked */
  const DocumentNamespace *namespaces; /* or NULL */
  const ValueError *value_errors;      /* or NULL */
  gsize ref_count;                     /* offset of a gint in the struct */
  gsize name, uuid;                    /* offsets of char *: who it is; DOCUMENT_NO_MEMBER: it has none */
  /* What the table cannot say. Mistakes go to the reader's diagnostics. Or NULL. */
  void (*validate) (gconstpointer def, const FieldReader *reader, guint flags);
  /* Fills in what has a default, besides a UUID. Or NULL. */
  void (*complete) (gpointer def);
  gboolean open; /* its root is written with an end tag though it is empty */
} DocumentKind;

/* NULL, with the mistakes in @diagnostics. @length -1: NUL-terminated. */
gpointer document_read (const DocumentKind *kind, const char *text, gssize length, guint flags,
                        Diagnostics *diagnostics);
/* The same for whether it is one, and nothing else: kinds that nothing here works with have no table. */
gboolean document_check (const DocumentKind *kind, const char *text, gssize length, Diagnostics *diagnostics);
/* Give the namespaces of the kind the prefixes of its table, before its fields are read. */
void document_claim_namespaces (const DocumentKind *kind, xmlNode *root);
/* Empty, with one reference, for who makes a definition without a text. */
gpointer document_new (const DocumentKind *kind);
gpointer document_copy (const DocumentKind *kind, gconstpointer def);
gpointer document_ref (const DocumentKind *kind, gpointer def);
void document_unref (const DocumentKind *kind, gpointer def); /* NULL is fine */
/* As libvirt writes it. @flags: FieldWriteFlags. (transfer full) */
char *document_to_xml (const DocumentKind *kind, gconstpointer def, guint flags);
/* NULL where it has none. (borrowed) */
const char *document_name (const DocumentKind *kind, gconstpointer def);
const char *document_uuid (const DocumentKind *kind, gconstpointer def);
/* The one that was chosen for it before; only before it is shared. */
void document_set_uuid (const DocumentKind *kind, gpointer def, const char *uuid);
