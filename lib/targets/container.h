/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/filesystem.h"
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

/* Is it a container? What is not, is refused; and what no runtime has of a machine's clock and memory is
 * lost. */
void container_check (const DomainDef *def, TargetLosses *losses);

/* The rows that the tables of all runtimes have in common. */
#define CONTAINER_COMMON_PARTS                                                                              \
  CARRIED ("name"), NEEDLESS ("uuid"), CARRIED ("memory"), CARRIED ("currentMemory"), CARRIED ("memtune"),  \
      LOST ("memtune/min_guarantee", "guarantees no memory"), NEEDLESS ("vcpu"), CARRIED ("vcpu@cpuset"),   \
      CARRIED ("cputune/shares"), CARRIED ("cputune/period"), CARRIED ("cputune/quota"),                    \
      CARRIED ("cputune/global_period"), CARRIED ("cputune/global_quota"), CARRIED ("numatune/memory"),     \
      CARRIED ("blkiotune/weight"), CARRIED ("os/type"), NEEDLESS ("os/type@machine"), CARRIED ("os/init"), \
      CARRIED ("os/initarg"), CARRIED ("os/initenv"), CARRIED ("os/initdir"), CARRIED ("os/inituser"),      \
      CARRIED ("os/initgroup"), CARRIED ("idmap"), CARRIED ("features/capabilities"),                       \
      CARRIED ("features/privnet"), CARRIED ("lxc:namespace"), CARRIED ("clock"),                           \
      LOST ("clock/timer", "has the host's clock"), CARRIED ("on_reboot"), NEEDLESS ("devices/emulator"),   \
      LOST ("devices/graphics", "has no display"), LOST ("devices/video", "has no display"),                \
      CARRIED ("devices/filesystem@type"), NEEDLESS ("devices/filesystem@accessmode"),                      \
      CARRIED ("devices/filesystem/driver@type"), CARRIED ("devices/filesystem/source"),                    \
      CARRIED ("devices/filesystem/target"), CARRIED ("devices/filesystem/readonly")

/* Is it the container's root? */
gboolean container_is_root (const DeviceFilesystem *filesystem);
/* "+1000" and "1000" are numbers; what a name means, only the container's own files say: it is lost. FALSE:
 * there is none, and *@ret is as it was. */
gboolean container_read_account (const char *account, const char *part, TargetLosses *losses, guint64 *ret);
/* KiB. */
guint64 container_memory_limit (const DomainDef *def);
/* Of all its threads, or else of each; neither may be set. */
const SignedNumber *container_quota (const DomainDef *def, const Number **ret_period);
