/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <sysinfo> in QEMU: an -smbios option for each table that says something, where the document has firmware
 * show them, and an -fw_cfg option for each blob.
 */

#include "domain/sysinfo.h"
#include "targets/qemu/recipe-private.h"

enum { TYPE_BIOS = 0, TYPE_SYSTEM = 1, TYPE_BASE_BOARD = 2, TYPE_CHASSIS = 3, TYPE_OEM_STRINGS = 11 };

static void
append_value (GString *text, const char *name, const char *value)
{
  g_autofree char *escaped = option_escape (value);

  g_string_append_printf (text, ",%s=%s", name, escaped);
}

/* QEMU's names of the entries are libvirt's. The entry @but, when not NULL, is left out. */
static void
add_table (Recipe *recipe, int type, const SysinfoTable *table, const char *but)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (table->entries == NULL)
    return;
  for (guint i = 0; i < table->entries->len; i++) {
    const SysinfoEntry *entry = g_ptr_array_index (table->entries, i);

    if (g_strcmp0 (entry->name, but) != 0)
      append_value (text, entry->name, entry->value);
  }
  if (text->len > 0)
    recipe_option (recipe, "-smbios", "type=%d%s", type, text->str);
}

static gboolean
add_smbios (Recipe *recipe, GError **error)
{
  gboolean of_host = recipe_def (recipe)->os.smbios_mode == SMBIOS_MODE_HOST;
  const Sysinfo *sysinfo = of_host ? recipe_host (recipe)->smbios : domain_def_smbios (recipe_def (recipe));
  g_autoptr (GString) strings = g_string_new (NULL);

  if (sysinfo == NULL && of_host)
    return qemu_unsupported (NULL, error, "Host SMBIOS information is not available");
  if (sysinfo == NULL) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "Domain '%s' sysinfo are not available",
                    recipe_def (recipe)->name);
    return FALSE;
  }
  if (sysinfo->base_boards != NULL && sysinfo->base_boards->len > 1)
    return qemu_unsupported (
        NULL, error, "qemu does not support more than one entry to Type 2 in SMBIOS table (<baseBoard>)");
  add_table (recipe, TYPE_BIOS, &sysinfo->bios, NULL);
  /* The machine's UUID is its own, whatever else it shows of the host. */
  add_table (recipe, TYPE_SYSTEM, &sysinfo->system, of_host ? "uuid" : NULL);
  if (sysinfo->base_boards != NULL && sysinfo->base_boards->len == 1)
    add_table (recipe, TYPE_BASE_BOARD, g_ptr_array_index (sysinfo->base_boards, 0), NULL);
  add_table (recipe, TYPE_CHASSIS, &sysinfo->chassis, NULL);
  for (guint i = 0; sysinfo->oem_strings != NULL && i < sysinfo->oem_strings->len; i++)
    append_value (strings, "value", g_ptr_array_index (sysinfo->oem_strings, i));
  if (strings->len > 0)
    recipe_option (recipe, "-smbios", "type=%d%s", TYPE_OEM_STRINGS, strings->str);
  return TRUE;
}

static void
add_blob (Recipe *recipe, const SysinfoEntry *entry)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *name = option_escape (entry->name);

  if (entry->file != NULL)
    append_value (text, "file", recipe_file_by_name (recipe, entry->file, "firmware configuration"));
  else
    append_value (text, "string", entry->value);
  recipe_option (recipe, "-fw_cfg", "name=%s%s", name, text->str);
}

gboolean
recipe_add_sysinfo (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);

  if ((def->os.smbios_mode == SMBIOS_MODE_SYSINFO || def->os.smbios_mode == SMBIOS_MODE_HOST)
      && !add_smbios (recipe, error))
    return FALSE;
  for (guint i = 0; def->sysinfos != NULL && i < def->sysinfos->len; i++) {
    const Sysinfo *sysinfo = g_ptr_array_index (def->sysinfos, i);

    for (guint e = 0; sysinfo->entries != NULL && e < sysinfo->entries->len; e++)
      add_blob (recipe, g_ptr_array_index (sysinfo->entries, e));
  }
  return TRUE;
}
