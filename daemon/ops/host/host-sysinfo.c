/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's firmware says of the machine, as libvirt's <sysinfo type='smbios'> document.
 */
#include "daemon/host/dmi.h"
#include "daemon/ops/ops.h"

#include "base/xml-writer.h"

void
op_connect_get_sysinfo (Call *call)
{
  g_autoptr (XmlElement) root = xml_element_new ("sysinfo");
  g_autoptr (Sysinfo) sysinfo = NULL;
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 0), 0))
    return;
  sysinfo = dmi_read (NULL);
  if (sysinfo == NULL) {
    call_fail_with (call, VIR_ERR_CONFIG_UNSUPPORTED, "Host SMBIOS information is not available");
    return;
  }
  field_write (&sysinfo_table, sysinfo, root, 0);
  xml = xml_element_to_string (root);
  call_answer (call, g_variant_new ("(s)", xml));
}
