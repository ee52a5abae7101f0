/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding domains: by name, UUID and number, and in lists with libvirt's filters. Filter flags come in groups
 * (active or not, persistent or not...); a group none of whose flags is set lets everything pass, one with
 * several lets pass what any of them describes.
 */
#include "daemon/ops/ops.h"

#include "base/scalars.h"

#define LIST_KNOWN_FLAGS                                                                                     \
  (VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE | VIR_CONNECT_LIST_DOMAINS_PERSISTENT \
   | VIR_CONNECT_LIST_DOMAINS_TRANSIENT | VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED \
   | VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER                                       \
   | VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE                          \
   | VIR_CONNECT_LIST_DOMAINS_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART                              \
   | VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT                            \
   | VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT | VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT)

static void
answer_domain (Call *call, Domain *domain, GError *error)
{
  if (domain == NULL)
    call_fail (call, error);
  else
    call_answer (call, g_variant_new ("(@(sayi))", call_domain_value (domain)));
}

void
op_domain_lookup_by_name (Call *call)
{
  GError *error = NULL;
  Domain *domain = manager_find_name (call->manager, call_string (call, 0), &error);

  answer_domain (call, domain, error);
}

void
op_domain_lookup_by_id (Call *call)
{
  GError *error = NULL;
  Domain *domain = manager_find_id (call->manager, call_int (call, 0), &error);

  answer_domain (call, domain, error);
}

void
op_domain_lookup_by_uuid (Call *call)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (call->arguments, 0);
  GError *error = NULL;
  Domain *domain;
  gsize length;
  const guint8 *uuid = g_variant_get_fixed_array (bytes, &length, 1);
  char text[UUID_TEXT];

  if (length != UUID_BYTES) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "a UUID of %" G_GSIZE_FORMAT " bytes", length);
    return;
  }
  uuid_format (uuid, text);
  domain = manager_find_uuid (call->manager, text, &error);
  answer_domain (call, domain, error);
}

/* Does one of a group's two flags describe @is? */
static gboolean
passes (guint flags, guint yes, guint no, gboolean is)
{
  return (flags & (yes | no)) == 0 || (flags & (is ? yes : no)) != 0;
}

static gboolean
passes_state (guint flags, const Domain *domain)
{
  guint of_state = domain->state == VIR_DOMAIN_RUNNING   ? VIR_CONNECT_LIST_DOMAINS_RUNNING
                   : domain->state == VIR_DOMAIN_PAUSED  ? VIR_CONNECT_LIST_DOMAINS_PAUSED
                   : domain->state == VIR_DOMAIN_SHUTOFF ? VIR_CONNECT_LIST_DOMAINS_SHUTOFF
                                                         : VIR_CONNECT_LIST_DOMAINS_OTHER;
  guint group = VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED
                | VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER;

  return (flags & group) == 0 || (flags & of_state) != 0;
}

gboolean
domain_passes_filter (const Domain *domain, guint flags)
{
  return passes (flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE,
                 domain_is_active (domain))
         && passes (flags, VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
                    domain->persistent)
         && passes (flags, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
                    domain->managed_save)
         && passes (flags, VIR_CONNECT_LIST_DOMAINS_AUTOSTART, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART,
                    domain->autostart)
         && passes (flags, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, FALSE)
         && passes (flags, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT,
                    FALSE)
         && passes_state (flags, domain);
}

void
op_connect_list_all_domains (Call *call)
{
  guint flags = call_uint (call, 1), count = 0;
  gboolean wanted = call_int (call, 0) != 0;
  g_autoptr (GPtrArray) domains = NULL;
  GVariantBuilder list;

  if (!call_check_flags (call, flags, LIST_KNOWN_FLAGS))
    return;
  domains = manager_list (call->manager);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(sayi)"));
  for (guint i = 0; i < domains->len; i++) {
    Domain *domain = g_ptr_array_index (domains, i);

    if (!domain_passes_filter (domain, flags))
      continue;
    count++;
    if (wanted)
      g_variant_builder_add_value (&list, call_domain_value (domain));
  }
  call_answer (call, g_variant_new ("(a(sayi)u)", &list, count));
}

static guint
count_domains (Call *call, guint flags)
{
  g_autoptr (GPtrArray) domains = manager_list (call->manager);
  guint count = 0;

  for (guint i = 0; i < domains->len; i++)
    count += domain_passes_filter (g_ptr_array_index (domains, i), flags);
  return count;
}

void
op_connect_num_of_domains (Call *call)
{
  call_answer (call, g_variant_new ("(i)", (int)count_domains (call, VIR_CONNECT_LIST_DOMAINS_ACTIVE)));
}

void
op_connect_num_of_defined_domains (Call *call)
{
  call_answer (call, g_variant_new ("(i)", (int)count_domains (call, VIR_CONNECT_LIST_DOMAINS_INACTIVE)));
}

void
op_connect_list_domains (Call *call)
{
  g_autoptr (GPtrArray) domains = manager_list (call->manager);
  int room = call_int (call, 0);
  GVariantBuilder ids;

  g_variant_builder_init (&ids, G_VARIANT_TYPE ("ai"));
  for (guint i = 0; i < domains->len && room > 0; i++) {
    const Domain *domain = g_ptr_array_index (domains, i);

    if (domain->id < 0)
      continue;
    g_variant_builder_add (&ids, "i", domain->id);
    room--;
  }
  call_answer (call, g_variant_new ("(ai)", &ids));
}

void
op_connect_list_defined_domains (Call *call)
{
  g_autoptr (GPtrArray) domains = manager_list (call->manager);
  int room = call_int (call, 0);
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < domains->len && room > 0; i++) {
    const Domain *domain = g_ptr_array_index (domains, i);

    if (domain_is_active (domain))
      continue;
    g_variant_builder_add (&names, "s", domain->name);
    room--;
  }
  call_answer (call, g_variant_new ("(as)", &names));
}
