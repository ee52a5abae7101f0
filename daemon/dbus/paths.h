/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "daemon/object/object.h"
#include "wire/shape.h"

/* The object tree of libvirt-dbus: which path an object has, and which object a path means. Pure. */
#define DBUS_ROOT "/org/libvirt/QEMU"
/* The path of an object by its UUID, and by its handle. (transfer full) */
char *dbus_path_of_uuid (const ObjectKind *kind, const char *uuid);
char *dbus_path_of_handle (const ObjectKind *kind, GVariant *handle);
/* The key that the last element of a path stands for; NULL with VIR_ERR_INVALID_ARG. (transfer full) */
char *dbus_path_key (const ObjectKind *kind, const char *element, GError **error);
/* The text that an encoded element stands for; NULL when it is none. (transfer full) */
char *dbus_path_decode (const char *element);
/* The path of an object of @shape, which is one of libvirt's objects (Shape.letter). NULL for a kind that has
 * no path. (transfer full) */
char *dbus_path_of (const Shape *shape, GVariant *object);
/* Whether objects of @shape have paths. */
gboolean dbus_path_exists (const Shape *shape);
/* The UUID that the last element of a path ("_87291af1_1366_...") stands for, as libvirt prints it. NULL with
 * VIR_ERR_INVALID_ARG for any other text. (transfer full) */
char *dbus_path_uuid (const char *element, GError **error);
/* A-Z a-z 0-9 stay, every other byte is _ and two hex digits. (transfer full) */
char *dbus_path_encode (const char *text);
