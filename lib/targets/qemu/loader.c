/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a machine's firmware becomes: two flash chips, the first with the program and the second with the
 * variables the guest writes, or a plain ROM. Which files they are was chosen when the machine was defined
 * (firmware-complete.c). A variable store that does not exist yet is made from its template when the machine
 * starts.
 */
#include "targets/qemu/recipe-private.h"

#include <string.h>

static gboolean
is_flash (const DomainOs *os)
{
  return os->loader != NULL && os->loader_type == LOADER_TYPE_PFLASH;
}

/* A raw store is one node: QEMU writes it as it is. */
static void
add_raw_store (Recipe *recipe, const char *file)
{
  recipe_step (recipe, STEP_BLOCKDEV,
               props ("driver", "s", "file", "filename", "s", file, "node-name", "s",
                      "libvirt-pflash1-storage", "read-only", "b", FALSE, NULL));
}

static void
add_flash (Recipe *recipe, guint number, const char *file, const char *format, gboolean readonly)
{
  g_autofree char *storage = g_strdup_printf ("libvirt-pflash%u-storage", number);
  g_autofree char *name = g_strdup_printf ("libvirt-pflash%u-format", number);
  gboolean fixed = recipe_by_descriptor (recipe); /* a descriptor is open in one mode only */

  recipe_step (recipe, STEP_BLOCKDEV,
               props ("driver", "s", "file", "filename", "s", file, "node-name", "s", storage,
                      fixed ? "read-only" : "auto-read-only", "b", fixed ? readonly : TRUE, "discard", "s",
                      "unmap", NULL));
  recipe_step (recipe, STEP_BLOCKDEV,
               props ("node-name", "s", name, "read-only", "b", readonly, "driver", "s", format, "file", "s",
                      storage, strcmp (format, "qcow2") == 0 ? "backing" : NULL, "n", NULL));
}

static const char *
format_or_raw (const char *format)
{
  return format != NULL ? format : "raw";
}

static gboolean
is_raw (const char *format)
{
  return strcmp (format_or_raw (format), "raw") == 0;
}

/* What a store that is not there yet is made from, in libvirt's words where there is nothing. */
static void
add_template (Recipe *recipe, const DomainOs *os)
{
  const char *format = format_or_raw (os->nvram_format);

  if (os->nvram_template == NULL)
    recipe_file_not_made (recipe, VIR_ERR_OPERATION_FAILED,
                          "unable to find any master var store for loader: %s", os->loader);
  else if (os->nvram_template_format != NULL && strcmp (os->nvram_template_format, format) != 0)
    recipe_file_not_made (recipe, VIR_ERR_OPERATION_UNSUPPORTED,
                          "conversion of the nvram template to another target format is not supported");
  else
    recipe_file_made_from (recipe, os->nvram_template);
}

static void
add_flashes (Recipe *recipe)
{
  const DomainOs *os = &recipe_def (recipe)->os;
  gboolean writable = os->loader_readonly == TRISTATE_NO;
  const char *file = recipe_file (recipe, os->loader, writable, NULL, "firmware");

  add_flash (recipe, 0, file, format_or_raw (os->loader_format), !writable);
  if (os->nvram == NULL)
    return;
  file = recipe_file (recipe, os->nvram, TRUE, NULL, "firmware variables");
  add_template (recipe, os);
  if (is_raw (os->nvram_format))
    add_raw_store (recipe, file);
  else
    add_flash (recipe, 1, file, os->nvram_format, FALSE);
}

gboolean
recipe_add_firmware (Recipe *recipe, GError **error)
{
  const DomainOs *os = &recipe_def (recipe)->os;

  if (os->firmware != FIRMWARE_NONE && os->loader == NULL)
    return qemu_unsupported (NULL, error,
                             "Unable to find '%s' firmware that is compatible with the current "
                             "configuration: for x86_64 the package ovmf brings it",
                             enum_table_name (&os_firmwares, os->firmware));
  if (os->loader != NULL && !is_flash (os))
    recipe_option (recipe, "-bios", "%s", recipe_file_by_name (recipe, os->loader, "firmware"));
  if (!is_flash (os))
    return TRUE;
  add_flashes (recipe);
  if (os->loader_secure == TRISTATE_YES)
    recipe_option (recipe, "-global", "driver=cfi.pflash01,property=secure,value=on");
  return TRUE;
}

void
firmware_machine_options (const Recipe *recipe, GString *options)
{
  const DomainOs *os = &recipe_def (recipe)->os;

  if (!is_flash (os))
    return;
  g_string_append (options, ",pflash0=libvirt-pflash0-format");
  if (os->nvram != NULL)
    g_string_append_printf (options, ",pflash1=libvirt-pflash1-%s",
                            is_raw (os->nvram_format) ? "storage" : "format");
}
