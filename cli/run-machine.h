/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/guest-kernel.h"
#include "cli/image-cache.h"

/*
 * The machine that an image runs in: what was asked for on the command line, its files, and its document.
 */
#define RUN_DISK_SIZE "10G" /* of the writable layer; it takes what is written */
#define RUN_MEMORY    (G_GUINT64_CONSTANT (512) << 20)
#define RUN_NAMESPACE "https://domaind.org/xmlns/image/1"

typedef struct {
  char *name;
  const char *reference; /* of the image, as it was said */
  const CachedImage *image;
  const GuestKernel *kernel;
  char *directory;     /* its own: machines/NAME */
  GString *plan;       /* for its init */
  guint64 memory;      /* bytes */
  char **ports;        /* "[ADDRESS:]HOST:GUEST[/tcp|udp]" */
  char **volumes;      /* "DIR:DIR[:ro]" */
  const char *network; /* NULL: the host's, by passt; "none"; or a network of the daemon's */
  gboolean kvm, is_session;
} RunMachine;

void run_machine_free (RunMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RunMachine, run_machine_free)

/* Its directory with its disk and empty logs. FALSE with @error when there is one of that name. */
gboolean run_machine_make_files (RunMachine *machine, GError **error);
/* What volumes are is said to the plan, and the document. NULL with @error: an option says nothing that can
 * be. */
char *run_machine_document (RunMachine *machine, GError **error);

/* "NAME.log" and so on of a machine: "output", "status", "image", "ephemeral". (transfer full) */
char *run_machine_file (const char *cache, const char *name, const char *file);
/* The exit status its init left; -1: none. */
int run_machine_status (const char *cache, const char *name);
void run_machine_remove_files (const char *cache, const char *name);
