/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/secret-source.h"
#include "daemon/core/settings.h"
#include "daemon/host/files.h"

/*
 * The files of a recipe that have no name on the host: what secrets hold, in memory, and where the changes of
 * transient disks go. In a job, before files_open; on failure nothing is left. @secrets: see SecretSource.
 */
gboolean made_files_offer (Files *files, const Recipe *recipe, const SecretSource *secrets,
                           const Settings *settings, Job *job, GError **error);
