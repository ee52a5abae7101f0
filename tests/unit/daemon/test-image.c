/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Image headers: real images made by qemu-img, and damaged ones made by hand. */
#include "daemon/host/image.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *directory;

static char *
in_directory (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
qemu_img (const char *arguments)
{
  g_autofree char *command =
      g_strdup_printf ("/bin/sh -c 'cd %s && qemu-img %s >/dev/null'", directory, arguments);
  int status = 1;

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  assert_int_equal (status, 0);
}

static ImageInfo *
read_image (const char *name, const char *format, GError **error)
{
  g_autofree char *path = in_directory (name);

  return image_info_read (path, format, error);
}

static void
assert_refused (const char *name, const char *format, int code, const char *text)
{
  g_autoptr (GError) error = NULL;

  assert_null (read_image (name, format, &error));
  assert_non_null (error);
  if (strstr (error->message, text) == NULL || error->code != code)
    fail_msg ("%s: %d %s", name, error->code, error->message);
}

static void
formats_are_told_apart (void **state)
{
  static const struct {
    const char *format;
    const char *name;
    guint64 size; /* 0: not read from this format's header */
  } rows[] = {
    { "raw", "a.raw", 1048576 }, { "qcow2", "a.qcow2", 1048576 }, { "qed", "a.qed", 0 },
    { "vmdk", "a.vmdk", 0 },     { "vdi", "a.vdi", 0 },           { "vhdx", "a.vhdx", 0 },
    { "qcow", "a.qcow", 0 },     { "vpc", "a.vpc", 0 },           { "parallels", "a.par", 0 },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *create = g_strdup_printf ("create -f %s %s 1M", rows[i].format, rows[i].name);
    qemu_img (create);
    g_autoptr (GError) error = NULL;
    g_autoptr (ImageInfo) info = read_image (rows[i].name, NULL, &error);
    assert_null (error);
    assert_string_equal (info->format, rows[i].format);
    if (rows[i].size != 0)
      assert_int_equal (info->virtual_size, rows[i].size);
    assert_null (info->backing);
  }
  qemu_img ("create -f qcow2 -o compat=0.10 old.qcow2 3M");
  g_autoptr (ImageInfo) old = read_image ("old.qcow2", "qcow2", NULL);
  assert_int_equal (old->virtual_size, 3 * 1024 * 1024);
}

static void
chain_is_followed (void **state)
{
  (void)state;
  qemu_img ("create -f raw base.raw 1M");
  qemu_img ("create -f qcow2 -b base.raw -F raw middle.qcow2");
  g_autofree char *middle = in_directory ("middle.qcow2");
  g_autofree char *create = g_strdup_printf ("create -f qcow2 -b %s -F qcow2 top.qcow2 2M", middle);
  qemu_img (create);

  g_autoptr (ImageInfo) top = read_image ("top.qcow2", "qcow2", NULL);
  assert_int_equal (top->virtual_size, 2 * 1024 * 1024);
  assert_string_equal (top->backing->path, middle);
  assert_string_equal (top->backing->backing->format, "raw");
  assert_true (g_str_has_suffix (top->backing->backing->path, "/base.raw"));
  assert_null (top->backing->backing->backing);

  /* Raw is raw, whatever a guest has written into it. */
  g_autoptr (ImageInfo) raw = read_image ("top.qcow2", "raw", NULL);
  assert_string_equal (raw->format, "raw");
  assert_null (raw->backing);
}

static void
wrong_chains_are_refused (void **state)
{
  (void)state;
  qemu_img ("create -f qcow2 loop.qcow2 1M");
  qemu_img ("rebase -u -b loop.qcow2 -F qcow2 loop.qcow2");
  assert_refused ("loop.qcow2", "qcow2", VIR_ERR_OPERATION_FAILED, "comes back to");

  qemu_img ("create -f qcow2 widow.qcow2 1M");
  qemu_img ("rebase -u -b gone.raw -F raw widow.qcow2");
  assert_refused ("widow.qcow2", "qcow2", VIR_ERR_SYSTEM_ERROR, "/gone.raw': No such file or directory");

  qemu_img ("rebase -u -b nbd:localhost:10809 -F raw widow.qcow2");
  assert_refused ("widow.qcow2", "qcow2", VIR_ERR_CONFIG_UNSUPPORTED, "'nbd:localhost:10809'");
  qemu_img ("create -f qcow2 -o data_file=data.raw,data_file_raw=on split.qcow2 1M");
  assert_refused ("split.qcow2", "qcow2", VIR_ERR_CONFIG_UNSUPPORTED, "external data file");

  for (guint i = 0; i <= IMAGE_CHAIN_MAX; i++) {
    g_autofree char *create =
        i == 0 ? g_strdup ("create -f qcow2 deep0.qcow2 1M")
               : g_strdup_printf ("create -u -f qcow2 -b deep%u.qcow2 -F qcow2 deep%u.qcow2 1M", i - 1, i);
    qemu_img (create);
  }
  assert_refused ("deep64.qcow2", "qcow2", VIR_ERR_OPERATION_FAILED, "longer than 64 images");
  g_autoptr (ImageInfo) deepest = read_image ("deep63.qcow2", "qcow2", NULL);
  assert_non_null (deepest);
}

static void
wrong_formats_are_refused (void **state)
{
  (void)state;
  qemu_img ("create -f raw plain.raw 1M");
  assert_refused ("plain.raw", "qcow2", VIR_ERR_CONFIG_UNSUPPORTED,
                  "is not in format 'qcow2', as <driver type='qcow2'/> says: it is 'raw'");
  assert_refused ("absent.img", "raw", VIR_ERR_SYSTEM_ERROR, "absent.img': No such file or directory");
  assert_refused (".", "raw", VIR_ERR_CONFIG_UNSUPPORTED, "neither a file nor a block device");
}

/* A backing file without a stated format is taken only when it looks raw. */
static void
probed_backing_must_be_raw (void **state)
{
  (void)state;
  qemu_img ("create -f raw quiet.raw 1M");
  qemu_img ("create -f qcow2 loud.qcow2 1M");
  qemu_img ("create -f qcow2 -o compat=0.10 over.qcow2 1M");
  g_autofree char *path = in_directory ("over.qcow2");
  const struct {
    const char *backing;
    gboolean accepted;
  } rows[] = { { "quiet.raw", TRUE }, { "loud.qcow2", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    /* As old tools wrote it: a name, and no extension with its format. */
    guint8 field[16] = { 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    guint8 length[4] = { 0, 0, 0, (guint8)strlen (rows[i].backing) };
    int fd = open (path, O_WRONLY);
    assert_int_equal (pwrite (fd, field, 8, 8), 8);
    assert_int_equal (pwrite (fd, length, 4, 16), 4);
    assert_int_equal (pwrite (fd, rows[i].backing, length[3], 1024), length[3]);
    close (fd);
    if (rows[i].accepted) {
      g_autoptr (ImageInfo) info = read_image ("over.qcow2", "qcow2", NULL);
      assert_string_equal (info->backing->format, "raw");
    } else {
      assert_refused ("over.qcow2", "qcow2", VIR_ERR_OPERATION_INVALID,
                      "was not specified in the image metadata");
    }
  }
}

static void
damaged_headers_are_refused (void **state)
{
  static const struct {
    const char *what;
    guint offset;
    guint8 bytes[8];
    guint length;
    const char *text;
  } rows[] = {
    { "version", 4, { 0, 0, 0, 9 }, 4, "version" },
    { "negative size", 24, { 0xff, 0, 0, 0, 0, 0, 0, 0 }, 8, "virtual size is out of range" },
    { "long name", 8, { 0, 0, 0, 0, 0, 0, 2, 0 }, 8, NULL }, /* a length of 0: no backing file at all */
    { "long header", 100, { 0xff, 0xff, 0xff, 0xff }, 4, "its length is out of range" },
    { "short header", 100, { 0, 0, 0, 3 }, 4, "its length is out of range" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    qemu_img ("create -f qcow2 bad.qcow2 1M");
    g_autofree char *path = in_directory ("bad.qcow2");
    int fd = open (path, O_WRONLY);
    assert_int_equal (pwrite (fd, rows[i].bytes, rows[i].length, rows[i].offset), rows[i].length);
    close (fd);
    if (rows[i].text != NULL) {
      assert_refused ("bad.qcow2", "qcow2",
                      rows[i].offset == 4 ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_OPERATION_FAILED,
                      rows[i].text);
    } else {
      g_autoptr (ImageInfo) info = read_image ("bad.qcow2", "qcow2", NULL);
      assert_non_null (info);
    }
  }
}

/* Every name's place and length, and every cut: no crash, and nothing read past the end. */
static void
hostile_headers_do_no_harm (void **state)
{
  static const guint64 places[] = { 0, 1, 103, 104, 511, 65535, 65536, G_MAXUINT32, G_MAXUINT64 };
  static const guint32 lengths[] = { 1, 1023, 1024, 65535, G_MAXUINT32 };
  g_autofree char *path = in_directory ("hostile.qcow2");

  (void)state;
  qemu_img ("create -f qcow2 hostile.qcow2 1M");
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    for (guint k = 0; k < G_N_ELEMENTS (lengths); k++) {
      guint64 place = GUINT64_TO_BE (places[i]);
      guint32 length = GUINT32_TO_BE (lengths[k]);
      int fd = open (path, O_WRONLY);
      assert_int_equal (pwrite (fd, &place, 8, 8), 8);
      assert_int_equal (pwrite (fd, &length, 4, 16), 4);
      close (fd);
      g_autoptr (GError) error = NULL;
      g_autoptr (ImageInfo) info = image_info_read (path, "qcow2", &error);
      assert_true ((info == NULL) == (error != NULL));
      assert_true (places[i] == 0 || info == NULL);
    }
  for (guint size = 0; size < 104; size += 8) {
    assert_int_equal (truncate (path, size), 0);
    g_autoptr (GError) error = NULL;
    g_autoptr (ImageInfo) info = image_info_read (path, "qcow2", &error);
    assert_null (info);
    assert_non_null (error);
    assert_int_equal (truncate (path, 128), 0);
    qemu_img ("create -f qcow2 hostile.qcow2 1M");
  }
}

/* A header alone, of version 2, whose backing file's name is longer than the whole file. */
static void
name_longer_than_file_is_refused (void **state)
{
  guint8 header[72] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 2, 0, 0, 0x70, 0, [18] = 0x03, 0xff, [29] = 0x10 };
  g_autofree char *path = in_directory ("short.qcow2");

  (void)state;
  assert_true (g_file_set_contents (path, (const char *)header, sizeof header, NULL));
  assert_refused ("short.qcow2", "qcow2", VIR_ERR_OPERATION_FAILED,
                  "name of its backing file is out of range");

  int fd = open (path, O_RDONLY);
  g_autoptr (ImageHeader) read = image_header_read (fd, path, NULL);
  close (fd);
  assert_string_equal (read->format, "qcow2");
  assert_null (read->backing);
}

static int
make_directory (void **state)
{
  (void)state;
  directory = g_dir_make_tmp ("test-image-XXXXXX", NULL);
  return directory != NULL ? 0 : -1;
}

static int
remove_directory (void **state)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  (void)state;
  while ((name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = in_directory (name);
    g_unlink (path);
  }
  g_rmdir (directory);
  g_free (directory);
  return 0;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (formats_are_told_apart),     cmocka_unit_test (chain_is_followed),
    cmocka_unit_test (wrong_chains_are_refused),   cmocka_unit_test (wrong_formats_are_refused),
    cmocka_unit_test (probed_backing_must_be_raw), cmocka_unit_test (damaged_headers_are_refused),
    cmocka_unit_test (hostile_headers_do_no_harm), cmocka_unit_test (name_longer_than_file_is_refused),
  };

  return cmocka_run_group_tests (tests, make_directory, remove_directory);
}
