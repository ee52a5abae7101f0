/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <sysinfo>: the tables that firmware gives the guest. Of the type smbios they say who made the machine
 * (cloud-init finds its data source by the serial number in them); of the type fwcfg they are named blobs.
 * libvirt reads an entry by its name, the first of each, takes an empty one for absent, and writes them in an
 * order of its own; so does the completed document.
 */

#include "domain/sysinfo.h"

#include "domain/complete-parts.h"

#include <stdio.h>

static const EnumTable sysinfo_types = { "sysinfo type", { NULL, "smbios", "fwcfg" } };

static const FieldTable entry_table = {
  sizeof (SysinfoEntry),
  (const Field[]){
      FIELD (SysinfoEntry, name, "@name", field_text, NULL),
      FIELD (SysinfoEntry, file, "@file", field_text, NULL),
      FIELD (SysinfoEntry, value, ".", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable table_table = {
  sizeof (SysinfoTable),
  (const Field[]){
      FIELD (SysinfoTable, entries, "entry", field_list, &entry_table),
      FIELD_END,
  },
};

#define SMBIOS FIELD_VALUE (SYSINFO_SMBIOS)

static const Field sysinfo_fields[] = {
  FIELD_WITH (Sysinfo, type, "@type", field_enum, &sysinfo_types, FIELD_REQUIRED),
  FIELD_WHEN (Sysinfo, bios, "bios", field_struct, &table_table, type, SMBIOS),
  FIELD_WHEN (Sysinfo, system, "system", field_struct, &table_table, type, SMBIOS),
  FIELD_WHEN (Sysinfo, base_boards, "baseBoard", field_list, &table_table, type, SMBIOS),
  FIELD_WHEN (Sysinfo, chassis, "chassis", field_struct, &table_table, type, SMBIOS),
  FIELD_WHEN (Sysinfo, oem_strings, "oemStrings/entry", field_texts, NULL, type, SMBIOS),
  FIELD_WHEN (Sysinfo, entries, "entry", field_list, &entry_table, type, FIELD_VALUE (SYSINFO_FWCFG)),
  FIELD_END,
};

const FieldTable sysinfo_table = { sizeof (Sysinfo), sysinfo_fields };

static const char *const bios_names[] = { "vendor", "version", "date", "release", NULL };
static const char *const system_names[] = { "manufacturer", "product", "version", "serial",
                                            "uuid",         "sku",     "family",  NULL };
static const char *const board_names[] = { "manufacturer", "product",  "version", "serial",
                                           "asset",        "location", NULL };
static const char *const chassis_names[] = { "manufacturer", "version", "serial", "asset", "sku", NULL };

static SysinfoEntry *
find_entry (const SysinfoTable *table, const char *name)
{
  for (guint i = 0; table->entries != NULL && i < table->entries->len; i++) {
    SysinfoEntry *entry = g_ptr_array_index (table->entries, i);

    if (g_strcmp0 (entry->name, name) == 0)
      return entry;
  }
  return NULL;
}

const char *
sysinfo_value (const SysinfoTable *table, const char *name)
{
  const SysinfoEntry *entry = find_entry (table, name);

  return entry != NULL ? entry->value : NULL;
}

const Sysinfo *
domain_def_smbios (const DomainDef *def)
{
  for (guint i = 0; def->sysinfos != NULL && i < def->sysinfos->len; i++) {
    const Sysinfo *sysinfo = g_ptr_array_index (def->sysinfos, i);

    if (sysinfo->type == SYSINFO_SMBIOS)
      return sysinfo;
  }
  return NULL;
}

static gpointer
steal_entry (SysinfoTable *table, const char *name)
{
  SysinfoEntry *entry = find_entry (table, name);

  if (entry != NULL)
    g_ptr_array_remove (table->entries, entry);
  return entry;
}

/* Only the entries of @names that say something, the first of each, in the order of @names. */
static void
complete_table (SysinfoTable *table, const char *const *names)
{
  g_autoptr (GPtrArray) ordered = g_ptr_array_new ();

  for (; table->entries != NULL && *names != NULL; names++) {
    SysinfoEntry *entry = steal_entry (table, *names);

    if (entry != NULL && entry->value != NULL && *entry->value != '\0')
      g_ptr_array_add (ordered, entry);
    else
      field_free (&entry_table, entry);
  }
  field_clear (&table_table, table);
  table->entries = ordered->len > 0 ? g_steal_pointer (&ordered) : NULL;
}

static void
complete_smbios (Sysinfo *sysinfo)
{
  complete_table (&sysinfo->bios, bios_names);
  complete_table (&sysinfo->system, system_names);
  complete_table (&sysinfo->chassis, chassis_names);
  for (guint i = sysinfo->base_boards != NULL ? sysinfo->base_boards->len : 0; i > 0; i--) {
    SysinfoTable *board = g_ptr_array_index (sysinfo->base_boards, i - 1);

    complete_table (board, board_names);
    if (board->entries == NULL)
      field_free (&table_table, g_ptr_array_remove_index (sysinfo->base_boards, i - 1));
  }
}

/* A machine without a UUID has the one that its firmware shows. */
static void
complete_uuid (DomainDef *def, SysinfoTable *system)
{
  SysinfoEntry *entry = find_entry (system, "uuid");
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  if (entry == NULL || !uuid_parse (entry->value, uuid))
    return;
  uuid_format (uuid, text);
  g_free (entry->value);
  entry->value = g_strdup (text);
  if (def->uuid == NULL)
    def->uuid = g_strdup (text);
}

void
complete_sysinfo (Completion *completion)
{
  DomainDef *def = completion->def;

  for (guint i = 0; def->sysinfos != NULL && i < def->sysinfos->len; i++) {
    Sysinfo *sysinfo = g_ptr_array_index (def->sysinfos, i);

    if (sysinfo->type != SYSINFO_SMBIOS)
      continue;
    complete_smbios (sysinfo);
    complete_uuid (def, &sysinfo->system);
  }
}

/* "MM/DD/YYYY", as libvirt reads it: years of two digits are of the last century. */
static gboolean
is_bios_date (const char *text)
{
  int month = 0, day = 0, year = 0, end = 0;

  if (sscanf (text, "%2d/%2d/%4d%n", &month, &day, &year, &end) != 3 || text[end] != '\0')
    return FALSE;
  if (year >= 0 && year < 100)
    year += 1900;
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && year >= 1900;
}

static void
validate_smbios (Validation *validation, const Sysinfo *sysinfo)
{
  SysinfoEntry *date = find_entry (&sysinfo->bios, "date"), *own = find_entry (&sysinfo->system, "uuid");
  const char *uuid = validation->def->uuid;
  guint8 bytes[UUID_BYTES];

  if (date != NULL && !is_bios_date (date->value))
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &date->value, date,
                           "Invalid BIOS 'date' format: '%s'; expected MM/DD/YYYY", date->value);
  if (own != NULL && !uuid_parse (own->value, bytes))
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &own->value, own,
                           "malformed <sysinfo> uuid element: '%s'", own->value);
  else if (own != NULL && uuid != NULL && !g_str_equal (own->value, uuid))
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &own->value, own,
                           "UUID mismatch between <uuid> and <sysinfo>: '%s' and '%s'", uuid, own->value);
}

static void
validate_blob (Validation *validation, const SysinfoEntry *entry)
{
  if (entry->name == NULL || *entry->name == '\0')
    validation_error_code (validation, VIR_ERR_XML_ERROR, &entry->name, entry,
                           "Firmware entry is missing 'name' attribute");
  else if ((entry->value == NULL || *entry->value == '\0') && entry->file == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &entry->value, entry,
                           "Firmware entry must have either value or 'file' attribute");
  else if (!g_str_has_prefix (entry->name, "opt/"))
    validation_error (validation, &entry->name, entry,
                      "Invalid firmware name: '%s'; names of your own begin with 'opt/'", entry->name);
  else if (g_str_has_prefix (entry->name, "opt/ovmf/") || g_str_has_prefix (entry->name, "opt/org.qemu/"))
    validation_error (validation, &entry->name, entry, "That firmware name is reserved: '%s'", entry->name);
}

void
validate_sysinfo (Validation *validation)
{
  const DomainDef *def = validation->def;

  for (guint i = 0; def->sysinfos != NULL && i < def->sysinfos->len; i++) {
    const Sysinfo *sysinfo = g_ptr_array_index (def->sysinfos, i);

    if (sysinfo->type == SYSINFO_SMBIOS)
      validate_smbios (validation, sysinfo);
    for (guint e = 0; sysinfo->entries != NULL && e < sysinfo->entries->len; e++)
      validate_blob (validation, g_ptr_array_index (sysinfo->entries, e));
  }
}

/* The kernel's names of what it has read from the firmware's tables. */
static const struct {
  gsize table; /* in Sysinfo; 0: the base board */
  const char *name, *file;
} host_entries[] = {
#define HOST(member, name_, file_)                      \
  {                                                     \
    G_STRUCT_OFFSET (Sysinfo, member), (name_), (file_) \
  }
#define BOARD(name_, file_) \
  {                         \
    0, (name_), (file_)     \
  }
  HOST (bios, "vendor", "bios_vendor"),
  HOST (bios, "version", "bios_version"),
  HOST (bios, "date", "bios_date"),
  HOST (bios, "release", "bios_release"),
  HOST (system, "manufacturer", "sys_vendor"),
  HOST (system, "product", "product_name"),
  HOST (system, "version", "product_version"),
  HOST (system, "serial", "product_serial"),
  HOST (system, "uuid", "product_uuid"),
  HOST (system, "sku", "product_sku"),
  HOST (system, "family", "product_family"),
  BOARD ("manufacturer", "board_vendor"),
  BOARD ("product", "board_name"),
  BOARD ("version", "board_version"),
  BOARD ("serial", "board_serial"),
  BOARD ("asset", "board_asset_tag"),
  HOST (chassis, "manufacturer", "chassis_vendor"),
  HOST (chassis, "version", "chassis_version"),
  HOST (chassis, "serial", "chassis_serial"),
  HOST (chassis, "asset", "chassis_asset_tag"),
#undef HOST
#undef BOARD
};

/* Takes @value. */
static void
add_host_entry (Sysinfo *sysinfo, gsize offset, const char *name, char *value)
{
  SysinfoEntry *entry = field_new (&entry_table);
  SysinfoTable *table = (SysinfoTable *)(gpointer)((char *)sysinfo + offset);

  if (offset == 0 && sysinfo->base_boards == NULL) {
    sysinfo->base_boards = g_ptr_array_new ();
    g_ptr_array_add (sysinfo->base_boards, field_new (&table_table));
  }
  if (offset == 0)
    table = g_ptr_array_index (sysinfo->base_boards, 0);
  if (table->entries == NULL)
    table->entries = g_ptr_array_new ();
  entry->name = g_strdup (name);
  entry->value = value;
  g_ptr_array_add (table->entries, entry);
}

Sysinfo *
sysinfo_of_host (char *(*read) (const char *file, gpointer data), gpointer data)
{
  g_autoptr (Sysinfo) sysinfo = field_new (&sysinfo_table);
  gboolean says = FALSE;

  sysinfo->type = SYSINFO_SMBIOS;
  for (guint i = 0; i < G_N_ELEMENTS (host_entries); i++) {
    g_autofree char *text = read (host_entries[i].file, data);

    if (text == NULL || !g_utf8_validate (text, -1, NULL) || *g_strstrip (text) == '\0')
      continue;
    says = TRUE;
    add_host_entry (sysinfo, host_entries[i].table, host_entries[i].name, g_steal_pointer (&text));
  }
  return says ? g_steal_pointer (&sysinfo) : NULL;
}

void
sysinfo_free (Sysinfo *sysinfo)
{
  field_free (&sysinfo_table, sysinfo);
}
