/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * passt: a network for the guest without any right on the host's. It has one end of a pair of sockets and
 * QEMU the other: nobody else can connect, and it ends by itself when QEMU's is closed. So it goes with its
 * machine, also when the daemon is away. QEMU 7.2 does not close its end when the card is taken out, so that
 * it is ended with its card.
 */
#include "daemon/drivers/qemu/passt.h"

#include "base/virt-error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASST_FD_TEXT   "3"   /* PASST_FD */
#define PASST_EARLY_END 200   /* ms in which it finds what it cannot do */
#define PASST_NOBODY    65534 /* whoever the machine is, passt is not root */

static void
add (GPtrArray *arguments, const char *option, const char *value)
{
  g_ptr_array_add (arguments, g_strdup (option));
  if (value != NULL)
    g_ptr_array_add (arguments, g_strdup (value));
}

/* "22:2022", "1000-1050", "~1020" */
static void
append_range (GString *text, const InterfacePortRange *range)
{
  guint start = (guint)range->start.value, end = (guint)range->end.value, to = (guint)range->to.value;

  if (text->len > 0 && text->str[text->len - 1] != '/')
    g_string_append_c (text, ',');
  if (range->exclude == TRISTATE_YES)
    g_string_append_c (text, '~');
  g_string_append_printf (text, "%u", start);
  if (range->end.set)
    g_string_append_printf (text, "-%u", end);
  if (range->to.set)
    g_string_append_printf (text, ":%u", to);
  if (range->to.set && range->end.set && end > start)
    g_string_append_printf (text, "-%u", to + end - start);
}

static void
add_forward (GPtrArray *arguments, const InterfacePortForward *forward)
{
  g_autoptr (GString) text = g_string_new (forward->address);

  if (forward->dev != NULL)
    g_string_append_printf (text, "%%%s", forward->dev);
  if (text->len > 0)
    g_string_append_c (text, '/');
  for (guint i = 0; forward->ranges != NULL && i < forward->ranges->len; i++)
    append_range (text, g_ptr_array_index (forward->ranges, i));
  if (forward->ranges == NULL || forward->ranges->len == 0)
    g_string_append (text, "all");
  add (arguments, forward->protocol == 1 ? "--tcp-ports" : "--udp-ports", text->str);
}

char **
passt_arguments (const char *program, const DeviceInterface *interface)
{
  GPtrArray *arguments = g_ptr_array_new ();

  add (arguments, program, NULL);
  add (arguments, "--foreground", NULL);
  add (arguments, "--one-off", NULL);
  add (arguments, "--fd", PASST_FD_TEXT);
  if (interface->source_dev != NULL)
    add (arguments, "--interface", interface->source_dev);
  if (interface->backend_log_file != NULL)
    add (arguments, "--log-file", interface->backend_log_file);
  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);
    g_autofree char *prefix = g_strdup_printf ("%u", (guint)ip->prefix.value);

    add (arguments, "--address", ip->address);
    if (ip->prefix.set && ip->prefix.value != 0 && strchr (ip->address, ':') == NULL)
      add (arguments, "--netmask", prefix);
  }
  for (guint i = 0; interface->port_forwards != NULL && i < interface->port_forwards->len; i++)
    add_forward (arguments, g_ptr_array_index (interface->port_forwards, i));
  g_ptr_array_add (arguments, NULL);
  return (char **)g_ptr_array_free (arguments, FALSE);
}

char *
passt_helper_name (const Device *interface)
{
  return g_strconcat (interface->alias, "-passt", NULL);
}

static Helper *
run (const DeviceInterface *interface, const Account *account, const char *program, const char *run_directory,
     int socket, Job *job, GError **error)
{
  static const int as[] = { PASST_FD };
  Account nobody = { .uid = PASST_NOBODY, .gid = PASST_NOBODY, .own = TRUE };
  gboolean is_root = geteuid () == 0 && (account == NULL || account->name == NULL);
  g_autofree char *name = passt_helper_name (&interface->device);
  g_auto (GStrv) arguments = passt_arguments (program, interface);
  const HelperPlan plan = {
    .name = name,
    .argv = arguments,
    .fds = &socket,
    .fds_as = as,
    .fd_count = 1,
    .account = is_root ? &nobody : account,
    .early_end = PASST_EARLY_END,
  };

  return helper_start (&plan, run_directory, job, error);
}

static char *
find_passt (GError **error)
{
  char *program = g_find_program_in_path ("passt");

  if (program == NULL)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                    "Cannot find 'passt' in path: No such file or directory (package passt)");
  return program;
}

gboolean
passt_check (GError **error)
{
  g_autofree char *program = find_passt (error);

  return program != NULL;
}

Helper *
passt_start (const DeviceInterface *interface, const Account *account, const char *run_directory, Job *job,
             int *ret_fd, GError **error)
{
  g_autofree char *program = find_passt (error);
  Helper *helper;
  int pair[2];

  if (program == NULL)
    return NULL;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make a socket: %s", g_strerror (errno));
    return NULL;
  }
  helper = run (interface, account, program, run_directory, pair[1], job, error);
  close (pair[1]);
  if (helper != NULL)
    *ret_fd = pair[0];
  else
    close (pair[0]);
  return helper;
}
