/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The inventory is one table of the process, since the host has one of each device. It need not be kept: what
 * a running machine has is in its live definition, from which the next daemon fills its own. Only that a
 * function was taken from the host's driver is seen nowhere else; of each there is a file, named after it,
 * that says which machine it was taken for. The file is there before the driver is told, and goes after the
 * driver has the function again.
 */
#include "daemon/drivers/qemu/host-devices.h"

#include "daemon/drivers/qemu/host-record.h"
#include "daemon/drivers/qemu/virtual-function.h"
#include "daemon/host/host-find.h"
#include "daemon/host/host-pci.h"
#include "domain/devices/host-device.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAVE_WAIT        10 /* seconds for a device to go back that another machine had */
#define VHOST_SCSI_DEVICE "dev/vhost-scsi"
#define NOBODY            "a machine that has ended"
#define PCI_PREFIX        "PCI device "
#define MDEV_PREFIX       "mediated device "

typedef struct {
  char *uuid, *domain; /* who has it */
  gboolean is_shared;  /* a SCSI unit that other machines may have too */
  gboolean is_leaving; /* the machine has ended, and the device is on its way back */
} Holder;

static GMutex lock;
static GCond left;            /* something has gone back */
static GHashTable *inventory; /* char *: "PCI device 0000:06:12.5" → Holder */

static void
holder_free (gpointer data)
{
  Holder *holder = data;

  g_free (holder->uuid);
  g_free (holder->domain);
  g_free (holder);
}

/* Called with the lock held. */
static GHashTable *
get_inventory (void)
{
  if (inventory == NULL)
    inventory = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, holder_free);
  return inventory;
}

/* What libvirt calls it in its messages; NULL when nobody else can have it as well. */
static char *
inventory_key (const Device *device)
{
  const HostUsb *usb = device_host_usb (device);
  const HostPci *pci = device_host_pci (device);
  const DeviceHostdev *hostdev = device->kind == &hostdev_kind ? (const DeviceHostdev *)device : NULL;
  g_autofree char *name = pci != NULL ? host_pci_name (pci) : NULL;

  if (pci != NULL)
    return g_strconcat (PCI_PREFIX, name, NULL);
  if (usb != NULL)
    return usb->bus.set
               ? g_strdup_printf ("USB device %03u:%03u", (guint)usb->bus.value, (guint)usb->device.value)
               : NULL;
  if (hostdev == NULL)
    return NULL;
  if (hostdev->type == HOSTDEV_MDEV)
    return g_strconcat (MDEV_PREFIX, hostdev->uuid, NULL);
  if (hostdev->type == HOSTDEV_SCSI_HOST)
    return g_strconcat ("SCSI_host device ", hostdev->wwpn, NULL);
  if (hostdev->type == HOSTDEV_SCSI && hostdev->scsi_source == SCSI_SOURCE_NONE)
    return g_strdup_printf ("SCSI device %s:%u:%u:%" G_GUINT64_FORMAT, hostdev->adapter,
                            (guint)hostdev->scsi_bus.value, (guint)hostdev->scsi_target.value,
                            hostdev->scsi_unit.value);
  return NULL;
}

static gboolean
is_shareable (const Device *device)
{
  return device->kind == &hostdev_kind && ((const DeviceHostdev *)device)->shareable;
}

static gboolean
refuse_used (const char *key, const Holder *holder, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "%s is in use by driver QEMU, domain %s", key,
                  holder->domain);
  return FALSE;
}

/* With the lock held: who has it, once a machine that has ended has let go of it. */
static const Holder *
find_holder (const char *key)
{
  gint64 end = g_get_monotonic_time () + LEAVE_WAIT * G_TIME_SPAN_SECOND;
  const Holder *holder = g_hash_table_lookup (get_inventory (), key);

  while (holder != NULL && holder->is_leaving && g_cond_wait_until (&left, &lock, end))
    holder = g_hash_table_lookup (get_inventory (), key);
  return g_hash_table_lookup (get_inventory (), key);
}

static gboolean
reserve (const DomainDef *def, const Device *device, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autofree char *key = inventory_key (device);
  const Holder *other = key != NULL ? find_holder (key) : NULL;
  Holder *holder;

  if (key == NULL || (other != NULL && other->is_shared && is_shareable (device)))
    return TRUE;
  if (other != NULL && (other->is_leaving || !g_str_equal (other->uuid, def->uuid)))
    return refuse_used (key, other, error);
  holder = g_new0 (Holder, 1);
  *holder = (Holder){ g_strdup (def->uuid), g_strdup (def->name), is_shareable (device), FALSE };
  g_hash_table_replace (get_inventory (), g_steal_pointer (&key), holder);
  return TRUE;
}

static void
forget (const char *uuid, const char *key)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  const Holder *holder = g_hash_table_lookup (get_inventory (), key);

  if (holder != NULL && g_str_equal (holder->uuid, uuid))
    g_hash_table_remove (get_inventory (), key);
  g_cond_broadcast (&left);
}

/* Another machine has it. */
static gboolean
check_unused (const DomainDef *def, const char *name, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autofree char *key = g_strconcat (PCI_PREFIX, name, NULL);
  const Holder *holder = g_hash_table_lookup (get_inventory (), key);

  return holder == NULL || g_str_equal (holder->uuid, def->uuid) || refuse_used (key, holder, error);
}

/* The host's driver, and what the card knows of its virtual function, are as they were. What fails stays
 * written down, for another try. */
static void
return_to_host (const Settings *settings, const char *name)
{
  g_autoptr (HostRecord) record = host_record_read (settings, name);
  g_autoptr (GError) error = NULL;
  g_autofree char *driver = NULL;

  if (record == NULL)
    return;
  virtual_function_restore (record);
  driver = host_pci_driver (settings->host_directory, name);
  if (!record->bound || (driver != NULL && !host_pci_is_vfio (driver))
      || host_pci_give_back (settings->host_directory, name, &error))
    host_record_remove (settings, name);
  else
    g_warning ("PCI device %s stays away from the host's driver: %s", name, error->message);
}

/* PCI. */

static gboolean
has_pci (const DomainDef *def, const char *name)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const HostPci *pci = device_host_pci (g_ptr_array_index (def->devices, i));
    g_autofree char *other = pci != NULL ? host_pci_name (pci) : NULL;

    if (g_strcmp0 (other, name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* What the IOMMU cannot tell from the device must be the machine's as well, or nobody's. */
static gboolean
check_group (const Settings *settings, const DomainDef *def, const char *name, const GPtrArray *group,
             guint number, GError **error)
{
  for (guint i = 0; i < group->len; i++) {
    const char *other = g_ptr_array_index (group, i);
    g_autofree char *driver = host_pci_driver (settings->host_directory, other);

    if (g_str_equal (other, name))
      continue;
    if (!check_unused (def, other, error))
      return FALSE;
    if (driver == NULL || host_pci_is_vfio (driver) || has_pci (def, other)
        || host_pci_is_bridge (settings->host_directory, other))
      continue;
    virt_error_set (
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "PCI device %s is not assignable: %s is in the same IOMMU group (%u), and the host's driver "
        "'%s' uses it; both have to be given to the machine, or %s be detached from its driver",
        name, other, number, driver, other);
    return FALSE;
  }
  return TRUE;
}

static const char *
wanted_driver (const Device *device)
{
  const char *model = device->kind == &hostdev_kind ? ((const DeviceHostdev *)device)->driver_model
                                                    : ((const DeviceInterface *)device)->host_driver_model;

  return model != NULL ? model : HOST_PCI_DRIVER;
}

/* Is it to be taken from a driver? FALSE and @error when that is not ours to do. */
static gboolean
must_bind (const Settings *settings, const Device *device, const char *name, gboolean *ret_bind,
           GError **error)
{
  g_autofree char *driver = host_pci_driver (settings->host_directory, name);

  *ret_bind = !host_pci_is_vfio (driver);
  if (!*ret_bind || device_host_is_managed (device))
    return TRUE;
  virt_error_set (
      error, VIR_ERR_OPERATION_INVALID,
      "Unmanaged PCI device %s must be manually detached from the host: %s%s; managed='yes' has it "
      "done at the start",
      name, driver != NULL ? "it is used by driver " : "no driver has it", driver != NULL ? driver : "");
  return FALSE;
}

/* First written down, then done. */
static gboolean
take_function (const Settings *settings, const DomainDef *def, const Device *device, const char *name,
               GError **error)
{
  const DeviceInterface *interface = device->kind == &interface_kind ? (const DeviceInterface *)device : NULL;
  g_autoptr (HostRecord) record = g_new0 (HostRecord, 1);

  record->uuid = g_strdup (def->uuid);
  if (!must_bind (settings, device, name, &record->bound, error))
    return FALSE;
  if (interface != NULL && (!virtual_function_find (settings, interface, name, record, error)))
    return FALSE;
  if (!record->bound && interface == NULL)
    return TRUE;
  return host_record_write (settings, name, record, error)
         && (!record->bound || host_pci_take (settings->host_directory, name, wanted_driver (device), error))
         && (interface == NULL || virtual_function_set (record, interface, error));
}

/* QEMU opens the group by its name, with its own rights. */
static gboolean
give_node (const Settings *settings, guint group, uid_t uid, gid_t gid, GError **error)
{
  g_autofree char *node = host_vfio_node (settings->host_directory, group);

  if (lchown (node, uid, gid) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot give %s to the machine's account: %s", node,
                  g_strerror (errno));
  return FALSE;
}

static gboolean
check_vfio (const Settings *settings, GError **error)
{
  g_autofree char *problem = host_vfio_problem (settings->host_directory);

  if (problem != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "host doesn't support passthrough of host PCI devices: %s", problem);
  return problem == NULL;
}

static gboolean
take_pci (const Settings *settings, const DomainDef *def, const Device *device, const Account *account,
          GError **error)
{
  const char *host = settings->host_directory;
  g_autofree char *name = host_pci_name (device_host_pci (device));
  g_autoptr (GPtrArray) group = NULL;
  guint number = 0;

  if (!host_pci_check (host, name, error) || !check_vfio (settings, error))
    return FALSE;
  group = host_pci_group (host, name, &number, error);
  return group != NULL && check_group (settings, def, name, group, number, error)
         && take_function (settings, def, device, name, error)
         && (account->name == NULL || give_node (settings, number, account->uid, account->gid, error));
}

/* What can be opened only now is nobody's any more. */
static void
give_back_pci (const Settings *settings, const char *name)
{
  g_autoptr (GPtrArray) group = NULL;
  guint number = 0;

  group = host_pci_group (settings->host_directory, name, &number, NULL);
  if (group != NULL && geteuid () == 0)
    give_node (settings, number, 0, 0, NULL);
  return_to_host (settings, name);
}

static void
give_back_mdev (const Settings *settings, const char *uuid)
{
  guint group = 0;

  if (geteuid () == 0 && host_mdev_group (settings->host_directory, uuid, &group, NULL))
    give_node (settings, group, 0, 0, NULL);
}

/* By its key in the inventory. */
static void
give_back_key (const Settings *settings, const char *key)
{
  if (g_str_has_prefix (key, PCI_PREFIX))
    give_back_pci (settings, key + strlen (PCI_PREFIX));
  else if (g_str_has_prefix (key, MDEV_PREFIX))
    give_back_mdev (settings, key + strlen (MDEV_PREFIX));
}

static gboolean
take_mdev (const Settings *settings, const char *uuid, const Account *account, GError **error)
{
  guint group = 0;

  return host_mdev_group (settings->host_directory, uuid, &group, error) && check_vfio (settings, error)
         && (account->name == NULL || give_node (settings, group, account->uid, account->gid, error));
}

/* Devices. */

gboolean
host_device_take (const Settings *settings, const DomainDef *def, const Device *device,
                  const Account *account, GError **error)
{
  const char *mdev = device_host_mdev (device);

  if (device_host_type (device) == HOSTDEV_NONE)
    return TRUE;
  if (!reserve (def, device, error))
    return FALSE;
  if (device_host_pci (device) != NULL ? take_pci (settings, def, device, account, error)
                                       : mdev == NULL || take_mdev (settings, mdev, account, error))
    return TRUE;
  host_device_give_back (settings, def, device);
  return FALSE;
}

static gboolean
check_free (const DomainDef *def, const Device *device, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autofree char *key = inventory_key (device);
  const Holder *holder = key != NULL ? g_hash_table_lookup (get_inventory (), key) : NULL;

  return holder == NULL || holder->is_leaving || g_str_equal (holder->uuid, def->uuid)
         || (holder->is_shared && is_shareable (device)) || refuse_used (key, holder, error);
}

static gboolean
check_pci (const Settings *settings, const DomainDef *def, const Device *device, GError **error)
{
  g_autofree char *name = host_pci_name (device_host_pci (device));
  g_autoptr (GPtrArray) group = NULL;
  gboolean bind;
  guint number = 0;

  if (!host_pci_check (settings->host_directory, name, error) || !check_vfio (settings, error))
    return FALSE;
  group = host_pci_group (settings->host_directory, name, &number, error);
  return group != NULL && check_group (settings, def, name, group, number, error)
         && must_bind (settings, device, name, &bind, error);
}

gboolean
host_device_check (const Settings *settings, const DomainDef *def, const Device *device, GError **error)
{
  const char *mdev = device_host_mdev (device);
  guint group;

  if (device_host_type (device) == HOSTDEV_NONE)
    return TRUE;
  if (!check_free (def, device, error))
    return FALSE;
  if (device_host_pci (device) != NULL)
    return check_pci (settings, def, device, error);
  return mdev == NULL
         || (host_mdev_group (settings->host_directory, mdev, &group, error) && check_vfio (settings, error));
}

void
host_device_give_back (const Settings *settings, const DomainDef *def, const Device *device)
{
  g_autofree char *key = device_host_type (device) != HOSTDEV_NONE ? inventory_key (device) : NULL;

  if (key == NULL)
    return;
  give_back_key (settings, key);
  forget (def->uuid, key);
}

gboolean
host_devices_take (const Settings *settings, const DomainDef *def, const Account *account, GError **error)
{
  for (guint i = 0; i < def->devices->len; i++) {
    if (host_device_take (settings, def, g_ptr_array_index (def->devices, i), account, error))
      continue;
    while (i-- > 0)
      host_device_give_back (settings, def, g_ptr_array_index (def->devices, i));
    return FALSE;
  }
  return TRUE;
}

gboolean
host_devices_offer (const DomainDef *def, const char *host, Files *files, GError **error)
{
  g_autofree char *path = g_build_filename (host, VHOST_SCSI_DEVICE, NULL);

  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, const Device, device) {
    g_autofree char *name = NULL;
    int fd;

    if (device_host_type (device) != HOSTDEV_SCSI_HOST)
      continue;
    fd = open (path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "vhost-scsi device file '%s' cannot be %s: %s", path,
                      errno == ENOENT ? "found" : "opened", g_strerror (errno));
      return FALSE;
    }
    name = g_strconcat (device->alias, "-" HOSTDEV_VHOST_SCSI, NULL);
    files_offer (files, name, fd);
  }
  return TRUE;
}

void
host_devices_hold (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);
    g_autoptr (GError) error = NULL;

    if (device_host_type (device) != HOSTDEV_NONE && !reserve (def, device, &error))
      g_warning ("domain '%s': %s", def->name, error->message);
  }
}

/* Machines that have ended. */

typedef struct {
  Settings *places; /* a copy of the places in them: the daemon may end before the thread */
  char *uuid;
  GPtrArray *keys; /* char *: in the inventory */
} Return;

/* The keys of what a machine that has ended still has; each is told once. (transfer full) */
static GPtrArray *
mark_leaving (const char *uuid)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer key, found;

  g_hash_table_iter_init (&iter, get_inventory ());
  while (g_hash_table_iter_next (&iter, &key, &found)) {
    Holder *holder = found;

    if (holder->is_leaving || !g_str_equal (holder->uuid, uuid))
      continue;
    holder->is_leaving = TRUE;
    g_ptr_array_add (keys, g_strdup (key));
  }
  return keys;
}

/* The host's driver has a function before another machine can. */
static gpointer
give_back_keys (gpointer data)
{
  Return *back = data;

  for (guint i = 0; i < back->keys->len; i++) {
    give_back_key (back->places, g_ptr_array_index (back->keys, i));
    forget (back->uuid, g_ptr_array_index (back->keys, i));
  }
  settings_free (back->places);
  g_ptr_array_unref (back->keys);
  g_free (back->uuid);
  g_free (back);
  return NULL;
}

/* Takes @keys. */
static void
give_back_later (const Settings *settings, const char *uuid, GPtrArray *keys)
{
  Return *back;
  GThread *thread;

  if (keys->len == 0) {
    g_ptr_array_unref (keys);
    return;
  }
  back = g_new0 (Return, 1);
  back->places = g_new0 (Settings, 1);
  back->places->run_directory = g_strdup (settings->run_directory);
  back->places->host_directory = g_strdup (settings->host_directory);
  back->uuid = g_strdup (uuid);
  back->keys = keys;
  thread = g_thread_try_new ("host-devices", give_back_keys, back, NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    give_back_keys (back);
}

void
host_devices_give_back_later (const Settings *settings, const char *uuid)
{
  give_back_later (settings, uuid, mark_leaving (uuid));
}

/* @domain: the running machine that it was taken for, as one that is being attached is in no definition yet;
 * NULL: none, and the host's driver should have it. */
static void
hold_recorded (const char *name, const char *uuid, const char *domain, GPtrArray *left_behind)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&lock);
  g_autofree char *key = g_strconcat (PCI_PREFIX, name, NULL);
  Holder *holder;

  if (g_hash_table_contains (get_inventory (), key))
    return;
  holder = g_new0 (Holder, 1);
  *holder = domain != NULL ? (Holder){ g_strdup (uuid), g_strdup (domain), FALSE, FALSE }
                           : (Holder){ g_strdup (NOBODY), g_strdup (NOBODY), FALSE, TRUE };
  if (domain == NULL)
    g_ptr_array_add (left_behind, g_strdup (key));
  g_hash_table_insert (get_inventory (), g_steal_pointer (&key), holder);
}

void
host_devices_recover (const Settings *settings, RunningName running, gpointer data)
{
  g_autoptr (GPtrArray) names = host_record_list (settings);
  GPtrArray *left_behind = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autoptr (HostRecord) record = host_record_read (settings, name);

    if (record != NULL)
      hold_recorded (name, record->uuid, running (record->uuid, data), left_behind);
  }
  give_back_later (settings, NOBODY, left_behind);
}
