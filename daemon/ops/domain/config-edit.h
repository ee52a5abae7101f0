/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/ops.h"

/*
 * A small change of a stored definition: an element or a few of the user's document and the same in the
 * completed one. The call must hold the domain's turn.
 */

/* @def: the changed definition (taken); @element, @replacement as in source_edit. @done commits and answers;
 * on an error the call is failed instead. */
void config_edit (Call *call, DomainDef *def, const char *element, const char *replacement,
                  void (*done) (Call *call, DomainDef *def));
/* The same for an element of devices: of each device of @before (borrowed), the stored definition, that has
 * another in @def. */
void config_edit_devices (Call *call, DomainDef *before, DomainDef *def, const char *element,
                          void (*done) (Call *call, DomainDef *def));
/* The same for several elements (ends with NULL), each of which becomes what it is in @def. */
void config_edit_elements (Call *call, DomainDef *def, const char *const *elements,
                           void (*done) (Call *call, DomainDef *def));
