/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * dnsmasq beside a network. What it is to read is compared with what it has read: only another file of
 * settings needs another process, names and known machines are read again on SIGHUP. Each process is a helper
 * with a name of its own ("dnsmasq-1", "dnsmasq-2", ...), so that the end of the last one, which the main
 * loop may notice late, is never taken for the end of the next.
 *
 * It starts as root with the few rights it needs, opens its sockets and its leases, and becomes an account
 * without rights by itself: so the directory of the files it reads again must be one that account can enter.
 */
#include "daemon/network/network-dnsmasq.h"

#include "daemon/core/file.h"
#include "network/dnsmasq-config.h"
#include "network/dnsmasq-leases.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM        "dnsmasq"
#define PACKAGE        "dnsmasq-base"
#define HELPER_PREFIX  "dnsmasq-"
#define READY_WORDS    "started, version" /* once it has its sockets and its account */
#define FILE_MAX       (16 * 1024 * 1024) /* bytes of one of its files */
#define ACCOUNT_BUFFER 4096
#define RIGHT(name)    (G_GUINT64_CONSTANT (1) << (name))

/* Ports below 1024, DHCP's raw sockets and its entries in the kernel's table of neighbours; and to become
 * somebody else, which takes the rest away. */
#define RIGHTS                                                                                     \
  (RIGHT (CAP_NET_ADMIN) | RIGHT (CAP_NET_RAW) | RIGHT (CAP_NET_BIND_SERVICE) | RIGHT (CAP_SETUID) \
   | RIGHT (CAP_SETGID) | RIGHT (CAP_SETPCAP))

static const char *const accounts[] = { "domaind-dnsmasq", "libvirt-dnsmasq", "dnsmasq", "nobody" };

/* Its files, in the order in which they are written. */
enum { HOSTS, NAMES, SETTINGS, FILES };
static const struct {
  const char *name;
  int mode;
} files[FILES] = {
  [HOSTS] = { "dnsmasq.hosts", 0644 },
  [NAMES] = { "dnsmasq.names", 0644 },
  [SETTINGS] = { "dnsmasq.conf", 0600 },
};

typedef struct {
  Job *job;
  const NetworkInput *input;
  NetworkStatus *status;
  char *paths[FILES];
  char *texts[FILES];  /* to be */
  char *before[FILES]; /* as they are; NULL: not there */
} Service;

static void
service_clear (Service *service)
{
  for (guint i = 0; i < FILES; i++) {
    g_free (service->paths[i]);
    g_free (service->texts[i]);
    g_free (service->before[i]);
  }
}

gboolean
network_dnsmasq_check (const NetworkDef *def, GError **error)
{
  g_autofree char *program = dnsmasq_is_needed (def) ? g_find_program_in_path (PROGRAM) : NULL;

  if (program != NULL || !dnsmasq_is_needed (def))
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "Unable to find '" PROGRAM
                  "' binary in $PATH, which network '%s' needs for DHCP and DNS; it is "
                  "in package " PACKAGE,
                  def->name);
  return FALSE;
}

char *
network_dnsmasq_name (const NetworkStatus *status)
{
  return g_strdup_printf (HELPER_PREFIX "%u", status->helper);
}

char *
network_dnsmasq_leases_path (const Settings *settings, const char *uuid)
{
  g_autofree char *file = g_strconcat (uuid, ".leases", NULL);

  return g_build_filename (settings->state_directory, "dnsmasq", file, NULL);
}

/* The account it becomes: the first there is that can read its files. FALSE: none can. */
static gboolean
choose_account (const char *path, char **ret_user, char **ret_group)
{
  for (guint i = 0; i < G_N_ELEMENTS (accounts); i++) {
    struct passwd entry, *found = NULL;
    struct group group_entry, *group = NULL;
    char buffer[ACCOUNT_BUFFER], group_buffer[ACCOUNT_BUFFER];
    Account account = { 0 };

    if (getpwnam_r (accounts[i], &entry, buffer, sizeof buffer, &found) != 0 || found == NULL
        || getgrgid_r (entry.pw_gid, &group_entry, group_buffer, sizeof group_buffer, &group) != 0
        || group == NULL)
      continue;
    account.name = (char *)accounts[i];
    account.uid = entry.pw_uid;
    account.gid = entry.pw_gid;
    if (!account_can_read (&account, path))
      continue;
    *ret_user = g_strdup (accounts[i]);
    *ret_group = g_strdup (group->gr_name);
    return TRUE;
  }
  return FALSE;
}

/* Its files as they are, and the way to them. */
static gboolean
prepare_places (Service *service, GError **error)
{
  const Settings *settings = service->input->settings;
  g_autofree char *directory = g_build_filename (settings->state_directory, "dnsmasq", NULL);

  for (guint i = 0; i < FILES; i++) {
    service->paths[i] = g_build_filename (service->input->directory, files[i].name, NULL);
    service->before[i] = store_read_file (service->paths[i], FILE_MAX, NULL, NULL);
  }
  if (chmod (service->input->directory, 0711) != 0) {
    store_system_error (error, errno, "open to dnsmasq", service->input->directory);
    return FALSE;
  }
  return store_make_directory (directory, 0711, error);
}

static gboolean
write_file (Service *service, guint number, const char *text, GError **error)
{
  g_autoptr (PreparedFile) file =
      prepared_file_new (service->paths[number], text, -1, files[number].mode, FALSE, error);

  return file != NULL && prepared_file_commit (file, error);
}

static gboolean
make_texts (Service *service, GError **error)
{
  const NetworkInput *input = service->input;
  g_autofree char *leases = network_dnsmasq_leases_path (input->settings, input->def->uuid);
  g_autofree char *user = NULL, *group = NULL;
  DnsmasqPlaces places = { service->paths[HOSTS], service->paths[NAMES], leases, NULL, NULL };
  g_autoptr (DnsmasqConfig) config = NULL;

  if (service->before[HOSTS] == NULL && !write_file (service, HOSTS, "", error))
    return FALSE;
  if (geteuid () == 0 && !choose_account (service->paths[HOSTS], &user, &group)) {
    g_info ("dnsmasq of network '%s' stays root, without root's rights: no other account can read '%s'",
            input->def->name, input->directory);
    user = g_strdup ("root");
    group = g_strdup ("root");
  }
  places.user = user;
  places.group = group;
  config = dnsmasq_config_new (input->def, &places, error);
  if (config == NULL)
    return FALSE;
  service->texts[HOSTS] = g_steal_pointer (&config->hosts);
  service->texts[NAMES] = g_steal_pointer (&config->names);
  service->texts[SETTINGS] = g_steal_pointer (&config->settings);
  return TRUE;
}

/* The running one that @status means; NULL: it has ended. */
static Helper *
find_helper (const char *directory, const NetworkStatus *status)
{
  g_autofree char *name = network_dnsmasq_name (status);
  g_autoptr (GPtrArray) found = helpers_find (directory);

  for (guint i = 0; i < found->len; i++) {
    Helper *helper = g_ptr_array_index (found, i);

    if (g_str_equal (helper_name (helper), name) && helper_pid (helper) != 0)
      return g_ptr_array_steal_index (found, i);
  }
  return NULL;
}

/* All there are in the directory but @kept. */
static void
end_helpers (const char *directory, const char *kept)
{
  g_autoptr (GPtrArray) found = helpers_find (directory);

  for (guint i = 0; i < found->len; i++) {
    Helper *helper = g_ptr_array_index (found, i);

    if (g_str_has_prefix (helper_name (helper), HELPER_PREFIX) && g_strcmp0 (helper_name (helper), kept) != 0)
      helper_end (helper);
  }
}

/* With the files as they are now. The one before ends first: they cannot share their ports. */
static gboolean
start_process (Service *service, GError **error)
{
  const char *directory = service->input->directory;
  g_autofree char *program = g_find_program_in_path (PROGRAM), *name = NULL;
  g_autofree char *settings = g_strconcat ("--conf-file=", service->paths[SETTINGS], NULL);
  char *argv[] = { program, (char *)"--keep-in-foreground", (char *)"--log-facility=-", settings, NULL };
  HelperPlan plan = { .argv = argv, .capabilities = RIGHTS, .ready_words = READY_WORDS };
  g_autoptr (Helper) helper = NULL;

  if (!network_dnsmasq_check (service->input->def, error))
    return FALSE;
  end_helpers (directory, NULL);
  service->status->helper = service->status->helper % G_MAXINT32 + 1;
  if (!network_status_save (service->status, directory, error))
    return FALSE;
  name = network_dnsmasq_name (service->status);
  plan.name = name;
  helper = helper_start (&plan, directory, service->job, error);
  return helper != NULL;
}

/* What it served before is served again, as far as that can be. */
static void
restore (Service *service)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < FILES; i++)
    if (service->before[i] != NULL && !write_file (service, i, service->before[i], &error)) {
      g_warning ("network '%s': %s", service->input->def->name, error->message);
      return;
    }
  if (service->before[SETTINGS] != NULL && !start_process (service, &error))
    g_warning ("network '%s': %s", service->input->def->name, error->message);
}

static gboolean
update (Service *service, GError **error)
{
  g_autoptr (Helper) helper = find_helper (service->input->directory, service->status);
  g_autofree char *name = network_dnsmasq_name (service->status);
  gboolean differs[FILES];

  for (guint i = 0; i < FILES; i++) {
    differs[i] = g_strcmp0 (service->before[i], service->texts[i]) != 0;
    if (differs[i] && !write_file (service, i, service->texts[i], error))
      return FALSE;
  }
  if (helper == NULL || differs[SETTINGS])
    return start_process (service, error);
  end_helpers (service->input->directory, name);
  return (!differs[HOSTS] && !differs[NAMES]) || helper_signal (helper, SIGHUP)
         || start_process (service, error);
}

gboolean
network_dnsmasq_update (Job *job, const NetworkInput *input, NetworkStatus *status, GError **error)
{
  Service service = { .job = job, .input = input, .status = status };
  gboolean done;

  if (!dnsmasq_is_needed (input->def)) {
    network_dnsmasq_stop (input->directory);
    status->helper = 0;
    return network_status_save (status, input->directory, error);
  }
  done = prepare_places (&service, error) && make_texts (&service, error);
  if (done) {
    done = update (&service, error);
    if (!done)
      restore (&service);
  }
  service_clear (&service);
  return done;
}

void
network_dnsmasq_stop (const char *directory)
{
  end_helpers (directory, NULL);
  for (guint i = 0; i < FILES; i++) {
    g_autofree char *path = g_build_filename (directory, files[i].name, NULL);

    unlink (path);
  }
}

GPtrArray *
network_dnsmasq_leases (const Settings *settings, const char *uuid, GError **error)
{
  g_autofree char *path = network_dnsmasq_leases_path (settings, uuid), *text = NULL;
  gsize length = 0;

  if (access (path, F_OK) != 0)
    return g_ptr_array_new_with_free_func ((GDestroyNotify)dnsmasq_lease_free);
  text = store_read_file (path, DNSMASQ_LEASES_FILE_MAX, &length, error);
  return text != NULL ? dnsmasq_leases_parse (text, length, g_get_real_time () / G_USEC_PER_SEC) : NULL;
}
