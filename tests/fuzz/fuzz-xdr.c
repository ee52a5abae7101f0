/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as the payload of any procedure: the first byte chooses the shape. What can be read must be
 * written again and read as the same value.
 */
#include "wire/xdr.h"

static const char *const signatures[] = {
  "msu",
  "Du",
  "Dsu",
  "DaP{64}u",
  "aD{16384}uu",
  "Dimsmsmsu",
  "DmsaP{64}ay{4194304}u",
  "Duuau{16}u",
  "Das{256}u",
  "imD",
  "Kay{65536}u",
  "c[32]tiiiiii",
  "a(smsa(isu){2048}){2048}",
  "a(sximsmssumsms){65536}u",
  "SsVu",
  "OaP{16}u",
};

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) value = NULL, again = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  const Shape *shape;

  if (size == 0)
    return 0;
  shape = shape_of (signatures[data[0] % G_N_ELEMENTS (signatures)]);
  value = xdr_decode (shape, data + 1, size - 1, NULL);
  if (value == NULL)
    return 0;
  g_assert_true (shape_check (shape, value, NULL));
  g_assert_true (xdr_encode (shape, value, bytes, NULL));
  again = xdr_decode (shape, bytes->data, bytes->len, NULL);
  /* Compared as bytes: a double that is no number equals nothing. */
  g_assert_nonnull (again);
  g_assert_cmpmem (g_variant_get_data (value), g_variant_get_size (value), g_variant_get_data (again),
                   g_variant_get_size (again));
  return 0;
}
