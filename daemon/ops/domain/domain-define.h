/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* Define the domain of @text, read in a job, @strict by the schema too. The call is answered with the domain,
 * or with nothing where its operation answers nothing. @completing: what is completed in place of @text,
 * which is kept; where it does not go together, or is NULL, @text is. @uuid: of the domain that the document,
 * which says none, is of; NULL: what it says, or a new one. */
void
domain_define_text (Call *call, const char *text, const char *completing, const char *uuid, gboolean strict);
