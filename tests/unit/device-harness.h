/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cmocka-glib.h"

/*
 * Devices alone: an element is read into a definition of an x86 machine, completed by its kind, checked by
 * its kind and written again, with no addresses given out and nothing implied.
 */

/* What goes in, and what comes out: the devices on one line without indentation, or, when something is wrong,
 * the mistakes as "LINE:COLUMN: MESSAGE" lines. */
typedef struct {
  const char *in;
  const char *out;
} DeviceCase;

#define DEVICE_CASES_END \
  {                      \
    NULL, NULL           \
  }

/* @machine: "pc-q35-7.2" or another. (transfer full) */
char *devices_through (const char *machine, const char *devices);

/* Each case on a q35 machine. */
void check_device_cases (const DeviceCase *cases);
void check_device_cases_on (const char *machine, const DeviceCase *cases);
/* Each @in gives a mistake whose text contains @out. */
void check_device_mistakes (const DeviceCase *cases);
