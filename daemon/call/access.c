/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may do what. There are two kinds of client: those that may do everything and those that only read.
 * A row says what an operation is; a few of them only read unless a flag asks for secrets.
 */
#include "daemon/call/libvirt-names.h"
#include "daemon/call/operation.h"

/* Operations that read, but not with these flags: the flags are the last argument. */
static const struct {
  const char *name;
  guint32 flags;
} secret_flags[] = {
  { "DOMAIN_GET_XML_DESC", VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE },
  { "DOMAIN_SNAPSHOT_GET_XML_DESC", VIR_DOMAIN_SNAPSHOT_XML_SECURE },
  { "DOMAIN_CHECKPOINT_GET_XML_DESC", VIR_DOMAIN_CHECKPOINT_XML_SECURE },
  { "DOMAIN_MANAGED_SAVE_GET_XML_DESC", VIR_DOMAIN_SAVE_IMAGE_XML_SECURE },
  { "DOMAIN_GET_VCPUS_FLAGS", VIR_DOMAIN_VCPU_GUEST },
};

static GError *
refuse (const Operation *operation)
{
  GError *error = NULL;

  g_autofree char *function =
      operation->program >= 0 ? libvirt_public_function (operation->name) : g_strdup (operation->name);

  virt_error_set_from (&error, libvirt_public_origin (operation->name), VIR_ERR_OPERATION_DENIED,
                       "read only access prevents %s", function);
  return error;
}

GError *
access_check (const Operation *operation, const Client *client, GVariant *arguments)
{
  if (!client->read_only)
    return NULL;
  if (operation->access != ACCESS_CONNECT && operation->access != ACCESS_READ)
    return refuse (operation);

  for (gsize i = 0; i < G_N_ELEMENTS (secret_flags); i++)
    if (g_str_equal (operation->name, secret_flags[i].name)) {
      g_autoptr (GVariant) flags =
          g_variant_get_child_value (arguments, g_variant_n_children (arguments) - 1);

      if (g_variant_get_uint32 (flags) & secret_flags[i].flags)
        return refuse (operation);
    }
  /* An agent inside the guest is asked to do something. */
  if (g_str_equal (operation->name, "DOMAIN_INTERFACE_ADDRESSES")) {
    guint32 source;

    g_variant_get_child (arguments, 1, "u", &source);
    if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
      return refuse (operation);
  }
  return NULL;
}
