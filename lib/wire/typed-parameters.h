/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "wire/shape.h"

/*
 * Typed parameters: lists of (name, tagged value), libvirt's way to keep an interface open. As GVariant they
 * are "a{sv}"; a name may come twice, and the order is kept. Towards D-Bus clients each value is a variant in
 * a variant, as libvirt-dbus has always sent them and its clients expect; from them it is a plain variant.
 */

/* FALSE with VIR_ERR_INVALID_ARG, naming the parameter, when @parameters (a{sv}) holds more than @limit
 * entries, a name that is empty or too long, or a value that is none of i u x t d b s. */
gboolean typed_parameters_check (GVariant *parameters, guint limit, GError **error);

/* "a{sv}" with every value wrapped once more. (floating) */
GVariant *typed_parameters_wrap (GVariant *parameters);
