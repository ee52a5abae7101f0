/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a target cannot do of a document: found by its table, told by place, dropped where one may. */
#include "targets/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const TargetPart parts[] = {
  { "@type", TARGET_NEEDLESS, NULL },
  { "name", TARGET_CARRIED, NULL },
  { "memory", TARGET_CARRIED, NULL },
  { "memory@unit", TARGET_NEEDLESS, NULL },
  { "memory@dumpCore", TARGET_LOST, "dumps all of it" },
  { "os/type", TARGET_CARRIED, NULL },
  { "os/kernel", TARGET_CARRIED, NULL },
  { "devices/*/alias", TARGET_NEEDLESS, NULL },
  { "devices/disk", TARGET_CARRIED, NULL },
  { "devices/disk/driver@cache", TARGET_LOST, NULL },
  { "devices/disk/alias@name", TARGET_LOST, "names none" },
  { "devices/video", TARGET_LOST, "has no display" },
  { "devices/rng@model", TARGET_CARRIED, NULL },
  { NULL },
};

static const Target target = { .name = "tiny", .title = "Tiny", .parts = parts };

#define BEGINNING                         \
  "<domain type='qemu'>\n"                \
  " <name>web</name>\n"                   \
  " <memory unit='KiB'>262144</memory>\n" \
  " <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
#define END "</domain>\n"

static void
assert_report (TargetLosses *losses, gboolean drop, const char *expected)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("web.xml");
  g_autofree char *text = NULL;

  target_losses_report (losses, drop, diagnostics);
  text = diagnostics_to_text (diagnostics);
  assert_string_equal (text, expected);
}

static void
test_parts (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *document, *expected;
  } cases[] = {
    { BEGINNING END, "" },
    { BEGINNING " <os><boot dev='hd'/></os>\n" END, "web.xml:5:6: error: <boot>: Tiny has nothing for it\n" },
    { BEGINNING " <vcpu>2</vcpu>\n" END, "web.xml:5:2: error: <vcpu>: Tiny has nothing for it\n" },
    /* What means nothing to any target is no loss of this one. */
    { "<domain type='qemu' id='1'>\n<memory dumpCore='off'>1</memory><title>t</title></domain>",
      "web.xml:2:9: error: <memory dumpCore=>: Tiny dumps all of it\n" },
    { BEGINNING
      " <devices>\n  <disk type='file'><driver cache='none' io='native'/><alias name='a'/></disk>\n"
      "  <video><model type='vga'/><alias name='ua-b'/></video>\n  <sound model='ich9'/></devices>\n" END,
      "web.xml:6:29: error: <driver cache=>: Tiny has nothing for it\n"
      "web.xml:6:62: error: <alias name=>: Tiny names none\n"
      "web.xml:7:3: error: <video>: Tiny has no display\n"
      "web.xml:8:3: error: <sound>: Tiny has nothing for it\n" },
    { BEGINNING " <devices><rng model='virtio'><alias name='ua-r'/><rate bytes='1'/></rng></devices>\n" END,
      "web.xml:5:51: error: <rate>: Tiny has nothing for it\n" },
    { BEGINNING " <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'/>\n" END,
      "web.xml:5:2: error: <commandline>: Tiny has nothing for it\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (TargetLosses) losses = target_losses_new (&target, cases[i].document);

    assert_report (losses, FALSE, cases[i].expected);
  }
}

static void
test_dropped_and_refused (void **state G_GNUC_UNUSED)
{
  g_autoptr (TargetLosses) losses = target_losses_new (&target, BEGINNING " <vcpu>2</vcpu>\n" END);

  target_lose (losses, NULL, "<memory>", "rounds %d", 262144);
  assert_report (losses, TRUE,
                 "web.xml:3:2: warning: <memory>: Tiny rounds 262144\n"
                 "web.xml:5:2: warning: <vcpu>: Tiny has nothing for it\n");
  target_refuse (losses, NULL, "<os>", "boots %s", "nothing else");
  assert_report (losses, TRUE,
                 "web.xml:3:2: warning: <memory>: Tiny rounds 262144\n"
                 "web.xml:4:2: error: <os>: Tiny boots nothing else\n"
                 "web.xml:5:2: warning: <vcpu>: Tiny has nothing for it\n");
}

static void
test_targets_by_name (void **state G_GNUC_UNUSED)
{
  for (const Target *const *each = targets_all (); *each != NULL; each++) {
    assert_ptr_equal (target_find ((*each)->name), *each);
    if ((*each)->native_name != NULL)
      assert_ptr_equal (target_find ((*each)->native_name), *each);
    assert_true ((*each)->translate != NULL || (*each)->import != NULL);
    for (const TargetPart *part = (*each)->parts; part != NULL && part->path != NULL; part++)
      if (part->support != TARGET_LOST && part->reason != NULL)
        fail_msg ("%s: %s is not lost, and has a reason", (*each)->name, part->path);
  }
  assert_null (target_find ("none"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_parts),
    cmocka_unit_test (test_dropped_and_refused),
    cmocka_unit_test (test_targets_by_name),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
