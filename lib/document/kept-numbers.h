/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* The parts of a document that are only kept and whose numbers and names libvirt compares with each other;
 * mistakes go to the reader's diagnostics. @part is the element. */
void kept_check_idmap (FieldReader *reader, xmlNode *part);
void kept_check_throttle_groups (FieldReader *reader, xmlNode *part);
