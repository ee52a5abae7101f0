/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * Single virtual CPUs. A definition that does not name them (vcpu_list NULL) has its first ones on from the
 * beginning, none of which can be taken out, and places for the rest. One that names them has all of them, by
 * number; <vcpu current=> follows.
 */
guint domain_vcpus_maximum (const DomainDef *def);
guint domain_vcpus_online (const DomainDef *def);
gboolean domain_vcpu_is_online (const DomainDef *def, guint number);
/* Is there from the first instruction and stays: the others are devices, with the alias "vcpuN". */
gboolean domain_vcpu_is_fixed (const DomainDef *def, guint number);
/* Those that are fixed: what QEMU is started with. */
guint domain_vcpus_fixed (const DomainDef *def);
/* The devices among those that are on, in the order in which they are plugged in. (guint: numbers) */
GArray *domain_vcpus_pluggable (const DomainDef *def);

/* Changes of a definition that nobody else has. */
/* Name them all. @ordered: with the order in which they came, which a running machine's have. */
void domain_vcpus_name (DomainDef *def, gboolean ordered);
/* On, as a device, the last to have come. They have names. */
void domain_vcpu_set_online (DomainDef *def, guint number);
void domain_vcpu_set_offline (DomainDef *def, guint number);
/* Forget the order: it is not true for another set of them. */
void domain_vcpus_forget_order (DomainDef *def);
/* So many at most; those beyond are gone. */
void domain_vcpus_set_maximum (DomainDef *def, guint maximum);
/* The first so many on, or the last ones off: what a stored definition makes of a count. @hotpluggable: as
 * devices, which gives them names; those that have names are devices in any case. */
void domain_vcpus_set_count (DomainDef *def, guint count, gboolean hotpluggable);

/* The alias of one that is a device: "vcpu3". (transfer full) */
char *domain_vcpu_alias (guint number);
/* FALSE when @alias is no vCPU's. */
gboolean domain_vcpu_of_alias (const char *alias, guint *ret_number);
