/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The record of a machine's last end. It is written in two steps: at once, before anything of the machine is
 * cleared away, what the daemon knows by heart; then, by a job, what has to be read (the log, the kernel's
 * messages). A daemon that is killed between the two loses words and not the fact. That a machine runs is
 * marked by a file that outlives the host, with the host's boot in it, so that a power cut is told from a
 * daemon that was away.
 */
#include "daemon/domain/last-end.h"

#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "daemon/drivers/qemu/machine-log.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY           "ends"
#define RECORD              ".json"
#define RUNNING             ".running"
#define BOOT                "/proc/sys/kernel/random/boot_id"
#define BOOT_MAX            128
#define LOG_TAIL            (64 * 1024) /* bytes: a banner may be long */
#define BANNER              ": starting up domaind version"
#define KERNEL_MESSAGES     "/dev/kmsg"
#define KERNEL_MESSAGE      8192   /* bytes of one */
#define KERNEL_MESSAGES_MAX 100000 /* that are read */
#define MARKS_MAX           100000

LastEnd *
last_end_new (void)
{
  LastEnd *end = g_new0 (LastEnd, 1);

  end->helpers = g_ptr_array_new_with_free_func (g_free);
  return end;
}

void
last_end_free (LastEnd *end)
{
  if (end == NULL)
    return;
  end_asked_clear (&end->asked);
  g_free (end->words);
  g_ptr_array_unref (end->helpers);
  g_free (end);
}

/* JSON. */

static void
add_text (JsonObject *object, const char *name, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (object, name, text);
}

static void
add_switch (JsonObject *object, const char *name, gboolean on)
{
  if (on)
    json_object_set_boolean_member (object, name, TRUE);
}

static void
add_asked (JsonObject *object, const EndAsked *asked)
{
  if (asked->wire == NULL)
    return;
  add_text (object, "asked-wire", asked->wire);
  add_text (object, "asked-call", asked->call);
  json_object_set_int_member (object, "asked-uid", asked->uid);
  json_object_set_int_member (object, "asked-pid", asked->pid);
  json_object_set_int_member (object, "asked-at", asked->at);
}

char *
last_end_to_json (const LastEnd *end)
{
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *helpers = json_array_new ();

  json_object_set_int_member (object, "ended", end->ended);
  json_object_set_int_member (object, "started", end->started);
  json_object_set_int_member (object, "reason", end->reason);
  json_object_set_int_member (object, "pid", end->pid);
  if (end->exit.known)
    json_object_set_int_member (object, end->exit.signalled ? "signal" : "status", end->exit.code);
  add_switch (object, "panicked", end->panicked);
  add_switch (object, "off", end->off);
  add_switch (object, "unseen", end->unseen);
  add_switch (object, "host", end->host);
  add_switch (object, "memory", end->memory);
  add_asked (object, &end->asked);
  add_text (object, "words", end->words);
  for (guint i = 0; i < end->helpers->len; i++)
    json_array_add_string_element (helpers, g_ptr_array_index (end->helpers, i));
  json_object_set_array_member (object, "helpers", helpers);
  return json_object_text (object);
}

static gint64
read_number (JsonObject *object, const char *name)
{
  gint64 value = 0;

  untrusted_number (object, name, &value);
  return MAX (value, 0);
}

static void
read_exit (JsonObject *object, ProcessExit *exit)
{
  gint64 code = 0;

  exit->signalled = untrusted_number (object, "signal", &code);
  exit->known = exit->signalled || untrusted_number (object, "status", &code);
  exit->code = (int)CLAMP (code, 0, G_MAXINT);
}

LastEnd *
last_end_from_json (const char *json, gsize length, GError **error)
{
  g_autoptr (JsonObject) object = length <= LAST_END_MAX ? untrusted_json_object (json, length) : NULL;
  JsonArray *helpers;
  LastEnd *end;

  if (object == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "what is kept of its last end is damaged: no JSON object");
    return NULL;
  }
  end = last_end_new ();
  end->ended = read_number (object, "ended");
  end->started = read_number (object, "started");
  end->reason = (int)MIN (read_number (object, "reason"), VIR_DOMAIN_SHUTOFF_DAEMON);
  end->pid = read_number (object, "pid");
  read_exit (object, &end->exit);
  end->panicked = untrusted_switch (object, "panicked");
  end->off = untrusted_switch (object, "off");
  end->unseen = untrusted_switch (object, "unseen");
  end->host = untrusted_switch (object, "host");
  end->memory = untrusted_switch (object, "memory");
  end->asked =
      (EndAsked){ g_strdup (untrusted_text (object, "asked-wire")),
                  g_strdup (untrusted_text (object, "asked-call")), read_number (object, "asked-uid"),
                  read_number (object, "asked-pid"), read_number (object, "asked-at") };
  end->words = g_strdup (untrusted_text (object, "words"));
  helpers = untrusted_list (object, "helpers");
  for (guint i = 0; helpers != NULL && i < json_array_get_length (helpers); i++) {
    const char *text = untrusted_text_of (json_array_get_element (helpers, i));

    if (text != NULL)
      g_ptr_array_add (end->helpers, g_strdup (text));
  }
  return end;
}

/* Files. */

static char *
path_of (const Settings *settings, const char *uuid, const char *suffix)
{
  g_autofree char *name = g_strconcat (uuid, suffix, NULL);

  return g_build_filename (settings->state_directory, DIRECTORY, name, NULL);
}

/* Not waited for: it is the daemon's end that it has to outlive at once. */
static void
write_file (const Settings *settings, const char *path, const char *text)
{
  g_autofree char *directory = g_build_filename (settings->state_directory, DIRECTORY, NULL);
  g_autoptr (PreparedFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (store_make_directory (directory, 0700, &error))
    file = prepared_file_new (path, text, -1, 0600, FALSE, &error);
  if (file == NULL || !prepared_file_commit (file, &error))
    g_warning ("%s: %s", path, error->message);
}

/* Between a look at what is there and a write: a record is completed by a job. */
static GMutex lock;

void
last_end_save (const Settings *settings, const char *uuid, const LastEnd *end)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autofree char *path = path_of (settings, uuid, RECORD), *json = last_end_to_json (end);

  write_file (settings, path, json);
}

void
last_end_complete (const Settings *settings, const char *uuid, const LastEnd *end)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autoptr (LastEnd) now = last_end_load (settings, uuid, NULL);
  g_autofree char *path = path_of (settings, uuid, RECORD), *json = last_end_to_json (end);

  if (now != NULL && now->ended == end->ended)
    write_file (settings, path, json);
}

LastEnd *
last_end_load (const Settings *settings, const char *uuid, GError **error)
{
  g_autofree char *path = path_of (settings, uuid, RECORD), *json = NULL;
  gsize length;

  if (access (path, F_OK) != 0)
    return NULL;
  json = store_read_file (path, LAST_END_MAX, &length, error);
  return json != NULL ? last_end_from_json (json, length, error) : NULL;
}

char *
last_end_path (const Settings *settings, const char *uuid)
{
  return path_of (settings, uuid, RECORD);
}

void
last_end_forget (const Settings *settings, const char *uuid)
{
  g_autofree char *record = path_of (settings, uuid, RECORD), *mark = path_of (settings, uuid, RUNNING);

  unlink (record);
  unlink (mark);
}

static char *
boot_id (void)
{
  char *boot = NULL;

  return g_file_get_contents (BOOT, &boot, NULL, NULL) ? g_strstrip (boot) : g_strdup ("");
}

void
last_end_mark_running (const Settings *settings, const char *uuid, gint64 started)
{
  g_autofree char *path = path_of (settings, uuid, RUNNING), *boot = boot_id ();
  g_autofree char *text = g_strdup_printf ("%s %" G_GINT64_FORMAT "\n", boot, started);

  write_file (settings, path, text);
}

void
last_end_unmark_running (const Settings *settings, const char *uuid)
{
  g_autofree char *path = path_of (settings, uuid, RUNNING);

  unlink (path);
}

GPtrArray *
last_end_list_running (const Settings *settings)
{
  g_autofree char *path = g_build_filename (settings->state_directory, DIRECTORY, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && found->len < MARKS_MAX && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, RUNNING))
      g_ptr_array_add (found, g_strndup (name, strlen (name) - strlen (RUNNING)));
  return found;
}

void
last_end_save_unseen (const Settings *settings, const char *uuid)
{
  g_autofree char *path = path_of (settings, uuid, RUNNING), *boot = boot_id ();
  g_autofree char *mark = store_read_file (path, BOOT_MAX, NULL, NULL);
  const char *space = mark != NULL ? strchr (mark, ' ') : NULL;
  g_autoptr (LastEnd) end = last_end_new ();

  if (space != NULL) {
    end->started = MAX (g_ascii_strtoll (space, NULL, 10), 0);
    end->unseen = TRUE;
    end->host = *boot != '\0' && !g_str_has_prefix (mark, boot);
    end->reason = VIR_DOMAIN_SHUTOFF_CRASHED;
    last_end_save (settings, uuid, end);
  }
  last_end_unmark_running (settings, uuid);
}

/* What has to be read. */

/* Behind the last banner: its first line, the command line, whose lines end in a backslash but for the last.
 */
static const char *
after_banner (const char *text)
{
  const char *banner = g_strrstr (text, BANNER);

  while (banner != NULL) {
    const char *line = strchr (banner, '\n');
    const char *end = line != NULL ? strchr (line + 1, '\n') : NULL;

    if (end == NULL)
      return "";
    if (end[-1] != '\\')
      return end + 1;
    banner = line + 1;
  }
  return text;
}

char *
last_end_words (const Settings *settings, const char *name)
{
  g_autofree char *encoded = store_encode_name (name), *file = g_strconcat (encoded, ".log", NULL);
  g_autofree char *path = g_build_filename (settings->log_directory, file, NULL),
                  *text = g_malloc (LOG_TAIL + 1);
  g_autofree char *valid = NULL;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const char *words;
  ssize_t got = 0;
  gsize length;

  if (fd >= 0) {
    off_t size = lseek (fd, 0, SEEK_END);

    got = pread (fd, text, LOG_TAIL, MAX (size - LOG_TAIL, 0));
    close (fd);
  }
  text[MAX (got, 0)] = '\0';
  valid = g_utf8_make_valid (text, -1);
  words = after_banner (valid);
  length = strlen (words);
  if (length > MACHINE_LOG_LAST_WORDS)
    words = g_utf8_find_next_char (words + length - MACHINE_LOG_LAST_WORDS - 1, NULL);
  return g_strstrip (g_strdup (words));
}

/* "Out of memory: Killed process 4711 (qemu-system-x86) ...", "Memory cgroup out of memory: Killed
 * process..." */
gboolean
last_end_was_oom (gint64 pid)
{
  g_autofree char *words = g_strdup_printf ("ut of memory: Killed process %" G_GINT64_FORMAT " (", pid);
  int fd = open (KERNEL_MESSAGES, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  char message[KERNEL_MESSAGE + 1];
  gboolean found = FALSE;

  for (guint i = 0; fd >= 0 && !found && i < KERNEL_MESSAGES_MAX; i++) {
    ssize_t got = read (fd, message, KERNEL_MESSAGE);

    if (got < 0 && (errno == EPIPE || errno == EINTR)) /* one that was overwritten meanwhile */
      continue;
    if (got <= 0)
      break;
    message[got] = '\0';
    found = strstr (message, words) != NULL;
  }
  if (fd >= 0)
    close (fd);
  return found;
}
