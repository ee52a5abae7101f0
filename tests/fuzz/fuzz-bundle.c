/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a machine's archive, or as a part of one that is behind a checksum or a compression: by the
 * first byte the archive itself, its head, its manifest, a document whose paths are exchanged, or an OVF
 * document.
 */
#include "bundle/bundle-head.h"
#include "bundle/import-source.h"
#include "bundle/ovf-read.h"
#include "daemon/bundle/archive-reader.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES_MAX 64
#define TEXT_MAX  65536

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
read_archive (const guint8 *bytes, gsize size)
{
  int fd = memfd_create ("archive", MFD_CLOEXEC), out = memfd_create ("out", MFD_CLOEXEC);
  g_autoptr (Progress) progress = progress_new (VIR_DOMAIN_JOB_OPERATION_UNKNOWN);
  g_auto (Stream) stream = { .fd = -1 };
  g_autoptr (ArchiveReader) reader = NULL;
  const char *name;
  guint64 length;

  g_assert_cmpint (write (fd, bytes, size), ==, (gssize)size);
  lseek (fd, 0, SEEK_SET);
  stream_init (&stream, fd, FALSE, NULL, progress);
  reader = archive_reader_new (&stream, NULL);
  for (guint i = 0; reader != NULL && i < FILES_MAX; i++) {
    gsize got;

    if (!archive_reader_next (reader, &name, &length, NULL) || name == NULL)
      break;
    if (i % 2 == 0)
      g_free (archive_reader_text (reader, TEXT_MAX, &got, NULL));
    else if (length <= TEXT_MAX)
      archive_reader_file (reader, out, "out", TEXT_MAX, NULL);
  }
  close (out);
}

/* What was understood is written in a form that is understood the same way. */
static void
read_head (const char *text, gsize size)
{
  g_autoptr (BundleHead) head = bundle_head_parse (text, size, NULL), again = NULL;
  g_autofree char *one = NULL, *other = NULL;

  if (head == NULL)
    return;
  one = bundle_head_to_json (head);
  again = bundle_head_parse (one, strlen (one), NULL);
  g_assert_nonnull (again);
  other = bundle_head_to_json (again);
  g_assert_cmpstr (one, ==, other);
}

static void
read_manifest (const char *text, gsize size)
{
  g_autoptr (BundleManifest) manifest = bundle_manifest_parse (text, size, NULL), again = NULL;
  g_autofree char *one = NULL;

  if (manifest == NULL)
    return;
  one = bundle_manifest_to_json (manifest);
  again = bundle_manifest_parse (one, strlen (one), NULL);
  g_assert_nonnull (again);
  g_assert_true (bundle_manifest_check (manifest, again, NULL));
}

static void
read_ovf (const char *text, gsize size)
{
  g_autoptr (Ovf) ovf = ovf_parse (text, size, NULL);
  g_autofree char *again = NULL;

  if (ovf == NULL)
    return;
  again = ovf_to_xml (ovf);
  g_assert_cmpuint (ovf->disks->len, <=, OVF_DISKS_MAX);
}

static void
edit_document (const char *text)
{
  g_autoptr (GHashTable) paths = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) addresses = g_hash_table_new (g_str_hash, g_str_equal);
  const ImportValues values = { (char *)"new", (char *)"uuid", (char *)"genid", paths, addresses };

  g_hash_table_insert (paths, (gpointer) "/a", (gpointer) "/b<&");
  g_hash_table_insert (addresses, (gpointer) "52:54:00:00:00:01", (gpointer) "52:54:00:00:00:02");
  g_free (import_values_edit (&values, text));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = size > 1 ? g_strndup ((const char *)data + 1, size - 1) : NULL;

  if (text == NULL)
    return 0;
  switch (data[0] % 5) {
    case 0:
      read_archive (data + 1, size - 1);
      break;
    case 1:
      read_head (text, strlen (text));
      break;
    case 2:
      read_manifest (text, strlen (text));
      break;
    case 3:
      read_ovf (text, strlen (text));
      break;
    default:
      edit_document (text);
  }
  return 0;
}
