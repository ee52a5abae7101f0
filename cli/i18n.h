/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/translate-mark.h"
#include "config.h"
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>

#define _(text) gettext (text)

/* Speak the user's language from here on. TEXTDOMAINDIR, as gettext's own programs take it, shows a catalogue
 * that is not installed. */
static inline void
i18n_start (void)
{
  const char *directory = getenv ("TEXTDOMAINDIR");

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, directory != NULL ? directory : LOCALE_DIRECTORY);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}
