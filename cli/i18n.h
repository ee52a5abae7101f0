/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libintl.h>

#define _(text)  gettext (text)
#define N_(text) (text)
