/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"

/*
 * What a function of the host was before a machine got it: written down before anything is changed, so that
 * whoever comes next can make it so again. Any thread.
 */
typedef struct {
  char *uuid;     /* the machine it was taken for */
  gboolean bound; /* a driver of the host's had it */
  /* A virtual function of a network card; link NULL: it is none. */
  char *link;     /* the card's name */
  guint function; /* its number there */
  char *mac;      /* what it had; NULL: nobody knows */
  guint vlan;     /* 0: none */
} HostRecord;

void host_record_free (HostRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostRecord, host_record_free)

/* @name: the function's address. */
gboolean
host_record_write (const Settings *settings, const char *name, const HostRecord *record, GError **error);
/* NULL: there is none that can be read. */
HostRecord *host_record_read (const Settings *settings, const char *name);
void host_record_remove (const Settings *settings, const char *name);
/* The names of all functions that have one. (transfer full) */
GPtrArray *host_record_list (const Settings *settings);
