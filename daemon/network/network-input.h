/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/network/network-status.h"
#include "network/network-port.h"

/* Everything a job about one network gets; made in the main loop. */
typedef struct {
  const Settings *settings;
  char *directory;       /* of its running state; exists */
  NetworkDef *def;       /* what is to be true: the live definition */
  NetworkStatus *status; /* what runs; NULL: nothing, or not known (adopt) */
  GPtrArray *ports;      /* NetworkPortDef: those in use */
  GPtrArray *others;     /* NetworkDef: the other active networks, whose names and addresses are taken */
} NetworkInput;
void network_input_free (NetworkInput *input);
