/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings: one table of keys says for each its group, its kind, what it accepts and where in Settings
 * it lands. Reading domaind.conf is a walk over the file that looks each key up in the table, so that a
 * misspelt key is an error and not a setting silently left at its default.
 */
#include "daemon/core/settings.h"

#include "base/enum-table.h"
#include "base/scalars.h"

#include <string.h>

#define SETTINGS_MAX_BYTES       (64 * 1024)
#define SETTINGS_MAX_SECONDS     3600
#define SETTINGS_FILE            "domaind.conf"
#define DEFAULT_START_SECONDS    30
#define DEFAULT_CALL_SECONDS     30
#define DEFAULT_FAREWELL_SECONDS 120 /* a guest that stops its own services takes as long */
#define DEFAULT_LOGIN_SECONDS    30
#define DEFAULT_TLS_DIRECTORY    "/etc/pki/qemu" /* as libvirt's */
#define DEFAULT_MAX_CLIENTS      5000            /* as libvirtd's */
#define DEFAULT_MAX_QUEUED       512
#define DEFAULT_MAX_ANONYMOUS    100
#define DEFAULT_MAX_REQUESTS     256
#define DEFAULT_MAX_WORKERS      16
#define DEFAULT_REVISIONS        100
#define MAX_REVISIONS            10000
#define DEFAULT_TRASH_DAYS       30
#define MAX_TRASH_DAYS           3650
/* Numbers that neither login.defs(5) nor systemd give to anybody: https://systemd.io/UIDS-GIDS */
#define ACCOUNTS_FIRST   2000000000
#define ACCOUNTS_LAST    2000065535
#define ACCOUNTS_HIGHEST 2147483647 /* what every tool takes for a number of a user */

typedef enum {
  KIND_PATH,
  KIND_OPTIONAL_PATH,
  KIND_TEXT,
  KIND_OPTIONAL_TEXT,
  KIND_WORD,
  KIND_YES_NO,
  KIND_SECONDS,
  KIND_ACCOUNTS,
  KIND_COUNT,
  KIND_UUID
} SettingKind;

typedef struct {
  const char *group, *key;
  SettingKind kind;
  gsize offset;
  const char *words[6]; /* KIND_WORD: what is accepted */
  guint least, most;    /* KIND_COUNT */
} Setting;

#define SETTING(group_, key_, kind_, member, ...)                  \
  {                                                                \
    (group_), (key_), (kind_), G_STRUCT_OFFSET (Settings, member), \
    {                                                              \
      __VA_ARGS__                                                  \
    }                                                              \
  }

#define COUNT_SETTING(group_, key_, member, least_, most_)                                              \
  {                                                                                                     \
    .group = (group_), .key = (key_), .kind = KIND_COUNT, .offset = G_STRUCT_OFFSET (Settings, member), \
    .least = (least_), .most = (most_)                                                                  \
  }

static const Setting settings_table[] = {
  SETTING ("places", "config-directory", KIND_PATH, config_directory, NULL),
  SETTING ("places", "state-directory", KIND_PATH, state_directory, NULL),
  SETTING ("places", "dump-directory", KIND_PATH, dump_directory, NULL),
  SETTING ("places", "run-directory", KIND_PATH, run_directory, NULL),
  SETTING ("places", "log-directory", KIND_PATH, log_directory, NULL),
  SETTING ("places", "cache-directory", KIND_PATH, cache_directory, NULL),
  SETTING ("places", "host-directory", KIND_PATH, host_directory, NULL),
  SETTING ("networks", "lease-directory", KIND_OPTIONAL_PATH, lease_directory, NULL),
  SETTING ("machines", "emulator", KIND_PATH, emulator, NULL),
  SETTING ("machines", "user", KIND_TEXT, qemu_user, NULL),
  SETTING ("machines", "accounts", KIND_ACCOUNTS, accounts, NULL),
  SETTING ("machines", "isolate", KIND_YES_NO, isolate, NULL),
  SETTING ("machines", "sandbox", KIND_YES_NO, sandbox, NULL),
  SETTING ("machines", "start-timeout", KIND_SECONDS, start_timeout, NULL),
  SETTING ("machines", "call-timeout", KIND_SECONDS, call_timeout, NULL),
  SETTING ("machines", "shutdown-timeout", KIND_SECONDS, shutdown_timeout, NULL),
  SETTING ("machines", "on-host-shutdown", KIND_WORD, on_host_shutdown, "shutdown", "save", "none", NULL),
  SETTING ("machines", "host-shutdown-timeout", KIND_SECONDS, host_shutdown_timeout, NULL),
  SETTING ("migration", "host-uuid", KIND_UUID, host_uuid, NULL),
  SETTING ("migration", "tls-directory", KIND_PATH, migration_tls_directory, NULL),
  SETTING ("clients", "libvirt-sockets", KIND_WORD, libvirt_sockets, "auto", "yes", "no", NULL),
  SETTING ("clients", "authentication", KIND_WORD, authentication, "none", "polkit", NULL),
  SETTING ("clients", "socket-group", KIND_OPTIONAL_TEXT, socket_group, NULL),
  COUNT_SETTING ("clients", "max-clients", max_clients, 50, 100000),
  COUNT_SETTING ("clients", "max-queued-clients", max_queued_clients, 1, 65535),
  COUNT_SETTING ("clients", "max-anonymous-clients", max_anonymous_clients, 1, 100000),
  COUNT_SETTING ("clients", "max-client-requests", max_client_requests, 1, 4096),
  COUNT_SETTING ("clients", "max-workers", max_workers, 1, 256),
  SETTING ("clients", "login-timeout", KIND_SECONDS, login_timeout, NULL),
  COUNT_SETTING ("definitions", "history-revisions", history_revisions, 0, MAX_REVISIONS),
  COUNT_SETTING ("definitions", "trash-days", trash_days, 0, MAX_TRASH_DAYS),
  SETTING ("log", "level", KIND_WORD, log_level, "error", "warning", "info", "debug", NULL),
  SETTING ("log", "format", KIND_WORD, log_format, "auto", "text", "journal", NULL),
};

static const char *
environment_directory (const char *variable, const char *fallback)
{
  const char *value = g_getenv (variable);

  return value != NULL && g_path_is_absolute (value) ? value : fallback;
}

/* Where the mode keeps everything, before the file has its say. */
static void
set_default_places (Settings *settings)
{
  const char *root = settings->root != NULL ? settings->root : "/";

  if (settings->session && settings->root == NULL) {
    g_autofree char *state_home = g_build_filename (g_get_home_dir (), ".local", "state", NULL);
    const char *state = environment_directory ("XDG_STATE_HOME", state_home);

    settings->config_directory = g_build_filename (g_get_user_config_dir (), "domaind", NULL);
    settings->state_directory = g_build_filename (state, "domaind", NULL);
    settings->run_directory = g_build_filename (g_get_user_runtime_dir (), "domaind", NULL);
    settings->log_directory = g_build_filename (state, "domaind", "log", NULL);
    settings->cache_directory = g_build_filename (g_get_user_cache_dir (), "domaind", NULL);
    return;
  }
  settings->config_directory = g_build_filename (root, "etc", "domaind", NULL);
  settings->state_directory = g_build_filename (root, "var", "lib", "domaind", NULL);
  settings->run_directory = g_build_filename (root, "run", "domaind", NULL);
  settings->log_directory = g_build_filename (root, "var", "log", "domaind", NULL);
  settings->cache_directory = g_build_filename (root, "var", "cache", "domaind", NULL);
}

static Settings *
settings_new_default (gboolean session, const char *root)
{
  Settings *settings = g_new0 (Settings, 1);

  settings->session = session;
  settings->root = root != NULL ? g_canonicalize_filename (root, NULL) : NULL;
  set_default_places (settings);
  settings->host_directory = g_strdup ("/");
  settings->qemu_user = g_strdup ("auto");
  settings->accounts = (AccountRange){ ACCOUNTS_FIRST, ACCOUNTS_LAST };
  settings->isolate = TRUE;
  settings->sandbox = TRUE;
  settings->start_timeout = DEFAULT_START_SECONDS;
  settings->call_timeout = DEFAULT_CALL_SECONDS;
  settings->shutdown_timeout = DEFAULT_CALL_SECONDS;
  settings->on_host_shutdown = g_strdup ("shutdown");
  settings->host_shutdown_timeout = DEFAULT_FAREWELL_SECONDS;
  settings->libvirt_sockets = g_strdup ("auto");
  settings->authentication = g_strdup ("none");
  settings->socket_group = g_strdup ("libvirt");
  settings->lease_directory = g_strdup ("");
  settings->host_uuid = g_strdup ("");
  settings->migration_tls_directory = g_strdup (DEFAULT_TLS_DIRECTORY);
  settings->max_clients = DEFAULT_MAX_CLIENTS;
  settings->max_queued_clients = DEFAULT_MAX_QUEUED;
  settings->max_anonymous_clients = DEFAULT_MAX_ANONYMOUS;
  settings->max_client_requests = DEFAULT_MAX_REQUESTS;
  settings->max_workers = DEFAULT_MAX_WORKERS;
  settings->login_timeout = DEFAULT_LOGIN_SECONDS;
  settings->history_revisions = DEFAULT_REVISIONS;
  settings->trash_days = DEFAULT_TRASH_DAYS;
  settings->log_level = g_strdup ("info");
  settings->log_format = g_strdup ("auto");
  return settings;
}

static void
replace_text (Settings *settings, const Setting *setting, char *text)
{
  char **member = G_STRUCT_MEMBER_P (settings, setting->offset);

  g_free (*member);
  *member = text;
}

static gboolean
bad_value (GError **error, const char *file, const Setting *setting, const char *value, const char *accepted)
{
  virt_error_set (error, VIR_ERR_CONF_SYNTAX, "%s: [%s] %s: '%s' is not accepted; expected %s", file,
                  setting->group, setting->key, value, accepted);
  return FALSE;
}

static gboolean
apply_path (Settings *settings, const Setting *setting, const char *file, const char *value, GError **error)
{
  if (!g_path_is_absolute (value))
    return bad_value (error, file, setting, value, "an absolute path");
  /* --root moves the daemon's own places; the emulator is a program of the host. */
  if (settings->root != NULL && setting->offset != G_STRUCT_OFFSET (Settings, emulator))
    replace_text (settings, setting, g_build_filename (settings->root, value, NULL));
  else
    replace_text (settings, setting, g_strdup (value));
  return TRUE;
}

static gboolean
apply_word (Settings *settings, const Setting *setting, const char *file, const char *value, GError **error)
{
  g_autofree char *choices = NULL;

  if (g_strv_contains (setting->words, value)) {
    replace_text (settings, setting, g_strdup (value));
    return TRUE;
  }
  choices = g_strjoinv ("', '", (char **)setting->words);
  virt_error_set (error, VIR_ERR_CONF_SYNTAX, "%s: [%s] %s: '%s' is not accepted; expected one of '%s'", file,
                  setting->group, setting->key, value, choices);
  return FALSE;
}

/* "no", or "FIRST-LAST". */
static gboolean
apply_accounts (AccountRange *range, const Setting *setting, const char *file, const char *value,
                GError **error)
{
  g_auto (GStrv) ends = g_strsplit (value, "-", 3);
  guint64 first = 0, last = 0;

  if (!g_str_equal (value, "no")
      && (g_strv_length (ends) != 2 || !parse_uint (g_strstrip (ends[0]), ACCOUNTS_HIGHEST, &first)
          || !parse_uint (g_strstrip (ends[1]), ACCOUNTS_HIGHEST, &last) || first == 0 || last < first))
    return bad_value (error, file, setting, value,
                      "'no' or a range of numbers of users as '2000000000-2000065535'");
  *range = (AccountRange){ (guint)first, (guint)last };
  return TRUE;
}

static gboolean
apply_count (Settings *settings, const Setting *setting, const char *file, const char *value, GError **error)
{
  guint64 count;

  if (!parse_uint (value, setting->most, &count) || count < setting->least) {
    g_autofree char *accepted = g_strdup_printf ("a number from %u to %u", setting->least, setting->most);

    return bad_value (error, file, setting, value, accepted);
  }
  G_STRUCT_MEMBER (guint, settings, setting->offset) = (guint)count;
  return TRUE;
}

static gboolean
apply (Settings *settings, const Setting *setting, const char *file, const char *value, GError **error)
{
  guint8 uuid[UUID_BYTES];
  guint64 seconds;
  gboolean yes = g_str_equal (value, "yes") || g_str_equal (value, "true");

  switch (setting->kind) {
    case KIND_OPTIONAL_PATH:
      if (g_str_equal (value, "no")) {
        replace_text (settings, setting, g_strdup (""));
        return TRUE;
      }
      G_GNUC_FALLTHROUGH;
    case KIND_PATH:
      return apply_path (settings, setting, file, value, error);
    case KIND_WORD:
      return apply_word (settings, setting, file, value, error);
    case KIND_TEXT:
      if (value[0] == '\0')
        return bad_value (error, file, setting, value, "a name");
      G_GNUC_FALLTHROUGH;
    case KIND_OPTIONAL_TEXT:
      replace_text (settings, setting, g_strdup (value));
      return TRUE;
    case KIND_YES_NO:
      if (!yes && !g_str_equal (value, "no") && !g_str_equal (value, "false"))
        return bad_value (error, file, setting, value, "'yes' or 'no'");
      G_STRUCT_MEMBER (gboolean, settings, setting->offset) = yes;
      return TRUE;
    case KIND_ACCOUNTS:
      return apply_accounts (G_STRUCT_MEMBER_P (settings, setting->offset), setting, file, value, error);
    case KIND_SECONDS:
      if (!parse_uint (value, SETTINGS_MAX_SECONDS, &seconds) || seconds == 0)
        return bad_value (error, file, setting, value, "a number of seconds from 1 to 3600");
      G_STRUCT_MEMBER (guint, settings, setting->offset) = (guint)seconds;
      return TRUE;
    case KIND_COUNT:
      return apply_count (settings, setting, file, value, error);
    case KIND_UUID:
      if (!uuid_parse (value, uuid))
        return bad_value (error, file, setting, value, "a UUID");
      replace_text (settings, setting, g_strdup (value));
      return TRUE;
    default:
      g_assert_not_reached ();
  }
}

static const Setting *
find_setting (const char *group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (g_str_equal (settings_table[i].group, group) && g_str_equal (settings_table[i].key, key))
      return &settings_table[i];
  return NULL;
}

/* What the file calls a group (@group NULL) or a key, beside what it could have meant. */
static gboolean
unknown_name (GError **error, const char *file, const char *group, const char *name)
{
  const char *known[G_N_ELEMENTS (settings_table) + 1];
  const char *nearest;
  gsize count = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (group == NULL)
      known[count++] = settings_table[i].group;
    else if (g_str_equal (settings_table[i].group, group))
      known[count++] = settings_table[i].key;
  known[count] = NULL;
  nearest = nearest_word (name, known);
  virt_error_set (error, VIR_ERR_CONF_SYNTAX, "%s: %s%s%s unknown %s '%s'%s%s%s", file,
                  group != NULL ? "[" : "", group != NULL ? group : "", group != NULL ? "]" : "",
                  group != NULL ? "key" : "group", name, nearest != NULL ? "; did you mean '" : "",
                  nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
  return FALSE;
}

static gboolean
read_group (Settings *settings, GKeyFile *keys, const char *file, const char *group, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (keys, group, NULL, NULL);
  gboolean known = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (settings_table); i++)
    known = known || g_str_equal (settings_table[i].group, group);
  if (!known)
    return unknown_name (error, file, NULL, group);

  for (char **name = names; name != NULL && *name != NULL; name++) {
    const Setting *setting = find_setting (group, *name);
    g_autofree char *value = NULL;

    if (setting == NULL)
      return unknown_name (error, file, group, *name);
    value = g_key_file_get_value (keys, group, *name, error);
    if (value == NULL || !apply (settings, setting, file, g_strstrip (value), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_file (Settings *settings, const char *file, gboolean required, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) mistake = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) groups = NULL;
  gsize length;

  if (!g_file_get_contents (file, &text, &length, &mistake)) {
    if (!required && g_error_matches (mistake, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return TRUE;
    virt_error_set (error, VIR_ERR_OPEN_FAILED, "%s", mistake->message);
    return FALSE;
  }
  if (length > SETTINGS_MAX_BYTES) {
    virt_error_set (error, VIR_ERR_CONF_SYNTAX, "%s: larger than %d bytes", file, SETTINGS_MAX_BYTES);
    return FALSE;
  }
  if (!g_key_file_load_from_data (keys, text, length, G_KEY_FILE_NONE, &mistake)) {
    virt_error_set (error, VIR_ERR_CONF_SYNTAX, "%s: %s", file, mistake->message);
    return FALSE;
  }
  groups = g_key_file_get_groups (keys, NULL);
  for (char **group = groups; *group != NULL; group++)
    if (!read_group (settings, keys, file, *group, error))
      return FALSE;
  return TRUE;
}

Settings *
settings_load (gboolean session, const char *root, const char *config_file, GError **error)
{
  g_autoptr (Settings) settings = settings_new_default (session, root);
  g_autofree char *own_file = g_build_filename (settings->config_directory, SETTINGS_FILE, NULL);

  if (!read_file (settings, config_file != NULL ? config_file : own_file, config_file != NULL, error))
    return NULL;
  if (settings->dump_directory == NULL)
    settings->dump_directory = g_build_filename (settings->state_directory, "dump", NULL);
  return g_steal_pointer (&settings);
}

/* No default: the compiler names a kind that is not here. */
static gboolean
is_same (const Setting *setting, const Settings *settings, const Settings *other)
{
  gconstpointer one = G_STRUCT_MEMBER_P (settings, setting->offset);
  gconstpointer another = G_STRUCT_MEMBER_P (other, setting->offset);

  switch (setting->kind) {
    case KIND_PATH:
    case KIND_OPTIONAL_PATH:
    case KIND_TEXT:
    case KIND_OPTIONAL_TEXT:
    case KIND_WORD:
    case KIND_UUID:
      return g_strcmp0 (*(char *const *)one, *(char *const *)another) == 0;
    case KIND_YES_NO:
    case KIND_SECONDS:
    case KIND_COUNT:
      return *(const guint *)one == *(const guint *)another;
    case KIND_ACCOUNTS:
      return memcmp (one, another, sizeof (AccountRange)) == 0;
  }
  g_assert_not_reached ();
}

GStrv
settings_changed (const Settings *settings, const Settings *other)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (!is_same (&settings_table[i], settings, other)) {
      g_autofree char *name = g_strdup_printf ("[%s] %s", settings_table[i].group, settings_table[i].key);

      g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}

void
settings_free (Settings *settings)
{
  if (settings == NULL)
    return;
  g_free (settings->root);
  g_free (settings->config_directory);
  g_free (settings->state_directory);
  g_free (settings->dump_directory);
  g_free (settings->run_directory);
  g_free (settings->log_directory);
  g_free (settings->cache_directory);
  g_free (settings->host_directory);
  g_free (settings->emulator);
  g_free (settings->qemu_user);
  g_free (settings->on_host_shutdown);
  g_free (settings->libvirt_sockets);
  g_free (settings->authentication);
  g_free (settings->socket_group);
  g_free (settings->lease_directory);
  g_free (settings->host_uuid);
  g_free (settings->migration_tls_directory);
  g_free (settings->log_level);
  g_free (settings->log_format);
  g_free (settings);
}
