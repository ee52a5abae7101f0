/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an archive says of itself: written and read again, and every way to say it wrongly. */
#include "cmocka-glib.h"

#include "bundle/bundle-head.h"
#include "bundle/bundle-manifest.h"
#include "bundle/bundle-name.h"
#include "bundle/ovf-read.h"

#include <string.h>

#define UUID "7c1d9a52-3a0b-4a7c-9f43-2f0a7f6d9b31"
#define SUM  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define DOCUMENTS                                                       \
  "{'name': 'source.xml', 'role': 'source', 'size': 10, 'stored': 10}," \
  "{'name': 'domain.xml', 'role': 'domain', 'size': 20, 'stored': 20}"
#define IMAGE(name, path, more) \
  "{'name': '" name "', 'role': 'image', 'size': 100, 'stored': 50, 'path': '" path "'" more "}"

static char *
head_text (const char *files)
{
  g_autofree char *text =
      g_strconcat ("{'format': 'domaind-bundle', 'version': 1, 'name': 'web', 'uuid': '" UUID "', 'files': [",
                   files, "]}", NULL);

  return g_strdelimit (g_steal_pointer (&text), "'", '"');
}

static void
test_head_again (G_GNUC_UNUSED void **state)
{
  g_autoptr (BundleHead) head = bundle_head_new ("web", UUID, "domaind 1");
  g_autoptr (BundleHead) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *text_again = NULL;
  BundleFile *file;

  bundle_head_add (head, BUNDLE_SOURCE, "source.xml");
  bundle_head_add (head, BUNDLE_DOMAIN, "domain.xml");
  file = bundle_head_add (head, BUNDLE_IMAGE, "images/2-top.qcow2");
  file->path = g_strdup ("/srv/top.qcow2");
  file->format = g_strdup ("qcow2");
  file->size = 300;
  file->stored = 200;
  file->backing = 3;
  file = bundle_head_add (head, BUNDLE_IMAGE, "images/3-base.raw");
  file->path = g_strdup ("/srv/base.raw");

  text = bundle_head_to_json (head);
  again = bundle_head_parse (text, strlen (text), &error);
  assert_null (error);
  text_again = bundle_head_to_json (again);
  assert_string_equal (text, text_again);
  assert_int_equal (bundle_head_find_path (again, "/srv/base.raw"), 3);
  assert_int_equal (bundle_head_stored (again), 200);
}

static void
test_bad_heads (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *files, *words;
  } cases[] = {
    { "", "does not begin with the machine's documents" },
    { IMAGE ("images/a", "/a", ""), "does not begin with the machine's documents" },
    { DOCUMENTS "," IMAGE ("a", "/a", ""), "outside of 'images/'" },
    { DOCUMENTS "," IMAGE ("images/../a", "/a", ""), "expected letters" },
    { DOCUMENTS "," IMAGE ("images/.a", "/a", ""), "expected letters" },
    { DOCUMENTS "," IMAGE ("images/a/", "/a", ""), "expected letters" },
    { DOCUMENTS "," IMAGE ("images/a", "a", ""), "absolute path" },
    { DOCUMENTS "," IMAGE ("images/a", "/a/../b", ""), "absolute path" },
    { DOCUMENTS "," IMAGE ("images/a", "/a//b", ""), "absolute path" },
    { DOCUMENTS "," IMAGE ("images/a", "/a/", ""), "absolute path" },
    { DOCUMENTS "," IMAGE ("images/a", "/a\\nb", ""), "absolute path" },
    { DOCUMENTS "," IMAGE ("images/a", "/a", "") "," IMAGE ("images/a", "/b", ""), "twice" },
    { DOCUMENTS "," IMAGE ("images/a", "/a", "") "," IMAGE ("images/b", "/a", ""),
      "two files that were at '/a'" },
    { DOCUMENTS "," IMAGE ("images/a", "/a", ", 'backing': 'images/a'"), "no image behind it" },
    { DOCUMENTS "," IMAGE ("images/a", "/a", "") "," IMAGE ("images/b", "/b", ", 'backing': 'images/a'"),
      "no image behind it" },
    { DOCUMENTS "," IMAGE ("images/a", "/a", ", 'backing': 'domain.xml'"), "no image behind it" },
    { DOCUMENTS ",{'name': 'x', 'role': 'source', 'size': 1, 'stored': 1}", "second file of the role" },
    { DOCUMENTS ",{'name': 'x', 'role': 'virus', 'size': 1, 'stored': 1}", "known role" },
    { DOCUMENTS ",{'name': 'nvram', 'role': 'nvram', 'size': 1, 'stored': 1}", "no path" },
    { DOCUMENTS ",{'name': 'tpm/a', 'role': 'tpm', 'size': 1, 'stored': 1, 'path': '/etc/a'}",
      "says a path" },
    { DOCUMENTS ",{'name': 'tpm/a', 'role': 'tpm', 'size': 1, 'stored': 2}", "less than its data" },
    { DOCUMENTS ",{'name': 'tpm/a', 'role': 'tpm', 'size': -1, 'stored': -1}", "no size" },
    { DOCUMENTS ",{'name': 'tpm/a', 'role': 'tpm', 'size': 100000000, 'stored': 1}", "at most" },
    { DOCUMENTS ",7", "without a name" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = head_text (cases[i].files);
    g_autoptr (GError) error = NULL;

    assert_null (bundle_head_parse (text, strlen (text), &error));
    if (strstr (error->message, cases[i].words) == NULL)
      fail_msg ("%s: %s", cases[i].files, error->message);
  }
}

static void
test_newer_versions (G_GNUC_UNUSED void **state)
{
  const char *head = "{\"format\": \"domaind-bundle\", \"version\": 2}";
  const char *manifest = "{\"format\": \"domaind-manifest\", \"version\": 9}";
  g_autoptr (GError) error = NULL;

  assert_null (bundle_head_parse (head, strlen (head), &error));
  assert_int_equal (error->code, VIR_ERR_NO_SUPPORT);
  assert_non_null (strstr (error->message, "version 2: this domaind reads up to version 1"));
  g_clear_error (&error);
  assert_null (bundle_manifest_parse (manifest, strlen (manifest), &error));
  assert_int_equal (error->code, VIR_ERR_NO_SUPPORT);
}

static void
test_manifest (G_GNUC_UNUSED void **state)
{
  g_autoptr (BundleManifest) made = bundle_manifest_new ();
  g_autoptr (BundleManifest) more = bundle_manifest_new ();
  g_autoptr (BundleManifest) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  bundle_manifest_add (made, "bundle.json", 10, FALSE, SUM);
  bundle_manifest_add (made, "images/a", 1 << 20, TRUE, SUM);
  text = bundle_manifest_to_json (made);
  again = bundle_manifest_parse (text, strlen (text), &error);
  assert_null (error);
  assert_true (bundle_manifest_check (again, made, &error));

  bundle_manifest_add (more, "bundle.json", 10, FALSE, SUM);
  assert_false (bundle_manifest_check (again, more, &error));
  g_clear_error (&error);
  bundle_manifest_add (more, "images/a", 1 << 20, FALSE, SUM);
  assert_false (bundle_manifest_check (again, more, &error));
  assert_non_null (strstr (error->message, "'images/a' is damaged"));
}

static void
test_paths_below (G_GNUC_UNUSED void **state)
{
  assert_string_equal (bundle_path_below ("/srv/a/b", "/srv"), "/a/b");
  assert_string_equal (bundle_path_below ("/srv/a", "/srv/"), "/a");
  assert_string_equal (bundle_path_below ("/srv", "/srv"), "");
  assert_string_equal (bundle_path_below ("/srv", "/"), "/srv");
  assert_null (bundle_path_below ("/srv2/a", "/srv"));
  assert_null (bundle_path_below ("/sr", "/srv"));
}

static void
test_ovf_again (G_GNUC_UNUSED void **state)
{
  g_autoptr (Ovf) made = ovf_empty (), again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *text_again = NULL;

  made->name = g_strdup ("web & shop");
  made->vcpus = 4;
  made->memory = (guint64)2048 << 20;
  made->is_efi = TRUE;
  ovf_add_disk (made, "web-disk1.vmdk", 12345, (guint64)40 << 30, FALSE);
  ovf_add_disk (made, "web-disk2.vmdk", 54321, 1 << 20, TRUE);
  ovf_add_card (made, "52:54:00:00:00:01", "VmxNet3");
  text = ovf_to_xml (made);
  again = ovf_parse (text, strlen (text), &error);
  assert_null (error);
  text_again = ovf_to_xml (again);
  assert_string_equal (text, text_again);
}

#define OVF(hardware, files)                                                                               \
  "<Envelope xmlns:o='http://schemas.dmtf.org/ovf/envelope/1'><References>" files "</References>"          \
  "<DiskSection><Disk o:diskId='d' o:fileRef='f' o:capacity='8' o:capacityAllocationUnits='byte * 2^30'/>" \
  "</DiskSection><VirtualSystem o:id='web'><VirtualHardwareSection>"                                       \
  "<Item><ResourceType>3</ResourceType><VirtualQuantity>2</VirtualQuantity></Item>"                        \
  "<Item><AllocationUnits>MegaBytes</AllocationUnits><ResourceType>4</ResourceType>"                       \
  "<VirtualQuantity>512</VirtualQuantity></Item>" hardware                                                 \
  "</VirtualHardwareSection></VirtualSystem></Envelope>"
#define OVF_FILE(name, more) "<File o:id='f' o:href='" name "' " more "/>"
#define OVF_DISK             "<Item><HostResource>ovf:/disk/d</HostResource><ResourceType>17</ResourceType></Item>"

static void
test_ovf_of_others (G_GNUC_UNUSED void **state)
{
  const char *text = OVF (OVF_DISK, OVF_FILE ("a.vmdk", ""));
  g_autoptr (GError) error = NULL;
  g_autoptr (Ovf) ovf = ovf_parse (text, strlen (text), &error);
  const OvfDisk *disk;

  assert_null (error);
  assert_string_equal (ovf->name, "web");
  assert_int_equal (ovf->vcpus, 2);
  assert_int_equal (ovf->memory, (guint64)512 << 20);
  assert_false (ovf->is_efi);
  disk = g_ptr_array_index (ovf->disks, 0);
  assert_string_equal (disk->file, "a.vmdk");
  assert_int_equal (disk->capacity, (guint64)8 << 30);
}

static void
test_bad_ovfs (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text, *words;
  } cases[] = {
    { "", "cannot be read" },
    { "<Envelope/>", "has no virtual system" },
    { "<Envelope><VirtualSystem><VirtualHardwareSection/></VirtualSystem></Envelope>", "has no name" },
    { "<Envelope><VirtualSystem id='a'><VirtualHardwareSection/></VirtualSystem></Envelope>",
      "no processors" },
    { OVF (OVF_DISK, ""), "without a file" },
    { OVF (OVF_DISK, OVF_FILE ("../a", "")), "expected letters" },
    { OVF (OVF_DISK, OVF_FILE ("/etc/a", "")), "expected letters" },
    { OVF (OVF_DISK, OVF_FILE ("a", "o:compression='gzip'")), "in 'gzip'" },
    { OVF (OVF_DISK OVF_DISK, OVF_FILE ("a", "")), "two disks of the file" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (ovf_parse (cases[i].text, strlen (cases[i].text), &error));
    if (strstr (error->message, cases[i].words) == NULL)
      fail_msg ("%s: %s", cases[i].text, error->message);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_head_again),     cmocka_unit_test (test_bad_heads),
    cmocka_unit_test (test_newer_versions), cmocka_unit_test (test_manifest),
    cmocka_unit_test (test_paths_below),    cmocka_unit_test (test_ovf_again),
    cmocka_unit_test (test_ovf_of_others),  cmocka_unit_test (test_bad_ovfs),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
