/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* The maps of users and groups, which are only kept, and whose numbers libvirt compares with each other;
 * mistakes go to the reader's diagnostics. @part is the element. */
void kept_check_idmap (FieldReader *reader, xmlNode *part);
