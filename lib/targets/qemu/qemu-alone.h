/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe.h"
#include "targets/target.h"

/*
 * A machine that QEMU runs by itself: no daemon opens its files, makes its taps, starts its helpers, keeps it
 * to its control group, or tells its monitor anything. The two forms of the launch config that are run so, a
 * shell script and a systemd unit, share what is here. All of it is pure.
 */

/* The working directory of both, so that the sockets of the machine are short and where the user may write.
 */
#define ALONE_DIRECTORY "."
#define ALONE_PREFIX    ALONE_DIRECTORY "/"

/* In messages, before a reason. */
#define ALONE_TITLE "QEMU by itself"

/* What is kept to by a daemon alone. */
extern const TargetPart alone_parts[];

/* As qemu_target_recipe, with what such a machine cannot have in @losses, and warnings in @config. */
gboolean alone_recipe (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, Recipe **ret,
                       GError **error);

/* What has to be done in the working directory before each start, as the lines of a POSIX shell; "": nothing.
 * (transfer full) */
char *alone_preparations (const Recipe *recipe);

/* The value of an environment's "NAME=value" where it is a path below the working directory: what stands
 * behind that directory's name, "" for itself; NULL: it is none. */
const char *alone_path_below (const char *variable);

/* The machine's name as a part of a file's, and of a line of text: without what ends or changes either.
 * (transfer full) */
char *alone_file_name (const DomainDef *def);
char *alone_title (const DomainDef *def);

/* The two forms. */
extern const Target qemu_script_format, qemu_unit_format;
