/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/ovf.h"

/* NULL with VIR_ERR_XML_ERROR for what is none, or has no machine of the kind. */
Ovf *ovf_parse (const char *text, gsize length, GError **error);
/* A document of the machine, whose disks are @paths, one each, qcow2. (transfer full) */
char *ovf_to_domain (const Ovf *ovf, const GPtrArray *paths, gboolean kvm);
