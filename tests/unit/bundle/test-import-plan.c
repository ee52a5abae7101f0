/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a machine elsewhere: where its files go, and its document, edited where it stands. */
#include "cmocka-glib.h"

#include "bundle/import-plan.h"
#include "domain/devices/disk.h"
#include "model-platform.h"

#include <string.h>

#define UUID "7c1d9a52-3a0b-4a7c-9f43-2f0a7f6d9b31"

static const char document[] = //
    "<!-- <name>web</name> -->\n"
    "<domain type='qemu'>\n"
    "  <name>web</name> <!-- of the shop -->\n"
    "  <uuid>" UUID "</uuid>\n"
    "  <memory>32768</memory>\n"
    "  <os><type arch='x86_64' machine='pc'>hvm</type>\n"
    "    <kernel>/boot/a&amp;b</kernel></os>\n"
    "  <devices>\n"
    "    <disk type=\"file\" device='disk'><source startupPolicy='optional'   file = '/srv/web.qcow2'/>\n"
    "      <target dev='vda' bus='virtio'/></disk>\n"
    "    <disk type='block' device='disk'><source dev='/dev/vg/data'/><target dev='vdb' "
    "bus='virtio'/></disk>\n"
    "    <interface type='user'><mac address='52:54:00:AA:bb:cc'/></interface>\n"
    "  </devices>\n"
    "</domain>\n";

static void
add_image (BundleHead *head, const char *name, const char *path)
{
  bundle_head_add (head, BUNDLE_IMAGE, name)->path = g_strdup (path);
}

static BundleHead *
head_of_document (void)
{
  BundleHead *head = bundle_head_new ("web", UUID, "domaind 1");

  bundle_head_add (head, BUNDLE_SOURCE, "source.xml");
  bundle_head_add (head, BUNDLE_DOMAIN, "domain.xml");
  add_image (head, "images/2-web.qcow2", "/srv/web.qcow2");
  add_image (head, "images/3-data", "/dev/vg/data");
  add_image (head, "images/4-b", "/boot/a&b");
  return head;
}

static ImportPlan *
plan_with (const BundleHead *head, const ImportOptions *more, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain_def_parse (document, -1, DOMAIN_READ_LAX, &test_platform, diagnostics);
  ImportOptions options = *more;
  g_autofree char *text = diagnostics_to_text (diagnostics);

  if (def == NULL)
    fail_msg ("%s", text);
  options.directory = "/var/images";
  options.store_directory = "/var/nvram";
  return import_plan_new (head, document, def, &options, error);
}

static void
test_everything_in_its_directory (G_GNUC_UNUSED void **state)
{
  g_autoptr (BundleHead) head = head_of_document ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ImportPlan) plan = plan_with (head, &(ImportOptions){ 0 }, &error);
  g_autoptr (GString) expected = g_string_new (document);

  assert_null (error);
  assert_string_equal (g_ptr_array_index (plan->targets, 2), "/var/images/web/web.qcow2");
  assert_string_equal (g_ptr_array_index (plan->targets, 3), "/var/images/web/data");
  assert_string_equal (g_ptr_array_index (plan->targets, 4), "/var/images/web/a&b");
  g_string_replace (expected, "/srv/web.qcow2", "/var/images/web/web.qcow2", 0);
  g_string_replace (expected, "type='block'", "type='file'", 0);
  g_string_replace (expected, "dev='/dev/vg/data'", "file='/var/images/web/data'", 0);
  g_string_replace (expected, "/boot/a&amp;b", "/var/images/web/a&amp;b", 0);
  assert_string_equal (plan->source, expected->str);
  assert_string_equal (disk_path (domain_def_find_disk (plan->def, "vdb")), "/var/images/web/data");
  assert_string_equal (plan->def->os.kernel, "/var/images/web/a&b");
  assert_int_equal (plan->changes->len, 3);
}

static void
test_another_machine (G_GNUC_UNUSED void **state)
{
  g_autoptr (BundleHead) head = head_of_document ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ImportPlan) plan =
      plan_with (head, &(ImportOptions){ .name = "shop", .new_identity = TRUE }, &error);

  assert_null (error);
  assert_string_equal (plan->def->name, "shop");
  assert_string_not_equal (plan->def->uuid, UUID);
  assert_non_null (strstr (plan->source, "<!-- <name>web</name> -->"));
  assert_non_null (strstr (plan->source, "<name>shop</name> <!-- of the shop -->"));
  assert_non_null (strstr (plan->source, plan->def->uuid));
  assert_null (strstr (plan->source, "AA:bb:cc"));
  assert_string_equal (g_ptr_array_index (plan->targets, 2), "/var/images/shop/web.qcow2");
}

static void
test_the_most_specific_map_counts (G_GNUC_UNUSED void **state)
{
  const char *const maps[] = { "/=/new", "/srv=/disks", "/boot/a&b=/kernels/7", NULL };
  g_autoptr (BundleHead) head = head_of_document ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ImportPlan) plan = plan_with (head, &(ImportOptions){ .maps = maps }, &error);

  assert_null (error);
  assert_string_equal (g_ptr_array_index (plan->targets, 2), "/disks/web.qcow2");
  assert_string_equal (g_ptr_array_index (plan->targets, 3), "/new/dev/vg/data");
  assert_string_equal (g_ptr_array_index (plan->targets, 4), "/kernels/7");
}

static void
test_what_makes_no_plan (G_GNUC_UNUSED void **state)
{
  static const char *const bad_maps[] = { "/srv=relative", "srv=/a", "/srv", "/srv=/a/../b", "/srv=/a\n" };
  static const char *const bad_names[] = { "", "a/b", "..", ".hidden" };
  g_autoptr (BundleHead) head = head_of_document ();

  for (guint i = 0; i < G_N_ELEMENTS (bad_maps); i++) {
    const char *const maps[] = { bad_maps[i], NULL };
    g_autoptr (GError) error = NULL;

    if (plan_with (head, &(ImportOptions){ .maps = maps }, &error) != NULL)
      fail_msg ("%s", bad_maps[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad_names); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (plan_with (head, &(ImportOptions){ .name = bad_names[i] }, &error));
  }
  const char *const one_place[] = { "/srv/web.qcow2=/same", "/dev/vg/data=/same", NULL };
  g_autoptr (GError) error = NULL;

  assert_null (plan_with (head, &(ImportOptions){ .maps = one_place }, &error));
  assert_non_null (strstr (error->message, "two files of the machine would be '/same'"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_everything_in_its_directory),
    cmocka_unit_test (test_another_machine),
    cmocka_unit_test (test_the_most_specific_map_counts),
    cmocka_unit_test (test_what_makes_no_plan),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
