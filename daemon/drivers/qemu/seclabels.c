/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Security labels on a host whose machines are kept apart by accounts. libvirt has the model "dac" where it
 * runs as root, and refuses at the start a label of a model that its host does not have; so it is here.
 */
#include "daemon/drivers/qemu/seclabels.h"

#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/disk.h"
#include "domain/devices/serial.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_BUFFER 16384 /* bytes of one entry of the user or group database */

static gboolean
has_accounts (const Settings *settings)
{
  return !settings->session && geteuid () == 0;
}

static gboolean
check_model (const char *model, const Settings *settings, GError **error)
{
  if (g_strcmp0 (model, SECLABEL_MODEL_NONE) == 0
      || (g_strcmp0 (model, SECLABEL_MODEL_DAC) == 0 && has_accounts (settings)))
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Security driver model '%s' is not available",
                  model != NULL ? model : "(null)");
  return FALSE;
}

/* Those of devices are kept as they stand, in this program's form. (transfer full) */
static char *
model_in (const char *seclabel)
{
  const char *start = strstr (seclabel, " model='");
  const char *end = start != NULL ? strchr (start + strlen (" model='"), '\'') : NULL;

  return end != NULL ? g_strndup (start + strlen (" model='"), (gsize)(end - start) - strlen (" model='"))
                     : NULL;
}

static gboolean
check_device_labels (const GPtrArray *seclabels, const Settings *settings, GError **error)
{
  for (guint i = 0; seclabels != NULL && i < seclabels->len; i++) {
    g_autofree char *model = model_in (g_ptr_array_index (seclabels, i));

    if (!check_model (model, settings, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_chardev (const Chardev *chardev, const Settings *settings, GError **error)
{
  for (guint i = 0; chardev->sources != NULL && i < chardev->sources->len; i++) {
    const ChardevSource *source = g_ptr_array_index (chardev->sources, i);

    if (!check_device_labels (source->seclabels, settings, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
seclabels_check (const DomainDef *def, const Settings *settings, GError **error)
{
  for (guint i = 0; def->seclabels != NULL && i < def->seclabels->len; i++)
    if (!check_model (((const Seclabel *)g_ptr_array_index (def->seclabels, i))->model, settings, error))
      return FALSE;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, disk)
    if (!check_device_labels (disk->source.seclabels, settings, error))
      return FALSE;
  DOMAIN_FOREACH_DEVICE (def, serial_kind, const DeviceSerial, serial)
    if (!check_chardev (&serial->source, settings, error))
      return FALSE;
  DOMAIN_FOREACH_DEVICE (def, channel_kind, const DeviceChannel, channel)
    if (!check_chardev (&channel->source, settings, error))
      return FALSE;
  DOMAIN_FOREACH_DEVICE (def, console_kind, const DeviceConsole, console)
    if (!check_chardev (&console->source, settings, error))
      return FALSE;
  return TRUE;
}

/* "+107" */
static gboolean
number_of (const char *text, guint *ret)
{
  char *end = NULL;
  guint64 number;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  errno = 0;
  number = g_ascii_strtoull (text, &end, 10);
  if (errno != 0 || *end != '\0' || number >= G_MAXUINT)
    return FALSE;
  *ret = (guint)number;
  return TRUE;
}

/* A name, or a number after a plus; what is no name may be a number without one. */
static gboolean
find_user (const char *text, uid_t *ret_uid, GError **error)
{
  g_autofree char *buffer = g_malloc (NAMES_BUFFER);
  struct passwd entry, *found = NULL;
  guint number;

  if (*text != '+' && getpwnam_r (text, &entry, buffer, NAMES_BUFFER, &found) == 0 && found != NULL) {
    *ret_uid = found->pw_uid;
    return TRUE;
  }
  if (number_of (*text == '+' ? text + 1 : text, &number)) {
    *ret_uid = number;
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG, "Failed to parse user '%s'", text);
  return FALSE;
}

static gboolean
find_group (const char *text, gid_t *ret_gid, GError **error)
{
  g_autofree char *buffer = g_malloc (NAMES_BUFFER);
  struct group entry, *found = NULL;
  guint number;

  if (*text != '+' && getgrnam_r (text, &entry, buffer, NAMES_BUFFER, &found) == 0 && found != NULL) {
    *ret_gid = found->gr_gid;
    return TRUE;
  }
  if (number_of (*text == '+' ? text + 1 : text, &number)) {
    *ret_gid = number;
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG, "Failed to parse group '%s'", text);
  return FALSE;
}

Account *
seclabels_account (const DomainDef *def, const Settings *settings, const char *key, int id, GError **error)
{
  const Seclabel *seclabel = domain_def_seclabel (def, SECLABEL_MODEL_DAC);
  g_autoptr (Account) account = NULL;
  g_auto (GStrv) parts = NULL;

  if (seclabel == NULL || seclabel->type != SECLABEL_STATIC)
    return account_for_machine (settings, key, id, error);
  parts = g_strsplit (seclabel->label, ":", 2);
  if (g_strv_length (parts) != 2) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "Failed to parse uid and gid from label '%s': expected USER:GROUP, each a name or a "
                    "number after '+'",
                    seclabel->label);
    return NULL;
  }
  account = g_new0 (Account, 1);
  if (!find_user (parts[0], &account->uid, error) || !find_group (parts[1], &account->gid, error))
    return NULL;
  account->name = g_strdup_printf ("%u", (guint)account->uid);
  account->own = TRUE;
  return g_steal_pointer (&account);
}

void
seclabels_show (DomainDef *def, const Settings *settings, const Account *account)
{
  Seclabel *seclabel = domain_def_seclabel (def, SECLABEL_MODEL_DAC);

  if (!has_accounts (settings) || (seclabel != NULL && seclabel->type == SECLABEL_OFF))
    return;
  if (seclabel == NULL)
    seclabel = domain_def_add_seclabel (def, SECLABEL_MODEL_DAC);
  g_free (seclabel->imagelabel);
  seclabel->imagelabel = NULL;
  if (seclabel->type == SECLABEL_DYNAMIC) {
    g_free (seclabel->label);
    seclabel->label = g_strdup_printf ("+%u:+%u", (guint)account->uid, (guint)account->gid);
  }
  if (seclabel->relabel == TRISTATE_YES)
    seclabel->imagelabel = g_strdup (seclabel->label);
}
