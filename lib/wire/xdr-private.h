/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/xdr.h"

/* What the reader and the writer share. */
#define PADDED(length) (((gsize)(length) + 3) & ~(gsize)3)

/* The tags of a tagged value, virTypedParameterType. */
enum { TAG_INT = 1, TAG_UINT, TAG_LLONG, TAG_ULLONG, TAG_DOUBLE, TAG_BOOLEAN, TAG_STRING };
