/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any document as a network's and as a port's, and as an update of a network: what is accepted is written in
 * a form that is accepted again and written the same. */
#include "network/network-port.h"
#include "network/network-update.h"

#include <libvirt/libvirt.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
read_as (const DocumentKind *kind, const char *text, gssize length)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL), again = diagnostics_new (NULL);
  gpointer def = document_read (kind, text, length, DOCUMENT_LAX, diagnostics), same;
  g_autofree char *written = NULL, *written_again = NULL;

  if (def == NULL)
    return;
  written = document_to_xml (kind, def, 0);
  same = document_read (kind, written, -1, DOCUMENT_LAX, again);
  g_assert_nonnull (same);
  written_again = document_to_xml (kind, same, 0);
  g_assert_cmpstr (written, ==, written_again);
  document_unref (kind, def);
  document_unref (kind, same);
}

static void
update (const char *text)
{
  static const char *const base =
      "<network><name>n</name><forward mode='nat'/><ip address='10.0.0.1' prefix='24'>"
      "<dhcp><range start='10.0.0.9' end='10.0.0.99'/></dhcp></ip></network>";
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (NetworkDef) def = network_def_parse (base, -1, 0, diagnostics);

  for (guint section = 0; section <= VIR_NETWORK_SECTION_DNS_SRV; section++)
    for (guint command = 0; command <= VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST; command++) {
      const NetworkUpdate wanted = { command, section, -1, text };
      g_autoptr (GError) error = NULL;
      g_autoptr (NetworkDef) updated = network_update (def, &wanted, &error);

      g_assert_true ((updated == NULL) == (error != NULL));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = size > 0 ? g_strndup ((const char *)data, size) : g_strdup ("");

  read_as (&network_document, text, (gssize)size);
  read_as (&network_port_document, text, (gssize)size);
  update (text);
  return 0;
}
