/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any document as a domain, the whole way: read, checked, completed, for the QEMU that the library has built
 * in. What is accepted, written and read again must be written as the same text: completion changes nothing
 * that is complete.
 */
#include "model/domain.h"
#include "qemu/recipe.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

static const Platform *
platform (void)
{
  static Platform *once = NULL;

  if (once == NULL)
    once = qemu_platform_new (builtin_caps, NULL);
  return once;
}

static void
check_stable (const DomainDef *def)
{
  g_autofree char *text = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) again = domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, platform (), diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);
  g_autofree char *written = NULL;

  if (again == NULL)
    g_error ("what was written is refused: %s%s", mistakes, text);
  written = domain_def_to_xml (again, DOMAIN_WRITE_SECURE);
  g_assert_cmpstr (text, ==, written);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  for (guint lax = 0; lax < 2; lax++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autoptr (DomainDef) def = domain_def_parse ((const char *)data, (gssize)size, lax ? DOMAIN_READ_LAX : 0,
                                                  platform (), diagnostics);

    g_assert_true ((def == NULL) == diagnostics_has_errors (diagnostics));
    if (def != NULL)
      check_stable (def);
  }
  return 0;
}
