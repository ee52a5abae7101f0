/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The row of domains. A thousand definitions are not read before they are needed (definition.c); what only
 * machines have (an id, state files) is in the manager and not here.
 */
#include "daemon/domain/domain-kind.h"

#include "daemon/call/call.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/machine.h"

static void
init (Object *object)
{
  Domain *domain = (Domain *)object;

  domain->id = -1;
  domain->state = VIR_DOMAIN_SHUTOFF;
  domain->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
  domain->agent_timeout = VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK;
  domain->messages = g_ptr_array_new_with_free_func (g_free);
  g_queue_init (&domain->destroyers);
}

static void
clear (Object *object)
{
  Domain *domain = (Domain *)object;

  machine_free (g_steal_pointer (&domain->machine));
  definition_replace (domain, NULL);
  g_clear_pointer (&domain->transient, domain_def_unref);
  g_ptr_array_unref (domain->messages);
  progress_unref (domain->progress);
  progress_unref (domain->completed);
  g_clear_pointer (&domain->value, g_variant_unref);
}

/* The start that some wanted given up is over. */
static void
released (Object *object)
{
  Domain *domain = (Domain *)object;
  Call *destroyer;

  domain->job = NULL;
  while ((destroyer = g_queue_pop_head (&domain->destroyers)) != NULL)
    call_answer_nothing (destroyer);
}

static GVariant *
handle (const Object *object)
{
  return call_domain_value ((Domain *)object);
}

#define STATE_FLAGS                                                                                      \
  (VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED | VIR_CONNECT_LIST_DOMAINS_SHUTOFF \
   | VIR_CONNECT_LIST_DOMAINS_OTHER)

static gboolean
passes_state (const Domain *domain, guint flags)
{
  guint of_state = domain->state == VIR_DOMAIN_RUNNING   ? VIR_CONNECT_LIST_DOMAINS_RUNNING
                   : domain->state == VIR_DOMAIN_PAUSED  ? VIR_CONNECT_LIST_DOMAINS_PAUSED
                   : domain->state == VIR_DOMAIN_SHUTOFF ? VIR_CONNECT_LIST_DOMAINS_SHUTOFF
                                                         : VIR_CONNECT_LIST_DOMAINS_OTHER;

  return (flags & STATE_FLAGS) == 0 || (flags & of_state) != 0;
}

static gboolean
passes (const Object *object, guint flags)
{
  const Domain *domain = (const Domain *)object;

  return object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE,
                             object->active)
         && object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
                                VIR_CONNECT_LIST_DOMAINS_TRANSIENT, object->persistent)
         && object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
                                VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, domain->managed_save)
         && object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
                                VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, object->autostart)
         && object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
                                VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT,
                                child_tree_count (domain->snapshots) > 0)
         && object_flag_passes (flags, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
                                VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT,
                                child_tree_count (domain->checkpoints) > 0)
         && passes_state (domain, flags);
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
  .lazy = TRUE,
  .size = sizeof (Domain),
  .init = init,
  .clear = clear,
  .released = released,
  .handle = handle,
  .list_flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE
                | VIR_CONNECT_LIST_DOMAINS_PERSISTENT | VIR_CONNECT_LIST_DOMAINS_TRANSIENT
                | VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE | VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE
                | VIR_CONNECT_LIST_DOMAINS_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART
                | VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT | VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT
                | VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT | VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT
                | STATE_FLAGS,
  .passes = passes,
};
