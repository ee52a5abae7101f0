/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/i18n.h"
#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * domctl's commands: a table a group, one row a command. A command is a function of its parsed options and
 * the words that are left; it prints through command_print and command_print_json, so that --json is one
 * decision in one place, and returns the exit status.
 */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Connection Connection;

typedef struct {
  const char *command; /* the command's name */
  char **arguments;    /* the words that are no options; NULL-terminated */
  guint argument_count;
  guint position;         /* of a command that is run for each of its arguments: which of them this is */
  gboolean json;          /* --json */
  JsonArray *several;     /* the results so far of such a command, or NULL */
  const char *connect;    /* --connect as it was given, or NULL */
  Connection *connection; /* opened by command_connect when first needed */
} CommandLine;

typedef struct {
  const char *name;
  const char *arguments;       /* for usage: "DOMAIN [FILE...]" */
  const char *summary;         /* N_(): one line for the overview */
  guint minimum, maximum;      /* how many arguments; G_MAXUINT: any number */
  const GOptionEntry *options; /* NULL: none of its own */
  int (*run) (CommandLine *line);
  gboolean each;         /* run for each argument by itself, as if it was the only one */
  int usage;             /* exit status of wrong words or options; 0: EXIT_USAGE */
  gboolean words_follow; /* options end at the first argument: what is behind it is somebody else's */
} Command;

/* A group of commands as the overview shows it. Every group's table ends with a NULL name. */
typedef struct {
  const char *title; /* N_() */
  const Command *commands;
} CommandGroup;
extern const CommandGroup command_groups[]; /* ends with title NULL */

extern const Command bundle_commands[], document_commands[], target_commands[], plan_commands[],
    apply_commands[], difference_commands[], adopt_commands[], lifecycle_commands[], definition_commands[],
    history_commands[], information_commands[], block_job_commands[], migrate_commands[], list_commands[],
    console_commands[], network_commands[], network_change_commands[], filter_commands[], event_commands[],
    host_commands[], interface_commands[], processor_commands[], snapshot_commands[], checkpoint_commands[],
    backup_commands[], check_commands[], why_commands[], format_commands[], hook_commands[], init_commands[],
    run_commands[], run_more_commands[], trash_commands[], help_commands[];

const Command *command_find (const char *name);
/* "unknown command 'lst': did you mean 'list'?" (transfer full) */
char *command_unknown (const char *name);
/* The help of one command, as its --help prints it. */
void command_print_help (const Command *command);
/* cli/help.c: all commands, as `domctl --help` prints them. */
void help_print_overview (void);
/* Parse the words after the command's name and run it; the exit status. */
int command_run (const Command *command, CommandLine *line, int argc, char **argv);

/* stdout, when --json is not asked for. */
void command_print (const CommandLine *line, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* stdout, when --json is asked for. Takes @node. */
void command_print_json (const CommandLine *line, JsonNode *node);
/* "error: ..." on stderr; returns EXIT_FAILED, so that a command can end with it. */
int command_error (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The daemon's refusal of a document, each mistake as FILE:LINE:COLUMN as `domctl validate` has it. @file:
 * that of the document that was sent; NULL when none was, and the daemon names its own. */
int command_document_error (const char *file, const char *message);
int command_usage_error (const CommandLine *line, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* What a command that did something to one domain says: text for people, {"domain", "message"} for programs.
 */
int command_done (const CommandLine *line, const char *domain, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Connects, whether or not it was connected before; NULL with @error and nothing printed. */
Connection *command_try_connect (CommandLine *line, GError **error);
/* The connection to the daemon, or NULL after an error was printed. */
Connection *command_connect (CommandLine *line);
