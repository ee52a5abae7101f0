/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/*
 * Errors as a libvirt client knows them: a GError whose code is libvirt's virErrorNumber and whose message
 * is libvirt's text for that number with our detail filled in ("Domain not found: no domain with matching
 * name 'web'"). Clients match both.
 */
#define VIRT_ERROR (virt_error_quark ())
GQuark virt_error_quark (void);

/* Set @error to @code with libvirt's wording around the formatted detail. Detail carries no final stop. */
void virt_error_set (GError **error, virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The same, where libvirt says another part of it (virErrorDomain) has the error than goes with the number.
 */
void virt_error_set_from (GError **error, virErrorDomain origin, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* The same where libvirt has no wording around it: the text is the message. */
void virt_error_set_plain (GError **error, virErrorDomain origin, virErrorNumber code, const char *format,
                           ...) G_GNUC_PRINTF (4, 5);

/* libvirt's generic text for @code, with one %s where the detail goes; NULL for a code it has no text for. */
const char *virt_error_format (virErrorNumber code);

/* The code a client gets for @error: its own when it is a VIRT_ERROR, VIR_ERR_INTERNAL_ERROR otherwise. */
virErrorNumber virt_error_code (const GError *error);

/* The message of @error without libvirt's words before it ("internal error: "), to be said of something else
 * with the same number: so they do not stand twice. Part of the message. */
const char *virt_error_detail (const GError *error);

/* Put words in front of the message, behind libvirt's: "internal error: WORDSmessage". */
void virt_error_prefix (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same error with the places of its lines ("FILE:LINE:COLUMN: ") behind what they are of, in parentheses:
 * for a client that compares libvirt's words. (transfer full) */
GError *virt_error_places_behind (const GError *error);

/* The virErrorDomain that was said with @error; -1: the one that goes with its number. */
int virt_error_origin (const GError *error);
