/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding an operation, and the one way every call goes: access, the object it is about, its function. So no
 * function can forget the access check, and none finds its object by itself.
 */
#include "daemon/call/operation.h"

#include "base/scalars.h"
#include "daemon/call/libvirt-names.h"

/* "Connect\nListDomains" → Operation; made once, read only afterwards. */
static GHashTable *
member_index (void)
{
  static gsize made;
  static GHashTable *index;

  if (g_once_init_enter (&made)) {
    index = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    for (const Operation *operation = operations; operation->name != NULL; operation++)
      if (operation->interface != NULL)
        g_hash_table_insert (index, g_strconcat (operation->interface, "\n", operation->member, NULL),
                             (gpointer)operation);
    g_once_init_leave (&made, 1);
  }
  return index;
}

const Operation *
operation_by_member (const char *interface, const char *member)
{
  g_autofree char *key = g_strconcat (interface, "\n", member, NULL);

  return g_hash_table_lookup (member_index (), key);
}

/* program and procedure as one number → Operation. */
static GHashTable *
procedure_index (void)
{
  static gsize made;
  static GHashTable *index;

  if (g_once_init_enter (&made)) {
    index = g_hash_table_new (NULL, NULL);
    for (const Operation *operation = operations; operation->name != NULL; operation++)
      if (operation->program >= 0)
        g_hash_table_insert (index, GINT_TO_POINTER (operation->program << 16 | operation->procedure),
                             (gpointer)operation);
    g_once_init_leave (&made, 1);
  }
  return index;
}

const Operation *
operation_by_procedure (int program, int procedure)
{
  if (program < 0 || program > G_MAXINT16 || procedure <= 0 || procedure > G_MAXUINT16)
    return NULL;
  return g_hash_table_lookup (procedure_index (), GINT_TO_POINTER (program << 16 | procedure));
}

static void
set_object (Call *call, Object *object)
{
  call->object = object;
  if (object == NULL || object->kind != call->manager->domains->kind)
    return;
  call->domain = (Domain *)object;
  g_free (call->domain_uuid);
  call->domain_uuid = g_strdup (object->uuid);
}

/* The object of a handle by UUID, which is what a handle means. Fails the call and gives FALSE when there is
 * none. */
static gboolean
find_in_registry (Call *call, const ObjectKind *kind, GVariant *handle)
{
  g_autofree char *key = object_handle_key (kind, handle);
  const char *name = NULL;

  if (key == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "the UUID of a %s has %d bytes", kind->name, UUID_BYTES);
    return FALSE;
  }
  set_object (call, registry_find_uuid (manager_registry (call->manager, kind), key, NULL));
  if (call->object != NULL)
    return TRUE;
  if (!kind->unnamed)
    g_variant_get_child (handle, 0, "&s", &name);
  call_fail_with (call, kind->missing, "no %s with matching uuid '%s'%s%s%s", kind->name, key,
                  name != NULL ? " (" : "", name != NULL ? name : "", name != NULL ? ")" : "");
  return FALSE;
}

/* A child by its owner's UUID and its own name. */
static gboolean
find_child (Call *call, const ObjectKind *kind, GVariant *handle)
{
  g_autoptr (GVariant) owner = g_variant_get_child_value (handle, 1);
  GError *error = NULL;
  const char *name;

  if (!find_in_registry (call, kind->child->owner, owner))
    return FALSE;
  g_variant_get_child (handle, 0, "&s", &name);
  call->child = child_find (child_tree_of (kind, call->object), name, &error);
  if (call->child == NULL)
    call_fail (call, error);
  return call->child != NULL;
}

gboolean
operation_find_object (Call *call)
{
  const ObjectKind *kind = object_kind_of_letter (call->operation->in[0]);
  g_autoptr (GVariant) handle = NULL;

  if (kind == NULL || (kind->size == 0 && kind->child == NULL))
    return TRUE;
  handle = g_variant_get_child_value (call->arguments, 0);
  return kind->child != NULL ? find_child (call, kind, handle) : find_in_registry (call, kind, handle);
}

static void
refuse_unsupported (Call *call)
{
  const Operation *operation = call->operation;
  int origin = libvirt_origin (operation->name);
  g_autofree char *function =
      operation->program >= 0 ? libvirt_public_function (operation->name) : g_strdup (operation->name);

  call_fail_from (call, origin >= 0 ? (virErrorDomain)origin : VIR_FROM_DOMAIN, VIR_ERR_NO_SUPPORT, "%s",
                  function);
}

void
operation_dispatch (Call *call)
{
  GError *refusal = access_check (call->operation, call->client, call->arguments);

  if (refusal != NULL) {
    call_fail (call, refusal);
    return;
  }
  if (call->operation->function == NULL) {
    refuse_unsupported (call);
    return;
  }
  /* Texts handed out by call_string stay where they are from here on. What is to be cleared stays in one
   * place.
   */
  if (!call->operation->sensitive)
    g_variant_get_data (call->arguments);
  if (operation_find_object (call))
    call->operation->function (call);
}
