/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * A <cpu> that stands alone: a host's, as the capabilities say it (recognized by its <arch>), or a guest's,
 * as a domain has it. Read for comparisons; never kept.
 */
typedef struct {
  gboolean is_host;
  char *arch; /* of a host's; NULL */
  DomainCpu *cpu;
} CpuDocument;

typedef enum {
  CPU_DOCUMENT_VALIDATE = 1 << 0,  /* the schema has to agree; otherwise what is unknown is passed over */
  CPU_DOCUMENT_HOST_ONLY = 1 << 1, /* a guest's is refused */
} CpuDocumentFlags;

/* NULL with @error set: VIR_ERR_XML_DETAIL when it is no XML, VIR_ERR_XML_INVALID_SCHEMA by the schema,
 * VIR_ERR_XML_ERROR and VIR_ERR_CONFIG_UNSUPPORTED for what it says. */
CpuDocument *cpu_document_parse (const char *text, guint flags, GError **error);
void cpu_document_free (CpuDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CpuDocument, cpu_document_free)

/* A CPU as libvirt writes one that stands alone. (transfer full) */
char *cpu_to_xml (const DomainCpu *cpu);

/* One of libvirt's names of architectures? */
gboolean architecture_is_known (const char *arch);
