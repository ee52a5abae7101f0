/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as what QEMU says: after a greeting that is right (a first byte that is odd) or from the first
 * byte on. Commands wait for answers, events go where a machine's go.
 */
#include "daemon/drivers/qemu/machine-events.h"
#include "daemon/drivers/qemu/qmp.h"
#include "targets/qemu/recipe.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPENING   "{\"QMP\": {}}\n{\"return\": {}, \"id\": 0}\n"
#define COMMANDS  4
#define TURNS_MAX 10000 /* of the main loop for one input */

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static Platform *platform;
static DomainDef *def;
static MachineEvents *events;

static void
on_state (gpointer data G_GNUC_UNUSED, virDomainState state G_GNUC_UNUSED, int reason G_GNUC_UNUSED,
          int event G_GNUC_UNUSED, int detail G_GNUC_UNUSED)
{
}

static void
on_event (gpointer data G_GNUC_UNUSED, int number G_GNUC_UNUSED, GVariant *payload)
{
  g_autofree char *text = g_variant_print (payload, TRUE);

  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
on_action (gpointer data G_GNUC_UNUSED, MachineAction action G_GNUC_UNUSED)
{
}

static void
on_name (gpointer data G_GNUC_UNUSED, const char *name)
{
  g_assert_nonnull (name);
}

static void
on_switch (gpointer data G_GNUC_UNUSED, const char *alias, gboolean open G_GNUC_UNUSED)
{
  g_assert_nonnull (alias);
}

static void
on_balloon (gpointer data G_GNUC_UNUSED, guint64 kib G_GNUC_UNUSED)
{
}

static const MachineEventHandlers machine_handlers = {
  .state = on_state,
  .event = on_event,
  .action = on_action,
  .balloon = on_balloon,
  .device_deleted = on_name,
  .channel = on_switch,
  .tray = on_switch,
  .dumped = on_name,
  .device_refused = on_name,
};

static void
qmp_event (G_GNUC_UNUSED Qmp *qmp, const char *name, JsonObject *arguments, G_GNUC_UNUSED gint64 microseconds,
           G_GNUC_UNUSED gpointer data)
{
  machine_events_qmp (events, name, arguments);
}

static void
qmp_closed (G_GNUC_UNUSED Qmp *qmp, const GError *error, gpointer data)
{
  g_assert_nonnull (error);
  *(gboolean *)data = TRUE;
}

static const QmpHandlers handlers = { NULL, qmp_event, qmp_closed };

static void
answered (JsonNode *answer, const GError *error, gpointer data)
{
  g_assert_true ((answer == NULL) != (error == NULL));
  ++*(guint *)data;
}

static void
ignore (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
        const char *message G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
}

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  static const char document[] =
      "<domain type='qemu'><name>a</name><memory>1024</memory><os><type arch='x86_64'>hvm</type></os>"
      "<devices><disk type='file' device='cdrom'><target dev='sda'/><alias name='sata0-0-0'/></disk>"
      "<channel type='unix'><target type='virtio' name='x'/><alias name='channel0'/></channel>"
      "</devices></domain>";
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  g_log_set_default_handler (ignore, NULL);
  platform = qemu_platform_new (builtin_caps, NULL);
  def = domain_def_parse (document, -1, DOMAIN_READ_LIVE | DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  g_assert_nonnull (def);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  gboolean closed = FALSE;
  guint answers = 0;
  int pair[2];
  Qmp *qmp;

  if (size == 0)
    return 0;
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  events = machine_events_new (def, VIR_DOMAIN_RUNNING, 0, &machine_handlers, NULL);
  qmp = qmp_new (pair[0], 0, &handlers, &closed);
  for (guint i = 0; i < COMMANDS; i++)
    qmp_query (qmp, "query-status", NULL, 1, answered, &answers);
  if ((data[0] & 1) && send (pair[1], OPENING, strlen (OPENING), MSG_NOSIGNAL) < 0)
    g_assert_not_reached ();
  g_assert_cmpint (send (pair[1], data + 1, size - 1, MSG_NOSIGNAL), ==, (gssize)size - 1);
  shutdown (pair[1], SHUT_WR);
  for (guint turn = 0; turn < TURNS_MAX && !closed; turn++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_true (closed);
  g_assert_cmpuint (answers, ==, COMMANDS);
  close (pair[1]);
  machine_events_ended (events);
  machine_events_free (events);
  qmp_close (qmp);
  qmp_unref (qmp);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return 0;
}
