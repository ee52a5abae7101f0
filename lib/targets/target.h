/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "domain/domain-def.h"

/*
 * A target is what a domain's document can become: a launch config of QEMU, of another hypervisor, of a
 * runtime of containers. Each is one row of targets.c, and all of it is pure: nothing is opened, probed or
 * run. A new target is a folder and a row.
 *
 * What a target cannot do is never passed over in silence. Two ways say it: the table of parts, read against
 * every element and attribute of the user's document, and target_lose for what depends on a value.
 */
typedef struct Target Target;
typedef struct TargetConfig TargetConfig;
typedef struct TargetLosses TargetLosses;

typedef enum {
  TARGET_LOST,     /* the target has nothing for it */
  TARGET_CARRIED,  /* the launch config says it, or translate speaks of what of it is lost */
  TARGET_NEEDLESS, /* it has no meaning there and nothing of the machine is lost: an alias, a PCI address */
} TargetSupport;

/*
 * One part of the format and what a target does with it. The longest path that fits decides for an element or
 * attribute and all within it; what no row speaks of is lost, but for what means nothing to any target: a
 * title. Paths are named from below the root element with slashes, an attribute behind '@': "memory",
 * "devices/disk", "devices/disk/driver@cache", "@id". A row "devices/" "*" "/alias" is for all kinds of
 * device that have no row for theirs. What only holds parts that have rows needs none. An element of another
 * namespace has the prefix it has in the document. A row "" decides for all that has no other.
 */
typedef struct {
  const char *path;
  TargetSupport support;
  const char *reason; /* TARGET_LOST: what stands behind the target's title: "has no display" */
} TargetPart;

/* The rows of a table of parts. */
#define CARRIED(path)          \
  {                            \
    path, TARGET_CARRIED, NULL \
  }
#define NEEDLESS(path)          \
  {                             \
    path, TARGET_NEEDLESS, NULL \
  }
#define LOST(path, reason)    \
  {                           \
    path, TARGET_LOST, reason \
  }

typedef struct {
  DomainDef *def;       /* complete, with aliases */
  const char *document; /* the user's text */
  /* Where a machine of a system daemon has its sockets and its lasting files. */
  const char *run_directory, *state_directory;
  /* For QEMU alone: what its binary can do (NULL: there is none), what the host's SMBIOS tables say (NULL:
   * not asked for), and now, in seconds since 1970. */
  struct QemuCaps *caps;
  const struct Sysinfo *smbios;
  guint clock_khz; /* what this host's processor counts by, where a guest must be told; 0: it need not */
  gint64 now;
  gboolean sandbox, paused; /* as the daemon starts it */
} TargetRequest;

struct Target {
  const char *name;        /* of --to: "firecracker" */
  const char *native_name; /* of libvirt's domxml-to-native: "xen-xl"; NULL: @name */
  const char *title;       /* in messages: "Firecracker" */
  const char *summary;     /* what it makes, for `domctl targets` (N_) */
  const TargetPart *parts; /* ended by a NULL path; NULL: whatever is lost, translate says */
  /* Other forms in which the same can be had, ended by NULL: @name is that of --format, and each has parts
   * and a translate of its own. NULL: there is none but text and JSON. */
  const Target *const *formats;
  /* Fill @config from a complete definition. FALSE with @error: no part of the document is to blame. What
   * cannot be carried goes to @losses, and the rest is translated all the same. NULL: an import alone. */
  gboolean (*translate) (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
                         GError **error);
  /* Does a file look like a config of this target? @file_name without its directory. NULL: it is never taken
   * for one, and has to be named. */
  gboolean (*recognize) (const char *file_name, const char *text);
  /* The domain's document of a config, as libvirt would write it by hand: what completion fills in is left
   * out. NULL with the mistakes, and what has no place in the format as warnings, in @diagnostics with their
   * places in @text. @text is hostile, and valid UTF-8. NULL: there is no way in. (transfer full) */
  char *(*import) (const char *text, Diagnostics *diagnostics);
};

/* By --to's name or by libvirt's; NULL when there is none. */
const Target *target_find (const char *name);
/* The form of @target that --format calls @name; NULL when it has none. */
const Target *target_find_format (const Target *target, const char *name);
/* All of them, ended by NULL. */
const Target *const *targets_all (void);
/* Whose config a file is; NULL when none says so. */
const Target *target_recognize (const char *file_name, const char *text);

/* The elements below <devices> that @target has nothing for, in the order of device_kinds; of one without
 * parts nothing is known. Ended by NULL. (transfer container) */
const char **target_lacking_devices (const Target *target);

/*
 * What the user's document says and the target cannot do: @target's table read against it, then what
 * translate adds. Pure; one thread.
 */
TargetLosses *target_losses_new (const Target *target, const char *document);
void target_losses_free (TargetLosses *losses);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TargetLosses, target_losses_free)

/* A part of @device, or with NULL of the domain, that is lost: "<part>: TITLE ...". @part as
 * source_places_find takes it, NULL: @device itself. A device that completion chose and the user's document
 * does not have is no loss, and is not reported. */
void target_lose (TargetLosses *losses, const Device *device, const char *part, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* The same for what the machine cannot be without: --drop does not help. Reported wherever it stands. */
void target_refuse (TargetLosses *losses, const Device *device, const char *part, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/* What cannot be dropped, for who has it as diagnostics already. Owned by @losses. */
Diagnostics *target_losses_refused (TargetLosses *losses);

/* Say all of it in @diagnostics: errors, or with @drop warnings where the machine can be without it. */
void target_losses_report (const TargetLosses *losses, gboolean drop, Diagnostics *diagnostics);

/*
 * What translate fills in.
 */
TargetConfig *target_config_new (void);
void target_config_free (TargetConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TargetConfig, target_config_free)

/* A file of the config: @name without a directory, the first one is what is printed. @content is taken. */
void target_config_add_file (TargetConfig *config, const char *name, char *content);
/* The same, and people run it. */
void target_config_add_program (TargetConfig *config, const char *name, char *content);
/* A command to be run before, once, in the order of the calls: the making of an image in the target's format.
 * @argv is copied. */
void target_config_add_step (TargetConfig *config, const char *const *argv);
/* What starts it, where that is a command: environment as "NAME=value". Both are taken. */
void target_config_set_command (TargetConfig *config, char **environment, char **argv);
void target_config_warn (TargetConfig *config, const char *format, ...) G_GNUC_PRINTF (2, 3);

typedef struct {
  char *name, *content;
  gboolean is_program;
} TargetFile;

const GPtrArray *target_config_files (const TargetConfig *config); /* TargetFile */
const GPtrArray *target_config_steps (const TargetConfig *config); /* char ** */
const char *const *
target_config_environment (const TargetConfig *config);             /* NULL where there is no command */
const char *const *target_config_argv (const TargetConfig *config); /* NULL where there is none */
const char *const *target_config_warnings (const TargetConfig *config);
