/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/import-plan.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/probe.h"

/* Whether a machine that comes from elsewhere fits this host. Job's thread. */
typedef struct {
  const Settings *settings;
  const Platform *platform;
  CapsCache *caps;
  const char *run_directory;   /* as a start would use it */
  const char *const *networks; /* the virtual networks there are */
} FitHost;

/* Why it cannot be restored at all: names that are taken, no room. Adds to @problems (char *). */
void
host_fit_files (const BundleHead *head, const ImportPlan *plan, const FitHost *host, GPtrArray *problems);
/* Why it would not start here: emulator, machine type, processor, firmware, devices, bridges. */
void host_fit_machine (const ImportPlan *plan, const FitHost *host, GPtrArray *problems);
