/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Machines started, controlled, found again and ended, with real QEMU; and emulators that go wrong. After
 * each failure nothing is left: no process, no run directory.
 */
#include "daemon/core/tree.h"
#include "daemon/domain/domain-kind.h"
#include "daemon/drivers/qemu/adopt.h"
#include "daemon/drivers/qemu/control.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/snapshot/checkpoint-kind.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/serial.h"
#include "main-loop.h"
#include "targets/qemu/recipe.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define QEMU "/usr/bin/qemu-system-x86_64"
#define UUID "c7a5fdbd-edaf-9455-926a-d65c16db1809"

static char *root;
static Settings *settings;
static Store *store;
static CapsCache *caps;
static Platform *platform;

static QemuCaps *
find_caps (gpointer data, const char *emulator)
{
  return caps_cache_get (data, emulator != NULL ? emulator : QEMU, NULL);
}

static char *
in_root (const char *name)
{
  return g_build_filename (root, name, NULL);
}

static DomainDef *
parse (const char *emulator, const char *devices, const char *os)
{
  g_autofree char *text = g_strdup_printf ("<domain type='qemu'><name>web</name><uuid>" UUID
                                           "</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
                                           "<os><type arch='x86_64' machine='q35'>hvm</type>%s</os>"
                                           "<devices><emulator>%s</emulator><controller type='usb' "
                                           "model='none'/><memballoon model='none'/>%s</devices></domain>",
                                           os, emulator, devices);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  DomainDef *def = domain_def_parse (text, -1, 0, platform, diagnostics);

  if (def == NULL)
    fail_msg ("%s", diagnostics_to_text (diagnostics));
  return def;
}

typedef struct {
  gboolean done;
  gpointer result;
  GError *error;
} Outcome;

static void
take_outcome (gpointer result, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->result = result;
  outcome->error = error != NULL ? g_error_copy (error) : NULL;
  outcome->done = TRUE;
}

static Outcome
run_job (JobFunction function, gpointer input, GDestroyNotify free_input)
{
  Outcome outcome = { 0 };

  job_start ("test", function, input, free_input, start_job_seconds (settings), take_outcome, &outcome);
  assert_true (run_main_loop_until (&outcome.done));
  return outcome;
}

static StartedMachine *
start_def (DomainDef *def, gboolean paused, GError **error)
{
  Outcome outcome = run_job (start_job, start_request_new (def, 7, paused, FALSE, settings, store, caps),
                             (GDestroyNotify)start_request_free);

  if (outcome.error != NULL)
    g_propagate_error (error, outcome.error);
  return outcome.result;
}

static StartedMachine *
start (const char *devices, gboolean paused)
{
  g_autoptr (DomainDef) def = parse (QEMU, devices, "");
  g_autoptr (GError) error = NULL;
  StartedMachine *started = start_def (def, paused, &error);

  if (started == NULL)
    fail_msg ("%s", error->message);
  return started;
}

static void
note_end (Process *process, ProcessExit how, gpointer data)
{
  (void)process;
  (void)how;
  *(gboolean *)data = TRUE;
}

static void
assert_nothing_left (void)
{
  g_autofree char *run = store_run_directory (store, UUID);

  assert_false (g_file_test (run, G_FILE_TEST_EXISTS));
  assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);
}

static void
end_machine (StartedMachine *started)
{
  gboolean ended = FALSE;

  process_watch (started->process, note_end, &ended);
  control_end (started->process, FALSE);
  assert_true (run_main_loop_until (&ended));
  qmp_close (started->qmp);
  started_machine_free (started);
  machine_clean_up (settings, store, UUID);
  assert_nothing_left ();
}

static char *
machine_log (void)
{
  g_autofree char *path = g_build_filename (settings->log_directory, "web.log", NULL);
  char *text = NULL;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static gpointer
ask_status (Job *job, gpointer input, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (input, job, "query-status", NULL, error);

  return answer != NULL ? g_strdup (json_object_get_string_member (json_node_get_object (answer), "status"))
                        : NULL;
}

static void
assert_status (Qmp *qmp, const char *expected)
{
  Outcome outcome = run_job (ask_status, qmp, NULL);
  g_autofree char *status = outcome.result;

  assert_null (outcome.error);
  assert_string_equal (status, expected);
}

static void
control (StartedMachine *started, JobFunction function)
{
  Outcome outcome = run_job (function, control_request_new (started->qmp), control_request_free);

  assert_null (outcome.error);
  assert_ptr_equal (outcome.result, JOB_OK);
}

static void
machine_is_started_paused_and_controlled (void **state)
{
  struct stat status;

  (void)state;
  StartedMachine *started = start ("<serial type='pty'/>", TRUE);
  assert_status (started->qmp, "prelaunch");
  assert_int_equal (started->def->id.value, 7);
  assert_int_equal (started->status->state, VIR_DOMAIN_PAUSED);
  assert_false (started->status->starting);
  DOMAIN_FOREACH_DEVICE (started->def, serial_kind, DeviceSerial, serial) {
    const char *pty = chardev_path (&serial->source);
    assert_non_null (pty);
    assert_true (g_str_has_prefix (pty, "/dev/pts/"));
    assert_int_equal (stat (pty, &status), 0);
    assert_true (S_ISCHR (status.st_mode));
  }

  control (started, control_resume);
  assert_status (started->qmp, "running");
  control (started, control_suspend);
  assert_status (started->qmp, "paused");
  control (started, control_reset);
  control (started, control_restart);
  assert_status (started->qmp, "running");
  control (started, control_shutdown);

  g_autofree char *log = machine_log ();
  assert_non_null (strstr (log, "starting up domaind version: "));
  assert_non_null (strstr (log, "guest=web,debug-threads=on \\\n"));
  end_machine (started);
}

static void
qemu_runs_without_privileges (void **state)
{
  g_autofree char *text = NULL;

  (void)state;
  StartedMachine *started = start ("", FALSE);
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", process_pid (started->process));
  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  assert_non_null (strstr (text, "NoNewPrivs:\t1"));
  assert_non_null (strstr (text, "CapEff:\t0000000000000000"));
  assert_non_null (strstr (text, "CapBnd:\t0000000000000000"));
  if (geteuid () == 0)
    assert_null (strstr (text, "Uid:\t0"));
  end_machine (started);
}

/* The image and its directory belong to the daemon's account alone. */
static void
private_image_just_works (void **state)
{
  g_autofree char *directory = in_root ("private");
  g_autofree char *image = g_build_filename (directory, "a.qcow2", NULL);
  g_autofree char *create = g_strdup_printf ("qemu-img create -q -f qcow2 %s 1M", image);
  g_autofree char *devices =
      g_strdup_printf ("<disk type='file'><driver name='qemu' type='qcow2'/><source file='%s'/><target "
                       "dev='vda' bus='virtio'/></disk>",
                       image);

  (void)state;
  assert_int_equal (g_mkdir (directory, 0700), 0);
  assert_true (g_spawn_command_line_sync (create, NULL, NULL, NULL, NULL));
  assert_int_equal (g_chmod (image, 0600), 0);
  StartedMachine *started = start (devices, FALSE);
  assert_status (started->qmp, "running");
  DOMAIN_FOREACH_DEVICE (started->def, disk_kind, DeviceDisk, disk) {
    g_autofree char *node = g_strdup_printf ("\"libvirt-%u-format\"", (guint)disk->source_index.value);
    g_autofree char *log = machine_log ();
    assert_non_null (strstr (log, node));
  }

  struct stat status;
  assert_int_equal (stat (image, &status), 0);
  assert_int_equal (status.st_uid, geteuid ());
  end_machine (started);
}

/* What is there from before goes, unless it is to be kept; the file is made when it is missing. */
/* QEMU locks what it writes to: who comes second is refused, and the first goes on. */
static void
image_in_use_is_refused (void **state)
{
  g_autofree char *image = in_root ("shared.qcow2");
  g_autofree char *create = g_strdup_printf ("qemu-img create -q -f qcow2 %s 1M", image);
  g_autofree char *devices = g_strdup_printf (
      "<disk type='file'><driver name='qemu' type='qcow2'/><source file='%s'/><target dev='vda' "
      "bus='virtio'/></disk>",
      image);
  g_autoptr (GError) error = NULL;

  (void)state;
  assert_true (g_spawn_command_line_sync (create, NULL, NULL, NULL, NULL));
  StartedMachine *started = start (devices, FALSE);
  g_autoptr (DomainDef) second = parse (QEMU, devices, "");
  memcpy (second->uuid, "11111111", 8);
  assert_null (start_def (second, FALSE, &error));
  assert_non_null (strstr (error->message, "Failed to get \"write\" lock"));
  assert_status (started->qmp, "running");
  end_machine (started);
}

static void
serial_output_goes_to_a_file (void **state)
{
  static const struct {
    const char *before, *append, *after;
  } rows[] = { { NULL, "", "" }, { "old\n", "", "" }, { "old\n", " append='on'", "old\n" } };
  g_autofree char *path = in_root ("serial.txt");

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *devices =
        g_strdup_printf ("<serial type='file'><source path='%s'%s/></serial>", path, rows[i].append);
    g_autofree char *after = NULL;
    g_unlink (path);
    assert_true (rows[i].before == NULL || g_file_set_contents (path, rows[i].before, -1, NULL));
    end_machine (start (devices, TRUE));
    assert_true (g_file_get_contents (path, &after, NULL, NULL));
    assert_string_equal (after, rows[i].after);
  }
}

static void
firmware_gets_its_variables (void **state)
{
  g_autofree char *expected = g_build_filename (settings->state_directory, "nvram", "web_VARS.fd", NULL);

  (void)state;
  if (access ("/usr/share/OVMF/OVMF_CODE_4M.fd", R_OK) != 0)
    skip ();
  static const char text[] =
      "<domain type='qemu'><name>web</name><uuid>" UUID
      "</uuid><memory unit='MiB'>64</memory><os firmware='efi'>"
      "<type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features><devices><emulator>" QEMU
      "</emulator><memballoon model='none'/></devices></domain>";
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  g_autoptr (DomainDef) def = domain_def_parse (text, -1, 0, platform, diagnostics);
  assert_non_null (def);

  for (guint round = 0; round < 2; round++) {
    g_autoptr (GError) error = NULL;
    StartedMachine *started = start_def (def, TRUE, &error);
    assert_null (error);
    assert_string_equal (started->def->os.nvram, expected);
    assert_non_null (strstr (started->def->os.loader, "OVMF_CODE"));
    end_machine (started);
    /* The second start takes what the first has left. */
    assert_true (g_file_test (expected, G_FILE_TEST_IS_REGULAR));
    if (round == 0)
      assert_int_equal (g_chmod (expected, 0640), 0);
  }
  struct stat status;
  assert_int_equal (stat (expected, &status), 0);
  assert_int_equal (status.st_mode & 0777, 0640);
}

static void
displays_get_their_own_ports (void **state)
{
  (void)state;
  StartedMachine *started = start ("<graphics type='vnc' autoport='yes' passwd='secret'/>", TRUE);
  DOMAIN_FOREACH_DEVICE (started->def, graphics_kind, DeviceGraphics, graphics) {
    assert_true (graphics->port.value >= 5900);
  }
  g_autofree char *log = machine_log ();
  assert_null (strstr (log, "secret"));
  end_machine (started);
}

static void
machine_is_found_again (void **state)
{
  g_autofree char *json = NULL, *xml = NULL;

  (void)state;
  StartedMachine *started = start ("<serial type='pty'/>", FALSE);
  qmp_close (started->qmp);
  assert_true (store_load_status (store, UUID, &json, &xml, NULL));
  assert_non_null (strstr (xml, "/dev/pts/"));
  g_autoptr (MachineStatus) status = machine_status_from_json (json, NULL);
  assert_int_equal (status->state, VIR_DOMAIN_RUNNING);
  assert_string_equal (status->name, "web");

  g_autoptr (Process) process = adopt_process (status);
  assert_non_null (process);
  const Hotplug plug = { NULL, settings, store, caps };
  Outcome outcome =
      run_job (adopt_job, adopt_request_new (status, started->def, platform, &plug, &checkpoint_kind),
               (GDestroyNotify)adopt_request_free);
  assert_null (outcome.error);
  g_autoptr (AdoptedMachine) adopted = outcome.result;
  assert_int_equal (adopted->state, VIR_DOMAIN_RUNNING);
  assert_int_equal (adopted->reason, VIR_DOMAIN_RUNNING_BOOTED);
  assert_false (adopted->half_started);
  qmp_close (adopted->qmp);
  end_machine (started);
  assert_null (adopt_process (status));
}

/* The daemon died between exec and the first instruction. */
static void
half_started_machine_is_known_as_such (void **state)
{
  (void)state;
  StartedMachine *started = start ("", TRUE);
  qmp_close (started->qmp);
  g_autoptr (MachineStatus) status = machine_status_copy (started->status);
  status->starting = TRUE;
  const Hotplug plug = { NULL, settings, store, caps };
  Outcome outcome =
      run_job (adopt_job, adopt_request_new (status, started->def, platform, &plug, &checkpoint_kind),
               (GDestroyNotify)adopt_request_free);
  g_autoptr (AdoptedMachine) adopted = outcome.result;
  assert_true (adopted->half_started);
  qmp_close (adopted->qmp);
  end_machine (started);
}

/* Stopped by a signal it answers nothing, and ends all the same. */
static void
wedged_machine_can_be_ended (void **state)
{
  (void)state;
  StartedMachine *started = start ("", FALSE);
  assert_true (process_signal (started->process, SIGSTOP));
  end_machine (started);
}

/* Emulators that answer a probe like QEMU, and then do not start a machine. */

static DomainDef *
parse_with_emulator (const char *body)
{
  g_autofree char *path = in_root ("emulator");
  g_autofree char *script =
      g_strdup_printf ("#!/bin/sh\ncase \"$*\" in *guest=*) %s ;; esac\nexec " QEMU " \"$@\"\n", body);

  assert_true (g_file_set_contents_full (path, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  return parse (path, "", "");
}

static void
failed_starts_are_explained_and_undone (void **state)
{
  static const struct {
    const char *body;
    int code;
    const char *text;
  } rows[] = {
    { "echo 'the moon is full' >&2; exit 1", VIR_ERR_INTERNAL_ERROR,
      "process exited while connecting to monitor: the moon is full" },
    { "exit 0", VIR_ERR_INTERNAL_ERROR, "process exited while connecting to monitor: it said nothing" },
    { "kill -SEGV $$", VIR_ERR_INTERNAL_ERROR, "process exited" },
    { "echo waiting; exec sleep 600", VIR_ERR_OPERATION_TIMEOUT,
      "QEMU did not get ready within 5 seconds and was ended; it said: waiting" },
    { "exec " QEMU " \"$@\" -device no-such-device", VIR_ERR_INTERNAL_ERROR,
      "'no-such-device' is not a valid device model name" },
    { "exec python3 -c 'import socket; c, _ = socket.socket(fileno=3).accept(); c.send(b\"go away\\r\\n\"); "
      "input()'",
      VIR_ERR_INTERNAL_ERROR, "process exited" },
  };

  (void)state;
  guint timeout = settings->start_timeout;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DomainDef) def = parse_with_emulator (rows[i].body);
    g_autoptr (GError) error = NULL;

    settings->start_timeout = rows[i].code == VIR_ERR_OPERATION_TIMEOUT ? 5 : timeout;
    assert_null (start_def (def, TRUE, &error));
    if (strstr (error->message, rows[i].text) == NULL || error->code != rows[i].code)
      fail_msg ("%s: %d %s", rows[i].body, error->code, error->message);
    assert_nothing_left ();
  }
  settings->start_timeout = timeout;
}

static gboolean
cancel (gpointer job)
{
  job_cancel (job);
  return G_SOURCE_REMOVE;
}

static void
cancelled_start_is_undone (void **state)
{
  g_autoptr (DomainDef) def = parse_with_emulator ("exec sleep 600");
  Outcome outcome = { 0 };

  (void)state;
  Job *job = job_start ("test", start_job, start_request_new (def, 7, FALSE, FALSE, settings, store, caps),
                        (GDestroyNotify)start_request_free, 0, take_outcome, &outcome);
  g_timeout_add (300, cancel, job);
  assert_true (run_main_loop_until (&outcome.done));
  assert_int_equal (outcome.error->code, VIR_ERR_OPERATION_ABORTED);
  g_error_free (outcome.error);
  assert_nothing_left ();
}

static void
unusable_disks_are_named (void **state)
{
  g_autofree char *text_file = in_root ("text.img");
  const struct {
    const char *path, *format, *text;
  } rows[] = {
    { "/nonexistent/a.img", "raw",
      "Cannot access storage file '/nonexistent/a.img': No such file or directory" },
    { text_file, "qcow2", "is not in format 'qcow2'" },
    { root, "raw", "neither a file nor a block device" },
  };

  (void)state;
  assert_true (g_file_set_contents (text_file, "hello", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *devices =
        g_strdup_printf ("<disk type='file'><driver name='qemu' type='%s'/><source file='%s'/><target "
                         "dev='vdb' bus='virtio'/></disk>",
                         rows[i].format, rows[i].path);
    g_autoptr (DomainDef) def = parse (QEMU, devices, "");
    g_autoptr (GError) error = NULL;
    assert_null (start_def (def, TRUE, &error));
    assert_non_null (strstr (error->message, rows[i].text));
    assert_non_null (strstr (error->message, "vdb"));
    assert_nothing_left ();
  }
}

static int
set_up (void **state)
{
  (void)state;
  process_become_subreaper ();
  root = g_dir_make_tmp ("test-start-XXXXXX", NULL);
  g_chmod (root, 0755);
  settings = settings_load (FALSE, root, NULL, NULL);
  store = settings != NULL ? store_new (&domain_kind, settings, NULL) : NULL;
  caps = caps_cache_new (NULL);
  platform = qemu_platform_new (find_caps, caps);
  qemu_platform_set_firmware (platform, NULL, settings->state_directory);
  return store != NULL ? 0 : -1;
}

static int
tear_down (void **state)
{
  (void)state;
  qemu_platform_free (platform);
  caps_cache_free (caps);
  store_free (store);
  settings_free (settings);
  tree_remove (root);
  g_free (root);
  return 0;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (machine_is_started_paused_and_controlled),
    cmocka_unit_test (qemu_runs_without_privileges),
    cmocka_unit_test (private_image_just_works),
    cmocka_unit_test (image_in_use_is_refused),
    cmocka_unit_test (serial_output_goes_to_a_file),
    cmocka_unit_test (firmware_gets_its_variables),
    cmocka_unit_test (displays_get_their_own_ports),
    cmocka_unit_test (machine_is_found_again),
    cmocka_unit_test (half_started_machine_is_known_as_such),
    cmocka_unit_test (wedged_machine_can_be_ended),
    cmocka_unit_test (failed_starts_are_explained_and_undone),
    cmocka_unit_test (cancelled_start_is_undone),
    cmocka_unit_test (unusable_disks_are_named),
  };

  if (access (QEMU, X_OK) != 0)
    return 77; /* skipped */
  return cmocka_run_group_tests (tests, set_up, tear_down);
}
