/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ask a QEMU binary what it can do: one start, one conversation, on a socket pair it inherits, so that there
 * is no socket file to wait for and nothing to clean up. The emulator is an untrusted program here: each
 * answer is bounded, the whole conversation has a deadline, and the process is killed and reaped whatever
 * happened.
 *
 * It is a library of its own with no other part of the daemon in it: the command line translates documents
 * with the same answers. The cache is caps-cache.c.
 */
#include "daemon/drivers/qemu/probe.h"

#include "base/untrusted-json.h"
#include "base/virt-error.h"
#include "domain/machines/machine-kind.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_MAX_ANSWER     (4 * 1024 * 1024) /* bytes of one line; QEMU 7.2's longest is 50 kB */
#define PROBE_MAX_EVENTS     1000              /* lines that are no answer, before we stop listening */
#define PROBE_MAX_LAST_WORDS 2000              /* bytes of what QEMU printed, kept for an error */
#define PROBE_SOCKET         3                 /* the monitor's descriptor in the emulator */
#define KVM_KNOWN_VERSION    12                /* the one stable KVM API */

typedef struct {
  const char *binary;
  GPid pid;
  int socket;
  int output; /* a memfd: what the emulator prints */
  gint64 deadline;
  GByteArray *pending; /* read and not yet taken */
} Conversation;

char *
probe_kvm_problem (void)
{
  int kvm = open ("/dev/kvm", O_RDWR | O_CLOEXEC);
  int version, machine;
  char *problem = NULL;

  if (kvm < 0)
    return g_strdup_printf ("/dev/kvm cannot be opened: %s", g_strerror (errno));
  version = ioctl (kvm, KVM_GET_API_VERSION, 0);
  if (version != KVM_KNOWN_VERSION)
    problem = g_strdup_printf ("/dev/kvm speaks version %d of its interface instead of %d", version,
                               KVM_KNOWN_VERSION);
  else if ((machine = ioctl (kvm, KVM_CREATE_VM, 0)) < 0)
    problem = g_strdup_printf ("KVM refuses to make a machine: %s", g_strerror (errno));
  else
    close (machine);
  close (kvm);
  return problem;
}

const char *
qemu_emulator_package (const char *arch)
{
  static const struct {
    const char *prefix, *package;
  } rows[] = {
    { "aarch64", "qemu-system-arm" },
    { "arm", "qemu-system-arm" },
    { "ppc", "qemu-system-ppc" },
    { "mips", "qemu-system-mips" },
    { "sparc", "qemu-system-sparc" },
    { "x86", "qemu-system-x86" },
    { "i686", "qemu-system-x86" },
    { "s390", "qemu-system-s390x or, in Debian 12, qemu-system-misc" },
    { "riscv", "qemu-system-riscv or, in Debian 12, qemu-system-misc" },
  };

  for (guint i = 0; arch != NULL && i < G_N_ELEMENTS (rows); i++)
    if (g_str_has_prefix (arch, rows[i].prefix))
      return rows[i].package;
  return arch != NULL ? "qemu-system-misc" : "qemu-system-x86";
}

char *
qemu_find_emulator (const char *arch)
{
  static const char *const folders[] = { "/usr/bin", "/usr/local/bin", "/usr/libexec" };
  const char *own = arch != NULL ? architecture_emulator (arch) : NULL;
  g_autofree char *name = NULL;
  char *found;

  if (arch == NULL)
    return NULL;
  name = g_strconcat ("qemu-system-", own, NULL);
  found = g_find_program_in_path (name);

  for (guint i = 0; found == NULL && i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *path = g_build_filename (folders[i], name, NULL);

    if (access (path, X_OK) == 0)
      found = g_steal_pointer (&path);
  }
  return found;
}

static void
die_with_us (gpointer unused G_GNUC_UNUSED)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static gboolean
start (Conversation *talk, gboolean use_kvm, GError **error)
{
  const char *accelerator = use_kvm ? "none,accel=kvm:tcg" : "none,accel=tcg";
  const char *const argv[] = { talk->binary,
                               "-S",
                               "-no-user-config",
                               "-nodefaults",
                               "-display",
                               "none",
                               "-machine",
                               accelerator,
                               "-chardev",
                               "socket,id=probe,fd=" G_STRINGIFY (PROBE_SOCKET),
                               "-mon",
                               "chardev=probe,mode=control",
                               NULL };
  const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
  const int target = PROBE_SOCKET;
  g_autoptr (GError) mistake = NULL;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
      || (talk->output = memfd_create ("qemu-probe", MFD_CLOEXEC)) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot talk to %s: %s", talk->binary, g_strerror (errno));
    return FALSE;
  }
  talk->socket = pair[0];
  if (!g_spawn_async_with_pipes_and_fds ("/", argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, die_with_us, NULL,
                                         -1, talk->output, talk->output, &pair[1], &target, 1, &talk->pid,
                                         NULL, NULL, NULL, &mistake))
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "cannot run the emulator %s: %s", talk->binary,
                    mistake->message);
  close (pair[1]);
  return mistake == NULL;
}

/* What it printed, on one line; it is dead or about to be. (transfer full) */
static char *
last_words (const Conversation *talk)
{
  char text[PROBE_MAX_LAST_WORDS + 1];
  ssize_t length = pread (talk->output, text, PROBE_MAX_LAST_WORDS, 0);
  char *words;

  text[MAX (length, 0)] = '\0';
  words = g_utf8_make_valid (g_strstrip (text), -1);
  return g_strdelimit (words, "\n", ' ');
}

static gboolean
fail (const Conversation *talk, GError **error, const char *what)
{
  g_autofree char *words = last_words (talk);

  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "cannot learn what %s can do: %s%s%s", talk->binary, what,
                  *words != '\0' ? "; it said: " : "", words);
  return FALSE;
}

/* Wait until the socket is ready for @events or the time is over. */
static gboolean
wait_for (Conversation *talk, short events, GError **error)
{
  for (;;) {
    struct pollfd poller = { .fd = talk->socket, .events = events };
    gint64 left = (talk->deadline - g_get_monotonic_time ()) / 1000;
    int ready = left > 0 ? poll (&poller, 1, (int)left) : 0;

    if (ready > 0)
      return TRUE;
    if (ready == 0)
      return fail (talk, error, "it did not answer within " G_STRINGIFY (PROBE_TIMEOUT) " seconds");
    if (errno != EINTR)
      return fail (talk, error, g_strerror (errno));
  }
}

/* The next line as an object. NULL with @error set. (transfer full) */
static JsonObject *
read_object (Conversation *talk, GError **error)
{
  const guint8 *end;
  JsonObject *object;
  gsize length;

  while ((end = talk->pending->len > 0 ? memchr (talk->pending->data, '\n', talk->pending->len) : NULL)
         == NULL) {
    guint8 buffer[16384];
    ssize_t count;

    if (talk->pending->len > PROBE_MAX_ANSWER) {
      fail (talk, error, "its answer has no end");
      return NULL;
    }
    if (!wait_for (talk, POLLIN, error))
      return NULL;
    count = recv (talk->socket, buffer, sizeof (buffer), MSG_DONTWAIT);
    if (count > 0)
      g_byte_array_append (talk->pending, buffer, (guint)count);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      fail (talk, error, "it hung up");
      return NULL;
    }
  }
  length = (gsize)(end - talk->pending->data);
  object = untrusted_json_object ((const char *)talk->pending->data, length);
  g_byte_array_remove_range (talk->pending, 0, (guint)length + 1);
  if (object == NULL)
    fail (talk, error, "what it says is not QMP");
  return object;
}

static gboolean
send_text (Conversation *talk, const char *text, GError **error)
{
  for (gsize sent = 0, length = strlen (text); sent < length;) {
    ssize_t count;

    if (!wait_for (talk, POLLOUT, error))
      return FALSE;
    count = send (talk->socket, text + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
      return fail (talk, error, "it hung up");
    sent += count > 0 ? (gsize)count : 0;
  }
  return TRUE;
}

/*
 * One question; @arguments: JSON, or NULL. FALSE: the conversation is over. A question that is refused has no
 * answer (*ret is NULL): binaries without KVM or without some device are in order.
 */
static gboolean
ask (Conversation *talk, const char *command, const char *arguments, JsonNode **ret, GError **error)
{
  g_autofree char *text =
      g_strdup_printf ("{\"execute\":\"%s\"%s%s}\n", command, arguments != NULL ? ",\"arguments\":" : "",
                       arguments != NULL ? arguments : "");

  *ret = NULL;
  if (!send_text (talk, text, error))
    return FALSE;
  for (guint i = 0; i < PROBE_MAX_EVENTS; i++) {
    g_autoptr (JsonObject) answer = read_object (talk, error);

    if (answer == NULL)
      return FALSE;
    if (json_object_has_member (answer, "return")) {
      *ret = json_object_dup_member (answer, "return");
      return TRUE;
    }
    if (json_object_has_member (answer, "error"))
      return TRUE;
  }
  return fail (talk, error, "it talks and does not answer");
}

/* A feature that a model lacks says no more than one that is not listed; and of the fifteen thousand listed,
 * most are lacking. */
static void
forget_lacking (JsonNode *answer)
{
  JsonObject *properties =
      untrusted_object (untrusted_object (untrusted_object_of (answer), "model"), "props");
  g_autoptr (GList) names = properties != NULL ? json_object_get_members (properties) : NULL;

  for (GList *name = names; name != NULL; name = name->next) {
    JsonNode *value = json_object_get_member (properties, name->data);

    if (json_node_get_value_type (value) == G_TYPE_BOOLEAN && !json_node_get_boolean (value))
      json_object_remove_member (properties, name->data);
  }
}

/* The accelerator's part of the answers: the CPU models, and what those we ask for are made of. */
static gboolean
ask_cpus (Conversation *talk, QemuAccel accel, JsonObject *answers, GError **error)
{
  JsonObject *part = json_object_new (), *expansions = json_object_new ();
  g_autofree QemuCpuQuestion *questions = NULL;
  JsonNode *answer;
  guint count;

  json_object_set_object_member (answers, qemu_accel_names[accel], part);
  json_object_set_object_member (part, "query-cpu-model-expansion", expansions);
  if (!ask (talk, "query-cpu-definitions", NULL, &answer, error))
    return FALSE;
  if (answer != NULL)
    json_object_set_member (part, "query-cpu-definitions", answer);
  questions = qemu_caps_cpu_questions (accel, &count);
  for (guint i = 0; i < count; i++) {
    g_autofree char *arguments =
        g_strdup_printf ("{\"type\":\"%s\",\"model\":%s}", questions[i].type, questions[i].model);

    if (!ask (talk, "query-cpu-model-expansion", arguments, &answer, error))
      return FALSE;
    forget_lacking (answer);
    if (answer != NULL)
      json_object_set_member (expansions, questions[i].name, answer);
  }
  return TRUE;
}

static gboolean
greet (Conversation *talk, GError **error)
{
  g_autoptr (JsonObject) greeting = read_object (talk, error);
  g_autoptr (JsonNode) ready = NULL;

  return greeting != NULL && ask (talk, "qmp_capabilities", NULL, &ready, error);
}

static gboolean
ask_devices (Conversation *talk, JsonObject *answers, GError **error)
{
  JsonObject *devices = json_object_new ();
  JsonNode *answer;

  json_object_set_object_member (answers, "device-list-properties", devices);
  for (guint i = 0; qemu_caps_devices[i] != NULL; i++) {
    g_autofree char *arguments = g_strdup_printf ("{\"typename\":\"%s\"}", qemu_caps_devices[i]);

    if (!ask (talk, "device-list-properties", arguments, &answer, error))
      return FALSE;
    if (answer != NULL)
      json_object_set_member (devices, qemu_caps_devices[i], answer);
  }
  return TRUE;
}

static gboolean
says_kvm (JsonObject *answers)
{
  return untrusted_switch (untrusted_object (answers, "query-kvm"), "enabled");
}

static gboolean
ask_everything (Conversation *talk, JsonObject *answers, GError **error)
{
  JsonNode *answer;

  if (!greet (talk, error))
    return FALSE;
  for (guint i = 0; qemu_caps_commands[i] != NULL; i++) {
    if (!ask (talk, qemu_caps_commands[i], NULL, &answer, error))
      return FALSE;
    if (answer != NULL)
      json_object_set_member (answers, qemu_caps_commands[i], answer);
  }
  return ask_devices (talk, answers, error)
         && ask_cpus (talk, says_kvm (answers) ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG, answers, error);
}

static void
end (Conversation *talk)
{
  if (talk->socket >= 0)
    close (talk->socket);
  if (talk->pid > 0) {
    kill (talk->pid, SIGKILL);
    while (waitpid (talk->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  if (talk->output >= 0)
    close (talk->output);
  g_byte_array_unref (talk->pending);
}

/* One start of the emulator: with KVM, or for what only one without it can say. */
static gboolean
converse (const char *binary, gboolean use_kvm, gboolean cpus_only, JsonObject *answers, GError **error)
{
  Conversation talk = { .binary = binary, .socket = -1, .output = -1 };
  gboolean done;

  talk.deadline = g_get_monotonic_time () + PROBE_TIMEOUT * G_TIME_SPAN_SECOND;
  talk.pending = g_byte_array_new ();
  done = start (&talk, use_kvm, error);
  if (done && cpus_only)
    done = greet (&talk, error) && ask_cpus (&talk, QEMU_ACCEL_TCG, answers, error);
  else if (done)
    done = ask_everything (&talk, answers, error);
  end (&talk);
  return done;
}

QemuCaps *
qemu_probe (const char *binary, gboolean use_kvm, GError **error)
{
  g_autofree char *no_kvm = use_kvm ? probe_kvm_problem () : NULL;
  g_autoptr (JsonObject) answers = json_object_new ();

  if (!converse (binary, use_kvm && no_kvm == NULL, FALSE, answers, error)
      || (says_kvm (answers) && !converse (binary, FALSE, TRUE, answers, error)))
    return NULL;
  return qemu_caps_from_answers (binary, answers, error);
}
