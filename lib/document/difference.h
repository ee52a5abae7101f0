/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/origin.h"

/*
 * What two documents of one kind say differently. The order of what has no order is no difference, nor is
 * what completion chose in both, nor what one of them leaves to be chosen freely (a UUID, an address) and the
 * other says. Pure; any thread.
 */
typedef enum {
  DIFFERENCE_UNJUDGED, /* of kinds that do not run */
  DIFFERENCE_LIVE,     /* it can change while the machine runs */
  DIFFERENCE_START,    /* it changes with the machine's next start */
  DIFFERENCE_HARDWARE, /* with the next start too, and the guest sees other hardware */
} DifferenceEffect;

typedef struct {
  char *path;                         /* "/domain/devices/disk[target/@dev='vda']/driver/@cache" */
  char *before, *after;               /* values; of a whole element, its text; NULL: it is not there */
  Position where_before, where_after; /* in the sources, of it or of what it would be in */
  int device_before,
      device_after; /* the how manieth device of the completed document it is in; -1: in none */
  DifferenceEffect effect;
} Difference;

void difference_free (gpointer difference);
/* @before and @after: completed documents with their sources, which are not the same afterwards: what was
 * chosen freely is taken out of them. In the order of @before. (transfer full) */
GPtrArray *documents_compare (Origins *before, Origins *after);
/* "live", "start", "hardware"; NULL of what is not judged. */
const char *difference_effect_name (DifferenceEffect effect);
