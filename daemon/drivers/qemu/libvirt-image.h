/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/save-image.h"

/*
 * The file that libvirt makes of a saved machine, of versions 1 and 2; numbers are in the writer's byte
 * order.
 *
 *   0                   "LibvirtQemudSave", and 19 numbers of 32 bits
 *   92                  the document, then what libvirt notes beside it (the cookie), each with its NUL
 *   92 + data's length  the stream, to the end of the file
 */

/* Do the first bytes of @fd say that libvirt wrote it? */
gboolean libvirt_image_is (int fd);
/* Fills document, cookie, state and stream of @ret. NULL, or what is wrong with it. Untrusted. @size: bytes
 * of the file. */
const char *libvirt_image_read (int fd, guint64 size, SaveImage *ret);
/* The <cpu> of the image's cookie: what the guest has, where the document says what was asked for. NULL:
 * none. (transfer full) */
char *libvirt_image_processor (const SaveImage *image);
