/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the connection is. Lists of objects that do not exist here yet are truthfully empty: old clients ask
 * for them without looking first whether they can be answered.
 */
#include "daemon/ops/ops.h"

#include "daemon/call/operation.h"
#include "wire/shape.h"

#define LIBRARY_VERSION 11003000 /* the level of libvirt's interface that is served: 11.3.0 */

void
op_connect_get_type (Call *call)
{
  call_answer (call, g_variant_new ("(s)", "QEMU"));
}

void
op_connect_get_lib_version (Call *call)
{
  call_answer (call, g_variant_new ("(t)", (guint64)LIBRARY_VERSION));
}

static void
answer_version (Call *call, QemuCaps *caps)
{
  call_answer (call, g_variant_new ("(t)", (guint64)qemu_caps_version (caps)));
}

void
op_connect_get_version (Call *call)
{
  call_with_caps (call, NULL, NULL, answer_version);
}

void
op_connect_get_uri (Call *call)
{
  call_answer (
      call, g_variant_new ("(s)", call->manager->settings->session ? "qemu:///session" : "qemu:///system"));
}

/* Nothing leaves the host: both wires are local sockets. */
void
op_connect_is_secure (Call *call)
{
  call_answer (call, g_variant_new ("(i)", 1));
}

void
op_connect_is_encrypted (Call *call)
{
  call_answer (call, g_variant_new ("(i)", 0));
}

void
op_connect_supports_feature (Call *call)
{
  /* VIR_DRV_FEATURE_*: migration from peer to peer, of version 3, protected against changes; descriptors,
   * strings in typed parameters, keepalive, migratable documents, migration offline and with parameters,
   * events by callback number, close callbacks, the right order of network updates. */
  static const int supported[] = { 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
  int feature = call_int (call, 0), answer = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (supported); i++)
    answer = answer || supported[i] == feature;
  call_answer (call, g_variant_new ("(i)", answer));
}

void
op_answer_none (Call *call)
{
  call_answer (call, g_variant_new ("(i)", 0));
}

static GVariant *
empty_list (const Operation *operation)
{
  const GVariantType *list = g_variant_type_first (shape_of (operation->out)->type);

  return g_variant_new_array (g_variant_type_element (list), NULL, 0);
}

void
op_answer_empty_list (Call *call)
{
  call_answer (call, g_variant_new ("(@*)", empty_list (call->operation)));
}

/* Flags of the lists of what is not there; others take whatever they are given. */
static gboolean
check_list_flags (Call *call)
{
  static const struct {
    const char *name;
    guint32 known;
  } lists[] = {
    { "CONNECT_LIST_ALL_NWFILTERS", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (g_str_equal (call->operation->name, lists[i].name))
      return call_check_flags (call, call_uint (call, 1), lists[i].known);
  return TRUE;
}

void
op_answer_empty_list_and_count (Call *call)
{
  const GVariantType *list = g_variant_type_first (shape_of (call->operation->out)->type);
  gboolean is_signed = g_variant_type_equal (g_variant_type_next (list), G_VARIANT_TYPE_INT32);

  if (check_list_flags (call))
    call_answer (call, g_variant_new (is_signed ? "(@*i)" : "(@*u)", empty_list (call->operation), 0));
}
