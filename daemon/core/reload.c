/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SIGHUP: the settings are read again. Every thread reads the settings without a lock, so those the daemon
 * began with stay; what can follow the file is what is not asked there: the level of the log. Of every other
 * key that changed the log says that it waits for a restart, and a file with a mistake changes nothing.
 */
#include "daemon/core/reload.h"

#include "daemon/core/log.h"

static void
tell_waiting (const Settings *old, const Settings *new)
{
  g_auto (GStrv) names = settings_changed (old, new);

  for (guint i = 0; names[i] != NULL; i++)
    if (!g_str_equal (names[i], SETTING_LOG_LEVEL))
      g_warning ("the setting %s has changed: it counts from the daemon's next start", names[i]);
}

void
reload_settings (const Reload *reload)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Settings) settings = NULL;

  settings = settings_load (reload->settings->session, reload->root, reload->config_file, &error);
  if (settings == NULL) {
    g_warning ("the settings stay as they are: %s", error->message);
    return;
  }
  log_set_level (reload->log_level != NULL ? reload->log_level : settings->log_level);
  tell_waiting (reload->settings, settings);
  g_message ("the settings were read again");
}
