/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * What an operation is called inside libvirt, since its messages name functions, and which part of it an
 * error of the operation is from, where neither the error nor its number says.
 */

/* The function of the public interface: "DOMAIN_GET_XML_DESC" is "virDomainGetXMLDesc". (transfer full) */
char *libvirt_public_function (const char *operation);
/* The part of libvirt that function is in. */
virErrorDomain libvirt_public_origin (const char *operation);
/* The driver's function that checks the operation's flags, and the part of libvirt that it is in:
 * "qemuDomainGetXMLDesc". (transfer full) */
char *libvirt_driver_function (const char *operation, virErrorDomain *ret_origin);
/* The part of libvirt that an operation's errors are from, whatever their numbers; -1: there is none such. */
int libvirt_origin (const char *operation);
