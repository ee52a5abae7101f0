/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/*
 * <seclabel>: what the host's security models make of the machine's process. One for each model at most;
 * which models there are, and what a label means, is the host's affair.
 */
typedef enum { SECLABEL_TYPE_NONE, SECLABEL_DYNAMIC, SECLABEL_STATIC, SECLABEL_OFF } SeclabelType;

typedef struct {
  int type;         /* SeclabelType; SECLABEL_OFF is the word "none" */
  char *model;      /* "dac", "selinux", "apparmor", "none" */
  int relabel;      /* Tristate */
  char *label;      /* of the process; of the type dynamic only while it runs */
  char *imagelabel; /* of its files; live only */
  char *baselabel;
  gboolean implied; /* not in the document: given to the running machine */
} Seclabel;

extern const FieldTable seclabel_table;

#define SECLABEL_MODEL_DAC  "dac"
#define SECLABEL_MODEL_NONE "none"

typedef struct DomainDef DomainDef;
/* The label of that model; NULL: the document says nothing of it. */
Seclabel *domain_def_seclabel (const DomainDef *def, const char *model);
/* A running machine's label of a model that its document says nothing of. */
Seclabel *domain_def_add_seclabel (DomainDef *def, const char *model);
/* Those that a host has given a running machine by itself, by the models it had (AppArmor's of a Debian,
 * SELinux's of a Fedora): on another host they say nothing. */
void domain_def_drop_chosen_seclabels (DomainDef *def);
