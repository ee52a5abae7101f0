/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The configuration of a container image: which program, with which environment, as whom and where, and the
 * sums of the unpacked layers. Docker writes null where a list is empty, and members in any order.
 */
#include "image/image-config.h"

#include "base/untrusted-json.h"
#include "base/virt-error.h"
#include "image/image-digest.h"

void
image_config_free (ImageConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->architecture);
  g_free (config->os);
  g_strfreev (config->environment);
  g_strfreev (config->entrypoint);
  g_strfreev (config->command);
  g_free (config->directory);
  g_free (config->user);
  g_free (config->stop_signal);
  g_strfreev (config->diff_ids);
  g_free (config);
}

/* The texts of a list; none where there is no list. NULL with @error: too many, or something else is in it.
 */
static char **
read_words (JsonObject *said, const char *name, guint limit, GError **error)
{
  JsonArray *list = said != NULL ? untrusted_list (said, name) : NULL;
  guint count = list != NULL ? json_array_get_length (list) : 0;
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  if (count > limit) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the image's configuration has %u entries in '%s': at most %u are read", count, name,
                    limit);
    return NULL;
  }
  for (guint i = 0; i < count; i++) {
    const char *word = untrusted_text_of (json_array_get_element (list, i));

    if (word == NULL) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "the image's configuration has something in '%s' that is no text, or too long", name);
      return NULL;
    }
    g_ptr_array_add (words, g_strdup (word));
  }
  g_ptr_array_add (words, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/* A text, or NULL where it is absent or empty. */
static char *
read_text (JsonObject *said, const char *name)
{
  const char *text = said != NULL ? untrusted_text (said, name) : NULL;

  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

static gboolean
check_environment (char **environment, GError **error)
{
  for (guint i = 0; environment[i] != NULL; i++) {
    if (environment[i][0] == '=' || g_strstr_len (environment[i], -1, "=") == NULL) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "the image's configuration has '%.100s' in 'Env': expected NAME=VALUE", environment[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check (const ImageConfig *config, GError **error)
{
  for (guint i = 0; config->diff_ids[i] != NULL; i++) {
    if (image_digest_hex (config->diff_ids[i], error) == NULL)
      return FALSE;
  }
  if (g_strcmp0 (config->os, "linux") != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the image is for '%s': expected 'linux'",
                    config->os != NULL ? config->os : "");
    return FALSE;
  }
  if (config->directory != NULL && config->directory[0] != '/') {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the image's working directory is '%.100s': expected an absolute path",
                    config->directory);
    return FALSE;
  }
  return check_environment (config->environment, error);
}

ImageConfig *
image_config_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonObject) said =
      length <= IMAGE_CONFIG_BYTES_MAX ? untrusted_json_object (text, length) : NULL;
  g_autoptr (ImageConfig) config = g_new0 (ImageConfig, 1);
  JsonObject *program = said != NULL ? untrusted_object (said, "config") : NULL;
  JsonObject *layers = said != NULL ? untrusted_object (said, "rootfs") : NULL;

  if (layers == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the image's configuration is damaged: no object with a 'rootfs'");
    return NULL;
  }
  config->architecture = read_text (said, "architecture");
  config->os = read_text (said, "os");
  config->directory = read_text (program, "WorkingDir");
  config->user = read_text (program, "User");
  config->stop_signal = read_text (program, "StopSignal");
  config->environment = read_words (program, "Env", IMAGE_WORDS_MAX, error);
  if (config->environment == NULL)
    return NULL;
  config->entrypoint = read_words (program, "Entrypoint", IMAGE_WORDS_MAX, error);
  if (config->entrypoint == NULL)
    return NULL;
  config->command = read_words (program, "Cmd", IMAGE_WORDS_MAX, error);
  if (config->command == NULL)
    return NULL;
  config->diff_ids = read_words (layers, "diff_ids", IMAGE_LAYERS_MAX, error);
  if (config->diff_ids == NULL || !check (config, error))
    return NULL;
  return g_steal_pointer (&config);
}

char **
image_config_program (const ImageConfig *config, const char *entrypoint, char **command, GError **error)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) program = NULL;

  if (entrypoint == NULL)
    g_strv_builder_addv (words, (const char **)config->entrypoint);
  else if (*entrypoint != '\0')
    g_strv_builder_add (words, entrypoint);
  if (command[0] != NULL)
    g_strv_builder_addv (words, (const char **)command);
  else if (entrypoint == NULL)
    g_strv_builder_addv (words, (const char **)config->command);
  program = g_strv_builder_end (words);
  if (program[0] != NULL && *program[0] != '\0')
    return g_steal_pointer (&program);
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "the image names no program to run: give a command behind its name");
  return NULL;
}
