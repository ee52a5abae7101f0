/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What two hosts tell each other of a migration: written and read again, libvirt's own, and what is none. */
#include "domain/migration-cookie.h"

#include "cmocka-glib.h"

#include <string.h>

#define HOST  "11111111-1366-410c-bb6e-fbc6f66ff7ae"
#define OTHER "22222222-1366-410c-bb6e-fbc6f66ff7ae"
#define UUID  "c0757092-1366-410c-bb6e-fbc6f66ff7ae"
#define WHO   "<name>web</name><uuid>" UUID "</uuid><hostname>there</hostname><hostuuid>" HOST "</hostuuid>"

static MigrationCookie *
parse (const char *text, GError **error)
{
  return migration_cookie_parse (text, strlen (text), error);
}

/* As libvirt's daemons send it: with the end of a string, and parts that are passed over. */
static const char libvirts[] =
    "<qemu-migration>\n  " WHO "\n"
    "  <graphics type='spice' port='5900' listen='127.0.0.1' tlsPort='-1'/>\n"
    "  <lockstate driver='sanlock'/>\n"
    "  <domain type='kvm'><name>web</name></domain>\n"
    "  <nbd port='49153'><disk target='vda' capacity='1048576'/><disk target='vdb' capacity='0'/></nbd>\n"
    "  <statistics><started>5</started><time_elapsed>1234</time_elapsed><downtime>56</downtime>"
    "<memory_total>9</memory_total></statistics>\n"
    "  <capabilities><cap name='xbzrle' auto='no'/><cap name='multifd' auto='no'/></capabilities>\n"
    "  <cpu mode='custom' match='exact'/><allowReboot value='yes'/>\n"
    "</qemu-migration>\n";

static void
check_libvirts (const MigrationCookie *cookie)
{
  const MigrationDisk *disk;

  assert_non_null (cookie);
  assert_string_equal (cookie->name, "web");
  assert_string_equal (cookie->uuid, UUID);
  assert_string_equal (cookie->host_name, "there");
  assert_string_equal (cookie->host_uuid, HOST);
  assert_non_null (strstr (cookie->document, "<name>web</name>"));
  assert_true (cookie->has_nbd);
  assert_int_equal (cookie->nbd_port, 49153);
  assert_int_equal (cookie->disks->len, 2);
  disk = g_ptr_array_index (cookie->disks, 0);
  assert_string_equal (disk->target, "vda");
  assert_int_equal (disk->capacity, 1048576);
  assert_true (cookie->has_statistics);
  assert_int_equal (cookie->statistics[MIGRATION_TIME_ELAPSED], 1234);
  assert_int_equal (cookie->statistics[MIGRATION_DOWNTIME], 56);
  assert_int_equal (cookie->statistics[MIGRATION_MEMORY_TOTAL], 9);
  assert_int_equal (cookie->statistics[MIGRATION_DISK_TOTAL], 0);
  assert_non_null (strstr (cookie->processor, "<cpu mode="));
  assert_int_equal (cookie->capabilities->len, 2);
  assert_string_equal (g_ptr_array_index (cookie->capabilities, 1), "multifd");
}

static void
libvirts_own_is_read (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MigrationCookie) cookie = migration_cookie_parse (libvirts, sizeof libvirts, &error);

  assert_null (error);
  check_libvirts (cookie);
}

static void
what_is_written_is_read (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MigrationCookie) cookie = parse (libvirts, &error);
  g_autofree char *written = migration_cookie_to_xml (cookie);
  g_autoptr (MigrationCookie) again = parse (written, &error);
  g_autofree char *twice = migration_cookie_to_xml (again);

  assert_null (error);
  check_libvirts (again);
  assert_string_equal (written, twice);
}

static void
least_and_most (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MigrationCookie) least = parse ("<qemu-migration/>", &error);
  g_autofree char *written = migration_cookie_to_xml (least);
  g_autoptr (GString) many = g_string_new ("<qemu-migration>" WHO "<capabilities>");
  g_autoptr (MigrationCookie) most = NULL;

  assert_null (error);
  assert_null (least->name);
  assert_false (least->has_nbd);
  assert_null (least->capabilities);
  assert_non_null (strstr (written, "<qemu-migration"));
  for (guint i = 0; i < MIGRATION_COOKIE_LIST; i++)
    g_string_append_printf (many, "<cap name='c%u'/>", i);
  g_string_append (many, "</capabilities></qemu-migration>");
  most = parse (many->str, &error);
  assert_null (error);
  assert_int_equal (most->capabilities->len, MIGRATION_COOKIE_LIST);
}

static void
assert_refused (const char *text, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MigrationCookie) cookie = parse (text, &error);

  assert_null (cookie);
  assert_non_null (error);
  if (strstr (error->message, words) == NULL)
    fail_msg ("'%s' does not say '%s'", error->message, words);
}

static char *
many_elements (const char *list, const char *element)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "<qemu-migration><%s>", list);
  for (guint i = 0; i <= MIGRATION_COOKIE_LIST; i++)
    g_string_append (text, element);
  g_string_append_printf (text, "</%s></qemu-migration>", list);
  return g_string_free (text, FALSE);
}

static void
what_is_none_is_refused (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text, *words;
  } rows[] = {
    { "", "" },
    { "<qemu-migration>", "" },
    { "<domain/>", "the migration data is no <qemu-migration>" },
    { "<!DOCTYPE a [<!ENTITY b SYSTEM "
      "'file:///etc/passwd'>]><qemu-migration><name>&b;</name></qemu-migration>",
      "" },
    { "<qemu-migration><feature name='nbd-by-pigeon'/></qemu-migration>",
      "Unknown migration cookie feature nbd-by-pigeon" },
    { "<qemu-migration><feature name='lockstate'/><lockstate driver='sanlock'/></qemu-migration>",
      "Source host lock driver sanlock different from target nop" },
    { "<qemu-migration><lockstate/><feature name='lockstate'/></qemu-migration>",
      "Source host lock driver  different from target nop" },
    { "<qemu-migration><feature/></qemu-migration>", "Unknown migration cookie feature" },
    { "<qemu-migration><nbd port='65536'/></qemu-migration>", "malformed nbd port in migration data" },
    { "<qemu-migration><nbd port='-1'/></qemu-migration>", "malformed nbd port in migration data" },
    { "<qemu-migration><nbd><disk capacity='1'/></nbd></qemu-migration>",
      "malformed nbd disk in migration data" },
    { "<qemu-migration><nbd><disk target='vda'/></nbd></qemu-migration>",
      "malformed nbd disk in migration data" },
    { "<qemu-migration><nbd><disk target='vda' capacity='99999999999999999999'/></nbd></qemu-migration>",
      "malformed nbd disk in migration data" },
  };
  g_autofree char *disks = many_elements ("nbd", "<disk target='a' capacity='1'/>");
  g_autofree char *capabilities = many_elements ("capabilities", "<cap name='a'/>");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].text, rows[i].words);
  assert_refused (disks, "malformed nbd disk in migration data");
  assert_refused (capabilities, "too many capabilities in migration data");
}

/* What a libvirt without a lock manager asks for with every machine, and with one that memory was plugged
 * into. */
static void
what_is_understood (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MigrationCookie) cookie =
      parse ("<qemu-migration><feature name='lockstate'/><feature name='persistent'/>"
             "<feature name='memory-hotplug'/><feature name='cpu-hotplug'/><lockstate "
             "driver='nop'/></qemu-migration>",
             &error);

  assert_null (error);
  assert_non_null (cookie);
}

/* Any beginning of one, and one with any byte changed, is a cookie or refused with a reason. */
static void
damaged_ones (G_GNUC_UNUSED void **state)
{
  for (gsize at = 0; at < sizeof libvirts - 1; at++) {
    g_autofree char *changed = g_memdup2 (libvirts, sizeof libvirts);
    g_autoptr (GError) cut = NULL;
    g_autoptr (GError) other = NULL;
    g_autoptr (MigrationCookie) first = migration_cookie_parse (libvirts, at, &cut);
    g_autoptr (MigrationCookie) second = NULL;

    changed[at] = (char)(changed[at] ^ 0x15);
    second = migration_cookie_parse (changed, sizeof libvirts, &other);
    assert_true ((first == NULL) == (cut != NULL));
    assert_true ((second == NULL) == (other != NULL));
  }
}

static void
whose_it_is (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text, *uuid, *name, *host, *words;
  } rows[] = {
    { WHO, UUID, "web", OTHER, NULL },
    { WHO, UUID, NULL, OTHER, NULL },
    { WHO, UUID, "other", OTHER, "Incoming cookie data had unexpected UUID or name: " UUID ", web vs " UUID },
    { WHO, OTHER, "web", OTHER, "Incoming cookie data had unexpected UUID or name: " UUID ", web vs " OTHER },
    { WHO, UUID, "web", HOST, "Attempt to migrate guest to the same host " HOST },
    { "", UUID, "web", OTHER, "missing name, uuid, hostname or hostuuid element in migration data" },
    { "<name>web</name>", UUID, "web", OTHER, "missing name, uuid, hostname or hostuuid" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf ("<qemu-migration>%s</qemu-migration>", rows[i].text);
    g_autoptr (GError) error = NULL;
    g_autoptr (MigrationCookie) cookie = parse (text, &error);
    gboolean good = migration_cookie_check (cookie, rows[i].uuid, rows[i].name, rows[i].host, &error);

    assert_true (good == (rows[i].words == NULL));
    if (!good && strstr (error->message, rows[i].words) == NULL)
      fail_msg ("'%s' does not say '%s'", error->message, rows[i].words);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (libvirts_own_is_read), cmocka_unit_test (what_is_written_is_read),
    cmocka_unit_test (least_and_most),       cmocka_unit_test (what_is_none_is_refused),
    cmocka_unit_test (damaged_ones),         cmocka_unit_test (whose_it_is),
    cmocka_unit_test (what_is_understood),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
