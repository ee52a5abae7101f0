/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registries of all kinds, and what is committed of domains. Everything here is in memory: what a change
 * does to the disk has happened before it is committed here (change.c), and what a machine does is in
 * machine.c.
 */
#include "daemon/domain/manager.h"

#include "daemon/core/main-loop.h"
#include "daemon/core/work.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/domain-kind.h"
#include "daemon/domain/domain-migration.h"
#include "daemon/domain/machine.h"
#include "daemon/host/account.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TRIM_SECONDS 2

/* For the platform: any thread. */
static QemuCaps *
find_caps (gpointer data, const char *emulator)
{
  Manager *manager = data;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  QemuCaps *caps;
  struct utsname host;

  /* Its machines are completed for no emulator of this host. */
  if (driver_of_program (emulator) != NULL)
    return qemu_caps_builtin ();
  if (emulator == NULL)
    emulator = manager->settings->emulator;
  if (emulator == NULL && uname (&host) == 0)
    emulator = found = qemu_find_emulator (host.machine);
  if (emulator == NULL)
    return NULL;
  caps = caps_cache_get (manager->caps, emulator, &error);
  if (caps == NULL)
    g_warning ("%s", error->message);
  return caps;
}

/* For the platform: can machines be run with it? Any thread. */
static gboolean
check_emulator (gpointer data, const char *emulator, GError **error)
{
  Manager *manager = data;
  const Driver *driver = driver_of_program (emulator);
  g_autoptr (QemuCaps) caps = NULL;

  if (driver != NULL) {
    if (access (emulator, X_OK) == 0)
      return TRUE;
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot check %s binary %s: %s", driver->title, emulator,
                    g_strerror (errno));
    return FALSE;
  }
  caps = caps_cache_get (manager->caps, emulator, error);
  return caps != NULL;
}

/* What is told of KVM is what a start will find. */
static char *
kvm_problem (gpointer data)
{
  g_autoptr (Account) account = account_for_qemu (data, NULL);

  return account != NULL ? account_device_problem (account, "/dev/kvm") : NULL;
}

Registry *
manager_registry (Manager *manager, const ObjectKind *kind)
{
  for (guint i = 0; i < manager->registries->len; i++) {
    Registry *registry = g_ptr_array_index (manager->registries, i);

    if (registry->kind == kind)
      return registry;
  }
  g_return_val_if_reached (NULL);
}

/* "UUID/NAME" */
static GVariant *
find_child_handle (Manager *manager, const ObjectKind *kind, const char *key, GError **error)
{
  const char *slash = strchr (key, '/');
  g_autofree char *uuid = g_strndup (key, slash != NULL ? (gsize)(slash - key) : 0);
  const Object *owner = registry_find_uuid (manager_registry (manager, kind->child->owner), uuid, error);
  const Child *child = owner != NULL ? child_find (child_tree_of (kind, owner), slash + 1, error) : NULL;

  return child != NULL ? child_handle (child) : NULL;
}

static void
list_child_handles (Manager *manager, const ObjectKind *kind, GPtrArray *handles)
{
  g_autoptr (GPtrArray) owners = registry_list (manager_registry (manager, kind->child->owner));

  for (guint i = 0; i < owners->len; i++) {
    const ChildTree *tree = child_tree_of (kind, g_ptr_array_index (owners, i));

    for (const Child *child = child_next (tree, NULL, NULL); child != NULL;
         child = child_next (tree, NULL, child))
      g_ptr_array_add (handles, g_variant_ref_sink (child_handle (child)));
  }
}

GVariant *
manager_find_handle (Manager *manager, const ObjectKind *kind, const char *key, GError **error)
{
  GVariant *handle = NULL;
  Object *object;

  if (kind->child != NULL)
    handle = find_child_handle (manager, kind, key, error);
  else if (kind->find_handle != NULL)
    handle = kind->find_handle (manager, key, error);
  else if ((object = registry_find_uuid (manager_registry (manager, kind), key, error)) != NULL)
    handle = kind->handle (object);
  return handle != NULL ? g_variant_ref_sink (handle) : NULL;
}

GPtrArray *
manager_list_handles (Manager *manager, const ObjectKind *kind)
{
  GPtrArray *handles = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  g_autoptr (GPtrArray) objects = NULL;

  if (kind->child != NULL) {
    list_child_handles (manager, kind, handles);
    return handles;
  }
  if (kind->list_handles != NULL) {
    kind->list_handles (manager, handles);
    return handles;
  }
  objects = registry_list (manager_registry (manager, kind));
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (handles, g_variant_ref_sink (kind->handle (g_ptr_array_index (objects, i))));
  return handles;
}

static gboolean
make_registries (Manager *manager, GError **error)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++) {
    Registry *registry =
        (*kind)->size > 0 ? registry_new (*kind, manager, manager->settings, manager->events, error) : NULL;

    if (registry != NULL)
      g_ptr_array_add (manager->registries, registry);
    else if ((*kind)->size > 0)
      return FALSE;
  }
  return TRUE;
}

Manager *
manager_new (const Settings *settings, GError **error)
{
  Manager *manager = g_new0 (Manager, 1);

  manager->settings = settings;
  manager->events = events_new ();
  manager->accounts = client_accounts_new (settings->max_clients, settings->max_anonymous_clients);
  work_set_limit (settings->max_workers);
  manager->caps = caps_cache_new (settings->cache_directory);
  caps_cache_set_kvm_problem (manager->caps, kvm_problem, (gpointer)settings);
  manager->platform = qemu_platform_new (find_caps, manager);
  qemu_platform_set_check (manager->platform, check_emulator);
  qemu_platform_set_firmware (manager->platform, NULL, settings->state_directory);
  qemu_platform_set_host (manager->platform, settings->host_directory);
  manager->by_id = g_hash_table_new (NULL, NULL);
  manager->ended = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  manager->next_id = 1;
  manager->registries = g_ptr_array_new_with_free_func ((GDestroyNotify)registry_free);
  g_queue_init (&manager->changes);
  g_queue_init (&manager->recent);
  g_queue_init (&manager->readings);
  if (!make_registries (manager, error)) {
    manager_free (manager);
    return NULL;
  }
  manager->domains = manager_registry (manager, &domain_kind);
  manager->store = manager->domains->store;
  return manager;
}

static gboolean
trim (gpointer data)
{
  Manager *manager = data;

  manager->trimming = 0;
  malloc_trim (0);
  return G_SOURCE_REMOVE;
}

void
manager_trim_soon (Manager *manager)
{
  if (manager->trimming == 0)
    manager->trimming = g_timeout_add_seconds (TRIM_SECONDS, trim, manager);
}

/* Whoever waits for an answer of QEMU's is told that it does not come, and looks its domain up: so the
 * monitors are closed while every domain can still be found. */
static void
part_from_machines (Manager *manager)
{
  g_autoptr (GPtrArray) domains = manager->domains != NULL ? manager_list (manager) : g_ptr_array_new ();

  for (guint i = 0; i < domains->len; i++) {
    Domain *domain = g_ptr_array_index (domains, i);

    machine_free (g_steal_pointer (&domain->machine));
    migration_free (g_steal_pointer (&domain->migration));
  }
}

void
manager_free (Manager *manager)
{
  if (manager == NULL)
    return;
  part_from_machines (manager);
  if (manager->trimming != 0)
    g_source_remove (manager->trimming);
  g_ptr_array_unref (manager->registries);
  g_hash_table_unref (manager->by_id);
  g_hash_table_unref (manager->ended);
  qemu_platform_free (manager->platform);
  caps_cache_free (manager->caps);
  events_free (manager->events);
  client_accounts_free (manager->accounts);
  g_free (manager);
}

Domain *
manager_add (Manager *manager, const char *name, const char *uuid)
{
  return (Domain *)registry_add (manager->domains, name, uuid);
}

void
manager_remove (Manager *manager, Domain *domain)
{
  MAIN_LOOP_ONLY ();

  manager_set_id (manager, domain, -1);
  registry_remove (&domain->object);
}

void
manager_set_id (Manager *manager, Domain *domain, int id)
{
  MAIN_LOOP_ONLY ();

  if (domain->id >= 0)
    g_hash_table_remove (manager->by_id, GINT_TO_POINTER (domain->id));
  domain->id = id;
  g_clear_pointer (&domain->value, g_variant_unref);
  if (id < 0)
    return;
  g_hash_table_insert (manager->by_id, GINT_TO_POINTER (id), domain);
  manager->next_id = MAX (manager->next_id, id == G_MAXINT ? 1 : id + 1);
}

int
manager_new_id (Manager *manager)
{
  int id = manager->next_id;

  manager->next_id = id == G_MAXINT ? 1 : id + 1;
  return id;
}

Domain *
manager_find_uuid (Manager *manager, const char *uuid, GError **error)
{
  return (Domain *)registry_find_uuid (manager->domains, uuid, error);
}

Machine *
manager_find_machine (Manager *manager, const char *uuid, int id)
{
  const Domain *domain = manager_find_uuid (manager, uuid, NULL);

  return domain != NULL && domain->id == id ? domain->machine : NULL;
}

Domain *
manager_find_name (Manager *manager, const char *name, GError **error)
{
  return (Domain *)registry_find_name (manager->domains, name, error);
}

Domain *
manager_find_id (Manager *manager, int id, GError **error)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = id >= 0 ? g_hash_table_lookup (manager->by_id, GINT_TO_POINTER (id)) : NULL;

  if (domain == NULL)
    virt_error_set (error, VIR_ERR_NO_DOMAIN, "no domain with matching id %d", id);
  return domain;
}

GPtrArray *
manager_list (Manager *manager)
{
  return registry_list (manager->domains);
}

gboolean
manager_check_identity (Manager *manager, const char *name, const char *uuid, Domain **ret_domain,
                        GError **error)
{
  return registry_check_identity (manager->domains, name, uuid, (Object **)ret_domain, error);
}

Domain *
manager_commit_definition (Manager *manager, DomainDef *def, GPtrArray *messages)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = manager_find_uuid (manager, def->uuid, NULL);
  gboolean was_persistent = domain != NULL && domain->persistent;

  if (domain == NULL)
    domain = manager_add (manager, def->name, def->uuid);
  domain->persistent = TRUE;
  domain->updated = domain_is_active (domain);
  g_clear_pointer (&domain->transient, domain_def_unref);
  definition_replace (domain, def);
  g_ptr_array_unref (domain->messages);
  domain->messages = messages;
  for (guint i = 0; i < messages->len; i++)
    g_warning ("domain '%s': %s", domain->name, (const char *)g_ptr_array_index (messages, i));
  if (domain->machine != NULL)
    machine_save_status (domain->machine);
  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_DEFINED,
                          was_persistent ? VIR_DOMAIN_EVENT_DEFINED_UPDATED : VIR_DOMAIN_EVENT_DEFINED_ADDED);
  return domain;
}

void
manager_commit_undefine (Manager *manager, Domain *domain)
{
  MAIN_LOOP_ONLY ();

  domain->persistent = FALSE;
  domain->autostart = domain->autostart_once = FALSE;
  if (domain->machine != NULL && domain->transient == NULL)
    domain->transient = domain_def_ref (domain->machine->def);
  definition_replace (domain, NULL);
  if (domain->machine != NULL)
    machine_save_status (domain->machine);
  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
  if (!domain_is_active (domain))
    manager_remove (manager, domain);
}

void
manager_commit_rename (Domain *domain, DomainDef *def)
{
  MAIN_LOOP_ONLY ();

  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
  registry_rename (&domain->object, def->name);
  g_clear_pointer (&domain->value, g_variant_unref);
  definition_replace (domain, def);
  domain_lifecycle_event (domain, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
}
