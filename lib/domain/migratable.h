/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * The form in which a definition goes to another host: VIR_DOMAIN_XML_MIGRATABLE. What every libvirt adds by
 * itself is left out, so that the oldest takes it, and so is what was chosen for this one run.
 */

/* @def: what runs, or is defined; @original: what it was started from, where a value that is absent was
 * chosen for
 * @def (the same one when nothing runs). Paths below @run_directory (may be NULL) are this run's. (transfer
 * full) */
DomainDef *domain_def_migratable (const DomainDef *def, const DomainDef *original, const char *run_directory);
/* A running machine's definition, with its interfaces as they are on their networks again, without a port: a
 * copy, or a reference where there are none. */
DomainDef *domain_def_off_networks (DomainDef *def);
