/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any document as a domain, the whole way: read, checked, completed, for the QEMU that the library has built
 * in. What is accepted and written can be read again, with as many devices: completion adds nothing to what
 * is complete. (Controllers that completion added move to their place among those of their type when they
 * are first read, as they do in libvirt; after that the text stays the same.)
 */
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

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

/* The definition written and read again; the written text goes to @ret_text. */
static DomainDef *
reread (const DomainDef *def, char **ret_text)
{
  g_autofree char *text = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  DomainDef *again = domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, platform (), diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  if (again == NULL)
    g_error ("what was written is refused:\n%s%s", mistakes, text);
  *ret_text = g_steal_pointer (&text);
  return again;
}

static void
check_stable (const DomainDef *def)
{
  g_autofree char *first = NULL, *second = NULL;
  g_autoptr (DomainDef) again = reread (def, &first);
  g_autoptr (DomainDef) once_more = reread (again, &second);
  g_autofree char *third = domain_def_to_xml (once_more, DOMAIN_WRITE_SECURE);

  if (def->devices->len != again->devices->len || !g_str_equal (second, third))
    g_error ("what was written is read as something else:\n%s%s%s", first, second, third);
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
