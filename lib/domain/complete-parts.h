/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/complete.h"

/*
 * The steps of domain_complete and domain_validate that belong to one part of the document; each is in the
 * file of that part.
 */
/* Is the architecture one of libvirt's? FALSE after reporting it. */
gboolean check_architecture (Completion *completion);
/* FALSE after reporting it when there is no machine of which the rest could be said. Where the document's
 * word for architecture or machine type is only misspelt, the rest is about what was meant. */
gboolean complete_target (Completion *completion);
void complete_sysinfo (Completion *completion); /* before the UUID, which it may give */
void complete_os (Completion *completion);
void complete_firmware (Completion *completion); /* domain/os-firmware.c: <loader>, <nvram>, <firmware> */
void complete_cpu (Completion *completion);
void complete_features (Completion *completion);
void throttle_groups_complete (DomainDef *def); /* domain/throttle-groups.c */
void throttle_groups_validate (Validation *validation);
void complete_individual_vcpus (Completion *completion);
void complete_iothreads (Completion *completion);
void complete_cputune (Completion *completion);
void complete_resource_limits (Completion *completion); /* <memtune>, <blkiotune>, <resource>, <perf> */
void complete_memory_backing (Completion *completion);
void complete_numa (Completion *completion); /* before the memory: with nodes, it is the sum of theirs */
/* A size whose unit is an attribute beside it becomes one in KiB. FALSE after reporting a mistake. */
gboolean complete_memory_size (Completion *completion, Number *size, char **unit, gconstpointer object);
void complete_clock (Completion *completion);

void validate_policy (Validation *validation);
void validate_sysinfo (Validation *validation);
void validate_os (Validation *validation);
void validate_firmware (Validation *validation);
void validate_cpu (Validation *validation);
void validate_features (Validation *validation);
void validate_individual_vcpus (Validation *validation);
void validate_iothreads (Validation *validation);
void validate_cputune (Validation *validation);
void validate_resource_limits (Validation *validation);
void validate_memory_backing (Validation *validation);
void validate_numa (Validation *validation);
void validate_launch_security (Validation *validation);
void validate_clock (Validation *validation);
void validate_qemu_namespace (Validation *validation);
void complete_seclabels (Completion *completion);
void validate_seclabels (Validation *validation);
void validate_devices (Validation *validation); /* domain/validate-devices.c: what two of them share */
