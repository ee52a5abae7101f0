/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The documents of storage pools and volumes: what they become, and every mistake with its place and words.
 */
#include "document/schema.h"
#include "storage/storage-volume.h"

#include "cmocka-glib.h"

#define POOL(name, rest) "<pool type='dir'>\n<name>" name "</name>\n" rest "</pool>"
#define AT(path)         "<target><path>" path "</path></target>"
#define UUID             "<uuid>0d2e5b4e-2a57-4f3f-9d43-d3f31d3ea26d</uuid>"

static char *
read_pool (const char *text, guint flags, char **ret_mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autoptr (StoragePoolDef) def = storage_pool_def_parse (text, -1, flags, diagnostics);

  *ret_mistakes = diagnostics_to_text (diagnostics);
  return def != NULL ? storage_pool_def_to_xml (def) : NULL;
}

static char *
read_volume (const char *text, guint flags, gboolean from, char **ret_mistakes)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("f");
  g_autoptr (StorageVolumeDef) def = storage_volume_def_parse (text, -1, flags, from, diagnostics);

  *ret_mistakes = diagnostics_to_text (diagnostics);
  return def != NULL ? storage_volume_def_to_xml (def) : NULL;
}

static void
test_pools (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document, *path, *target;
  } pools[] = {
    { POOL ("p", UUID AT ("/srv/images")), "/srv/images", "" },
    { POOL ("p", UUID AT ("/srv//images/")), "/srv/images", "" },
    { POOL ("p", UUID AT ("/srv/./old/../images")), "/srv/images", "" },
    /* What virsh hands back: sizes that are not kept, permissions that are. */
    { POOL ("p",
            UUID "<capacity unit='bytes'>7</capacity><source/><target><path>/srv/images</path>"
                 "<permissions><mode>0750</mode><owner>-1</owner><group>7</group></permissions></target>"),
      "/srv/images",
      "    <permissions>\n      <mode>0750</mode>\n      <owner>-1</owner>\n      <group>7</group>\n"
      "    </permissions>\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pools); i++) {
    g_autofree char *mistakes = NULL, *again_mistakes = NULL;
    g_autofree char *written = read_pool (pools[i].document, 0, &mistakes);
    g_autofree char *again = NULL;
    g_autofree char *expected = g_strdup_printf (
        "<pool type='dir'>\n  <name>p</name>\n  " UUID "\n  <capacity unit='bytes'>0</capacity>\n"
        "  <allocation unit='bytes'>0</allocation>\n  <available unit='bytes'>0</available>\n"
        "  <source>\n  </source>\n  <target>\n    <path>%s</path>\n%s  </target>\n</pool>\n",
        pools[i].path, pools[i].target);

    assert_string_equal (mistakes, "");
    assert_string_equal (written, expected);
    again = read_pool (written, 0, &again_mistakes);
    assert_string_equal (again, expected);
  }
}

static void
test_a_pool_gets_a_uuid (G_GNUC_UNUSED void **state)
{
  g_autofree char *mistakes = NULL, *more_mistakes = NULL;
  g_autofree char *one = read_pool (POOL ("p", AT ("/a")), 0, &mistakes);
  g_autofree char *other = read_pool (POOL ("p", AT ("/a")), 0, &more_mistakes);

  assert_non_null (strstr (one, "<uuid>"));
  assert_string_not_equal (one, other);
}

static void
test_pool_mistakes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document, *mistake;
  } pools[] = {
    { "<volume/>", "f:1:1: error: expecting root element of 'pool', not 'volume'" },
    { "<pool><name>p</name>" AT ("/a") "</pool>", "Missing required attribute 'type' in element 'pool'" },
    { "<pool type='nfs'><name>p</name>" AT ("/a") "</pool>", "'nfs' (did you mean 'fs'?" },
    { "<pool type='netfs'><name>p</name>" AT ("/a") "</pool>",
      "f:1:7: error: storage pools of type 'netfs' are not supported; 'dir' is" },
    { "<pool type='dir'>" AT ("/a") "</pool>", "missing pool source name element" },
    { POOL ("a/b", AT ("/a")), "f:2:1: error: name a/b cannot contain '/'" },
    { POOL ("..", AT ("/a")), "name .. is no name of a file" },
    { POOL ("", AT ("/a")), "is empty" },
    { POOL ("p", ""), "missing storage pool target path" },
    { POOL ("p", "<uuid>zz</uuid>" AT ("/a")), "'zz'" },
    { POOL ("p", "<target><path>/a</path><permissions><mode>888</mode></permissions></target>"), "octal" },
    { POOL ("p", "<target><path>/a</path><permissions><mode>77777</mode></permissions></target>"), "07777" },
    { POOL ("p", "<capacity unit='furlong'>1</capacity>" AT ("/a")), "unknown suffix 'furlong'" },
    { POOL ("p", "<capacity unit='E'>99</capacity>" AT ("/a")), "'99' of <capacity> is too large" },
    { POOL ("p", "<nosuch/>" AT ("/a")), "nosuch" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pools); i++) {
    g_autofree char *mistakes = NULL;
    g_autofree char *written = read_pool (pools[i].document, 0, &mistakes);

    if (written != NULL || strstr (mistakes, pools[i].mistake) == NULL)
      fail_msg ("%s: %s", pools[i].document, mistakes);
  }
}

/* Old clients send what a newer schema knows: kept out, and told of. */
static void
test_a_lax_reading_warns_of_what_it_does_not_know (G_GNUC_UNUSED void **state)
{
  g_autofree char *mistakes = NULL;
  g_autofree char *written = read_pool (POOL ("p", "<nosuch/>" AT ("/a")), DOCUMENT_LAX, &mistakes);

  assert_non_null (written);
  assert_non_null (strstr (mistakes, "f:3:1: warning: "));
}

static void
test_volumes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document, *written;
  } volumes[] = {
    { "<volume><name>v</name><capacity unit='K'>1</capacity><target/></volume>",
      "<volume>\n  <name>v</name>\n  <capacity unit='bytes'>1024</capacity>\n  <target>\n"
      "    <format type='raw'/>\n  </target>\n</volume>\n" },
    { "<volume type='file'><name>v</name><key>/x</key><source><device path='/dev/sda'>"
      "<extent start='0' end='1'/></device></source><capacity>1</capacity>"
      "<target><format type='qcow2'/><compat>1.1</compat><features><lazy_refcounts/></features>"
      "<clusterSize unit='KiB'>64</clusterSize></target>"
      "<backingStore><path>/b</path><format type='raw'/></backingStore></volume>",
      "<volume type='file'>\n  <name>v</name>\n  <key>/x</key>\n  <source>\n    <device path='/dev/sda'>\n"
      "      <extent start='0' end='1'/>\n    </device>\n  </source>\n  <capacity unit='bytes'>1</capacity>\n"
      "  <target>\n    <format type='qcow2'/>\n    <compat>1.1</compat>\n"
      "    <clusterSize unit='B'>65536</clusterSize>\n    <features>\n      <lazy_refcounts/>\n"
      "    </features>\n  </target>\n  <backingStore>\n    <path>/b</path>\n    <format type='raw'/>\n"
      "  </backingStore>\n</volume>\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (volumes); i++) {
    g_autofree char *mistakes = NULL;
    g_autofree char *written = read_volume (volumes[i].document, 0, FALSE, &mistakes);

    assert_string_equal (mistakes, "");
    assert_string_equal (written, volumes[i].written);
  }
}

#define VOLUME(name, rest) \
  "<volume><name>" name "</name><capacity>1</capacity><target>" rest "</target></volume>"

static void
test_volume_mistakes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document, *mistake;
  } volumes[] = {
    { "<pool/>", "expecting root element of 'volume', not 'pool'" },
    { "<volume><capacity>1</capacity><target/></volume>", "missing volume name element" },
    { "<volume><name>v</name><target/></volume>", "missing capacity element" },
    { VOLUME ("../evil", ""), "f:1:9: error: volume name '../evil' cannot contain '/'" },
    { VOLUME ("..", ""), "volume name '..' is no name of a file but of a directory" },
    { VOLUME (".", ""), "volume name '.' is no name of a file but of a directory" },
    { VOLUME ("", ""), "volume name '' is empty" },
    { VOLUME ("a\nb", ""), "cannot contain a line's end" },
    { VOLUME ("v", "<format type='vmdk'/>"),
      "volumes of format 'vmdk' cannot be made; 'raw', 'qcow2' and 'dir' can" },
    { VOLUME ("v", "<format type='qcow3'/>"), "did you mean 'qcow2'?" },
    { VOLUME ("v", "<encryption format='luks'/>"), "does not support encrypted volumes" },
    { VOLUME ("v", "<format type='qcow2'/><compat>1.2</compat>"), "'1.2' is neither '0.10' nor '1.1'" },
    { VOLUME ("v", "<format type='qcow2'/><compat>0.10</compat><features><extended_l2/></features>"),
      "not supported with compat level 0.10" },
    { "<volume><name>v</name><capacity>1</capacity><target/><backingStore><path>/b</path></backingStore></"
      "volume>",
      "backing storage not supported for raw volumes; it is for 'qcow2'" },
    { "<volume><name>v</name><capacity>1</capacity><target><format type='qcow2'/></target>"
      "<backingStore><path>json:{}</path></backingStore></volume>",
      "the path 'json:{}' of the backing store is not absolute" },
    { "<volume><name>v</name><capacity>-1</capacity><target/></volume>", "malformed capacity element '-1'" },
    { "<volume><name>v</name><capacity>18446744073709551615</capacity><target/></volume>", "is too large" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (volumes); i++) {
    g_autofree char *mistakes = NULL;
    g_autofree char *written = read_volume (volumes[i].document, 0, FALSE, &mistakes);

    if (written != NULL || strstr (mistakes, volumes[i].mistake) == NULL)
      fail_msg ("%s: %s", volumes[i].document, mistakes);
  }
}

static void
test_a_copy_needs_no_capacity (G_GNUC_UNUSED void **state)
{
  g_autofree char *mistakes = NULL;
  g_autofree char *written = read_volume ("<volume><name>v</name><target/></volume>", 0, TRUE, &mistakes);

  assert_non_null (written);
}

static void
test_a_name_is_one_entry_of_a_directory (G_GNUC_UNUSED void **state)
{
  g_autofree char *longest = g_strnfill (STORAGE_NAME_MAX, 'a');
  g_autofree char *too_long = g_strnfill (STORAGE_NAME_MAX + 1, 'a');
  static const char *const good[] = { "a", "...", ".hidden", "a b", "ä", "-", "a..b", "~" };

  assert_null (storage_name_mistake (longest));
  assert_string_equal (storage_name_mistake (too_long), "is longer than 255 bytes");
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    assert_null (storage_name_mistake (good[i]));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_pools),
    cmocka_unit_test (test_a_pool_gets_a_uuid),
    cmocka_unit_test (test_pool_mistakes),
    cmocka_unit_test (test_a_lax_reading_warns_of_what_it_does_not_know),
    cmocka_unit_test (test_volumes),
    cmocka_unit_test (test_volume_mistakes),
    cmocka_unit_test (test_a_copy_needs_no_capacity),
    cmocka_unit_test (test_a_name_is_one_entry_of_a_directory),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
