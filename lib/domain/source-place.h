/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "domain/domain-def.h"

/*
 * Where something of a definition stands in the user's document, long after that was read: what a target
 * cannot make is found only when the machine is translated, from a completed copy that has no places any
 * more. Pure; one thread.
 */
typedef struct SourcePlaces SourcePlaces;

/* NULL when @text is no document that can be read. @text is copied. */
SourcePlaces *source_places_new (const char *text);
void source_places_free (SourcePlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SourcePlaces, source_places_free)

/*
 * The place of a part of @device, or with NULL of the domain. @part says it as messages do, and what stands
 * behind that is not read: "<os><smbios mode='host'>" (the one with that value), "<driver iothread=>" and
 * "sgio=" (the attribute), "cputune/cachetune". NULL, or a part that the document does not have: the nearest
 * that holds it. 0:0 for what the document does not have at all. A device asked for again has the place it
 * had.
 */
Position source_places_find (SourcePlaces *places, const Device *device, const char *part);

/* @device as the document itself describes it, without what completion chose; NULL when it does not have it.
 * (transfer full) */
char *source_places_describe (SourcePlaces *places, const Device *device);
