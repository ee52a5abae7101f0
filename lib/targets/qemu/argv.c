/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recipe as a command line. Objects, netdevs, block nodes, devices and audio back-ends are said in JSON,
 * which needs no quoting rules; character devices have no JSON form in QEMU 7.2, so the properties, kept as
 * QMP's chardev-add takes them, are rewritten as k=v here, the one place that knows both spellings.
 */
#include "targets/qemu/recipe-private.h"

#include <string.h>

char *
option_escape (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, ",", -1);

  return g_strjoinv (",,", parts);
}

char *
launch_word (const char *word)
{
  gboolean plain = word[0] != '\0'
                   && strspn (word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-_=+,./:@%")
                          == strlen (word);

  return plain ? g_strdup (word) : g_shell_quote (word);
}

char *
launch_lines (const char *const *argv, char *(*quote) (const char *word))
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; argv[i] != NULL; i++) {
    g_autofree char *word = quote (argv[i]);

    if (i > 0)
      g_string_append (text, argv[i][0] == '-' ? " \\\n" : " ");
    g_string_append (text, word);
  }
  return g_string_free (text, FALSE);
}

static void
append_option (GString *text, const char *name, const char *value)
{
  g_autofree char *escaped = NULL;

  if (value == NULL)
    return;
  escaped = option_escape (value);
  g_string_append_printf (text, ",%s=%s", name, escaped);
}

static const char *
string_of (JsonObject *object, const char *name)
{
  return object != NULL ? json_object_get_string_member_with_default (object, name, NULL) : NULL;
}

static JsonObject *
object_of (JsonObject *object, const char *name)
{
  return object != NULL && json_object_has_member (object, name)
             ? json_object_get_object_member (object, name)
             : NULL;
}

/* A SocketAddressLegacy: { "type": "unix", "data": { "path": ... } } */
static void
append_socket_address (GString *text, JsonObject *address, const char *host, const char *port)
{
  JsonObject *data = object_of (address, "data");
  const char *type = string_of (address, "type");

  if (g_strcmp0 (type, "unix") == 0)
    append_option (text, "path", string_of (data, "path"));
  else if (g_strcmp0 (type, "fd") == 0)
    append_option (text, "fd", string_of (data, "str"));
  else {
    append_option (text, host, string_of (data, "host"));
    append_option (text, port, string_of (data, "port"));
  }
}

static void
append_socket (GString *text, JsonObject *data)
{
  static const char *const waits[] = { "reconnect", "reconnect-ms" };

  append_socket_address (text, object_of (data, "addr"), "host", "port");
  if (json_object_get_boolean_member_with_default (data, "telnet", FALSE))
    g_string_append (text, ",telnet=on");
  if (json_object_get_boolean_member_with_default (data, "server", TRUE)) {
    g_string_append (text, ",server=on");
    if (json_object_has_member (data, "wait"))
      g_string_append_printf (text, ",wait=%s", json_object_get_boolean_member (data, "wait") ? "on" : "off");
  }
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    if (json_object_has_member (data, waits[i]))
      g_string_append_printf (text, ",%s=%" G_GINT64_FORMAT, waits[i],
                              json_object_get_int_member (data, waits[i]));
  append_option (text, "tls-creds", string_of (data, "tls-creds"));
}

static void
append_switch (GString *text, const char *name, JsonObject *data)
{
  if (json_object_has_member (data, name))
    append_option (text, name, json_object_get_boolean_member (data, name) ? "on" : "off");
}

static void
append_log (GString *text, JsonObject *data)
{
  append_option (text, "logfile", string_of (data, "logfile"));
  if (data != NULL && json_object_has_member (data, "logappend"))
    append_option (text, "logappend", json_object_get_boolean_member (data, "logappend") ? "on" : "off");
}

static char *
chardev_to_option (JsonObject *properties)
{
  JsonObject *backend = object_of (properties, "backend");
  JsonObject *data = object_of (backend, "data");
  const char *type = string_of (backend, "type");
  GString *text = g_string_new (type);

  append_option (text, "id", string_of (properties, "id"));
  if (strcmp (type, "socket") == 0)
    append_socket (text, data);
  else if (strcmp (type, "udp") == 0) {
    append_socket_address (text, object_of (data, "remote"), "host", "port");
    append_socket_address (text, object_of (data, "local"), "localaddr", "localport");
  } else if (strcmp (type, "file") == 0) {
    append_option (text, "path", string_of (data, "out"));
    if (json_object_get_boolean_member_with_default (data, "append", FALSE))
      g_string_append (text, ",append=on");
  } else if (strcmp (type, "pipe") == 0 || strcmp (type, "serial") == 0 || strcmp (type, "parallel") == 0)
    append_option (text, "path", string_of (data, "device"));
  else if (strcmp (type, "spicevmc") == 0)
    append_option (text, "name", string_of (data, "type"));
  else if (strcmp (type, "spiceport") == 0)
    append_option (text, "name", string_of (data, "fqdn"));
  else if (strcmp (type, "dbus") == 0)
    append_option (text, "name", string_of (data, "name"));
  else if (strcmp (type, "qemu-vdagent") == 0) {
    append_option (text, "name", "vdagent");
    append_switch (text, "clipboard", data);
    append_switch (text, "mouse", data);
  }
  append_log (text, data);
  return g_string_free (text, FALSE);
}

static char *
properties_to_json (JsonObject *properties)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), properties);

  return json_to_string (node, FALSE);
}

static void
add_step (GPtrArray *argv, const Recipe *recipe, const Step *step)
{
  static const char *const options[] = {
    [STEP_OBJECT] = "-object",     [STEP_CHARDEV] = "-chardev", [STEP_NETDEV] = "-netdev",
    [STEP_BLOCKDEV] = "-blockdev", [STEP_DEVICE] = "-device",   [STEP_AUDIODEV] = "-audiodev"
  };

  if (step->kind == STEP_OPTION) {
    g_ptr_array_add (argv, g_strdup (step->option));
    if (step->value != NULL)
      g_ptr_array_add (argv, g_strdup (step->value));
    return;
  }
  g_ptr_array_add (argv, g_strdup (options[step->kind]));
  g_ptr_array_add (argv, step->kind == STEP_CHARDEV  ? chardev_to_option (step->properties)
                         : step->kind == STEP_DEVICE ? custom_device (recipe, step->properties)
                         : step->kind == STEP_NETDEV ? custom_netdev (recipe, step->properties)
                                                     : properties_to_json (step->properties));
}

/* The sets must exist before the first option that names one, so they stand first. */
static void
add_descriptors (GPtrArray *argv, const Recipe *recipe)
{
  if (!recipe_by_descriptor (recipe))
    return;
  for (guint i = 0; i < recipe_file_count (recipe); i++) {
    const RecipeFile *file = recipe_get_file (recipe, i);

    if (file->by_name || file->passed)
      continue;
    g_ptr_array_add (argv, g_strdup ("-add-fd"));
    /* Whose it is: found again by that name when the device is taken out. */
    if (file->device != NULL && file->device->alias != NULL)
      g_ptr_array_add (argv,
                       g_strdup_printf ("fd=%d,set=%u,opaque=%s", file->fd, file->set, file->device->alias));
    else
      g_ptr_array_add (argv, g_strdup_printf ("fd=%d,set=%u", file->fd, file->set));
  }
}

char **
recipe_to_argv (const Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  GPtrArray *argv = g_ptr_array_new ();

  g_ptr_array_add (
      argv, g_strdup (def->emulator != NULL ? def->emulator : qemu_caps_binary (recipe_caps (recipe))));
  for (guint i = 0; i < recipe_step_count (recipe); i++) {
    add_step (argv, recipe, recipe_get_step (recipe, i));
    if (i == 0)
      add_descriptors (argv, recipe);
  }
  g_ptr_array_add (argv, NULL);
  return (char **)g_ptr_array_free (argv, FALSE);
}
