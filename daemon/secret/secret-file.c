/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The file of a value: a line that says how it is kept, and the bytes. systemd-creds reads the value from a
 * pipe and writes a pipe, so that it is on no command line and in no file on the way; the UUID is bound into
 * what it makes, and a file under another secret's name is refused. Its key is the host's (with a TPM where
 * there is one); below --root it is a key of that root, so that tests leave the host's alone.
 */
#include "daemon/secret/secret-file.h"

#include "base/scalars.h"
#include "daemon/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLAIN_HEADER     "domaind secret plain\n"
#define ENCRYPTED_HEADER "domaind secret systemd-creds\n"
#define PROGRAM          "systemd-creds"
#define KEY_FILE         "var/lib/systemd/credential.secret"
#define PROGRAM_SECONDS  30
#define FILE_MAX         (256 * 1024) /* a value of SECRET_VALUE_MAX encrypted, and written in base64 */

static char *
directory_of (const Settings *settings)
{
  return g_build_filename (settings->state_directory, "secrets", "values", NULL);
}

char *
secret_file_path (const Settings *settings, const char *uuid)
{
  g_autofree char *directory = directory_of (settings);

  return g_build_filename (directory, uuid, NULL);
}

/* A program with a pipe to it and one from it. */
typedef struct {
  GPid pid;
  int in, out;
} Program;

static char **
environment_of (const Settings *settings)
{
  char **environment = g_get_environ ();
  g_autofree char *key = settings->root != NULL ? g_build_filename (settings->root, KEY_FILE, NULL) : NULL;
  g_autofree char *directory = key != NULL ? g_path_get_dirname (key) : NULL;

  if (key == NULL || !store_make_directory (directory, 0755, NULL))
    return environment;
  return g_environ_setenv (environment, "SYSTEMD_CREDENTIAL_SECRET", key, TRUE);
}

static gboolean
program_start (Program *program, const Settings *settings, const char *verb, const char *uuid, GError **error)
{
  g_autofree char *path = g_find_program_in_path (PROGRAM);
  g_autofree char *name = g_strconcat ("--name=", uuid, NULL);
  const char *argv[] = { path, verb, name, "-", "-", NULL };
  g_auto (GStrv) environment = environment_of (settings);
  g_autoptr (GError) problem = NULL;

  if (path == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the program '%s' is not installed", PROGRAM);
    return FALSE;
  }
  if (g_spawn_async_with_pipes_and_fds (
          "/", argv, (const char *const *)environment,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, -1, -1,
          -1, NULL, NULL, 0, &program->pid, &program->in, &program->out, NULL, &problem))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", path, problem->message);
  return FALSE;
}

/* All of @bytes in, and what comes out into @room; its length, or -1 when it is late or says too much. */
static gssize
program_talk (Program *program, const guint8 *bytes, gsize length, guint8 *room, gsize capacity)
{
  gint64 deadline = g_get_monotonic_time () + PROGRAM_SECONDS * G_USEC_PER_SEC;
  gsize sent = 0, got = 0;

  fcntl (program->in, F_SETFL, O_NONBLOCK);
  for (;;) {
    struct pollfd fds[] = { { program->out, POLLIN, 0 }, { program->in, POLLOUT, 0 } };
    gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
    gssize count;

    if (left <= 0 || (poll (fds, program->in >= 0 ? 2 : 1, (int)left) < 0 && errno != EINTR))
      return -1;
    if (program->in >= 0 && fds[1].revents != 0) {
      count = write (program->in, bytes + sent, length - sent);
      sent += count > 0 ? (gsize)count : 0;
      if (sent == length || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        close (program->in);
        program->in = -1;
      }
    }
    if (fds[0].revents == 0)
      continue;
    count = read (program->out, room + got, capacity - got);
    if (count == 0)
      return (gssize)got;
    if (count > 0)
      got += (gsize)count;
    if (got == capacity || (count < 0 && errno != EINTR))
      return -1;
  }
}

static gboolean
program_end (Program *program, gboolean talked)
{
  int status = 0;

  if (!talked)
    kill (program->pid, SIGKILL);
  while (waitpid (program->pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (program->in >= 0)
    close (program->in);
  close (program->out);
  return talked && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

/* What systemd-creds makes of @bytes; NULL when it does not. */
static SecretValue *
convert (const Settings *settings, const char *verb, const char *uuid, const guint8 *bytes, gsize length,
         GError **error)
{
  g_autoptr (SecretValue) made = secret_value_new_empty (FILE_MAX);
  Program program;
  gssize got;

  if (!program_start (&program, settings, verb, uuid, error))
    return NULL;
  got = program_talk (&program, bytes, length, secret_value_room (made), FILE_MAX);
  if (!program_end (&program, got >= 0)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s %s' failed for the value of secret '%s'", PROGRAM,
                    verb, uuid);
    return NULL;
  }
  secret_value_set_length (made, (gsize)got);
  return g_steal_pointer (&made);
}

/* The bytes of the file: encrypted where that can be done. */
static SecretValue *
encode (const Settings *settings, const char *uuid, const SecretValue *value)
{
  g_autofree char *program = geteuid () == 0 ? g_find_program_in_path (PROGRAM) : NULL;
  g_autoptr (SecretValue) encrypted = NULL;
  g_autoptr (GError) error = NULL;
  const SecretValue *kept = value;
  const char *header = PLAIN_HEADER;
  SecretValue *file;
  gsize length;

  if (program != NULL)
    encrypted =
        convert (settings, "encrypt", uuid, secret_value_bytes (value), secret_value_length (value), &error);
  if (encrypted != NULL) {
    kept = encrypted;
    header = ENCRYPTED_HEADER;
  } else if (error != NULL) {
    g_warning ("%s; it is kept as it is, readable by its owner alone", error->message);
  }
  length = strlen (header);
  file = secret_value_new_empty (length + secret_value_length (kept));
  memcpy (secret_value_room (file), header, length);
  memcpy (secret_value_room (file) + length, secret_value_bytes (kept), secret_value_length (kept));
  secret_value_set_length (file, length + secret_value_length (kept));
  return file;
}

gboolean
secret_file_write (const Settings *settings, const char *uuid, const SecretValue *value, GError **error)
{
  g_autofree char *directory = directory_of (settings), *path = secret_file_path (settings, uuid);
  g_autoptr (SecretValue) file = NULL;

  if (!store_make_directory (directory, 0700, error))
    return FALSE;
  file = encode (settings, uuid, value);
  return store_write_file (path, (const char *)secret_value_bytes (file), (gssize)secret_value_length (file),
                           0600, error);
}

static SecretValue *
read_file (const char *path, GError **error)
{
  g_autoptr (SecretValue) file = secret_value_new_empty (FILE_MAX);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  gsize got = 0;
  gssize count;

  if (fd < 0 && errno == ENOENT)
    return NULL;
  if (fd < 0) {
    store_system_error (error, errno, "read", path);
    return NULL;
  }
  while (got < FILE_MAX && (count = read (fd, secret_value_room (file) + got, FILE_MAX - got)) > 0)
    got += (gsize)count;
  close (fd);
  secret_value_set_length (file, got);
  return g_steal_pointer (&file);
}

static gboolean
begins_with (const SecretValue *file, const char *header)
{
  gsize length = strlen (header);

  return secret_value_length (file) >= length && memcmp (secret_value_bytes (file), header, length) == 0;
}

SecretValue *
secret_file_read (const Settings *settings, const char *uuid, GError **error)
{
  g_autofree char *path = secret_file_path (settings, uuid);
  g_autoptr (SecretValue) file = read_file (path, error);
  gboolean plain, encrypted;
  gsize skip;

  if (file == NULL)
    return NULL;
  plain = begins_with (file, PLAIN_HEADER);
  encrypted = !plain && begins_with (file, ENCRYPTED_HEADER);
  if (!plain && !encrypted) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is no file of a secret's value", path);
    return NULL;
  }
  skip = strlen (plain ? PLAIN_HEADER : ENCRYPTED_HEADER);
  if (plain)
    return secret_value_new (secret_value_bytes (file) + skip, secret_value_length (file) - skip);
  return convert (settings, "decrypt", uuid, secret_value_bytes (file) + skip,
                  secret_value_length (file) - skip, error);
}

gboolean
secret_file_remove (const Settings *settings, const char *uuid, GError **error)
{
  g_autofree char *directory = directory_of (settings), *path = secret_file_path (settings, uuid);

  return access (directory, F_OK) < 0 || store_remove_file (path, error);
}

GPtrArray *
secret_file_list (const Settings *settings)
{
  GPtrArray *uuids = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *directory = directory_of (settings);
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    guint8 bytes[UUID_BYTES];

    if (g_str_has_prefix (name, STORE_ASIDE_PREFIX))
      unlink (path); /* what a crash left of a change */
    else if (strlen (name) == UUID_TEXT - 1 && uuid_parse (name, bytes))
      g_ptr_array_add (uuids, g_strdup (name));
  }
  return uuids;
}
