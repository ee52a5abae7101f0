/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* The config.json of an OCI runtime's bundle, for crun, runc and their like: out and in. */
extern const Target oci_target;

char *oci_import (const char *text, Diagnostics *diagnostics);

#define OCI_VERSION "1.0.2"
