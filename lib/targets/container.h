/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/*
 * What a document says of a container and the definition keeps as it stands: its environment, whose accounts
 * its accounts are, which of the kernel's capabilities it has, whose namespaces it shares. The same for every
 * runtime.
 */
typedef struct {
  char *name, *value;
} ContainerVariable;

/* @count numbers from @start in the container are those from @target on the host. */
typedef struct {
  gboolean is_group;
  guint64 start, target, count;
} ContainerMapping;

/* As libvirt's LXC driver understands <features><capabilities policy=>. */
typedef enum {
  CONTAINER_CAPABILITIES_DEFAULT, /* most of them; the list changes that */
  CONTAINER_CAPABILITIES_ALLOW,   /* all but those that are off */
  CONTAINER_CAPABILITIES_DENY,    /* none but those that are on */
} ContainerPolicy;

typedef struct {
  char *name; /* as the kernel has it, without "cap_" and in small letters */
  gboolean on;
} ContainerCapability;

/* Of @kind "net", "ipc" or "uts", that of another container, of a process or of a file. */
typedef struct {
  char *kind, *type, *value; /* type: "name", "pid", "netns" */
} ContainerShare;

typedef struct {
  GPtrArray *variables;    /* ContainerVariable */
  GPtrArray *mappings;     /* ContainerMapping */
  GPtrArray *capabilities; /* ContainerCapability */
  GPtrArray *shares;       /* ContainerShare */
  ContainerPolicy policy;
} Container;

Container *container_read (const DomainDef *def);
void container_free (Container *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Container, container_free)

/* The kernel's names, in its order, ended by NULL; and those that libvirt takes from every container of the
 * default policy. */
extern const char *const container_capability_names[], *const container_capabilities_withheld[];
/* Has the container the capability of that name? */
gboolean container_has_capability (const Container *container, const char *name);

/* Is it a container, and of this target's architecture? What is not, is refused. */
void container_check (const DomainDef *def, TargetLosses *losses);
