/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probing the real QEMU, once however many ask; and programs that are no QEMU. */
#include "daemon/drivers/qemu/probe.h"

#include "base/virt-error.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 8

typedef struct {
  char *directory, *emulator, *count; /* a script that counts its starts and becomes QEMU */
  CapsCache *cache;
} Fixture;

static void
write_script (const char *path, const char *text)
{
  assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
}

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  g_autofree char *text = NULL, *qemu = qemu_find_emulator ("x86_64");

  if (qemu == NULL)
    fail_msg ("qemu-system-x86_64 is not installed");
  fixture->directory = g_dir_make_tmp ("probe-XXXXXX", NULL);
  fixture->emulator = g_build_filename (fixture->directory, "qemu", NULL);
  fixture->count = g_build_filename (fixture->directory, "count", NULL);
  text = g_strdup_printf ("#!/bin/sh\necho >> %s\nexec %s \"$@\"\n", fixture->count, qemu);
  write_script (fixture->emulator, text);
  fixture->cache = caps_cache_new (fixture->directory);
  *state = fixture;
  return 0;
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;
  GDir *dir = g_dir_open (fixture->directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (fixture->directory, name, NULL);

    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (fixture->directory);
  caps_cache_free (fixture->cache);
  g_free (fixture->directory);
  g_free (fixture->emulator);
  g_free (fixture->count);
  g_free (fixture);
  return 0;
}

static gsize
starts (const Fixture *fixture)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_file_get_contents (fixture->count, &text, &length, NULL);
  return length;
}

/* Where KVM works the emulator is started once more: it says less of its models with KVM. */
static gsize
starts_of_a_probe (const QemuCaps *caps)
{
  return qemu_caps_has_kvm (caps) ? 2 : 1;
}

static gpointer
get (gpointer data)
{
  Fixture *fixture = data;

  return caps_cache_get (fixture->cache, fixture->emulator, NULL);
}

static void
asked_once_by_many_threads (void **state)
{
  Fixture *fixture = *state;
  GThread *threads[THREADS];
  QemuCaps *first = NULL;

  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("get", get, fixture);
  for (guint i = 0; i < THREADS; i++) {
    g_autoptr (QemuCaps) caps = g_thread_join (threads[i]);

    assert_non_null (caps);
    assert_true (first == NULL || first == caps);
    first = caps;
  }
  assert_int_equal (starts (fixture), starts_of_a_probe (first));
  assert_true (qemu_caps_has_type (first, "virtio-blk-pci")); /* the cache holds it */
}

static void
kept_on_disk_until_binary_changes (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (QemuCaps) asked = get (fixture);
  g_autoptr (QemuCaps) read = NULL, anew = NULL;
  g_autofree char *text = NULL, *before = qemu_caps_to_json (asked), *after = NULL;

  caps_cache_free (fixture->cache);
  fixture->cache = caps_cache_new (fixture->directory);
  read = get (fixture);
  assert_int_equal (starts (fixture), starts_of_a_probe (asked));
  after = qemu_caps_to_json (read);
  assert_string_equal (before, after);

  assert_true (g_file_get_contents (fixture->emulator, &text, NULL, NULL));
  write_script (fixture->emulator, text); /* a new file: another inode */
  anew = get (fixture);
  assert_non_null (anew);
  assert_int_equal (starts (fixture), 2 * starts_of_a_probe (asked));
}

static void
what_is_no_qemu_is_told (void **state)
{
  static const struct {
    const char *script, *error;
  } cases[] = {
    { "#!/bin/sh\necho no such option >&2\nexit 1\n", "it hung up; it said: no such option" },
    { "#!/bin/sh\necho hello >&3\n", "what it says is not QMP" },
    { "#!/bin/sh\nhead -c 5000000 /dev/zero >&3\nsleep 5\n", "its answer has no end" },
  };
  Fixture *fixture = *state;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    write_script (fixture->emulator, cases[i].script);
    assert_null (caps_cache_get (fixture->cache, fixture->emulator, &error));
    assert_int_equal (virt_error_code (error), VIR_ERR_INTERNAL_ERROR);
    assert_non_null (strstr (error->message, cases[i].error));
  }
}

static void
missing_emulator_is_told (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;

  assert_null (caps_cache_get (fixture->cache, "/nonexistent/qemu", &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_SYSTEM_ERROR);
  assert_string_equal (error->message,
                       "Cannot check QEMU binary /nonexistent/qemu: No such file or directory");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (asked_once_by_many_threads, set_up, tear_down),
    cmocka_unit_test_setup_teardown (kept_on_disk_until_binary_changes, set_up, tear_down),
    cmocka_unit_test_setup_teardown (what_is_no_qemu_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown (missing_emulator_is_told, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
