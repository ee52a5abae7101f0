/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any document as a network filter: what is accepted is written in a form that is accepted again and written
 * the same, and becomes rules or an error. And any bytes as frames of a machine and as a listing of the
 * kernel's. */
#include "nwfilter/filter-learning.h"
#include "nwfilter/filter-packet.h"
#include "nwfilter/filter-table.h"

#include "base/untrusted-json.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static const FilterDef *
find (const char *name, gpointer data)
{
  const FilterDef *def = data;

  return g_str_equal (def->name, name) ? def : NULL;
}

static void
translate (FilterDef *def)
{
  char port[] = "vnet0", mac[] = "52:54:00:00:00:01";
  FilterBindingDef binding = { .port = port, .mac = mac, .reference = { def->name, NULL } };
  FilterLearning learning;
  g_autoptr (FilterInstance) instance =
      filter_learning_instantiate (&binding, NULL, find, def, &learning, NULL);
  g_autoptr (JsonArray) commands = json_array_new ();
  FilterTraces *traces = NULL;

  if (instance != NULL
      && filter_table_set (commands, "vnet0", instance, FILTER_TABLE_REJECT, NULL, &traces, NULL))
    g_ptr_array_unref (traces);
  filter_learning_clear (&learning);
}

static void
read_filter (const char *text, gssize length)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL), again = diagnostics_new (NULL);
  FilterDef *def = document_read (&filter_document, text, length, DOCUMENT_LAX, diagnostics), *same;
  g_autofree char *written = NULL, *written_again = NULL;

  if (def == NULL)
    return;
  written = document_to_xml (&filter_document, def, 0);
  same = document_read (&filter_document, written, -1, DOCUMENT_LAX, again);
  g_assert_nonnull (same);
  written_again = document_to_xml (&filter_document, same, 0);
  g_assert_cmpstr (written, ==, written_again);
  translate (def);
  document_unref (&filter_document, same);
  document_unref (&filter_document, def);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 mac[MAC_BYTES] = { 0x52, 0x54, 0, 0, 0, 1 };
  g_autoptr (JsonObject) listing = untrusted_json_object ((const char *)data, size);
  JsonArray *objects = listing != NULL ? untrusted_list (listing, "nftables") : NULL;
  g_autoptr (GHashTable) devices G_GNUC_UNUSED = objects != NULL ? filter_table_read (objects) : NULL;

  read_filter ((const char *)data, (gssize)size);
  filter_packet_read (data, size, mac, FALSE);
  filter_packet_read (data, size, mac, TRUE);
  return 0;
}
