/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What QEMU's events come to: a list of them on one side, what clients are told on the other. */
#include "daemon/drivers/qemu/machine-events.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "domain/devices/channel.h"
#include "domain/devices/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OST(device, source, status)                                                                     \
  "ACPI_DEVICE_OST {\"info\": {" device "\"slot\": \"2\", \"slot-type\": \"CPU\", \"source\": " #source \
  ", \"status\": " #status "}}"

/* Everything the handlers are called with, as text. */

static void
told_state (gpointer data, virDomainState new_state, int reason, int event, int detail)
{
  g_string_append_printf (data, "state %d/%d event %d/%d; ", new_state, reason, event, detail);
}

static void
told_event (gpointer data, int number, GVariant *payload)
{
  g_autofree char *text = g_variant_print (payload, FALSE);

  g_string_append_printf (data, "%d%s; ", number, text);
}

static void
told_action (gpointer data, MachineAction action)
{
  g_string_append (data, action == MACHINE_END ? "end; " : "restart; ");
}

static void
told_balloon (gpointer data, guint64 kib)
{
  g_string_append_printf (data, "balloon %" G_GUINT64_FORMAT "; ", kib);
}

static void
told_deleted (gpointer data, const char *alias)
{
  g_string_append_printf (data, "deleted %s; ", alias);
}

static void
told_channel (gpointer data, const char *alias, gboolean open)
{
  g_string_append_printf (data, "channel %s %s; ", alias, open ? "open" : "closed");
}

static void
told_tray (gpointer data, const char *alias, gboolean open)
{
  g_string_append_printf (data, "tray %s %s; ", alias, open ? "open" : "closed");
}

static const MachineEventHandlers handlers = { told_state,   told_event,   told_action, told_balloon,
                                               told_deleted, told_channel, told_tray };

/* "NAME {json}" is an event of QEMU's; "ended" the process's end. */
static void
feed (MachineEvents *events, const char *line)
{
  const char *space = strchr (line, ' ');

  if (g_str_equal (line, "ended")) {
    machine_events_ended (events);
  } else if (space == NULL) {
    machine_events_qmp (events, line, NULL);
  } else {
    g_autofree char *name = g_strndup (line, (gsize)(space - line));
    g_autoptr (JsonNode) node = json_from_string (space, NULL);
    assert_non_null (node);
    machine_events_qmp (events, name, json_node_get_object (node));
  }
}

static DomainDef *
make_definition (void)
{
  DomainDef *def = domain_def_new ();
  DeviceDisk *disk = (DeviceDisk *)device_new (&disk_kind);
  DeviceChannel *agent = (DeviceChannel *)device_new (&channel_kind);

  def->on_poweroff = ON_EVENT_DESTROY;
  def->on_reboot = ON_EVENT_RESTART;
  def->on_crash = ON_EVENT_DESTROY;
  def->memory = NUMBER (2 * 1024 * 1024);
  def->clock.offset = CLOCK_VARIABLE;
  def->clock.adjustment = g_strdup ("10");
  disk->type = DISK_TYPE_FILE;
  disk->file = g_strdup ("/images/a.qcow2");
  disk->device.alias = g_strdup ("virtio-disk0");
  disk->source_index = NUMBER (2);
  domain_def_add_device (def, (Device *)disk);
  agent->name = g_strdup ("org.qemu.guest_agent.0");
  agent->device.alias = g_strdup ("channel0");
  domain_def_add_device (def, (Device *)agent);
  return def;
}

#define RUNNING  "state 1/5 event 4/0; "
#define SHUTDOWN "SHUTDOWN {\"guest\": true, \"reason\": \"guest-shutdown\"}"

static void
events_become_libvirts (void **state)
{
  static const struct {
    const char *lines[5];
    const char *told;
  } rows[] = {
    { { "STOP", "RESUME" }, "state 3/0 event 3/0; " RUNNING },
    { { "RESUME" }, "" }, /* it runs already */
    { { "POWERDOWN", "NIC_RX_FILTER_CHANGED {\"name\": \"net0\"}", "NEVER_HEARD_OF {}" }, "" },
    { { SHUTDOWN, "STOP", "ended" }, "state 4/0 event 6/1; end; state 5/1 event 5/0; " },
    { { SHUTDOWN, SHUTDOWN }, "state 4/0 event 6/1; end; " },
    { { "SHUTDOWN", "ended" }, "state 4/0 event 6/0; end; state 5/1 event 5/0; " },
    { { "SHUTDOWN {\"guest\": false, \"reason\": \"host-signal\"}", "ended" },
      "state 4/0 event 6/2; state 5/1 event 5/0; " },
    { { "ended" }, "state 5/3 event 5/5; " }, /* a crash */
    { { "RESET {\"guest\": true, \"reason\": \"guest-reset\"}" }, "1(); " },
    { { "GUEST_PANICKED {\"action\": \"pause\"}", "STOP", "ended" },
      "state 6/1 event 8/0; end; state 5/3 event 5/2; " },
    { { "GUEST_PANICKED {\"action\": \"run\"}" }, "" },
    { { "WATCHDOG {\"action\": \"pause\"}", "STOP" }, "3(1,); state 3/6 event 3/3; " },
    { { "WATCHDOG {\"action\": \"inject-nmi\"}" }, "3(6,); " },
    { { "SUSPEND", "WAKEUP" }, "12(0,); state 7/0 event 7/0; 11(0,); state 1/8 event 2/4; " },
    { { "RTC_CHANGE {\"offset\": -3}" }, "2(7,); " },
    { { "RTC_CHANGE {\"offset\": 9223372036854775807}" }, "" },
    { { "BALLOON_CHANGE {\"actual\": 1073741824}" }, "balloon 1048576; 13(1048576,); " },
    { { "DEVICE_TRAY_MOVED {\"device\": \"\", \"id\": \"/machine/peripheral/sata0-0-1/x\", \"tray-open\": "
        "true}" },
      "" },
    { { "DEVICE_TRAY_MOVED {\"device\": \"\", \"id\": \"/machine/peripheral/virtio-disk0/x\", \"tray-open\": "
        "true}" },
      "tray virtio-disk0 open; 10('virtio-disk0', 0); " },
    { { "DEVICE_DELETED {\"path\": \"/machine/peripheral/net1/virtio-backend\"}",
        "DEVICE_DELETED {\"device\": \"channel0\", \"path\": \"/machine/peripheral/channel0\"}" },
      "deleted channel0; 15('channel0',); " },
    { { "DEVICE_UNPLUG_GUEST_ERROR {\"device\": \"channel0\", \"path\": \"x\"}" }, "22('channel0',); " },
    /* Of a processor no client is told. Where it is emulated only its guest says that it is gone. */
    { { "DEVICE_DELETED {\"device\": \"vcpu2\", \"path\": \"/machine/peripheral/vcpu2\"}" },
      "deleted vcpu2; " },
    { { OST ("\"device\": \"vcpu2\", ", 1, 0), OST ("\"device\": \"vcpu2\", ", 3, 132), OST ("", 3, 0) },
      "deleted vcpu2; " },
    { { OST ("\"device\": \"vcpu2\", ", 3, 129), OST ("\"device\": \"vcpu2\", ", 1, 1) }, "" },
    { { "VSERPORT_CHANGE {\"id\": \"channel0\", \"open\": true}",
        "VSERPORT_CHANGE {\"id\": \"channel7\", \"open\": true}" },
      "channel channel0 open; 18(1, 2); " },
    { { "BLOCK_IO_ERROR {\"device\": \"\", \"node-name\": \"libvirt-2-format\", \"action\": \"stop\", "
        "\"nospace\": true}",
        "STOP" },
      "4('/images/a.qcow2', 'virtio-disk0', 1); 6('/images/a.qcow2', 'virtio-disk0', 1, 'enospc'); state 3/5 "
      "event 3/2; " },
    { { "BLOCK_IO_ERROR {\"device\": \"what\", \"action\": \"report\"}" },
      "4('', '', 2); 6('', '', 2, ''); " },
    { { "VNC_CONNECTED {\"server\": {\"host\": \"::1\", \"service\": \"5900\", \"family\": \"ipv6\", "
        "\"auth\": \"vnc\"},"
        "\"client\": {\"host\": \"::1\", \"service\": \"41000\", \"family\": \"ipv6\", \"sasl_username\": "
        "\"eve\"}}" },
      "5(0, (1, '::1', '5900'), (1, '::1', '41000'), 'vnc', [('saslUsername', 'eve')]); " },
    { { "SPICE_DISCONNECTED {\"server\": {\"host\": \"a\", \"port\": \"5901\", \"family\": \"ipv4\"}}" },
      "5(2, (0, 'a', '5901'), (0, '', ''), '', []); " },
    { { "MEMORY_FAILURE {\"recipient\": \"guest\", \"action\": \"inject\", \"flags\": {\"recursive\": "
        "true}}" },
      "25(1, 1, 2); " },
    { { "MIGRATION_PASS {\"pass\": 2}", "MIGRATION_PASS {\"pass\": -9}" }, "20(2,); 20(0,); " },
    { { "MEMORY_DEVICE_SIZE_CHANGE {\"id\": \"channel0\", \"size\": 2097152}" }, "26('channel0', 2048); " },
    /* What makes no sense does no harm. */
    { { "SHUTDOWN {\"guest\": 7, \"reason\": []}" }, "state 4/0 event 6/2; end; " },
    { { "BALLOON_CHANGE {\"actual\": -5}", "DEVICE_DELETED {\"device\": {}}", "WATCHDOG" },
      "balloon 0; 13(0,); 3(0,); " },
    /* The machine has no such device, and not so much memory. */
    { { "DEVICE_DELETED {\"device\": \"other\"}", "DEVICE_UNPLUG_GUEST_ERROR {\"device\": \"other\"}",
        "MEMORY_DEVICE_SIZE_CHANGE {\"id\": \"other\", \"size\": 4096}",
        "DEVICE_TRAY_MOVED {\"id\": \"channel0\", \"tray-open\": true}" },
      "deleted other; " },
    { { "BALLOON_CHANGE {\"actual\": 9223372036854775807}" }, "balloon 2097152; 13(2097152,); " },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DomainDef) def = make_definition ();
    g_autoptr (GString) told = g_string_new (NULL);
    g_autoptr (MachineEvents) events =
        machine_events_new (def, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, &handlers, told);
    for (guint k = 0; rows[i].lines[k] != NULL; k++)
      feed (events, rows[i].lines[k]);
    assert_string_equal (told->str, rows[i].told);
  }
}

static void
policies_are_obeyed (void **state)
{
  static const struct {
    int on_poweroff, on_reboot, on_crash;
    gboolean reboot_asked;
    const char *line, *told;
  } rows[] = {
    { ON_EVENT_RESTART, ON_EVENT_RESTART, ON_EVENT_DESTROY, FALSE, SHUTDOWN, "restart; " },
    { ON_EVENT_DESTROY, ON_EVENT_RESTART, ON_EVENT_DESTROY, TRUE, SHUTDOWN, "restart; " },
    { ON_EVENT_RESTART, ON_EVENT_RESTART, ON_EVENT_DESTROY, FALSE,
      "SHUTDOWN {\"guest\": false, \"reason\": \"host-signal\"}", "state 4/0 event 6/2; " },
    { ON_EVENT_PRESERVE, ON_EVENT_RESTART, ON_EVENT_DESTROY, FALSE, SHUTDOWN, "state 4/0 event 6/1; " },
    { ON_EVENT_RESTART, ON_EVENT_DESTROY, ON_EVENT_DESTROY, FALSE,
      "SHUTDOWN {\"guest\": true, \"reason\": \"guest-reset\"}", "state 4/0 event 6/1; end; " },
    { ON_EVENT_DESTROY, ON_EVENT_DESTROY, ON_EVENT_DESTROY, FALSE, "RESET {\"guest\": true}", "1(); end; " },
    { ON_EVENT_DESTROY, ON_EVENT_DESTROY, ON_EVENT_DESTROY, FALSE, "RESET {\"guest\": false}", "1(); " },
    { ON_EVENT_DESTROY, ON_EVENT_RESTART, ON_EVENT_RESTART, FALSE, "GUEST_PANICKED {\"action\": \"pause\"}",
      "state 6/1 event 8/0; restart; " },
    { ON_EVENT_DESTROY, ON_EVENT_RESTART, ON_EVENT_PRESERVE, FALSE, "GUEST_PANICKED {\"action\": \"pause\"}",
      "state 6/1 event 8/0; " },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DomainDef) def = make_definition ();
    g_autoptr (GString) told = g_string_new (NULL);
    def->on_poweroff = rows[i].on_poweroff;
    def->on_reboot = rows[i].on_reboot;
    def->on_crash = rows[i].on_crash;
    g_autoptr (MachineEvents) events =
        machine_events_new (def, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, &handlers, told);
    machine_events_restart_on_shutdown (events, rows[i].reboot_asked);
    feed (events, rows[i].line);
    assert_string_equal (told->str, rows[i].told);
  }
}

static void
reasons_given_before_are_used_once (void **state)
{
  g_autoptr (DomainDef) def = make_definition ();
  g_autoptr (GString) told = g_string_new (NULL);

  (void)state;
  g_autoptr (MachineEvents) events =
      machine_events_new (def, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, &handlers, told);
  machine_events_expect_run (events, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  feed (events, "RESUME");
  machine_events_expect_pause (events, VIR_DOMAIN_PAUSED_USER, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  feed (events, "STOP");
  feed (events, "RESUME");
  feed (events, "STOP");
  machine_events_expect_end (events, VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED);
  feed (events, "SHUTDOWN {\"guest\": false, \"reason\": \"host-signal\"}");
  feed (events, "ended");
  assert_string_equal (told->str,
                       "state 1/1 event 4/0; state 3/1 event 3/0; state 1/5 event 4/0; state 3/0 event 3/0; "
                       "state 5/2 event 5/1; ");
}

static void
restarted_machine_can_shut_down_again (void **state)
{
  g_autoptr (DomainDef) def = make_definition ();
  g_autoptr (GString) told = g_string_new (NULL);

  (void)state;
  g_autoptr (MachineEvents) events =
      machine_events_new (def, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, &handlers, told);
  machine_events_restart_on_shutdown (events, TRUE);
  feed (events, SHUTDOWN);
  feed (events, "STOP");
  feed (events, "RESET {\"guest\": false}");
  feed (events, "RESUME");
  feed (events, "STOP");
  feed (events, "RESUME");
  feed (events, SHUTDOWN);
  feed (events, "ended");
  assert_string_equal (told->str, "restart; 1(); state 3/0 event 3/0; state 1/5 event 4/0; state 4/0 event "
                                  "6/1; end; state 5/1 event 5/0; ");
}

/* What happened while the daemon was away is acted on when the machine is found. */
static void
found_machine_gets_its_policy (void **state)
{
  static const struct {
    int state;
    gboolean reboot_asked;
    const char *told;
  } rows[] = {
    { VIR_DOMAIN_RUNNING, FALSE, "" },
    { VIR_DOMAIN_SHUTDOWN, FALSE, "end; " },
    { VIR_DOMAIN_SHUTDOWN, TRUE, "restart; " },
    { VIR_DOMAIN_CRASHED, FALSE, "end; " },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DomainDef) def = make_definition ();
    g_autoptr (GString) told = g_string_new (NULL);
    g_autoptr (MachineEvents) events =
        machine_events_new (def, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, &handlers, told);
    machine_events_restart_on_shutdown (events, rows[i].reboot_asked);
    machine_events_found (events, rows[i].state, 1);
    assert_string_equal (told->str, rows[i].told);
  }
}

static void
status_of_qemu_is_a_state (void **state)
{
  static const struct {
    const char *said;
    int before, before_reason, after, after_reason;
  } rows[] = {
    { "running", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_RUNNING,
      VIR_DOMAIN_RUNNING_BOOTED },
    { "running", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN },
    { "paused", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER },
    { "io-error", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_PAUSED,
      VIR_DOMAIN_PAUSED_IOERROR },
    { "shutdown", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_SHUTDOWN,
      VIR_DOMAIN_SHUTDOWN_UNKNOWN },
    { "a new word", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VIR_DOMAIN_RUNNING,
      VIR_DOMAIN_RUNNING_BOOTED },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    int now = rows[i].before, reason = rows[i].before_reason;
    machine_state_from_qemu (rows[i].said, &now, &reason);
    assert_int_equal (now, rows[i].after);
    assert_int_equal (reason, rows[i].after_reason);
  }
}

static void
status_file_survives_a_round (void **state)
{
  MachineStatus status = { .name = (char *)"a {b} [c] \"d\"",
                           .uuid = (char *)"c7a5fdbd-edaf-9455-926a-d65c16db1809",
                           .id = 3,
                           .pid = 4711,
                           .start_time = 99,
                           .starting = TRUE,
                           .state = VIR_DOMAIN_PAUSED,
                           .reason = VIR_DOMAIN_PAUSED_USER,
                           .started = 1,
                           .state_changed = 2,
                           .restart_on_shutdown = TRUE,
                           .tainted = TRUE };

  (void)state;
  g_autofree char *json = machine_status_to_json (&status);
  g_autoptr (MachineStatus) read = machine_status_from_json (json, NULL);
  assert_non_null (read);
  assert_string_equal (read->name, status.name);
  assert_string_equal (read->uuid, status.uuid);
  assert_int_equal (read->pid, 4711);
  assert_int_equal (read->start_time, 99);
  assert_true (read->starting && read->restart_on_shutdown && !read->transient && !read->shutdown_seen);
  assert_true (read->tainted);
  assert_int_equal (read->agent_timeout, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
  g_autofree char *again = machine_status_to_json (read);
  assert_string_equal (again, json);

  read->starting = FALSE;
  read->agent_timeout = 7;
  g_autofree char *running = machine_status_to_json (read);
  g_autoptr (MachineStatus) found = machine_status_from_json (running, NULL);
  assert_int_equal (found->agent_timeout, 7);
}

static void
damaged_status_is_refused (void **state)
{
  static const struct {
    const char *from, *to;
  } rows[] = {
    { "\"pid\" : 4711", "\"pid\" : 1" },
    { "\"pid\" : 4711", "\"pid\" : -1" },
    { "\"pid\" : 4711", "\"pid\" : \"4711\"" },
    { "\"id\" : 3", "\"id\" : 4294967299" },
    { "\"id\" : 3", "\"id\" : {}" },
    { "\"state\" : 1", "\"state\" : 99" },
    { "\"format\" : 1", "\"format\" : 2" },
    { "c7a5fdbd", "../../etc" },
    { "\"starting\" : false", "\"starting\" : 0" },
    { "\"tainted\" : false", "\"tainted\" : 7" },
    { "\"agent-timeout\" : 0", "\"agent-timeout\" : -3" },
    { "{", "[[[[[[[[[[[[[[[[" },
    { "}", "" },
  };
  MachineStatus status = { .name = (char *)"a",
                           .uuid = (char *)"c7a5fdbd-edaf-9455-926a-d65c16db1809",
                           .id = 3,
                           .pid = 4711,
                           .start_time = 99,
                           .state = 1 };

  (void)state;
  g_autofree char *json = machine_status_to_json (&status);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GString) damaged = g_string_new (json);
    assert_true (g_string_replace (damaged, rows[i].from, rows[i].to, 1) > 0);
    assert_null (machine_status_from_json (damaged->str, &error));
    assert_non_null (error);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (events_become_libvirts),
    cmocka_unit_test (policies_are_obeyed),
    cmocka_unit_test (reasons_given_before_are_used_once),
    cmocka_unit_test (restarted_machine_can_shut_down_again),
    cmocka_unit_test (found_machine_gets_its_policy),
    cmocka_unit_test (status_of_qemu_is_a_state),
    cmocka_unit_test (status_file_survives_a_round),
    cmocka_unit_test (damaged_status_is_refused),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
