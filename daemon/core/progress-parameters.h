/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"

/* How far a long job is, as libvirt's typed parameters; NULL: there is none. Any thread. (floating) a{sv} */
GVariant *progress_to_parameters (Progress *progress);
