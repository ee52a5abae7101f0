/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Saved machines: written and read again, and every way to spoil one. */
#include "cmocka-glib.h"

#include "daemon/drivers/qemu/libvirt-image.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ID       "00010203-0405-4607-8809-0a0b0c0d0e0f"
#define DOCUMENT "<domain><name>one</name></domain>"
#define STREAM   "QEVM and so on"
#define ROOM     SAVE_IMAGE_MIN_ROOM

static char *directory, *path;

static int
setup (void **state)
{
  (void)state;
  directory = g_dir_make_tmp ("save-image-XXXXXX", NULL);
  path = g_build_filename (directory, "image", NULL);
  return 0;
}

static int
teardown (void **state)
{
  (void)state;
  unlink (path);
  rmdir (directory);
  g_free (path);
  g_free (directory);
  return 0;
}

static void
write_image (void)
{
  g_autoptr (GError) error = NULL;
  int fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_autoptr (SaveImage) image = save_image_begin (fd, path, ID, TRUE, DOCUMENT, &error);

  assert_null (error);
  assert_int_equal (write (fd, STREAM, strlen (STREAM)), strlen (STREAM));
  assert_true (save_image_finish (image, &error));
  close (fd);
}

static SaveImage *
open_image (gboolean writable)
{
  g_autoptr (GError) error = NULL;
  SaveImage *image = save_image_open (path, writable, &error);

  if (error != NULL)
    fail_msg ("%s", error->message);
  return image;
}

static void
refused (const char *says)
{
  g_autoptr (GError) error = NULL;

  assert_null (save_image_open (path, FALSE, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_OPERATION_FAILED);
  if (strstr (error->message, says) == NULL || strstr (error->message, path) == NULL)
    fail_msg ("'%s' does not say '%s' of '%s'", error->message, says, path);
}

static void
put (guint64 offset, const void *bytes, gsize length)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  assert_int_equal (pwrite (fd, bytes, length, (off_t)offset), length);
  close (fd);
}

/* Into both headers, with a sum that fits. */
static void
put_header (gsize at, guint64 value, gsize size)
{
  guint8 block[144];
  gsize sum = 32;
  int fd = open (path, O_RDWR | O_CLOEXEC);

  for (guint i = 0; i < 2; i++) {
    GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);

    assert_int_equal (pread (fd, block, sizeof block, i * SAVE_IMAGE_BLOCK), sizeof block);
    value = GUINT64_TO_LE (value);
    memcpy (block + at, &value, size);
    g_checksum_update (checksum, block, 112);
    g_checksum_get_digest (checksum, block + 112, &sum);
    g_checksum_free (checksum);
    assert_int_equal (pwrite (fd, block, sizeof block, i * SAVE_IMAGE_BLOCK), sizeof block);
  }
  close (fd);
}

static void
test_round_trip (void **state)
{
  char stream[64] = "";

  (void)state;
  write_image ();
  g_autoptr (SaveImage) image = open_image (FALSE);
  assert_string_equal (image->xml, DOCUMENT);
  assert_string_equal (image->id, ID);
  assert_true (image->was_running);
  assert_int_equal (image->stream_length, strlen (STREAM));
  assert_true (save_image_rewind (image, NULL));
  assert_int_equal (read (image->fd, stream, sizeof stream), strlen (STREAM));
  assert_string_equal (stream, STREAM);
}

static void
test_replace (void **state)
{
  static const char *const documents[] = { "<domain/>", "<domain><title>2</title></domain>",
                                           "<domain>3</domain>" };

  (void)state;
  write_image ();
  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autoptr (SaveImage) image = open_image (TRUE);

    assert_true (save_image_replace (image, documents[i], i % 2 == 0, NULL));
    g_autoptr (SaveImage) again = open_image (FALSE);
    assert_string_equal (again->xml, documents[i]);
    assert_int_equal (again->was_running, i % 2 == 0);
  }
  g_autoptr (SaveImage) image = open_image (TRUE);
  g_autofree char *large = g_strnfill (ROOM + 1, 'x');
  g_autoptr (GError) error = NULL;
  assert_false (save_image_replace (image, large, TRUE, &error));
  assert_non_null (strstr (error->message, "room for 65536"));
  assert_string_equal (image->xml, documents[2]);
}

/* Cut short at any of its writes, a replacement leaves the document before it. */
static void
test_replace_half_way (void **state)
{
  g_autofree guint8 *before = NULL;
  gsize length;

  (void)state;
  write_image ();
  assert_true (g_file_get_contents (path, (char **)&before, &length, NULL));
  {
    g_autoptr (SaveImage) image = open_image (TRUE);
    assert_true (save_image_replace (image, "<domain>new</domain>", TRUE, NULL));
  }
  put (SAVE_IMAGE_BLOCK, "torn", 4);
  put (0, before, 144);
  g_autoptr (SaveImage) image = open_image (FALSE);
  assert_string_equal (image->xml, DOCUMENT);
}

static void
test_spoilt (void **state)
{
  static const struct {
    gsize at, size;
    guint64 value;
    const char *says;
  } rows[] = {
    { 0, 8, 0, "image magic is incorrect" },
    { 16, 4, 2, "image version is not supported" },
    { 32, 8, G_MAXUINT64, "the document lies outside its room" },
    { 32, 8, 4096, "the document lies outside its room" },
    { 40, 4, 0, "the document lies outside its room" },
    { 40, 4, ROOM + 1, "the document lies outside its room" },
    { 40, 4, G_MAXUINT32, "the document lies outside its room" },
    { 40, 4, 5, "the document is damaged" },
    { 44, 4, 0, "the room for the document is out of range" },
    { 44, 4, G_MAXUINT32, "the room for the document is out of range" },
    { 44, 4, 2 * ROOM, "incomplete" },
    { 48, 8, 0, "incomplete" },
    { 48, 8, G_MAXUINT64, "incomplete" },
    { 56, 8, 0, "incomplete" },
    { 56, 8, G_MAXUINT64, "incomplete" },
    { 80, 8, 0, "the document is damaged" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    write_image ();
    put_header (rows[i].at, rows[i].value, rows[i].size);
    refused (rows[i].says);
  }
  write_image ();
  put (20, "?", 1);
  put (SAVE_IMAGE_BLOCK + 20, "?", 1);
  refused ("its checksum is wrong");
  write_image ();
  put (2 * SAVE_IMAGE_BLOCK, "<", 1);
  put (2 * SAVE_IMAGE_BLOCK + 1, "?", 1);
  refused ("the document is damaged");
}

static void
test_cut_short (void **state)
{
  static const struct {
    off_t length;
    const char *says;
  } rows[] = {
    { 0, "too short" },
    { 143, "too short" },
    { 4096, "incomplete" },
    { 2 * SAVE_IMAGE_BLOCK + 2 * ROOM, "incomplete" },
    { 2 * SAVE_IMAGE_BLOCK + 2 * ROOM + 3, "incomplete" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    write_image ();
    assert_int_equal (truncate (path, rows[i].length), 0);
    refused (rows[i].says);
  }
}

/* Until it is finished it is none. */
static void
test_unfinished (void **state)
{
  int fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_autoptr (SaveImage) image G_GNUC_UNUSED = save_image_begin (fd, path, ID, TRUE, DOCUMENT, NULL);

  (void)state;
  assert_int_equal (write (fd, STREAM, strlen (STREAM)), strlen (STREAM));
  close (fd);
  refused ("image magic is incorrect");
}

static void
test_no_file (void **state)
{
  g_autoptr (GError) error = NULL;

  (void)state;
  assert_null (save_image_open ("/dev/null", FALSE, &error));
  assert_non_null (strstr (error->message, "no regular file"));
  g_clear_error (&error);
  assert_null (save_image_open ("/nonexistent", FALSE, &error));
  assert_non_null (strstr (error->message, "No such file"));
}

/* libvirt's. */

#define LIBVIRTS_DATA DOCUMENT "\0<cookie><cpu mode='custom'/></cookie>\0padding"

static void
write_libvirts (const char *magic, const guint32 *numbers, gsize count)
{
  guint8 header[92] = { 0 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  memcpy (header, magic, 16);
  memcpy (header + 16, numbers, count * sizeof *numbers);
  g_byte_array_append (bytes, header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *)LIBVIRTS_DATA, sizeof LIBVIRTS_DATA);
  g_byte_array_append (bytes, (const guint8 *)STREAM, strlen (STREAM));
  assert_true (g_file_set_contents (path, (const char *)bytes->data, bytes->len, NULL));
}

static void
libvirts_is_read (void **state)
{
  static const guint32 numbers[] = { 2, sizeof LIBVIRTS_DATA, 1, 0, sizeof DOCUMENT };
  g_autoptr (SaveImage) image = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *processor = NULL;
  char stream[sizeof STREAM] = "";

  (void)state;
  write_libvirts ("LibvirtQemudSave", numbers, G_N_ELEMENTS (numbers));
  image = open_image (TRUE);
  assert_string_equal (image->xml, DOCUMENT);
  assert_true (image->was_running);
  processor = libvirt_image_processor (image);
  assert_non_null (processor);
  assert_non_null (strstr (processor, "<cpu mode="));
  assert_true (save_image_rewind (image, &error));
  assert_int_equal (read (image->fd, stream, strlen (STREAM)), strlen (STREAM));
  assert_string_equal (stream, STREAM);
  assert_false (save_image_replace (image, "<domain/>", FALSE, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_OPERATION_UNSUPPORTED);
}

static void
libvirts_that_are_spoilt (void **state)
{
  static const struct {
    const char *magic;
    guint32 numbers[5]; /* version, data's length, running, format, cookie */
    const char *says;
  } rows[] = {
    { "LibvirtQemudPart", { 2, 64, 1, 0, 0 }, "save image is incomplete" },
    { "LibvirtQemudSave", { 0x02000000, 64, 1, 0, 0 }, "byte order" },
    { "LibvirtQemudSave", { 9, 64, 1, 0, 0 }, "image version is not supported" },
    { "LibvirtQemudSave", { 2, 64, 1, 1, 0 }, "only save_image_format = \"raw\" is read here" },
    { "LibvirtQemudSave", { 3, 64, 1, 6, 0 }, "\"sparse\"" },
    { "LibvirtQemudSave", { 2, 0, 1, 0, 0 }, "out of range" },
    { "LibvirtQemudSave", { 2, G_MAXUINT32, 1, 0, 0 }, "out of range" },
    { "LibvirtQemudSave", { 2, 4096, 1, 0, 0 }, "there is no stream behind the document" },
    { "LibvirtQemudSave", { 2, 8, 1, 0, 0 }, "no document of the length it says" },
    { "LibvirtQemudSave", { 2, sizeof LIBVIRTS_DATA, 1, 0, G_MAXUINT32 }, "notes lie outside their place" },
    { "LibvirtQemudSave",
      { 2, sizeof DOCUMENT + 4, 1, 0, sizeof DOCUMENT },
      "notes lie outside their place" },
  };

  (void)state;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    write_libvirts (rows[i].magic, rows[i].numbers, G_N_ELEMENTS (rows[i].numbers));
    refused (rows[i].says);
  }
  assert_true (g_file_set_contents (path, "LibvirtQemudSave", 16, NULL));
  refused ("shorter than its header");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_round_trip, setup, teardown),
    cmocka_unit_test_setup_teardown (test_replace, setup, teardown),
    cmocka_unit_test_setup_teardown (test_replace_half_way, setup, teardown),
    cmocka_unit_test_setup_teardown (test_spoilt, setup, teardown),
    cmocka_unit_test_setup_teardown (test_cut_short, setup, teardown),
    cmocka_unit_test_setup_teardown (test_unfinished, setup, teardown),
    cmocka_unit_test_setup_teardown (test_no_file, setup, teardown),
    cmocka_unit_test_setup_teardown (libvirts_is_read, setup, teardown),
    cmocka_unit_test_setup_teardown (libvirts_that_are_spoilt, setup, teardown),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
