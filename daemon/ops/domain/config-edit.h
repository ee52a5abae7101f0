/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/ops.h"

/*
 * A small change of a stored definition: an element or a few of the user's document and the same in the
 * completed one. The call must hold the domain's lock.
 */

/* @def: the changed definition (taken); @element, @replacement as in source_edit. @done commits and answers;
 * on an error the call is failed instead. */
void config_edit (Call *call, DomainDef *def, const char *element, const char *replacement,
                  void (*done) (Call *call, DomainDef *def));

/* FALSE and @error when the document of domain @name was changed by hand and not defined again: an edit would
 * bring in what nobody has checked. A job's thread. */
gboolean config_check_unchanged (Store *store, const char *uuid, const char *name, GError **error);

/* @error, of the definition, of which the running machine is already ahead. (transfer full) */
GError *config_not_changed (const GError *error);

/*
 * The same in two halves, for what changes a running machine as well: after the first everything that can
 * fail for the want of space has happened, and nothing has changed. Then the machine is changed; then the
 * definition.
 */
typedef struct ConfigEdit ConfigEdit;

/* Several elements (ends with NULL), each of which becomes what it is in @def (taken). */
ConfigEdit *config_edit_of_elements (Call *call, DomainDef *def, const char *const *elements);
/* An element of devices: of each device of @before (borrowed), the stored definition, that has another in
 * @def. */
ConfigEdit *config_edit_of_devices (Call *call, DomainDef *before, DomainDef *def, const char *element);
/* @prepared gets @edit back; on an error the call is failed and @edit freed instead. */
void config_edit_prepare (ConfigEdit *edit, void (*prepared) (Call *call, ConfigEdit *edit));
/* Takes @edit, prepared or not. @done as above. @after_machine: the running machine has changed already, and
 * an error says so. */
void config_edit_commit (ConfigEdit *edit, gboolean after_machine, void (*done) (Call *call, DomainDef *def));
/* One that is not committed: nothing is left of it. */
void config_edit_free (ConfigEdit *edit);
