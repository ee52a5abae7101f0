/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/host/interface-links.h"
#include "daemon/interface/definitions.h"

/* What the calls about interfaces need to look at: all there are, and all that are defined. A job's. */
typedef struct {
  GPtrArray *links; /* InterfaceLink */
  GPtrArray *defs;  /* HostInterfaceDef */
} InterfaceView;

typedef struct {
  const InterfaceLink *link;   /* NULL: it is not there now */
  const HostInterfaceDef *def; /* NULL: it was not defined here */
} InterfaceFound;

gboolean interface_view_open (InterfaceView *view, const Settings *settings, GError **error);
void interface_view_clear (InterfaceView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (InterfaceView, interface_view_clear)
/* The one of the call's first argument; VIR_ERR_NO_INTERFACE where it is gone. */
gboolean
interface_view_find (const InterfaceView *view, const Call *call, InterfaceFound *ret_found, GError **error);
gboolean interface_view_find_name (const InterfaceView *view, const char *name, InterfaceFound *ret_found,
                                   GError **error);
const char *interface_found_name (const InterfaceFound *found);
/* As it stands in answers: (ss). (floating) */
GVariant *interface_found_handle (const InterfaceFound *found);
/* The call's answer is made in a job by @make, whose data are the daemon's settings; @bytes of documents. */
void interface_call_start (Call *call, gsize bytes, CallMake make);
