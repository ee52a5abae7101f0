/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Steps that the library has done, as a time that no other process and no machine changes: basic blocks of
 * its code, which the compiler counts (-fsanitize-coverage=trace-pc), and what functions of libc and GLib
 * look at that are linear in it (the linker's --wrap): bytes of a string, items of an array.
 */
extern guint64 steps;
