/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine-devices.h"

/*
 * The job of attaching, detaching or updating one device: the new definition is made first, so that nothing
 * is done to the running machine that could not be kept, then QEMU is told.
 */
typedef enum { DEVICE_ATTACH, DEVICE_DETACH, DEVICE_UPDATE } DeviceAction;

typedef struct {
  Call *call; /* main loop's; holds the domain's lock */
  Author *author;
  Manager *manager;
  char *uuid, *name;
  int id; /* of the running machine */
  DeviceAction action;
  gboolean by_alias; /* text is an alias, otherwise XML */
  gboolean live, config;
  gboolean force; /* VIR_DOMAIN_DEVICE_MODIFY_FORCE */
  char *text;
  DomainDef *live_def, *config_def; /* as they are; NULL where not meant */
  guint definition_count;           /* of config_def */
  Hotplug plug;
  DriverMachine *driven; /* the running machine, where it is not QEMU's; or NULL */

  /* Made by the job. */
  DomainDef *new_config;
  StoreEdit *edit;    /* of new_config: written, and waiting for its name */
  guint config_index; /* the device's in config_def: detach, update */
  char *removing;     /* alias: the guest was asked to let go of it, and is waited for */

  /* The waiting after it. */
  guint timeout;
  RemovalEnd removal_end;
  gboolean removal_over, waiting;
} DeviceRequest;

void device_request_free (gpointer request);
gpointer device_job (Job *job, gpointer request, GError **error);

/* The end of the wait for a removal; in domain-device.c. */
void device_removal_over (RemovalEnd end, gpointer request);
