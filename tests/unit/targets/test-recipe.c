/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What documents become in QEMU where a golden command line cannot show it: descriptors, what a host lacks,
 * and what is refused. */
#include "domain/devices/hostdev.h"
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define VIDEO_3D                                                                              \
  "<video><model type='virtio' heads='1' primary='yes'><acceleration accel3d='yes'/></model>" \
  "<address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/></video>"

#define CARD(type, more) \
  "<interface type='" type "'><mac address='52:54:00:00:00:01'/><model type='virtio'/>" more "</interface>"

#define HOSTDEV(type, source, more) "<hostdev type='" type "'><source" source "</source>" more "</hostdev>"
#define PCI_SOURCE                  "><address bus='6' slot='1' function='2'/>"
#define SCSI_SOURCE                 "><adapter name='scsi_host3'/><address bus='0' target='1' unit='2'/>"
#define ISCSI_SOURCE(name, more)    " protocol='iscsi' name='" name "'><host name='h'/>" more

static QemuCaps *
lookup (gpointer data, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_ref (data);
}

/* A machine of that type with these parts, completed. */
static DomainDef *
machine (QemuCaps *caps, const char *type, const char *parts, const char *devices)
{
  g_autofree char *xml = g_strdup_printf (
      "<domain type='%s'><name>a,b</name><uuid>" UUID "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
      "<os><type arch='x86_64' machine='q35'>hvm</type>%s<features><acpi/></features><devices>"
      "<controller type='usb' model='none'/><memballoon model='none'/>%s</devices></domain>",
      type, parts, devices);
  Platform *platform = qemu_platform_new (lookup, caps);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  DomainDef *def = domain_def_parse (xml, -1, 0, platform, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  qemu_platform_free (platform);
  assert_string_equal (mistakes, "");
  domain_def_assign_aliases (def);
  return def;
}

/* The command line in one text, or "error: ...". */
static char *
make_recipe (QemuCaps *caps, const DomainDef *def, const RecipeHost *host, RecipeFiles files)
{
  g_autoptr (Recipe) recipe = recipe_new (def, caps, host, files);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) argv = NULL;

  if (!recipe_add_domain (recipe, &error))
    return g_strconcat ("error: ", error->message, NULL);
  argv = recipe_to_argv (recipe);
  return g_strjoinv (" ", argv);
}

static const RecipeHost plain_host = { .run_directory = "/run/a",
                                       .state_directory = "/var/a",
                                       .monitor_fd = -1 };

static void
assert_adds (const char *devices, const RecipeHost *host, RecipeFiles files, const char *expected)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (DomainDef) def = machine (caps, "qemu", "</os>", devices);
  g_autofree char *text = make_recipe (caps, def, host, files);

  if (strstr (text, expected) == NULL)
    fail_msg ("'%s' is not in: %s", expected, text);
}

static void
test_commas_are_doubled_in_options (void **state G_GNUC_UNUSED)
{
  assert_adds ("", &plain_host, RECIPE_BY_PATH, "-name guest=a,,b,debug-threads=on");
  assert_adds ("<serial type='unix'><source mode='bind' path='/x,y'/></serial>", &plain_host, RECIPE_BY_PATH,
               "-chardev socket,id=charserial0,path=/x,,y,server=on,wait=off");
}

static void
test_refused_by_name (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *devices, *error;
  } cases[] = {
    { CARD ("null", ""), "network device type 'null' is not supported by this hypervisor" },
    { CARD ("user", "<vlan><tag id='4'/></vlan>"),
      "interface 52:54:00:00:00:01 - vlan tag not supported for this connection type" },
    { CARD ("user", "<driver queues='2'/>"),
      "interface 52:54:00:00:00:01 - multiqueue is not supported for network interfaces of type user" },
    { CARD ("user", "<script path='/x'/>"), "scripts are not supported on interfaces of type user" },
    { CARD ("bridge", "<source bridge='b'/><driver queues='300'/>"),
      "interface 52:54:00:00:00:01 - 300 queues are more than the 256 of a tap device" },
    { CARD ("bridge", "<source bridge='b'/><virtualport type='openvswitch'/><filterref filter='f'/>"),
      "filterref is not supported for network interfaces with virtualport type openvswitch" },
    { "<disk type='volume' device='disk'><source pool='p' volume='x'/><target "
      "dev='vda' "
      "bus='virtio'/></disk>",
      "disk 'vda': disks of type 'volume' are not supported by the QEMU target" },
    { HOSTDEV ("pci", PCI_SOURCE, "<driver name='kvm'/>"),
      "invalid PCI passthrough type 'kvm': QEMU has 'vfio'" },
    { HOSTDEV ("scsi", SCSI_SOURCE, ""),
      "which /dev/sg the SCSI device scsi_host3:0:1:2 has is known only on its host" },
    { "<hostdev type='scsi' rawio='yes'><source" SCSI_SOURCE "</source></hostdev>",
      "rawio= is not supported yet" },
    { HOSTDEV ("scsi", ISCSI_SOURCE ("iqn.a/b", ""), ""), "cannot parse target for lunStr 'iqn.a/b'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_adds (cases[i].devices, &plain_host, RECIPE_BY_PATH, cases[i].error);
}

/* A generic device goes by descriptor; its node has the name of the device, as other nodes come and go. */
static void
test_scsi_device_of_the_host (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *alias;
    RecipeFiles files;
    const char *expected;
  } cases[] = {
    { "", RECIPE_BY_PATH,
      "-blockdev {\"driver\":\"host_device\",\"filename\":\"/dev/sg5\",\"node-name\":\"libvirt-1-backend\","
      "\"read-only\":true} -device "
      "{\"driver\":\"scsi-generic\",\"id\":\"hostdev0\",\"drive\":\"libvirt-1-backend\","
      "\"bus\":\"scsi0.0\",\"scsi-id\":0}" },
    { "", RECIPE_BY_DESCRIPTOR, "\"filename\":\"/dev/fdset/1\",\"node-name\":\"hostdev0-backend\"" },
    { "<alias name='ua-a-name-that-is-longer-than-a-node-may-have'/>", RECIPE_BY_DESCRIPTOR,
      "\"node-name\":\"hostdev-" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
    g_autofree char *device = g_strconcat ("<hostdev type='scsi'><source" SCSI_SOURCE "</source><readonly/>",
                                           cases[i].alias, "</hostdev>", NULL);
    g_autoptr (DomainDef) def = machine (caps, "qemu", "</os>", device);
    g_autofree char *text = NULL;

    DOMAIN_FOREACH_DEVICE (def, hostdev_kind, DeviceHostdev, hostdev)
      hostdev->generic = NUMBER (5);
    text = make_recipe (caps, def, &plain_host, cases[i].files);
    if (strstr (text, cases[i].expected) == NULL)
      fail_msg ("'%s' is not in: %s", cases[i].expected, text);
  }
}

/* Only a running QEMU is passed the descriptor; a person's opens the device itself. */
static void
test_kernel_s_scsi_targets (void **state G_GNUC_UNUSED)
{
  static const char device[] = HOSTDEV ("scsi_host", " protocol='vhost' wwpn='naa.5123456789abcde0'>", "");

  assert_adds (
      device, &plain_host, RECIPE_BY_PATH,
      "{\"driver\":\"vhost-scsi-pci\",\"id\":\"hostdev0\",\"wwpn\":\"naa.5123456789abcde0\",\"bus\"");
  assert_adds (device, &plain_host, RECIPE_BY_DESCRIPTOR, "\"vhostfd\":\"16\"");
}

static void
test_host_cpu_needs_kvm (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (DomainDef) emulated = machine (caps, "qemu", "</os><cpu mode='maximum'/>", "");
  g_autoptr (DomainDef) kvm = machine (caps, "kvm", "</os><cpu mode='host-passthrough'/>", "");
  g_autofree char *maximum = make_recipe (caps, emulated, &plain_host, RECIPE_BY_PATH);
  g_autofree char *host = make_recipe (caps, kvm, &plain_host, RECIPE_BY_PATH);

  assert_non_null (strstr (maximum, "-accel tcg -cpu max"));
  assert_non_null (strstr (host, "-accel kvm -cpu host"));
}

static void
test_acceleration_needs_render_node_to_start (void **state G_GNUC_UNUSED)
{
  RecipeHost host = plain_host;

  assert_adds (VIDEO_3D, &host, RECIPE_BY_PATH, "-display egl-headless ");
  assert_adds (VIDEO_3D, &host, RECIPE_BY_DESCRIPTOR, "this host has no /dev/dri/renderD*");
  host.render_node = "/dev/dri/renderD128";
  assert_adds (VIDEO_3D, &host, RECIPE_BY_DESCRIPTOR,
               "-display egl-headless,rendernode=/dev/dri/renderD128 ");
  assert_adds (VIDEO_3D, &host, RECIPE_BY_DESCRIPTOR,
               "-device {\"driver\":\"virtio-vga-gl\",\"id\":\"video0\",\"max_outputs\":1,\"bus\":\"pcie.0\","
               "\"addr\":\"0x1\"}");
}

static void
test_translation_without_render_node_warns (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (DomainDef) def = machine (caps, "qemu", "</os>", VIDEO_3D);
  g_autoptr (Recipe) recipe = recipe_new (def, caps, &plain_host, RECIPE_BY_PATH);

  assert_true (recipe_add_domain (recipe, NULL));
  assert_non_null (recipe_warnings (recipe)[0]);
  assert_non_null (strstr (recipe_warnings (recipe)[0], "/dev/dri/renderD*"));
  assert_null (recipe_warnings (recipe)[1]);
}

static void
test_missing_gl_module_names_its_package (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) builtin = qemu_caps_builtin ();
  g_autofree char *json = qemu_caps_to_json (builtin);
  char *type = strstr (json, "\"virtio-gpu-gl-device\"");
  g_autoptr (DomainDef) def = machine (builtin, "qemu", "</os>", VIDEO_3D);
  g_autoptr (QemuCaps) caps = NULL;
  g_autofree char *text = NULL;

  assert_non_null (type);
  type[1] = 'X';
  caps = qemu_caps_from_json (json, -1, NULL);
  text = make_recipe (caps, def, &plain_host, RECIPE_BY_PATH);
  assert_non_null (strstr (text, "the device 'virtio-gpu-gl-device' is not supported by QEMU 7.2"));
  assert_non_null (strstr (text, "qemu-system-gui (Debian 12) or qemu-system-modules-opengl (Debian 13)"));
}

static const ImageInfo base_image = { .path = "/images/base.raw", .format = "raw" };
static const ImageInfo top_image = { .path = "/images/top.qcow2", .format = "qcow2", .backing = &base_image };

static const ImageInfo *
find_image (gpointer data G_GNUC_UNUSED, const char *path)
{
  return strcmp (path, top_image.path) == 0 ? &top_image : NULL;
}

static gboolean
cannot_read (gpointer data G_GNUC_UNUSED, const char *path)
{
  return strcmp (path, "/root/kernel") != 0;
}

static void
test_files_by_descriptor (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autoptr (DomainDef) def = machine (
      caps, "qemu", "<kernel>/root/kernel</kernel><initrd>/boot/initrd</initrd></os>",
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/top.qcow2'/>"
      "<target dev='vda' bus='virtio'/></disk>");
  RecipeHost host = plain_host;
  g_autoptr (Recipe) recipe = NULL;
  g_auto (GStrv) argv = NULL;
  g_autofree char *text = NULL;

  host.image = find_image;
  host.can_read = cannot_read;
  host.monitor_fd = 9;
  recipe = recipe_new (def, caps, &host, RECIPE_BY_DESCRIPTOR);
  assert_true (recipe_add_domain (recipe, NULL));
  argv = recipe_to_argv (recipe);
  text = g_strjoinv (" ", argv);

  assert_int_equal (recipe_file_count (recipe), 3);
  assert_string_equal (recipe_get_file (recipe, 0)->path, "/root/kernel");
  assert_true (recipe_get_file (recipe, 0)->by_name);
  assert_string_equal (recipe_get_file (recipe, 1)->path, "/images/base.raw");
  assert_false (recipe_get_file (recipe, 1)->writable);
  assert_string_equal (recipe_get_file (recipe, 2)->path, "/images/top.qcow2");
  assert_true (recipe_get_file (recipe, 2)->writable);
  assert_ptr_equal (recipe_get_file (recipe, 2)->device, domain_def_find_alias (def, "virtio-disk0"));

  assert_non_null (
      strstr (text, "-add-fd fd=17,set=2,opaque=virtio-disk0 -add-fd fd=18,set=3,opaque=virtio-disk0 "));
  assert_non_null (strstr (text, "-kernel /proc/self/fd/16 -initrd /boot/initrd "));
  assert_non_null (strstr (text, "-chardev socket,id=charmonitor,fd=9,server=on,wait=off "));
  assert_non_null (strstr (text, "\"filename\":\"/dev/fdset/3\",\"node-name\":\"libvirt-1-storage\""));
  assert_non_null (
      strstr (text, "\"driver\":\"qcow2\",\"file\":\"libvirt-1-storage\",\"backing\":\"libvirt-2-format\"}"));
  assert_null (strstr (text, "/images/"));
}

static void
test_kvm_that_does_not_work_is_refused_at_start_only (void **state G_GNUC_UNUSED)
{
  g_autoptr (QemuCaps) builtin = qemu_caps_builtin ();
  g_autofree char *json = qemu_caps_to_json (builtin);
  char *kvm = strstr (json, "\"kvm\":true");
  g_autoptr (DomainDef) def = machine (builtin, "kvm", "</os>", "");
  g_autoptr (QemuCaps) caps = NULL;
  g_autofree char *start = NULL, *translation = NULL;

  assert_non_null (kvm);
  memcpy (kvm, "\"kvm\":null", strlen ("\"kvm\":null"));
  caps = qemu_caps_from_json (json, -1, NULL);
  start = make_recipe (caps, def, &plain_host, RECIPE_BY_DESCRIPTOR);
  translation = make_recipe (caps, def, &plain_host, RECIPE_BY_PATH);
  assert_non_null (strstr (start, "KVM cannot be used on this host"));
  assert_non_null (strstr (translation, "-accel kvm"));
}

/* The command line of a machine of @type with one card on a bridge. */
static char *
bridged (const char *type, const RecipeHost *host, const char *more)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  g_autofree char *card =
      g_strdup_printf (CARD ("bridge", "<source bridge='b'/><driver queues='2'%s/>"), more);
  g_autoptr (DomainDef) def = machine (caps, type, "</os>", card);

  return make_recipe (caps, def, host, RECIPE_BY_PATH);
}

/* libvirt's rule: KVM's virtio cards have it where the host does, unless the document says 'qemu'. */
static void
test_vhost_net_is_for_kvm (void **state G_GNUC_UNUSED)
{
  RecipeHost host = plain_host;
  host.vhost_net = TRUE;
  g_autofree char *plain = bridged ("kvm", &host, "");
  g_autofree char *refused = bridged ("kvm", &host, " name='qemu'");
  g_autofree char *emulated = bridged ("qemu", &host, " name='vhost'");
  g_autofree char *lacking = bridged ("kvm", &plain_host, "");
  const char *without = "-netdev {\"type\":\"tap\",\"fds\":\"16:17\",\"id\":\"hostnet0\"}";

  assert_non_null (strstr (plain, "-netdev {\"type\":\"tap\",\"fds\":\"16:17\",\"vhost\":true,\"vhostfds\":"
                                  "\"18:19\",\"id\":\"hostnet0\"}"));
  assert_non_null (strstr (refused, without));
  assert_non_null (strstr (emulated, without));
  assert_non_null (strstr (lacking, without));
}

/* A running QEMU gets them by SCM_RIGHTS, under names. */
static void
test_descriptors_of_running_machine_have_names (void **state G_GNUC_UNUSED)
{
  RecipeHost host = plain_host;
  host.plugging = TRUE;
  g_autofree char *text = bridged ("qemu", &host, "");

  assert_non_null (strstr (text, "\"fds\":\"net0-tap0:net0-tap1\""));
}

/* Everything that cannot be made, where the document says it, whatever completion added or moved. */
static void
test_every_problem_has_its_place (void **state G_GNUC_UNUSED)
{
  static const char document[] = "<domain type='qemu'>\n"
                                 "  <name>a</name>\n"
                                 "  <memory unit='MiB'>64</memory>\n"
                                 "  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
                                 "  <clock offset='utc'>\n"
                                 "    <timer name='pit'/>\n"
                                 "    <timer name='rtc' track='realtime'/>\n"
                                 "  </clock>\n"
                                 "  <keywrap><cipher name='aes' state='on'/></keywrap>\n"
                                 "  <devices>\n"
                                 "    <interface type='null'/>\n"
                                 "    <disk><source file='/a'/><target dev='sda'/><backenddomain "
                                 "name='d'/></disk>\n"
                                 "    <interface type='null'/>\n"
                                 "  </devices>\n"
                                 "</domain>\n";
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  Platform *platform = qemu_platform_new (lookup, caps);
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL), problems = diagnostics_new ("f");
  g_autoptr (DomainDef) def = domain_def_parse (document, -1, 0, platform, reading);
  g_autofree char *mistakes = diagnostics_to_text (reading), *text = NULL;
  g_autoptr (Recipe) recipe = NULL;
  g_autoptr (GError) error = NULL;

  qemu_platform_free (platform);
  assert_string_equal (mistakes, "");
  domain_def_assign_aliases (def);
  recipe = recipe_new (def, caps, &plain_host, RECIPE_BY_PATH);
  assert_false (recipe_add_domain (recipe, &error));
  assert_true (g_str_has_prefix (error->message, "unsupported configuration: key wrapping configuration is"));
  recipe_report_problems (recipe, document, problems);
  text = diagnostics_to_text (problems);
  assert_string_equal (
      text,
      "f:7:23: error: the rtc timer's track 'boot' and 'realtime' are not supported by QEMU; 'guest' and "
      "'wall' are\n"
      "f:9:3: error: key wrapping configuration is not available with this QEMU binary: <keywrap>\n"
      "f:11:16: error: interface without a MAC address: network device type 'null' is not supported by this "
      "hypervisor\n"
      "f:12:49: error: disk 'sda': <backenddomain> is not supported yet by the QEMU target\n"
      "f:13:16: error: interface without a MAC address: network device type 'null' is not supported by this "
      "hypervisor\n");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_commas_are_doubled_in_options),
    cmocka_unit_test (test_refused_by_name),
    cmocka_unit_test (test_every_problem_has_its_place),
    cmocka_unit_test (test_scsi_device_of_the_host),
    cmocka_unit_test (test_kernel_s_scsi_targets),
    cmocka_unit_test (test_host_cpu_needs_kvm),
    cmocka_unit_test (test_acceleration_needs_render_node_to_start),
    cmocka_unit_test (test_translation_without_render_node_warns),
    cmocka_unit_test (test_missing_gl_module_names_its_package),
    cmocka_unit_test (test_files_by_descriptor),
    cmocka_unit_test (test_vhost_net_is_for_kvm),
    cmocka_unit_test (test_descriptors_of_running_machine_have_names),
    cmocka_unit_test (test_kvm_that_does_not_work_is_refused_at_start_only),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
