/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Machines that libvirt has saved, for whoever moves over with such files. They are read only: their document
 * lies before the stream without a second place, so that it cannot be exchanged in one step.
 */
#include "daemon/drivers/qemu/libvirt-image.h"

#include "base/xml-document.h"

#include <string.h>
#include <unistd.h>

#define MAGIC_BYTES   16
#define HEADER_BYTES  92
#define VERSION       2
#define FORMAT_RAW    0
#define FORMAT_SPARSE 6

/* Offsets in the header. */
enum { AT_VERSION = 16, AT_LENGTH = 20, AT_RUNNING = 24, AT_FORMAT = 28, AT_COOKIE = 32 };

static const char magic_whole[MAGIC_BYTES + 1] = "LibvirtQemudSave";
static const char magic_partial[MAGIC_BYTES + 1] = "LibvirtQemudPart";

static gboolean
read_at (int fd, void *bytes, gsize length, guint64 offset)
{
  return pread (fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

static guint32
number (const guint8 *header, gsize at)
{
  guint32 value;

  memcpy (&value, header + at, sizeof value);
  return value;
}

gboolean
libvirt_image_is (int fd)
{
  char magic[MAGIC_BYTES];

  return read_at (fd, magic, sizeof magic, 0)
         && (memcmp (magic, magic_whole, MAGIC_BYTES) == 0
             || memcmp (magic, magic_partial, MAGIC_BYTES) == 0);
}

/* What is wrong with it, or NULL. */
static const char *
check_header (const guint8 *header, guint64 size)
{
  if (memcmp (header, magic_partial, MAGIC_BYTES) == 0)
    return "save image is incomplete: libvirt has not come to its end";
  if (GUINT32_SWAP_LE_BE (number (header, AT_VERSION)) <= VERSION)
    return "it was made by libvirt on a host of another byte order";
  if (number (header, AT_FORMAT) == FORMAT_SPARSE)
    return "libvirt has saved it with save_image_format = \"sparse\": only \"raw\" is read here";
  if (number (header, AT_VERSION) > VERSION)
    return "image version is not supported: it was made by a newer libvirt";
  if (number (header, AT_FORMAT) != FORMAT_RAW)
    return "libvirt has compressed it: only save_image_format = \"raw\" is read here";
  if (number (header, AT_LENGTH) == 0 || number (header, AT_LENGTH) > SAVE_IMAGE_MAX_ROOM)
    return "the header is damaged: the length of the document is out of range";
  if (size <= HEADER_BYTES + (guint64)number (header, AT_LENGTH))
    return "it is incomplete: there is no stream behind the document";
  return NULL;
}

/* A text of @data from @start on; NULL: it has no end, or is none. (transfer full) */
static char *
text_at (const char *data, gsize length, gsize start)
{
  gsize end = start < length ? start + strnlen (data + start, length - start) : length;

  if (end >= length || !g_utf8_validate (data + start, (gssize)(end - start), NULL))
    return NULL;
  return g_strndup (data + start, end - start);
}

const char *
libvirt_image_read (int fd, guint64 size, SaveImage *ret)
{
  guint8 header[HEADER_BYTES];
  const char *problem =
      read_at (fd, header, sizeof header, 0) ? check_header (header, size) : "it is shorter than its header";
  gsize length = problem == NULL ? number (header, AT_LENGTH) : 0;
  g_autofree char *data = g_malloc (length + 1);
  guint32 cookie;

  if (problem != NULL)
    return problem;
  cookie = number (header, AT_COOKIE);
  if (!read_at (fd, data, length, HEADER_BYTES))
    return "the document cannot be read";
  ret->xml = text_at (data, length, 0);
  if (ret->xml == NULL || *ret->xml == '\0')
    return "the header is damaged: there is no document of the length it says";
  if (cookie != 0) {
    ret->cookie = text_at (data, length, cookie);
    if (ret->cookie == NULL)
      return "the header is damaged: libvirt's notes lie outside their place";
  }
  ret->is_libvirts = TRUE;
  ret->was_running = number (header, AT_RUNNING) != 0;
  ret->room = (guint32)length;
  ret->xml_offset = HEADER_BYTES;
  ret->stream_offset = HEADER_BYTES + (guint64)length;
  ret->stream_length = size - ret->stream_offset;
  return NULL;
}

char *
libvirt_image_processor (const SaveImage *image)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("what libvirt notes of the saved machine");
  g_autoptr (XmlDocument) document = NULL;
  xmlNode *root;

  if (image->cookie == NULL || *image->cookie == '\0')
    return NULL;
  document = xml_document_parse (image->cookie, -1, diagnostics);
  root = diagnostics_check (diagnostics, NULL) ? xml_document_root (document) : NULL;
  for (xmlNode *node = root != NULL ? root->children : NULL; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp ((const char *)node->name, "cpu") == 0)
      return xml_document_verbatim (document, node);
  return NULL;
}
