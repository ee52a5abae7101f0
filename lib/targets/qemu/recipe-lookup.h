/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/audio.h"
#include "domain/devices/controller.h"
#include "targets/qemu/recipe-private.h"

/* What one device's steps ask of all devices of the definition, in one look each. */
typedef struct RecipeLookup RecipeLookup;

RecipeLookup *recipe_lookup_new (void);
void recipe_lookup_free (RecipeLookup *lookup);

/* The first controller of that type and index; NULL when there is none. */
const DeviceController *recipe_controller (const Recipe *recipe, int type, guint64 index);
/* That of the identity, or the first when none is said; NULL when there is none. */
const DeviceAudio *recipe_audio (const Recipe *recipe, const Number *id);

/* recipe.c: the recipe's, and the number its first image has. */
RecipeLookup *recipe_get_lookup (const Recipe *recipe);
guint recipe_first_node (const Recipe *recipe);
