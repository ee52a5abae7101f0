/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mistakes of completion and validation: found in the structs, reported at their place in the document, which
 * the source map knows by a member's address. It stands below both, so that a kind of device needs neither.
 */

#include "domain/report.h"

const char any_device_kind;

/* A mistake at the place of @member, or of @object where the document does not have it. */
static void G_GNUC_PRINTF (6, 0)
    report_at (const SourceMap *map, Diagnostics *diagnostics, virErrorNumber code, gconstpointer member,
               gconstpointer object, const char *format, va_list arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);

  if (!source_map_is_invalid (map, member) || member == object)
    diagnostics_error (diagnostics, source_map_find (map, member, object), code, "%s", message);
}

/* The same for a mistake of @object as a whole; nothing when part of it was not understood. */
static void G_GNUC_PRINTF (6, 0)
    report_whole_at (const SourceMap *map, Diagnostics *diagnostics, virErrorNumber code,
                     gconstpointer member, gconstpointer object, const char *format, va_list arguments)
{
  if (!source_map_is_invalid (map, object))
    report_at (map, diagnostics, code, member, object, format, arguments);
}

static void
    G_GNUC_PRINTF (5, 0) warn_at (const SourceMap *map, Diagnostics *diagnostics, gconstpointer member,
                                  gconstpointer object, const char *format, va_list arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);

  diagnostics_warning (diagnostics, source_map_find (map, member, object), VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       message);
}

static gboolean
may_miss (const SourceMap *map, gconstpointer what)
{
  return source_map_is_invalid (map, what) || source_map_is_invalid (map, ANY_KIND);
}

void
completion_error (Completion *completion, gconstpointer member, gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_whole_at (completion->map, completion->diagnostics, VIR_ERR_CONFIG_UNSUPPORTED, member, object,
                   format, arguments);
  va_end (arguments);
}

void
completion_error_code (Completion *completion, virErrorNumber code, gconstpointer member,
                       gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_whole_at (completion->map, completion->diagnostics, code, member, object, format, arguments);
  va_end (arguments);
}

void
completion_value_error (Completion *completion, virErrorNumber code, gconstpointer member,
                        gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_at (completion->map, completion->diagnostics, code, member, object, format, arguments);
  va_end (arguments);
}

void
completion_host_error (Completion *completion, virErrorNumber code, gconstpointer member,
                       gconstpointer object, const char *format, ...)
{
  va_list arguments;

  if (completion->anywhere)
    return;
  va_start (arguments, format);
  report_at (completion->map, completion->diagnostics, code, member, object, format, arguments);
  va_end (arguments);
}

void
completion_warning (Completion *completion, gconstpointer member, gconstpointer object, const char *format,
                    ...)
{
  va_list arguments;

  va_start (arguments, format);
  warn_at (completion->map, completion->diagnostics, member, object, format, arguments);
  va_end (arguments);
}

gboolean
completion_may_miss (const Completion *completion, gconstpointer what)
{
  return may_miss (completion->map, what);
}

gboolean
completion_is_invalid (const Completion *completion, gconstpointer object)
{
  return source_map_is_invalid (completion->map, object);
}

gboolean
completion_has_device (const Completion *completion, const char *qemu_device)
{
  const Platform *platform = completion->platform;

  if (platform == NULL || platform->has_device == NULL || completion->def->emulator == NULL)
    return TRUE;
  return platform->has_device (platform, completion->def->emulator, qemu_device);
}

void
validation_error (Validation *validation, gconstpointer member, gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_whole_at (validation->map, validation->diagnostics, VIR_ERR_CONFIG_UNSUPPORTED, member, object,
                   format, arguments);
  va_end (arguments);
}

void
validation_host_error (Validation *validation, gconstpointer member, gconstpointer object, const char *format,
                       ...)
{
  va_list arguments;

  if (validation->anywhere)
    return;
  va_start (arguments, format);
  report_whole_at (validation->map, validation->diagnostics, VIR_ERR_CONFIG_UNSUPPORTED, member, object,
                   format, arguments);
  va_end (arguments);
}

void
validation_error_code (Validation *validation, virErrorNumber code, gconstpointer member,
                       gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_whole_at (validation->map, validation->diagnostics, code, member, object, format, arguments);
  va_end (arguments);
}

void
validation_value_error (Validation *validation, virErrorNumber code, gconstpointer member,
                        gconstpointer object, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report_at (validation->map, validation->diagnostics, code, member, object, format, arguments);
  va_end (arguments);
}

gboolean
validation_may_miss (const Validation *validation, gconstpointer what)
{
  return may_miss (validation->map, what);
}

void
validation_warning (Validation *validation, gconstpointer member, gconstpointer object, const char *format,
                    ...)
{
  va_list arguments;

  va_start (arguments, format);
  warn_at (validation->map, validation->diagnostics, member, object, format, arguments);
  va_end (arguments);
}

void
validation_single_device (Validation *validation, const Device *device, virErrorNumber code,
                          const char *message)
{
  for (guint i = 0; i < validation->def->devices->len; i++) {
    const Device *other = g_ptr_array_index (validation->def->devices, i);

    if (other == device)
      return;
    if (other->kind == device->kind)
      break;
  }
  validation_error_code (validation, code, device, device, "%s", message);
}
