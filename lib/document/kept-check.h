/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* Report what is wrong in the parts of the domain at @root that are only kept. */
void kept_check (FieldReader *reader, xmlNode *root);
