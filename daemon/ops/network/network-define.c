/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Networks defined as every kind of object is, and networks made for as long as they run. */
#include "daemon/network/networks.h"
#include "daemon/ops/object/object-define.h"
#include "daemon/ops/ops.h"

#include <string.h>

void
op_network_define_xml (Call *call)
{
  object_define (call, &network_kind, FALSE);
}

void
op_network_define_xml_flags (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_NETWORK_DEFINE_VALIDATE))
    object_define (call, &network_kind, (flags & VIR_NETWORK_DEFINE_VALIDATE) != 0);
}

/* The call's document, and the names of the host's links. */
typedef struct {
  Call *call;
  gboolean strict;
  NetworkDef *def;
  char **links;
} Creation;

static void
creation_free (gpointer data)
{
  Creation *creation = data;

  network_def_unref (creation->def);
  g_strfreev (creation->links);
  g_free (creation);
}

static gpointer
parse (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Creation *creation = input;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  creation->def = network_def_parse (call_string (creation->call, 0), -1, creation->strict ? 0 : DOCUMENT_LAX,
                                     diagnostics);
  if (!diagnostics_check (diagnostics, error))
    return NULL;
  creation->links = networks_host_links (creation->def);
  return JOB_OK;
}

static void
begin (Call *call)
{
  network_start ((Network *)call->object, call,
                 g_variant_new ("(@(say))", network_kind.handle (call->object)));
}

static void
create (Call *call, NetworkDef *def, const char *const *links)
{
  Registry *registry = manager_registry (call->manager, &network_kind);
  GError *error = NULL;
  Network *network;
  Object *same = NULL;

  if (!registry_check_identity (registry, def->name, def->uuid, &same, &error)
      || !networks_choose_bridge (registry, same, def, links, &error)
      || !networks_check_create (call->manager, def, &network, &error)) {
    call_fail (call, error);
    return;
  }
  if (network == NULL)
    network = network_add (call->manager, network_def_ref (def));
  else {
    network->next = g_steal_pointer (&network->def);
    network->def = network_def_ref (def);
  }
  call->object = &network->object;
  call_lock (call, "create", begin); /* at once: nobody has it */
}

static void
parsed (gpointer result, const GError *error, gpointer data)
{
  const Creation *creation = data;

  if (result == NULL)
    call_fail (creation->call, g_error_copy (error));
  else
    create (creation->call, creation->def, (const char *const *)creation->links);
}

static void
read_and_create (Call *call, gboolean strict)
{
  Creation *creation = g_new0 (Creation, 1);

  creation->call = call;
  creation->strict = strict;
  call_work (call, strlen (call_string (call, 0)), "net-document", parse, creation, creation_free, parsed);
}

/* A network without a file; or one with a file, run from another document this once. */
void
op_network_create_xml (Call *call)
{
  read_and_create (call, FALSE);
}

void
op_network_create_xml_flags (Call *call)
{
  guint flags = call_uint (call, 1);

  if (call_check_flags (call, flags, VIR_NETWORK_CREATE_VALIDATE))
    read_and_create (call, (flags & VIR_NETWORK_CREATE_VALIDATE) != 0);
}
