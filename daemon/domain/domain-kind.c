/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The row of domains. What a thousand definitions must not cost (reading them before they are needed), and
 * what only machines have (an id, state files), is in the manager and not here.
 */
#include "daemon/domain/domain-kind.h"

#include "daemon/call/call.h"

static GVariant *
find_handle (Manager *manager, const char *uuid, GError **error)
{
  Domain *domain = manager_find_uuid (manager, uuid, error);

  return domain != NULL ? call_domain_value (domain) : NULL;
}

static void
list_handles (Manager *manager, GPtrArray *handles)
{
  g_autoptr (GPtrArray) domains = manager_list (manager);

  for (guint i = 0; i < domains->len; i++)
    g_ptr_array_add (handles, g_variant_ref (call_domain_value (g_ptr_array_index (domains, i))));
}

static const char *const interfaces[] = { "org.libvirt.Domain", "org.domaind1.Domain", NULL };

const ObjectKind domain_kind = {
  .letter = 'D',
  .name = "domain",
  .short_name = "domain",
  .missing = VIR_ERR_NO_DOMAIN,
  .origin = VIR_FROM_DOMAIN,
  .family = EVENT_DOMAIN,
  .path_element = "domain",
  .interfaces = interfaces,
  .lifecycle_signal = "DomainEvent",
  .key = 1,
  .folder = "domains",
  .autostart_folders = { "autostart", "autostart-once" },
  .document = &domain_document,
  .find_handle = find_handle,
  .list_handles = list_handles,
};
