/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * virtiofsd does on the host what the guest asks of a directory, as whatever user of the guest asks: so the
 * system daemon's runs as root, in the sandbox that virtiofsd makes for itself (namespaces, the directory as
 * its root, a filter of system calls), and a user's own as that user. It gets its listening socket as a
 * descriptor, so that it is ready as soon as it runs.
 *
 * There are two of that name with words of their own: QEMU's until version 7.2, and the one in Rust. Which it
 * is, is in the description that its package installs for programs such as this one.
 */
#include "daemon/drivers/qemu/machine-virtiofs.h"

#include "base/untrusted-json.h"
#include "daemon/host/account.h"
#include "daemon/host/named-file.h"
#include "domain/devices/filesystem.h"
#include "targets/helper-sockets.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENING_FD      3 /* its number in virtiofsd */
#define DESCRIPTIONS_MAX  64
#define DESCRIPTION_BYTES 65536

/* To be any user of the guest's, and to make the sandbox, after which virtiofsd lets go of more. */
#define BIT(capability) (G_GUINT64_CONSTANT (1) << (capability))
#define CAPABILITIES                                                                              \
  (BIT (CAP_CHOWN) | BIT (CAP_DAC_OVERRIDE) | BIT (CAP_DAC_READ_SEARCH) | BIT (CAP_FOWNER)        \
   | BIT (CAP_FSETID) | BIT (CAP_SETGID) | BIT (CAP_SETUID) | BIT (CAP_MKNOD) | BIT (CAP_SETFCAP) \
   | BIT (CAP_SETPCAP) | BIT (CAP_SYS_CHROOT) | BIT (CAP_SYS_ADMIN) | BIT (CAP_SYS_RESOURCE))

static const char *const description_directories[] = { "/etc/qemu/vhost-user", "/usr/share/qemu/vhost-user" };

/* Which virtiofsd there is. */
typedef struct {
  char *path;
  gboolean separate_options; /* --cache=always, and not -o cache=always */
} Virtiofsd;

static void
virtiofsd_clear (Virtiofsd *program)
{
  g_clear_pointer (&program->path, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Virtiofsd, virtiofsd_clear)

static gboolean
has_feature (JsonObject *description, const char *wanted)
{
  JsonArray *features = untrusted_list (description, "features");

  for (guint i = 0; features != NULL && i < json_array_get_length (features); i++)
    if (g_strcmp0 (untrusted_text_of (json_array_get_element (features, i)), wanted) == 0)
      return TRUE;
  return FALSE;
}

/* { "type": "fs", "binary": "/usr/libexec/virtiofsd", "features": ["separate-options"] } */
static gboolean
read_description (const char *path, Virtiofsd *program)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonObject) description = NULL;
  const char *binary;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > DESCRIPTION_BYTES)
    return FALSE;
  description = untrusted_json_object (text, length);
  if (description == NULL)
    return FALSE;
  binary = untrusted_text (description, "binary");
  if (g_strcmp0 (untrusted_text (description, "type"), "fs") != 0 || binary == NULL
      || access (binary, X_OK) != 0)
    return FALSE;
  program->path = g_strdup (binary);
  program->separate_options = has_feature (description, "separate-options");
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The first in the order of the files' names, as libvirt takes it. */
static gboolean
find_in (const char *directory, Virtiofsd *program)
{
  g_autoptr (GDir) entries = g_dir_open (directory, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gboolean found = FALSE;
  const char *name;

  while (entries != NULL && names->len < DESCRIPTIONS_MAX && (name = g_dir_read_name (entries)) != NULL)
    if (g_str_has_suffix (name, ".json"))
      g_ptr_array_add (names, g_build_filename (directory, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; !found && i < names->len; i++)
    found = read_description (names->pdata[i], program);
  return found;
}

/* QEMU's own, up to version 7.2, says so of itself by where it is. */
static gboolean
find_program (const DeviceFilesystem *filesystem, Virtiofsd *program, GError **error)
{
  gboolean found = FALSE;

  for (guint i = 0; !found && i < G_N_ELEMENTS (description_directories); i++)
    found = find_in (description_directories[i], program);
  if (filesystem->binary != NULL) {
    g_free (program->path);
    program->path = g_strdup (filesystem->binary);
    found = TRUE;
  }
  if (!found)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "Unable to find a satisfying virtiofsd: it is in package virtiofsd (Debian 13) or "
                    "qemu-system-common (Debian 12)");
  else if (access (program->path, X_OK) != 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "virtiofsd '%s' cannot be run: %s", program->path,
                    g_strerror (errno));
    found = FALSE;
  }
  return found;
}

static void add_word (GPtrArray *argv, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add_word (GPtrArray *argv, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (argv, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static const char *
cache_word (const DeviceFilesystem *filesystem, gboolean separate)
{
  if (filesystem->cache == VIRTIOFS_CACHE_ALWAYS)
    return "always";
  return separate ? "never" : "none";
}

static void
add_separate_options (GPtrArray *argv, const DeviceFilesystem *filesystem)
{
  add_word (argv, "--shared-dir=%s", filesystem->source_dir);
  if (filesystem->cache != VIRTIOFS_CACHE_UNSET)
    add_word (argv, "--cache=%s", cache_word (filesystem, TRUE));
  if (filesystem->sandbox != VIRTIOFS_SANDBOX_UNSET)
    add_word (argv, "--sandbox=%s", filesystem->sandbox == VIRTIOFS_SANDBOX_CHROOT ? "chroot" : "namespace");
  if (filesystem->xattr == TRISTATE_YES)
    add_word (argv, "--xattr");
  if (filesystem->readonly)
    add_word (argv, "--readonly");
}

/* "," and "\" end a value of FUSE's options. */
static char *
escape_value (const char *value)
{
  GString *escaped = g_string_new (NULL);

  for (; *value != '\0'; value++) {
    if (*value == ',' || *value == '\\')
      g_string_append_c (escaped, '\\');
    g_string_append_c (escaped, *value);
  }
  return g_string_free (escaped, FALSE);
}

static void
append_switch (GString *options, const char *name, int tristate)
{
  if (tristate != TRISTATE_ABSENT)
    g_string_append_printf (options, ",%s%s", tristate == TRISTATE_YES ? "" : "no_", name);
}

static void
add_fuse_options (GPtrArray *argv, const DeviceFilesystem *filesystem)
{
  g_autofree char *source = escape_value (filesystem->source_dir);
  g_autoptr (GString) options = g_string_new (NULL);

  g_string_append_printf (options, "source=%s", source);
  if (filesystem->cache != VIRTIOFS_CACHE_UNSET)
    g_string_append_printf (options, ",cache=%s", cache_word (filesystem, FALSE));
  if (filesystem->sandbox != VIRTIOFS_SANDBOX_UNSET)
    g_string_append_printf (options, ",sandbox=%s",
                            filesystem->sandbox == VIRTIOFS_SANDBOX_CHROOT ? "chroot" : "namespace");
  append_switch (options, "xattr", filesystem->xattr);
  append_switch (options, "flock", filesystem->flock);
  append_switch (options, "posix_lock", filesystem->posix_lock);
  add_word (argv, "-o");
  add_word (argv, "%s", options->str);
  add_word (argv, "-f");
}

/* What the one at hand cannot do is refused, not forgotten. */
static gboolean
check_options (const DeviceFilesystem *filesystem, const Virtiofsd *program, GError **error)
{
  g_autofree char *whose = device_describe (&filesystem->device);
  const char *what = NULL;

  if (filesystem->uids != NULL || filesystem->gids != NULL)
    what = "<idmap>";
  else if (filesystem->readonly && !program->separate_options)
    what = "<readonly/>";
  else if (program->separate_options
           && (filesystem->flock == TRISTATE_YES || filesystem->posix_lock == TRISTATE_YES))
    what = "<lock>";
  if (what != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "%s: %s is not supported with virtiofsd '%s'", whose,
                    what, program->path);
  return what == NULL;
}

/* (transfer full) */
static GPtrArray *
make_argv (const DeviceFilesystem *filesystem, const Virtiofsd *program)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);

  add_word (argv, "%s", program->path);
  add_word (argv, "--fd=%d", LISTENING_FD);
  if (program->separate_options)
    add_separate_options (argv, filesystem);
  else
    add_fuse_options (argv, filesystem);
  if (filesystem->thread_pool.set)
    add_word (argv, "--thread-pool-size=%u", (guint)filesystem->thread_pool.value);
  if (filesystem->openfiles.value != 0)
    add_word (argv, "--rlimit-nofile=%u", (guint)filesystem->openfiles.value);
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* A socket that QEMU's account, and nobody else, connects to; -1 on error. */
static int
listen_at (const char *path, const Account *account, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = -1;

  if (strlen (path) < sizeof address.sun_path) {
    strcpy (address.sun_path, path);
    unlink (path);
    fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  } else
    errno = ENAMETOOLONG;
  if (fd >= 0 && bind (fd, (struct sockaddr *)&address, sizeof address) == 0 && listen (fd, 1) == 0
      && chmod (path, 0600) == 0
      && (geteuid () != 0 || account->name == NULL || lchown (path, account->uid, account->gid) == 0))
    return fd;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot listen at '%s': %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
check_source (const DeviceFilesystem *filesystem, GError **error)
{
  struct stat status;

  if (named_file_stat (filesystem->source_dir, &status) == 0 && S_ISDIR (status.st_mode))
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "the directory '%s' of filesystem '%s' cannot be shared: %s",
                  filesystem->source_dir, filesystem->target,
                  errno != 0 ? g_strerror (errno) : g_strerror (ENOTDIR));
  return FALSE;
}

char *
virtiofs_helper_name (const Device *device)
{
  return g_strconcat (device->alias, "-virtiofsd", NULL);
}

gboolean
virtiofs_is_needed (const DeviceFilesystem *filesystem)
{
  return filesystem->driver == FILESYSTEM_DRIVER_VIRTIOFS && filesystem->source_socket == NULL;
}

gboolean
virtiofs_check (const DeviceFilesystem *filesystem, GError **error)
{
  g_auto (Virtiofsd) program = { NULL, FALSE };

  errno = 0;
  return !virtiofs_is_needed (filesystem)
         || (check_source (filesystem, error) && find_program (filesystem, &program, error)
             && check_options (filesystem, &program, error));
}

Helper *
virtiofs_start_device (const DeviceFilesystem *filesystem, const Account *account, const char *directory,
                       const char *qemu_directory, Job *job, GError **error)
{
  static const int fds_as[] = { LISTENING_FD };
  g_auto (Virtiofsd) program = { NULL, FALSE };
  g_autofree char *name = virtiofs_helper_name (&filesystem->device);
  g_autofree char *socket = helper_socket_virtiofs (qemu_directory, filesystem->device.alias);
  g_autoptr (GPtrArray) argv = NULL;
  Helper *helper;
  int fd;

  errno = 0;
  if (!check_source (filesystem, error) || !find_program (filesystem, &program, error)
      || !check_options (filesystem, &program, error) || (fd = listen_at (socket, account, error)) < 0)
    return NULL;
  argv = make_argv (filesystem, &program);
  const HelperPlan plan = { .name = name,
                            .argv = (char **)argv->pdata,
                            .fds = &fd,
                            .fds_as = fds_as,
                            .fd_count = 1,
                            .capabilities = CAPABILITIES };
  helper = helper_start (&plan, directory, job, error);
  close (fd);
  return helper;
}

gboolean
virtiofs_start (const DomainDef *def, const Account *account, const char *directory,
                const char *qemu_directory, GPtrArray *helpers, Job *job, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, filesystem_kind, const DeviceFilesystem, filesystem) {
    Helper *helper;

    if (!virtiofs_is_needed (filesystem))
      continue;
    helper = virtiofs_start_device (filesystem, account, directory, qemu_directory, job, error);
    if (helper == NULL)
      return FALSE;
    g_ptr_array_add (helpers, helper);
  }
  return TRUE;
}
