/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* What the files of Hyper-V share. */
typedef struct {
  const DomainDef *def;
  const char *name; /* the variable with the machine's name */
  guint generation; /* 1: with a BIOS; 2: with UEFI */
  GString *script;
  TargetConfig *config;
  TargetLosses *losses;
} HypervScript;

/*
 * @text as an expression of PowerShell that can stand as an argument and of which nothing gets out, in ASCII
 * alone: hyperv-quote.c. (transfer full)
 */
char *hyperv_quote (const char *text);
/* A file of that name beside the script, as such an expression. (transfer full) */
char *hyperv_quote_beside (const char *file_name);

/* One line of the script. What comes from the document is quoted before. */
void hyperv_add (HypervScript *script, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The disks and drives, and which of them the machine starts from: hyperv-disks.c */
void hyperv_add_disks (HypervScript *script);
/* The other devices: hyperv-devices.c */
void hyperv_add_devices (HypervScript *script);
