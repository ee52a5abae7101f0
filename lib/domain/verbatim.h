/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * Give libvirt's own namespaces the prefixes our tables know ("qemu"), whatever the document calls them:
 * programs that rewrite XML like to call them ns0.
 */
void verbatim_claim_namespaces (xmlNode *root);
