/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A text that whoever shows it gives to gettext: xgettext collects it where it stands. */
#define N_(text) (text)
