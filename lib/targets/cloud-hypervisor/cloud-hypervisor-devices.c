/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of Cloud Hypervisor's config but disks. What a helper serves (a directory, a TPM) is a socket
 * here: where the document does not say which, it is one in the machine's run directory, and who starts the
 * machine starts the helper before.
 */
#include "domain/devices/console.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/memory.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/tpm.h"
#include "domain/devices/vsock.h"
#include "network/ip-address.h"
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"
#include "targets/helper-sockets.h"
#include "targets/launch-json.h"

#define FS_QUEUES     1
#define FS_QUEUE_SIZE 1024
#define URANDOM       "/dev/urandom"

/* What it is called over the API too: a running machine's device by its alias, which stays with it whatever
 * comes and goes beside it. (transfer full) */
static char *
id_of (const Device *device, const char *prefix, guint index)
{
  return device->alias != NULL ? g_strdup (device->alias) : g_strdup_printf ("%s%u", prefix, index);
}

static void
set_list (JsonObject *object, const char *name, JsonArray *list)
{
  if (json_array_get_length (list) > 0)
    json_object_set_array_member (object, name, list);
  else
    json_array_unref (list);
}

static void
add_host_address (JsonObject *object, const DeviceInterface *interface, TargetLosses *losses)
{
  const InterfaceIp *ip;
  IpAddress address, mask_address;
  char mask[IP_TEXT_MAX];

  if (interface->host_ips == NULL || interface->host_ips->len == 0)
    return;
  ip = g_ptr_array_index (interface->host_ips, 0);
  if (interface->host_ips->len > 1 || ip->peer != NULL)
    target_lose (losses, &interface->device, "source/ip", "gives the host's end one address, without a peer");
  if (!ip_address_parse (ip->address, &address))
    return; /* the document would have been refused */
  ip_netmask_of_prefix (address.family,
                        (guint)(ip->prefix.set ? MIN (ip->prefix.value, ip_address_bits (&address))
                                               : ip_address_bits (&address)),
                        &mask_address);
  ip_address_format (&mask_address, mask);
  json_object_set_string_member (object, "ip", ip->address);
  json_object_set_string_member (object, "mask", mask);
}

static void
add_card_limiter (JsonObject *object, const DeviceInterface *interface, TargetLosses *losses)
{
  const InterfaceRate *in = interface->inbound, *out = interface->outbound;
  JsonObject *limiter;

  if (in == NULL && out == NULL)
    return;
  if (in == NULL || out == NULL || in->average.value != out->average.value
      || in->burst.value != out->burst.value)
    target_lose (losses, &interface->device, "bandwidth", "has the same limit for each direction");
  limiter = launch_interface_limiter (interface, in != NULL ? in : out, losses);
  if (limiter != NULL)
    json_object_set_object_member (object, "rate_limiter_config", limiter);
}

static void
add_queues (JsonObject *object, const DeviceInterface *interface, TargetLosses *losses)
{
  Number rx = interface->rx_queue_size, tx = interface->tx_queue_size;

  json_object_set_int_member (object, "num_queues", 2 * (gint64)interface_queues (interface));
  if (rx.set && tx.set && rx.value != tx.value)
    target_lose (losses, &interface->device, "driver", "has queues of one size in both directions");
  if (rx.set || tx.set)
    json_object_set_int_member (object, "queue_size", (gint64)(rx.set ? rx : tx).value);
}

/* A socket that both may be the server of; in libvirt's word for its mode the machine is the subject. */
static void
add_vhost_user (JsonObject *object, const DeviceInterface *interface)
{
  json_object_set_boolean_member (object, "vhost_user", TRUE);
  json_object_set_string_member (object, "vhost_socket", interface->source_path);
  json_object_set_string_member (object, "vhost_mode",
                                 g_strcmp0 (interface->source_mode, "server") == 0 ? "Server" : "Client");
}

static JsonObject *
network_card (const DeviceInterface *interface, guint index, guint *taps, TargetConfig *config,
              TargetLosses *losses)
{
  JsonObject *object;
  g_autofree char *id = id_of (&interface->device, "net", index), *tap = NULL;

  if (interface->type != INTERFACE_VHOST_USER && !launch_can_tap (interface, losses))
    return NULL;
  object = json_object_new ();
  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "mac", interface->mac);
  if (interface->type == INTERFACE_VHOST_USER) {
    add_vhost_user (object, interface);
  } else {
    tap = launch_tap (config, interface, (*taps)++);
    json_object_set_string_member (object, "tap", tap);
    add_host_address (object, interface, losses);
    add_card_limiter (object, interface, losses);
  }
  if (interface->mtu.set)
    json_object_set_int_member (object, "mtu", (gint64)interface->mtu.value);
  if (interface->virtio.iommu == TRISTATE_YES)
    json_object_set_boolean_member (object, "iommu", TRUE);
  add_queues (object, interface, losses);
  return object;
}

static void
add_passed (JsonArray *devices, const char *id, const HostPci *pci)
{
  g_autofree char *name = host_pci_name (pci), *path = g_build_filename ("/sys/bus/pci/devices", name, NULL);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "path", path);
  json_array_add_object_element (devices, object);
}

static void
add_cards_and_devices (JsonObject *object, const DomainDef *def, TargetConfig *config, TargetLosses *losses)
{
  JsonArray *cards = json_array_new (), *devices = json_array_new ();
  guint taps = 0, index = 0, passed = 0;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    g_autofree char *id = NULL;
    JsonObject *card;

    if (interface->type == INTERFACE_HOSTDEV && interface->host_type == HOST_ADDRESS_PCI) {
      id = id_of (&interface->device, "hostdev", passed++);
      add_passed (devices, id, &interface->host_pci);
      continue;
    }
    card = network_card (interface, index, &taps, config, losses);
    index += card != NULL;
    if (card != NULL)
      json_array_add_object_element (cards, card);
  }
  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, DeviceHostdev, hostdev) {
    g_autofree char *id = NULL;

    if (hostdev->mode != HOSTDEV_SUBSYSTEM || hostdev->type != HOSTDEV_PCI) {
      target_lose (losses, &hostdev->device, NULL, "passes PCI devices of the host through, and no others");
      continue;
    }
    id = id_of (&hostdev->device, "hostdev", passed++);
    add_passed (devices, id, &hostdev->pci);
  }
  set_list (object, "net", cards);
  set_list (object, "devices", devices);
}

static void
add_filesystems (JsonObject *object, const TargetRequest *request, TargetConfig *config, TargetLosses *losses)
{
  JsonArray *list = json_array_new ();
  guint index = 0;

  DOMAIN_FOREACH_DEVICE (request->def, filesystem_kind, DeviceFilesystem, filesystem) {
    g_autofree char *id = NULL, *socket = NULL;
    JsonObject *one;

    if (filesystem->driver != FILESYSTEM_DRIVER_VIRTIOFS) {
      target_lose (losses, &filesystem->device, NULL,
                   "shares directories by virtiofs: <driver type='virtiofs'/>");
      continue;
    }
    id = id_of (&filesystem->device, "fs", index++);
    socket = filesystem->source_socket != NULL ? g_strdup (filesystem->source_socket)
                                               : helper_socket_virtiofs (request->run_directory, id);
    one = json_object_new ();
    json_object_set_string_member (one, "id", id);
    json_object_set_string_member (one, "tag", filesystem->target);
    json_object_set_string_member (one, "socket", socket);
    json_object_set_int_member (one, "num_queues", FS_QUEUES);
    json_object_set_int_member (one, "queue_size",
                                (gint64)(filesystem->queue.set ? filesystem->queue.value : FS_QUEUE_SIZE));
    json_array_add_object_element (list, one);
    if (filesystem->source_socket == NULL)
      target_config_warn (config, "virtiofsd has to serve '%s' on '%s' before the machine is made",
                          filesystem->source_dir, socket);
  }
  set_list (object, "fs", list);
}

/* What a console of either kind becomes; "Off" where there is none. */
static JsonObject *
console_of (const Chardev *chardev, const Device *device, TargetLosses *losses)
{
  JsonObject *object = json_object_new ();
  const char *path = chardev != NULL ? chardev_path (chardev) : NULL;
  const ChardevSource *source = chardev != NULL ? chardev_first_source (chardev) : NULL;
  const char *mode = "Off";

  if (chardev != NULL && chardev->log_file != NULL)
    target_lose (losses, device, "log", "keeps no log of a console");
  if (chardev == NULL) {
  } else if (chardev->type == CHARDEV_PTY) {
    mode = "Pty";
  } else if (chardev->type == CHARDEV_STDIO) {
    mode = "Tty";
  } else if (chardev->type == CHARDEV_NULL) {
    mode = "Null";
  } else if (chardev->type == CHARDEV_FILE && path != NULL) {
    mode = "File";
    json_object_set_string_member (object, "file", path);
    if (source->append == TRISTATE_YES)
      target_lose (losses, device, "source append=", "begins the file anew at each start");
  } else if (chardev->type == CHARDEV_UNIX && path != NULL && source->mode != CHARDEV_MODE_CONNECT) {
    mode = "Socket";
    json_object_set_string_member (object, "socket", path);
  } else {
    target_lose (losses, device, NULL,
                 "has consoles on a pty, its terminal, a file, or a socket it listens on");
  }
  json_object_set_string_member (object, "mode", mode);
  return object;
}

static void
add_consoles (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonObject *serial = NULL, *console = NULL;

  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, device) {
    if (serial != NULL)
      target_lose (losses, &device->device, NULL, "has one serial port");
    else
      serial = console_of (&device->source, &device->device, losses);
  }
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, device) {
    if (device->target == CONSOLE_SERIAL)
      continue; /* the serial port seen from the other side */
    if (device->target != CONSOLE_VIRTIO || console != NULL)
      target_lose (losses, &device->device, NULL,
                   "has one console beside the serial port, of the type 'virtio'");
    else
      console = console_of (&device->source, &device->device, losses);
  }
  if (serial != NULL && console != NULL && g_str_equal (json_object_get_string_member (serial, "mode"), "Tty")
      && g_str_equal (json_object_get_string_member (console, "mode"), "Tty"))
    target_refuse (losses, NULL, "devices/console", "has one terminal, which the serial port has already");
  json_object_set_object_member (object, "serial", serial != NULL ? serial : console_of (NULL, NULL, losses));
  json_object_set_object_member (object, "console",
                                 console != NULL ? console : console_of (NULL, NULL, losses));
}

static void
add_vsock (JsonObject *object, const TargetRequest *request)
{
  g_autofree char *path = g_build_filename (request->run_directory, CLOUD_HYPERVISOR_VSOCK, NULL);

  DOMAIN_FOREACH_DEVICE (request->def, vsock_kind, DeviceVsock, vsock) {
    JsonObject *one = json_object_new ();

    json_object_set_int_member (one, "cid", (gint64)launch_vsock_cid (request->def));
    json_object_set_string_member (one, "socket", path);
    if (vsock->virtio.iommu == TRISTATE_YES)
      json_object_set_boolean_member (one, "iommu", TRUE);
    json_object_set_object_member (object, "vsock", one);
  }
}

static void
add_rng (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (def, rng_kind, DeviceRng, rng) {
    JsonObject *one;

    if (json_object_has_member (object, "rng") || rng->backend == RNG_BACKEND_EGD) {
      target_lose (losses, &rng->device, NULL, "has one source of entropy, which is a file of the host");
      continue;
    }
    one = json_object_new ();
    json_object_set_string_member (one, "src", rng->path != NULL ? rng->path : URANDOM);
    if (rng->virtio.iommu == TRISTATE_YES)
      json_object_set_boolean_member (one, "iommu", TRUE);
    json_object_set_object_member (object, "rng", one);
  }
}

static void
add_balloon (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  guint64 held = launch_balloon (def);

  DOMAIN_FOREACH_DEVICE (def, memballoon_kind, DeviceMemballoon, balloon) {
    JsonObject *one;

    if (balloon->model == BALLOON_NONE)
      continue;
    one = json_object_new ();
    json_object_set_int_member (one, "size", (gint64)held * 1024);
    json_object_set_boolean_member (one, "deflate_on_oom", balloon->autodeflate == TRISTATE_YES);
    json_object_set_boolean_member (one, "free_page_reporting", balloon->free_page_reporting == TRISTATE_YES);
    json_object_set_object_member (object, "balloon", one);
    return;
  }
  if (held != 0)
    target_lose (losses, NULL, "currentMemory", "has all its memory without a balloon");
}

static void
add_tpm (JsonObject *object, const TargetRequest *request, TargetConfig *config, TargetLosses *losses)
{
  DOMAIN_FOREACH_DEVICE (request->def, tpm_kind, DeviceTpm, tpm) {
    g_autofree char *id = id_of (&tpm->device, "tpm", 0);
    g_autofree char *own = helper_socket_tpm (request->run_directory, id);
    JsonObject *one;

    if ((tpm->type != TPM_EMULATOR && tpm->type != TPM_EXTERNAL) || tpm->version == TPM_1_2) {
      target_lose (losses, &tpm->device, NULL, "has a TPM 2.0 that swtpm emulates, and no other");
      continue;
    }
    if (tpm->model != TPM_CRB)
      target_lose (losses, &tpm->device, NULL, "has a TPM of the model 'tpm-crb'");
    one = json_object_new ();
    json_object_set_string_member (one, "socket", tpm->type == TPM_EXTERNAL ? tpm->external_path : own);
    json_object_set_object_member (object, "tpm", one);
    if (tpm->type == TPM_EMULATOR)
      target_config_warn (config, "swtpm has to listen on '%s' before the machine is made", own);
  }
}

static void
add_pmem (JsonObject *object, const DomainDef *def)
{
  JsonArray *list = json_array_new ();

  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, memory) {
    JsonObject *one;
    g_autofree char *id = NULL;

    if (memory->model != MEMORY_VIRTIO_PMEM)
      continue;
    one = json_object_new ();
    id = id_of (&memory->device, "pmem", json_array_get_length (list));
    json_object_set_string_member (one, "id", id);
    json_object_set_string_member (one, "file", memory->path);
    json_object_set_int_member (one, "size", (gint64)memory->size.value * 1024);
    json_object_set_boolean_member (one, "discard_writes", memory->readonly);
    json_array_add_object_element (list, one);
  }
  set_list (object, "pmem", list);
}

void
cloud_hypervisor_add_devices (JsonObject *object, const TargetRequest *request, TargetConfig *config,
                              TargetLosses *losses)
{
  const DomainDef *def = request->def;

  add_cards_and_devices (object, def, config, losses);
  add_filesystems (object, request, config, losses);
  add_consoles (object, def, losses);
  add_vsock (object, request);
  add_rng (object, def, losses);
  add_balloon (object, def, losses);
  add_tpm (object, request, config, losses);
  add_pmem (object, def);
}
