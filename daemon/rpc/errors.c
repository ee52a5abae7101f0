/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Errors as the RPC protocol carries them. The number decides what clients do; the domain is mostly for
 * people, with exceptions that facts of the protocol record (filters' errors must come from the filter
 * driver, or clients take them for another number).
 */

#include "daemon/rpc/client.h"
#include "wire/xdr.h"

#define ERROR_SHAPE "iimsimDmsmsmsiimN"

/* Where libvirt's errors of a code come from, where it is not the QEMU driver. */
static const struct {
  virErrorNumber code;
  virErrorDomain domain;
} domains[] = {
  { VIR_ERR_RPC, VIR_FROM_RPC },
  { VIR_ERR_NO_CONNECT, VIR_FROM_NONE },
  { VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN },
  { VIR_ERR_XML_DETAIL, VIR_FROM_DOMAIN },
  { VIR_ERR_XML_INVALID_SCHEMA, VIR_FROM_XML },
  { VIR_ERR_NO_NAME, VIR_FROM_DOMAIN },
  { VIR_ERR_NO_SOURCE, VIR_FROM_DOMAIN },
  { VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN },
  { VIR_ERR_OS_TYPE, VIR_FROM_DOMAIN },
  { VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { VIR_ERR_OPERATION_DENIED, VIR_FROM_DOMAIN },
  { VIR_ERR_NO_DOMAIN_METADATA, VIR_FROM_DOMAIN },
  { VIR_ERR_NO_NETWORK, VIR_FROM_NETWORK },
  { VIR_ERR_NO_STORAGE_POOL, VIR_FROM_STORAGE },
  { VIR_ERR_NO_STORAGE_VOL, VIR_FROM_STORAGE },
  { VIR_ERR_NO_NODE_DEVICE, VIR_FROM_NODEDEV },
  { VIR_ERR_NO_INTERFACE, VIR_FROM_INTERFACE },
  { VIR_ERR_NO_SECRET, VIR_FROM_SECRET },
  { VIR_ERR_NO_NWFILTER, VIR_FROM_NWFILTER },
  { VIR_ERR_BUILD_FIREWALL, VIR_FROM_NWFILTER },
  { VIR_ERR_INVALID_NWFILTER, VIR_FROM_NWFILTER },
  { VIR_ERR_AUTH_FAILED, VIR_FROM_POLKIT },
  { VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT },
  { VIR_ERR_AUTH_CANCELLED, VIR_FROM_POLKIT },
};

static virErrorDomain
domain_of (virErrorNumber code)
{
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++) {
    if (domains[i].code == code)
      return domains[i].domain;
  }
  return VIR_FROM_QEMU;
}

static GVariant *
nothing (const char *type)
{
  return g_variant_new_maybe (G_VARIANT_TYPE (type), NULL);
}

GByteArray *
rpc_error_payload (int domain, virErrorNumber code, const char *message)
{
  GByteArray *payload = g_byte_array_new ();
  const char *format = virt_error_format (code);
  GVariant *members[] = {
    g_variant_new_int32 (code),
    g_variant_new_int32 (domain >= 0 ? domain : (int)domain_of (code)),
    g_variant_new ("ms", message),
    g_variant_new_int32 (VIR_ERR_ERROR),
    nothing ("(sayi)"),
    g_variant_new ("ms", format != NULL ? format : "%s"),
    g_variant_new ("ms", message),
    nothing ("s"),
    g_variant_new_int32 (-1),
    g_variant_new_int32 (-1),
    nothing ("(say)"),
  };
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_tuple (members, G_N_ELEMENTS (members)));

  /* A message too long for a string of the protocol is an error nobody needs to read whole. */
  if (!xdr_encode (shape_of (ERROR_SHAPE), value, payload, NULL)) {
    g_byte_array_unref (payload);
    return rpc_error_payload (domain, code, "the error's text is too long");
  }
  return payload;
}
