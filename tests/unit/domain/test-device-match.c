/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client's description of a device, the device it means, and the definition without it, with another, with
 * it changed.
 */
#include "cmocka-glib.h"
#include "model-platform.h"

#include "domain/device-change.h"
#include "domain/device-match.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/host-device.h"
#include "domain/devices/interface.h"

#include <string.h>

static const char document[] =
    "<domain type='qemu'><name>t</name><memory>65536</memory>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
    "<controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>"
    "<controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>"
    "<controller type='usb' model='none'/>"
    "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
    "<disk type='file' device='cdrom'><source file='/cd'/><target dev='sda' bus='sata'/></disk>"
    "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='e1000e'/></interface>"
    "<interface type='user'><mac address='52:54:00:00:00:02'/><model type='virtio'/></interface>"
    "<rng model='virtio'><backend model='random'>/dev/random</backend></rng>"
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-second'/></rng>"
    "<memballoon model='none'/></devices></domain>";

static DomainDef *
read_definition (void)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("t");
  DomainDef *def = domain_def_parse (document, -1, 0, &test_platform, diagnostics);
  g_autofree char *text = diagnostics_to_text (diagnostics);

  assert_string_equal (text, "");
  assert_non_null (def);
  return def;
}

static Device *
read_device (const char *xml)
{
  g_autoptr (GError) error = NULL;
  Device *device = device_from_xml (xml, &error);

  assert_null (error);
  return device;
}

static void
test_what_a_description_means (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *xml;
    const char *alias; /* once aliases are given; NULL: none */
    const char *words;
    virErrorNumber code; /* VIR_ERR_DEVICE_MISSING when it is none */
  } rows[] = {
    { "<disk><target dev='vda'/></disk>", "virtio-disk0", NULL },
    { "<disk type='file'><source file='/other'/><target dev='sda' bus='scsi'/></disk>", "sata0-0-0", NULL },
    { "<disk><target dev='vdz'/></disk>", NULL, "device not found: disk vdz not found" },
    { "<hostdev type='pci'><source><address bus='1' slot='2'/></source></hostdev>", NULL,
      "device not found: host pci device 0000:01:02.0 not found" },
    { "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>", NULL,
      "device not found: host usb device 001.002 not found" },
    { "<hostdev type='scsi'><source protocol='iscsi' name='iqn.a/1'><host name='h'/></source></hostdev>",
      NULL, "device not found: host scsi iSCSI path iqn.a/1 not found" },
    { "<interface type='bridge'><mac address='52:54:00:00:00:02'/></interface>", "net1", NULL },
    { "<interface type='user'><mac address='52:54:00:00:00:09'/></interface>", NULL,
      "device not found: no device found at address '(<null>)' matching MAC address '52:54:00:00:00:09' and "
      "alias '(<null>)'" },
    { "<interface type='user'><mac address='52:54:00:00:00:01'/>"
      "<address type='pci' domain='0' bus='9' slot='0' function='0'/></interface>",
      NULL,
      "device not found: no device found at address '0000:09:00.0' matching MAC address '52:54:00:00:00:01' "
      "and alias '(<null>)'" },
    { "<interface type='user'><address type='pci' domain='0' bus='2' slot='0' function='0'/></interface>",
      "net1", NULL },
    { "<interface type='user'><model type='e1000'/><alias name='net1'/></interface>", "net1", NULL },
    { "<interface type='user'><model type='e1000e'/></interface>", NULL,
      "operation failed: multiple matching devices found", VIR_ERR_OPERATION_FAILED },
    { "<interface type='user'><address type='pci' domain='0' bus='9' slot='0' function='0'/></interface>",
      NULL,
      "device not found: no device found at address '0000:09:00.0' matching MAC address '(<null>)' and alias "
      "'(<null>)'" },
    { "<controller type='sata' index='0'/>", "ide", NULL },
    { "<controller type='scsi' index='3'/>", NULL, "device not found: controller scsi:3 not found" },
    { "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", "ua-second", NULL },
    { "<rng model='virtio'><backend model='builtin'/></rng>", NULL,
      "device not found: rng device not present in domain configuration" },
    { "<input type='tablet' bus='usb'/>", NULL, "device not found: matching input device not found" },
  };
  g_autoptr (DomainDef) def = read_definition ();

  domain_def_assign_aliases (def);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    Device *wanted = read_device (rows[i].xml);
    Device *found = device_match (def, wanted, &error);

    if (rows[i].alias != NULL) {
      assert_non_null (found);
      assert_string_equal (found->alias, rows[i].alias);
    } else {
      assert_null (found);
      assert_int_equal (virt_error_code (error),
                        rows[i].code != VIR_ERR_OK ? rows[i].code : VIR_ERR_DEVICE_MISSING);
      assert_string_equal (error->message, rows[i].words);
    }
    device_free (wanted);
  }
}

static void
test_one_more (G_GNUC_UNUSED void **state)
{
  g_autoptr (DomainDef) def = read_definition ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) added = NULL;
  g_autoptr (DomainDef) changed = NULL;
  Device *device = read_device ("<interface type='user'><model type='virtio'/></interface>"), *own;

  domain_def_assign_aliases (def);
  g_ptr_array_remove (def->devices, domain_def_find_alias (def, "net0"));
  changed = domain_def_with_device (def, device, DEVICE_CHANGE_LIVE, &test_platform, &added, &error);
  assert_null (error);
  assert_int_equal (added->len, 1);
  own = g_ptr_array_index (added, 0);
  assert_string_equal (own->alias, "net2"); /* above what there is, as libvirt counts */
  assert_int_equal (own->address.type, ADDRESS_PCI);
  assert_string_equal (((DeviceInterface *)own)->mac, ((DeviceInterface *)device)->mac);
  assert_int_equal (changed->devices->len, def->devices->len + 1);
  device_free (device);
}

/* Behind the last drive of its bus, where a document read anew has it as well; the bus need not be said. */
static void
test_a_drive_among_others (G_GNUC_UNUSED void **state)
{
  g_autoptr (DomainDef) def = read_definition ();
  g_autoptr (DomainDef) changed = NULL, again = NULL;
  g_autoptr (GPtrArray) added = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("t");
  g_autoptr (GString) order = g_string_new (NULL);
  Device *device =
      read_device ("<disk type='file' device='disk'><source file='/b'/><target dev='vdb'/></disk>");

  changed = domain_def_with_device (def, device, DEVICE_CHANGE_CONFIG, &test_platform, &added, &error);
  assert_null (error);
  DOMAIN_FOREACH_DEVICE (changed, disk_kind, DeviceDisk, disk)
    g_string_append_printf (order, "%s ", disk->target);
  assert_string_equal (order->str, "vda vdb sda ");

  g_autofree char *xml = domain_def_to_xml (changed, DOMAIN_WRITE_SECURE);
  again = domain_def_parse (xml, -1, 0, &test_platform, diagnostics);
  g_string_truncate (order, 0);
  DOMAIN_FOREACH_DEVICE (again, disk_kind, DeviceDisk, disk)
    g_string_append_printf (order, "%s ", disk->target);
  assert_string_equal (order->str, "vda vdb sda ");
  device_free (device);
}

static void
test_refusals (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *xml;
    int code;
    const char *words;
  } rows[] = {
    { "<disk type='file'><source file='/b'/><target dev='vda' bus='virtio'/></disk>",
      VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: target vda already exists" },
    { "<controller type='sata' index='0'/>", VIR_ERR_OPERATION_INVALID,
      "Requested operation is not valid: Target already exists" },
    { "<rng model='virtio'><backend model='builtin'/><alias name='ua-second'/></rng>", VIR_ERR_XML_ERROR,
      "XML error: non unique alias detected: ua-second" },
    { "<interface type='user'><mac address='01:00:00:00:00:00'/></interface>", VIR_ERR_XML_ERROR,
      "multicast" },
  };
  g_autoptr (DomainDef) def = read_definition ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) added = NULL;
    Device *device = read_device (rows[i].xml);

    assert_null (domain_def_with_device (def, device, DEVICE_CHANGE_CONFIG, &test_platform, &added, &error));
    assert_non_null (strstr (error->message, rows[i].words));
    assert_int_equal (virt_error_code (error), rows[i].code);
    device_free (device);
  }
}

/* A definition gets another port; a running machine cannot. */
static void
test_no_slot_left (G_GNUC_UNUSED void **state)
{
  g_autoptr (DomainDef) def = read_definition ();
  g_autoptr (GError) error = NULL;
  guint count = 0;

  for (;; count++) {
    g_autofree char *xml = g_strdup_printf (
        "<disk type='file'><source file='/x'/><target dev='vd%c' bus='virtio'/></disk>", (char)('b' + count));
    g_autoptr (GPtrArray) added = NULL;
    Device *device = read_device (xml);
    DomainDef *more =
        domain_def_with_device (def, device, DEVICE_CHANGE_LIVE, &test_platform, &added, &error);

    if (more == NULL) {
      g_autoptr (DomainDef) config =
          domain_def_with_device (def, device, DEVICE_CHANGE_CONFIG, &test_platform, &added, NULL);
      assert_non_null (config);
      assert_int_equal (added->len, 2);
      assert_ptr_equal (((Device *)g_ptr_array_index (added, 0))->kind, &controller_kind);
      device_free (device);
      break;
    }
    device_free (device);
    domain_def_unref (def);
    def = more;
  }
  assert_true (g_str_has_prefix (error->message, "internal error: No more available PCI slots"));
  assert_in_range (count, 0, 4);
}

static void
test_updates (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *alias, *xml, *words; /* words NULL: it may be */
  } rows[] = {
    { "sata0-0-0", "<disk type='file' device='cdrom'><source file='/b'/><target dev='sda'/></disk>", NULL },
    { "sata0-0-0", "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>", NULL },
    { "sata0-0-0", "<disk type='file' device='disk'><target dev='sda'/></disk>",
      "field '@device' of the disk" },
    { "virtio-disk0", "<disk type='file'><source file='/b'/><target dev='vda'/></disk>",
      "disk type of 'vda' does not support ejectable media" },
    { "net1", "<interface type='user'><mac address='52:54:00:00:00:02'/><link state='down'/></interface>",
      NULL },
    { "net1", "<interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000'/></interface>",
      "cannot modify network device model from virtio to e1000" },
    { "ua-second", "<rng model='virtio'/>", "live update of device 'rng' is not supported" },
  };
  g_autoptr (DomainDef) def = read_definition ();

  domain_def_assign_aliases (def);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    Device *said = read_device (rows[i].xml);
    Device *updated = device_updated_live (domain_def_find_alias (def, rows[i].alias), said, &error);

    if (rows[i].words == NULL) {
      assert_null (error);
      assert_string_equal (updated->alias, rows[i].alias);
    } else {
      assert_null (updated);
      assert_non_null (strstr (error->message, rows[i].words));
    }
    device_free (updated);
    device_free (said);
  }
}

/* What the new description leaves out of its place stays. */
static void
test_replaced_keeps_its_place (G_GNUC_UNUSED void **state)
{
  g_autoptr (DomainDef) def = read_definition ();
  g_autoptr (GError) error = NULL;
  Device *said = read_device ("<disk type='file'><source file='/b'/><target dev='vda' bus='virtio'/></disk>");
  const Device *old = device_match (def, said, NULL);
  guint index = domain_def_device_index (def, old);
  g_autoptr (DomainDef) changed =
      domain_def_with_replaced (def, index, said, DEVICE_CHANGE_CONFIG, &test_platform, &error);
  const DeviceDisk *disk;

  assert_non_null (changed);
  disk = g_ptr_array_index (changed->devices, index);
  assert_string_equal (disk->file, "/b");
  assert_int_equal (disk->device.address.bus.value, old->address.bus.value);
  assert_string_equal (((const DeviceDisk *)old)->file, "/a");
  device_free (said);
}

static void
test_state_that_cannot_leave_the_host (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *xml, *error; /* NULL: it can */
  } rows[] = {
    { "<hostdev type='usb'><source><address bus='1' device='2'/></source></hostdev>", NULL },
    { "<hostdev type='pci'><source><address bus='1' slot='2' function='0'/></source></hostdev>", NULL },
    { "<hostdev type='scsi'><source><adapter name='scsi_host3'/><address bus='0' target='1' "
      "unit='2'/></source>"
      "</hostdev>",
      "Requested operation is not valid: cannot migrate a domain with <hostdev mode='subsystem' "
      "type='scsi'>" },
    { "<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>",
      "Requested operation is not valid: cannot migrate a domain with <hostdev mode='subsystem' "
      "type='scsi_host'>" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DomainDef) def = read_definition ();
    g_autoptr (GError) error = NULL;

    domain_def_add_device (def, read_device (rows[i].xml));
    assert_int_equal (host_devices_can_migrate (def, &error), rows[i].error == NULL);
    if (rows[i].error != NULL)
      assert_string_equal (error->message, rows[i].error);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_what_a_description_means),
    cmocka_unit_test (test_state_that_cannot_leave_the_host),
    cmocka_unit_test (test_one_more),
    cmocka_unit_test (test_a_drive_among_others),
    cmocka_unit_test (test_refusals),
    cmocka_unit_test (test_no_slot_left),
    cmocka_unit_test (test_updates),
    cmocka_unit_test (test_replaced_keeps_its_place),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
