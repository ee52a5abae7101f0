/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What cmocka.h must find included before it, in the order it asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
