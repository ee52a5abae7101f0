/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/complete.h"
#include "domain/pc/pci-map.h"

/* What address-pci.c (the rounds) and pci-chipset.c (fixed places and the document's) share. */

/* A place two users want: known to be a clash at once, reported when all reservations are made, because only
 * then can a free place be named. */
typedef struct {
  const Device *device;
  PciPlace place;
} PciClash;

typedef struct {
  Completion *completion;
  PciMap *map;
  gboolean rehearsal; /* nothing but fixed places is written into the definition */
  gboolean failed;    /* a mistake was reported */
  GArray *clashes;    /* PciClash */
} PciAssignment;

guint pci_connect_of (const DomainDef *def, const Device *device); /* PciConnect; 0: never on PCI */
gboolean pci_address_is_given (const Device *device);
gboolean pci_address_is_wanted (const Device *device); /* it is for us to choose */

/* Reserve @place for @device and write it into the definition, in a rehearsal too. */
void pci_assignment_fix (PciAssignment *assignment, Device *device, const PciPlace *place);
/* Reserve the next place for @device; @function or PCI_FUNCTION_ANY. */
void pci_assignment_next (PciAssignment *assignment, Device *device, int function);
/* Reserve a place the document asks for; a mistake is reported. */
void pci_assignment_given (PciAssignment *assignment, Device *device, PciPlace *place);

void pci_reserve_builtin (PciAssignment *assignment);        /* the chipset's own functions */
void pci_reserve_given (PciAssignment *assignment);          /* the document's addresses */
void pci_reserve_chipset_places (PciAssignment *assignment); /* places libvirt prefers for some devices */
void pci_report_clashes (PciAssignment *assignment);
/* For machines without PCI: a mistake for each device that needs it. */
void pci_report_no_buses (Completion *completion);
