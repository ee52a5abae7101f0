/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Interfaces of the host, defined and started. One change at a time: the lock is of the host's configuration,
 * not of one interface, for the files of all are written together. Where nobody configures the host's network
 * the calls are refused with the number libvirt's udev backend has for all of them.
 */
#include "daemon/interface/host-interfaces.h"
#include "daemon/ops/interface/interface-call.h"
#include "daemon/ops/ops.h"

#include <string.h>

static GVariant *
nothing (void)
{
  return g_variant_new_tuple (NULL, 0);
}

static HostInterfaceDef *
read_document (const Call *call, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  gboolean strict = (call_uint (call, 1) & VIR_INTERFACE_DEFINE_VALIDATE) != 0;
  HostInterfaceDef *def = document_read (&host_interface_document, call_string (call, 0), -1,
                                         strict ? 0 : DOCUMENT_LAX, diagnostics);

  diagnostics_check (diagnostics, error);
  return def;
}

/* Defined, and found again; its handle or its name alone. */
static GVariant *
make_definition (const Call *call, gpointer settings, gboolean name_alone, GError **error)
{
  const NetworkConfig *config = interface_config_find (settings, "virInterfaceDefineXML", error);
  HostInterfaceDef *def = config != NULL ? read_document (call, error) : NULL;
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;
  gboolean done;

  if (def == NULL)
    return NULL;
  done = interface_define (settings, config, def, error) && interface_view_open (&view, settings, error)
         && interface_view_find_name (&view, def->name, &found, error);
  document_unref (&host_interface_document, def);
  if (!done)
    return NULL;
  return name_alone ? g_variant_new ("(s)", interface_found_name (&found))
                    : g_variant_new ("(@(ss))", interface_found_handle (&found));
}

static GVariant *
make_defined_handle (const Call *call, gpointer settings, GError **error)
{
  return make_definition (call, settings, FALSE, error);
}

static GVariant *
make_defined_name (const Call *call, gpointer settings, GError **error)
{
  return make_definition (call, settings, TRUE, error);
}

static void
define_name_begin (Call *call)
{
  interface_call_start (call, strlen (call_string (call, 0)), make_defined_name);
}

void
op_interface_define_name (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_INTERFACE_DEFINE_VALIDATE))
    interface_changes_lock (call, "define", define_name_begin);
}

static void
define_begin (Call *call)
{
  interface_call_start (call, strlen (call_string (call, 0)), make_defined_handle);
}

void
op_interface_define_xml (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), VIR_INTERFACE_DEFINE_VALIDATE))
    interface_changes_lock (call, "define", define_begin);
}

static GVariant *
make_undefine (const Call *call, gpointer settings, GError **error)
{
  const NetworkConfig *config = interface_config_find (settings, "virInterfaceUndefine", error);
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;

  if (config == NULL || !interface_view_open (&view, settings, error)
      || !interface_view_find (&view, call, &found, error)
      || !interface_undefine (settings, config, interface_found_name (&found), error))
    return NULL;
  return nothing ();
}

static void
undefine_begin (Call *call)
{
  interface_call_start (call, 0, make_undefine);
}

void
op_interface_undefine (Call *call)
{
  interface_changes_lock (call, "undefine", undefine_begin);
}

/* @active: what it must not be yet. */
static GVariant *
make_active (const Call *call, gpointer settings, gboolean active, GError **error)
{
  const NetworkConfig *config =
      interface_config_find (settings, active ? "virInterfaceCreate" : "virInterfaceDestroy", error);
  g_auto (InterfaceView) view = { NULL };
  InterfaceFound found;
  gboolean is_active;

  if (config == NULL || !interface_view_open (&view, settings, error)
      || !interface_view_find (&view, call, &found, error))
    return NULL;
  /* One without a carrier, a bridge without ports say, is started and not active. */
  is_active = found.link != NULL && interface_link_is_active (found.link);
  if (active && is_active) {
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_INVALID,
                         "interface is already running");
    return NULL;
  }
  if (!active && found.link == NULL) {
    virt_error_set_from (error, VIR_FROM_INTERFACE, VIR_ERR_OPERATION_INVALID, "interface is not running");
    return NULL;
  }
  if (!(active ? interface_start : interface_stop) (settings, config, interface_found_name (&found), error))
    return NULL;
  return nothing ();
}

static GVariant *
make_start (const Call *call, gpointer settings, GError **error)
{
  return make_active (call, settings, TRUE, error);
}

static GVariant *
make_stop (const Call *call, gpointer settings, GError **error)
{
  return make_active (call, settings, FALSE, error);
}

static void
create_begin (Call *call)
{
  interface_call_start (call, 0, make_start);
}

static void
destroy_begin (Call *call)
{
  interface_call_start (call, 0, make_stop);
}

void
op_interface_create (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    interface_changes_lock (call, "start", create_begin);
}

void
op_interface_destroy (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    interface_changes_lock (call, "stop", destroy_begin);
}

/* Changes of several. */

static GVariant *
make_begin (const Call *call G_GNUC_UNUSED, gpointer settings, GError **error)
{
  return interface_config_find (settings, "virInterfaceChangeBegin", error) != NULL
                 && interface_change_begin (settings, error)
             ? nothing ()
             : NULL;
}

static GVariant *
make_commit (const Call *call G_GNUC_UNUSED, gpointer settings, GError **error)
{
  return interface_config_find (settings, "virInterfaceChangeCommit", error) != NULL
                 && interface_change_commit (settings, error)
             ? nothing ()
             : NULL;
}

static GVariant *
make_rollback (const Call *call G_GNUC_UNUSED, gpointer settings, GError **error)
{
  const NetworkConfig *config = interface_config_find (settings, "virInterfaceChangeRollback", error);

  return config != NULL && interface_change_rollback (settings, config, error) ? nothing () : NULL;
}

static void
change_begin (Call *call)
{
  interface_call_start (call, 0, make_begin);
}

static void
change_commit (Call *call)
{
  interface_call_start (call, 0, make_commit);
}

static void
change_rollback (Call *call)
{
  interface_call_start (call, 0, make_rollback);
}

void
op_interface_change_begin (Call *call)
{
  if (call_check_flags (call, call_uint (call, 0), 0))
    interface_changes_lock (call, "begin a change", change_begin);
}

void
op_interface_change_commit (Call *call)
{
  if (call_check_flags (call, call_uint (call, 0), 0))
    interface_changes_lock (call, "commit a change", change_commit);
}

void
op_interface_change_rollback (Call *call)
{
  if (call_check_flags (call, call_uint (call, 0), 0))
    interface_changes_lock (call, "roll a change back", change_rollback);
}
