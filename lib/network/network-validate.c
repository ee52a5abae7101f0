/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The checks of a whole network, in libvirt's words. */
#include "network/network-validate.h"

#include "network/network-def.h"

#include <string.h>

static void
validate_name (const NetworkDef *def, const FieldReader *reader)
{
  Position where = source_map_find (reader->map, &def->name, def);

  if (def->name == NULL || def->name[0] == '\0')
    diagnostics_error_from (reader->diagnostics, where, VIR_FROM_NETWORK, VIR_ERR_NO_NAME, "%s", "");
  else if (strchr (def->name, '/') != NULL)
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR, "name %s cannot contain '/'",
                       def->name);
}

void
network_validate (gconstpointer data, const FieldReader *reader, guint flags G_GNUC_UNUSED)
{
  validate_name (data, reader);
}
