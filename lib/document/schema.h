/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-document.h"

/*
 * The RelaxNG schemas: compiled once in the process's life (thread-safe) from the texts built into the
 * program, and used as the gate every document passes.
 */

typedef enum {
  SCHEMA_DOMAIN,
  SCHEMA_STORAGE_POOL,
  SCHEMA_STORAGE_VOLUME,
  SCHEMA_CPU,
  SCHEMA_SECRET,
  SCHEMA_NETWORK,
  SCHEMA_NETWORK_PORT,
  SCHEMA_INTERFACE,
  SCHEMA_DOMAIN_SNAPSHOT,
  SCHEMA_DOMAIN_CHECKPOINT,
  SCHEMA_DOMAIN_BACKUP,
  SCHEMA_NODE_DEVICE,
  SCHEMA_CAPABILITIES,
  SCHEMA_DOMAIN_CAPABILITIES,
  SCHEMA_STORAGE_POOL_CAPABILITIES,
  SCHEMA_NWFILTER,
  SCHEMA_NWFILTER_BINDING
} SchemaKind;

/* FALSE, with the schema's own words and places as errors in @diagnostics, when @document is refused. */
gboolean schema_validate_as (SchemaKind kind, XmlDocument *document, Diagnostics *diagnostics);
gboolean schema_validate (XmlDocument *document, Diagnostics *diagnostics); /* as a domain */
/* As one in which the mistakes @known were found already: of a part with one of them only what can be
 * pointed at is said, for the schema would refuse it because of that. */
void schema_validate_rest (SchemaKind kind, XmlDocument *document, const Diagnostics *known,
                           Diagnostics *diagnostics);
/* The text of one schema file ("domain.rng"), NULL when there is none; owned by the program. */
const char *schema_text (const char *name);
/* All names; NULL-terminated. */
const char *const *schema_names (void);
