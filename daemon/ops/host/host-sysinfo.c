/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's firmware says of the machine, as libvirt's <sysinfo type='smbios'> document: the kernel's
 * reading of the tables, so that no other program is asked. Serial numbers are readable by root only; what
 * cannot be read is left out.
 */
#include "daemon/ops/ops.h"

#include "base/xml-writer.h"

#define DMI_DIRECTORY "/sys/class/dmi/id"

typedef struct {
  const char *section, *entry, *file;
} Entry;

static const Entry entries[] = {
  { "bios", "vendor", "bios_vendor" },
  { "bios", "version", "bios_version" },
  { "bios", "date", "bios_date" },
  { "bios", "release", "bios_release" },
  { "system", "manufacturer", "sys_vendor" },
  { "system", "product", "product_name" },
  { "system", "version", "product_version" },
  { "system", "serial", "product_serial" },
  { "system", "uuid", "product_uuid" },
  { "system", "sku", "product_sku" },
  { "system", "family", "product_family" },
  { "baseBoard", "manufacturer", "board_vendor" },
  { "baseBoard", "product", "board_name" },
  { "baseBoard", "version", "board_version" },
  { "baseBoard", "serial", "board_serial" },
  { "baseBoard", "asset", "board_asset_tag" },
  { "chassis", "manufacturer", "chassis_vendor" },
  { "chassis", "version", "chassis_version" },
  { "chassis", "serial", "chassis_serial" },
  { "chassis", "asset", "chassis_asset_tag" },
};

/* NULL when the firmware does not say. (transfer full) */
static char *
read_entry (const Entry *entry)
{
  g_autofree char *path = g_build_filename (DMI_DIRECTORY, entry->file, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_utf8_validate (text, -1, NULL))
    return NULL;
  g_strstrip (text);
  return text[0] != '\0' ? g_steal_pointer (&text) : NULL;
}

void
op_connect_get_sysinfo (Call *call)
{
  g_autoptr (XmlElement) root = xml_element_new ("sysinfo");
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 0), 0))
    return;
  xml_element_set (root, "type", "smbios");
  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++) {
    g_autofree char *text = read_entry (&entries[i]);

    if (text != NULL) {
      XmlElement *entry = xml_element_add (xml_element_ensure (root, entries[i].section), "entry");

      xml_element_set (entry, "name", entries[i].entry);
      xml_element_set_text (entry, text);
    }
  }
  if (!g_file_test (DMI_DIRECTORY, G_FILE_TEST_IS_DIR)) {
    call_fail_with (call, VIR_ERR_CONFIG_UNSUPPORTED, "Host SMBIOS information is not available");
    return;
  }
  xml = xml_element_to_string (root);
  call_answer (call, g_variant_new ("(s)", xml));
}
