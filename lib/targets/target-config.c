/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a target makes of a document: files, commands to be run before, and where a command starts the
 * machine, that. Whoever asked decides whether it is shown, written or run.
 */
#include "targets/target.h"

struct TargetConfig {
  GPtrArray *files;    /* TargetFile */
  GPtrArray *steps;    /* char ** */
  GPtrArray *warnings; /* char *, ended by NULL */
  char **environment, **argv;
};

static void
file_free (gpointer data)
{
  TargetFile *file = data;

  g_free (file->name);
  g_free (file->content);
  g_free (file);
}

TargetConfig *
target_config_new (void)
{
  TargetConfig *config = g_new0 (TargetConfig, 1);

  config->files = g_ptr_array_new_with_free_func (file_free);
  config->steps = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  config->warnings = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (config->warnings, NULL);
  return config;
}

void
target_config_free (TargetConfig *config)
{
  if (config == NULL)
    return;
  g_ptr_array_unref (config->files);
  g_ptr_array_unref (config->steps);
  g_ptr_array_unref (config->warnings);
  g_strfreev (config->environment);
  g_strfreev (config->argv);
  g_free (config);
}

static void
add_file (TargetConfig *config, const char *name, char *content, gboolean is_program)
{
  TargetFile *file = g_new0 (TargetFile, 1);

  file->name = g_strdup (name);
  file->content = content;
  file->is_program = is_program;
  g_ptr_array_add (config->files, file);
}

void
target_config_add_file (TargetConfig *config, const char *name, char *content)
{
  add_file (config, name, content, FALSE);
}

void
target_config_add_program (TargetConfig *config, const char *name, char *content)
{
  add_file (config, name, content, TRUE);
}

void
target_config_add_step (TargetConfig *config, const char *const *argv)
{
  g_ptr_array_add (config->steps, g_strdupv ((char **)argv));
}

void
target_config_set_command (TargetConfig *config, char **environment, char **argv)
{
  g_strfreev (config->environment);
  g_strfreev (config->argv);
  config->environment = environment;
  config->argv = argv;
}

void
target_config_warn (TargetConfig *config, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_insert (config->warnings, (int)config->warnings->len - 1, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

const GPtrArray *
target_config_files (const TargetConfig *config)
{
  return config->files;
}

const GPtrArray *
target_config_steps (const TargetConfig *config)
{
  return config->steps;
}

const char *const *
target_config_environment (const TargetConfig *config)
{
  return (const char *const *)config->environment;
}

const char *const *
target_config_argv (const TargetConfig *config)
{
  return (const char *const *)config->argv;
}

const char *const *
target_config_warnings (const TargetConfig *config)
{
  return (const char *const *)config->warnings->pdata;
}
