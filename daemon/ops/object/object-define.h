/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * Objects of any kind defined, undefined and marked for autostart. What is written to disk goes through the
 * daemon's one queue of changes (daemon/object/change.h), so that no name is given twice.
 */

/* The call's first argument is the document of an object of @kind. It is read in a job, @strict by the schema
 * too; the answer is the object. */
void object_define (Call *call, const ObjectKind *kind, gboolean strict);
/* The same of @text, answered with nothing where the call's operation answers nothing. @completing: what is
 * read and completed, while @text is kept; NULL: the same. @uuid: of the object that the document, which says
 * none, is of; NULL: what it says, or a new one. */
void object_define_text (Call *call, const ObjectKind *kind, const char *text, const char *completing,
                         const char *uuid, gboolean strict);
/* The object of the call is removed to the trash; the answer is the entry's number, 0 of what was not kept.
 */
void object_discard (Call *call);
