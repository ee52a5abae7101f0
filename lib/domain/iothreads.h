/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/report.h"

/* Might there be more I/O threads than were understood? */
gboolean iothreads_may_miss (const Validation *validation);
