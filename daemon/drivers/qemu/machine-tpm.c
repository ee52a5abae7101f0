/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * swtpm runs as the machine's own account, which is another with every start: so its state is given to that
 * account each time, file by file, without following links that a guest's swtpm could have left. The keys and
 * certificates of a new TPM are made once, by the account that owns the host's certificate authority for
 * TPMs, for no machine's account may sign for another.
 */
#include "daemon/drivers/qemu/machine-tpm.h"

#include "daemon/core/tree.h"
#include "domain/devices/tpm.h"
#include "targets/helper-sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILES_MAX 64 /* in the directory of one TPM; swtpm has three */
#define PASSWD_BUFFER   4096
#define KEY_FD          3 /* the key's number in a program that is given it, ... */
#define MOVED_KEY_FD    4 /* ... and that of the key it moves a state with */
#define CIPHER          "aes-256-cbc"

typedef struct {
  const DomainDef *def;
  const DeviceTpm *tpm;
  const Settings *settings;
  const Account *account;
  const char *directory, *qemu_directory;
  char *state; /* a directory, or a file */
  char *program, *setup;
  const SecretSource *secrets;
  SecretValue *key; /* what the state is encrypted with; NULL: nothing */
} TpmStart;

static char *
own_directory (const Settings *settings, const char *uuid)
{
  return g_build_filename (settings->state_directory, "tpm", uuid, NULL);
}

static char *
state_path (const DomainDef *def, const DeviceTpm *tpm, const Settings *settings)
{
  g_autofree char *own = own_directory (settings, def->uuid);

  if (tpm->source != TPM_SOURCE_NONE)
    return g_strdup (tpm->source_path);
  return g_build_filename (own, tpm->version == TPM_1_2 ? "tpm1.2" : "tpm2", NULL);
}

/* One file of the state, or the directory itself, which is open. */
static gboolean
give_one (int fd, uid_t uid, gid_t gid)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    return FALSE;
  if (!S_ISDIR (status.st_mode) && (!S_ISREG (status.st_mode) || status.st_nlink != 1)) {
    errno = EPERM;
    return FALSE;
  }
  return (status.st_uid == uid && status.st_gid == gid) || fchown (fd, uid, gid) == 0;
}

static gboolean
give_inside (int directory, uid_t uid, gid_t gid)
{
  int fd = fcntl (directory, F_DUPFD_CLOEXEC, 0);
  DIR *entries = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  gboolean given = entries != NULL;

  for (guint count = 0; given && count < STATE_FILES_MAX && (entry = readdir (entries)) != NULL; count++) {
    int file = entry->d_name[0] == '.'
                   ? -1
                   : openat (directory, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (file >= 0) {
      given = give_one (file, uid, gid);
      close (file);
    }
  }
  if (entries != NULL)
    closedir (entries);
  return given;
}

static gboolean
give_state (const TpmStart *start, uid_t uid, gid_t gid, GError **error)
{
  int fd;
  gboolean given;

  if (geteuid () != 0 || start->settings->session)
    return TRUE;
  fd = open (start->state, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  given = fd >= 0 && give_one (fd, uid, gid)
          && (start->tpm->source == TPM_SOURCE_FILE || give_inside (fd, uid, gid));
  if (!given)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot give the TPM's state '%s' to user %u: %s",
                    start->state, (guint)uid, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return given;
}

static char *
find_program (const char *name, const char *package, GError **error)
{
  char *path = g_find_program_in_path (name);

  if (path == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Unable to find '%s' binary in $PATH; it is in package %s", name, package);
  return path;
}

/* Whether it has been set up. */
static gboolean
has_state_files (const TpmStart *start)
{
  const char *name = start->tpm->version == TPM_1_2 ? "tpm-00.permall" : "tpm2-00.permall";
  g_autofree char *path = g_build_filename (start->state, name, NULL);
  struct stat status;

  if (start->tpm->source == TPM_SOURCE_FILE)
    return stat (start->state, &status) == 0 && status.st_size > 0;
  return access (path, F_OK) == 0;
}

static gboolean
make_state (const TpmStart *start, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (start->state);
  int fd;

  if (start->tpm->source == TPM_SOURCE_FILE) {
    fd = open (start->state, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && close (fd) == 0)
      return TRUE;
  } else if (g_mkdir_with_parents (parent, 0711) == 0 && (mkdir (start->state, 0700) == 0 || errno == EEXIST))
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Could not create TPM directory '%s': %s", start->state,
                  g_strerror (errno));
  return FALSE;
}

static char *
join_banks (const DeviceTpm *tpm)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (guint i = 0; i < TPM_BANKS; i++)
    if (tpm->banks[i])
      g_strv_builder_add (names, tpm_bank_names[i]);
  list = g_strv_builder_end (names);
  return g_strjoinv (",", list);
}

static void
add_words (GPtrArray *argv, const char *first, ...)
{
  va_list words;

  va_start (words, first);
  for (const char *word = first; word != NULL; word = va_arg (words, const char *))
    g_ptr_array_add (argv, g_strdup (word));
  va_end (words);
}

/* Those who may sign as the host's authority: swtpm's own account, where the distribution has one. */
static gboolean
setup_account (const TpmStart *start, Account *ret)
{
  static const char *const names[] = { "swtpm", "tss" };
  struct passwd entry, *found = NULL;
  char buffer[PASSWD_BUFFER];

  for (guint i = 0; geteuid () == 0 && !start->settings->session && i < G_N_ELEMENTS (names); i++)
    if (getpwnam_r (names[i], &entry, buffer, sizeof buffer, &found) == 0 && found != NULL) {
      *ret = (Account){ .name = (char *)names[i], .uid = entry.pw_uid, .gid = entry.pw_gid };
      return TRUE;
    }
  return FALSE;
}

/* A user's own authority is in the user's configuration, which is made when it is not there. */
static char **
setup_environment (const TpmStart *start)
{
  char **environment =
      g_strdupv ((char *[]){ (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                             (char *)"LC_ALL=C", NULL });

  if (!start->settings->session)
    return environment;
  environment = g_environ_setenv (environment, "HOME", g_get_home_dir (), TRUE);
  return g_environ_setenv (environment, "XDG_CONFIG_HOME", g_get_user_config_dir (), TRUE);
}

/* A pipe that holds the key and ends there: it is read once. -1 on error. */
static int
key_pipe (const TpmStart *start, GError **error)
{
  gsize length = secret_value_length (start->key);
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) == 0) {
    gboolean written = write (ends[1], secret_value_bytes (start->key), length) == (ssize_t)length;

    close (ends[1]);
    if (written && fcntl (ends[0], F_SETFL, 0) == 0)
      return ends[0];
    close (ends[0]);
  }
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot pass on the key of the TPM's state: %s",
                  g_strerror (errno));
  return -1;
}

static void
close_keys (int *fds, guint count)
{
  for (guint i = 0; i < count; i++)
    close (fds[i]);
}

/* One pipe for each of @count readers. */
static gboolean
open_keys (const TpmStart *start, int *fds, guint count, GError **error)
{
  for (guint i = 0; i < count; i++) {
    fds[i] = key_pipe (start, error);
    if (fds[i] < 0) {
      close_keys (fds, i);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
run_setup (const TpmStart *start, char **argv, const Account *account, Job *job, GError **error)
{
  static const int fds_as[] = { KEY_FD };
  guint keys = start->key != NULL ? 1 : 0;
  int fds[1];
  gboolean done;
  g_auto (GStrv) environment = setup_environment (start);
  g_autofree char *name = g_strconcat (start->tpm->device.alias, "-swtpm-setup", NULL);
  const HelperPlan plan = { .name = name,
                            .argv = argv,
                            .environment = environment,
                            .account = account,
                            .fds = fds,
                            .fds_as = fds_as,
                            .fd_count = keys };

  if (!open_keys (start, fds, keys, error))
    return FALSE;
  done = helper_run (&plan, start->directory, job, error);
  close_keys (fds, keys);
  return done;
}

static gboolean
set_up (const TpmStart *start, gboolean anew, Job *job, GError **error)
{
  const DeviceTpm *tpm = start->tpm;
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *banks = join_banks (tpm);
  g_autofree char *id = g_strconcat (start->def->name, ":", start->def->uuid, NULL);
  g_autofree char *state =
      g_strconcat (tpm->source == TPM_SOURCE_FILE ? "file://" : "dir://", start->state, NULL);
  Account signer;
  gboolean signs = anew && setup_account (start, &signer);

  add_words (argv, start->setup, "--tpm-state", state, NULL);
  if (tpm->version == TPM_2_0)
    add_words (argv, "--tpm2", NULL);
  if (anew)
    add_words (argv, "--vmid", id, "--createek", "--create-ek-cert", "--create-platform-cert", "--lock-nvram",
               "--not-overwrite", NULL);
  else
    add_words (argv, "--reconfigure", NULL);
  if (start->key != NULL)
    add_words (argv, "--pwdfile-fd", G_STRINGIFY (KEY_FD), "--cipher", CIPHER, NULL);
  if (*banks != '\0')
    add_words (argv, "--pcr-banks", banks, NULL);
  if (anew && tpm->profile_source != NULL)
    add_words (argv, "--profile-name", tpm->profile_source, NULL);
  if (anew && tpm->profile_remove_disabled != NULL)
    add_words (argv, "--profile-remove-disabled", tpm->profile_remove_disabled, NULL);
  g_ptr_array_add (argv, NULL);
  if (signs && !give_state (start, signer.uid, signer.gid, error))
    return FALSE;
  return run_setup (start, (char **)argv->pdata, signs ? &signer : start->account, job, error);
}

static gboolean
prepare_state (const TpmStart *start, Job *job, GError **error)
{
  char *configure[] = { start->setup, (char *)"--create-config-files",
                        (char *)(geteuid () == 0 ? "skip-if-exist,root" : "skip-if-exist"), NULL };

  if (!make_state (start, error))
    return FALSE;
  if (has_state_files (start))
    return give_state (start, start->account->uid, start->account->gid, error)
           && (!tpm_has_banks (start->tpm) || set_up (start, FALSE, job, error));
  if (start->settings->session && !run_setup (start, configure, NULL, job, error))
    return FALSE;
  return give_state (start, start->account->uid, start->account->gid, error)
         && set_up (start, TRUE, job, error)
         && give_state (start, start->account->uid, start->account->gid, error);
}

static gboolean
run_emulator (const TpmStart *start, GPtrArray *helpers, Job *job, GError **error)
{
  const DeviceTpm *tpm = start->tpm;
  g_autofree char *socket = helper_socket_tpm (start->qemu_directory, tpm->device.alias);
  g_autofree char *control = g_strdup_printf ("type=unixio,path=%s,mode=0600", socket);
  g_autofree char *state = tpm->source == TPM_SOURCE_FILE
                               ? g_strdup_printf ("backend-uri=file://%s,mode=0600", start->state)
                               : g_strdup_printf ("dir=%s,mode=0600", start->state);
  g_autofree char *log = g_strdup_printf ("fd=2,level=%u", (guint)tpm->debug.value);
  g_autofree char *name = g_strconcat (tpm->device.alias, "-swtpm", NULL);
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  const char *writable[] = { start->state, start->qemu_directory, "/dev", NULL };
  static const int fds_as[] = { KEY_FD, MOVED_KEY_FD };
  guint keys = start->key != NULL ? G_N_ELEMENTS (fds_as) : 0;
  int fds[G_N_ELEMENTS (fds_as)];
  HelperPlan plan = { .name = name,
                      .fds = fds,
                      .fds_as = fds_as,
                      .fd_count = keys,
                      .account = start->account,
                      .isolated = start->settings->isolate,
                      .writable = start->settings->isolate ? writable : NULL,
                      .ready_socket = socket };
  Helper *helper;

  add_words (argv, start->program, "socket", "--ctrl", control, "--tpmstate", state, "--terminate", NULL);
  if (tpm->version == TPM_2_0)
    add_words (argv, "--tpm2", NULL);
  if (start->key != NULL)
    add_words (argv, "--key", "pwdfd=" G_STRINGIFY (KEY_FD) ",mode=" CIPHER, "--migration-key",
               "pwdfd=" G_STRINGIFY (MOVED_KEY_FD) ",mode=" CIPHER, NULL);
  if (tpm->debug.set)
    add_words (argv, "--log", log, NULL);
  g_ptr_array_add (argv, NULL);
  plan.argv = (char **)argv->pdata;
  unlink (socket);
  if (!open_keys (start, fds, keys, error))
    return FALSE;
  helper = helper_start (&plan, start->directory, job, error);
  close_keys (fds, keys);
  if (helper == NULL)
    return FALSE;
  g_ptr_array_add (helpers, helper);
  return TRUE;
}

static gboolean
fetch_key (TpmStart *start, Job *job, GError **error)
{
  const SecretSource *secrets = start->secrets;

  if (secrets->fetch != NULL)
    start->key =
        secrets->fetch (secrets->data, job, start->tpm->secret, VIR_SECRET_USAGE_TYPE_NONE, NULL, error);
  else
    virt_error_set (error, VIR_ERR_NO_SECRET, "Secret not found: no secret with matching uuid '%s'",
                    start->tpm->secret);
  return start->key != NULL;
}

static gboolean
start_emulator (TpmStart *start, GPtrArray *helpers, Job *job, GError **error)
{
  if (start->tpm->secret != NULL && !fetch_key (start, job, error))
    return FALSE;
  start->program = find_program ("swtpm", "swtpm", error);
  start->setup = start->program != NULL ? find_program ("swtpm_setup", "swtpm-tools", error) : NULL;
  return start->setup != NULL && prepare_state (start, job, error)
         && run_emulator (start, helpers, job, error);
}

gboolean
tpm_check (const DeviceTpm *tpm, GError **error)
{
  g_autofree char *program = NULL, *setup = NULL;

  if (tpm->type != TPM_EMULATOR)
    return TRUE;
  program = find_program ("swtpm", "swtpm", error);
  setup = program != NULL ? find_program ("swtpm_setup", "swtpm-tools", error) : NULL;
  return setup != NULL;
}

gboolean
tpm_start (const DomainDef *def, const Settings *settings, const Account *account, const char *directory,
           const char *qemu_directory, const SecretSource *secrets, GPtrArray *helpers, Job *job,
           GError **error)
{
  gboolean started = TRUE;

  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm) {
    TpmStart start = { .def = def,
                       .tpm = tpm,
                       .settings = settings,
                       .account = account,
                       .directory = directory,
                       .qemu_directory = qemu_directory,
                       .secrets = secrets };

    if (!started || tpm->type != TPM_EMULATOR)
      continue;
    start.state = state_path (def, tpm, settings);
    started = start_emulator (&start, helpers, job, error);
    g_free (start.state);
    g_free (start.program);
    g_free (start.setup);
    g_clear_pointer (&start.key, secret_value_unref);
  }
  return started;
}

void
tpm_forget (const DomainDef *def, const Settings *settings, gboolean keep)
{
  g_autofree char *own = own_directory (settings, def->uuid);

  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm)
    keep = keep || tpm->persistent_state == TRISTATE_YES;
  if (!keep)
    tree_remove (own);
}

gboolean
tpm_has_state (const Settings *settings, const char *uuid)
{
  g_autofree char *own = own_directory (settings, uuid);

  return access (own, F_OK) == 0;
}

char *
tpm_own_state (const DomainDef *def, const Settings *settings)
{
  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm)
    if (tpm->persistent_state == TRISTATE_YES)
      return NULL;
  return tpm_has_state (settings, def->uuid) ? own_directory (settings, def->uuid) : NULL;
}
