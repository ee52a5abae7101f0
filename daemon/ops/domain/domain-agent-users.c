/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the guest's agent does for the guest's users: their passwords, and the keys they may log in with.
 */
#include "daemon/ops/domain/agent-call.h"

#include <string.h>

#define KEYS_MAX  2048 /* what the answer may hold */
#define SET_FLAGS (VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND | VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE)

/* Passwords. */

static GVariant *
set_password (Agent *agent, const AgentContext *context, GError **error)
{
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) answer = NULL;
  g_autofree char *encoded = NULL;
  const char *user, *password;
  guint32 flags;

  g_variant_get (context->arguments, "(@(sayi)m&sm&su)", NULL, &user, &password, &flags);
  password = password != NULL ? password : "";
  encoded = g_base64_encode ((const guchar *)password, strlen (password));
  json_object_set_string_member (arguments, "username", user != NULL ? user : "");
  json_object_set_string_member (arguments, "password", encoded);
  json_object_set_boolean_member (arguments, "crypted", (flags & VIR_DOMAIN_PASSWORD_ENCRYPTED) != 0);
  answer = agent_call (agent, "guest-set-user-password", arguments, error);
  return answer != NULL ? g_variant_new ("()") : NULL;
}

void
op_domain_set_user_password (Call *call)
{
  if (call_check_flags (call, call_uint (call, 3), VIR_DOMAIN_PASSWORD_ENCRYPTED))
    agent_call_query (call, set_password);
}

/* Keys. */

static GVariant *
get_keys (Agent *agent, const AgentContext *context, GError **error)
{
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) answer = NULL;
  JsonArray *keys = NULL;
  GVariantBuilder list;
  const char *user;

  g_variant_get_child (context->arguments, 1, "&s", &user);
  json_object_set_string_member (arguments, "username", user);
  answer = agent_call (agent, "guest-ssh-get-authorized-keys", arguments, error);
  if (answer == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (answer))
    keys = untrusted_list (json_node_get_object (answer), "keys");
  if (keys == NULL || json_array_get_length (keys) > KEYS_MAX) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the guest agent answered with no list of at most %d keys",
                    KEYS_MAX);
    return NULL;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < json_array_get_length (keys); i++) {
    JsonNode *key = json_array_get_element (keys, i);

    if (json_node_get_value_type (key) == G_TYPE_STRING)
      g_variant_builder_add (&list, "s", json_node_get_string (key));
  }
  return g_variant_new ("(as)", &list);
}

void
op_domain_authorized_ssh_keys_get (Call *call)
{
  if (call_check_flags (call, call_uint (call, 2), 0))
    agent_call_query (call, get_keys);
}

static GVariant *
set_keys (Agent *agent, const AgentContext *context, GError **error)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (context->arguments, 2);
  JsonObject *arguments = json_object_new ();
  JsonArray *keys = json_array_new ();
  g_autoptr (JsonNode) answer = NULL;
  gboolean removes;
  const char *user;
  guint32 flags;

  g_variant_get_child (context->arguments, 1, "&s", &user);
  g_variant_get_child (context->arguments, 3, "u", &flags);
  removes = (flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE) != 0;
  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    const char *key;

    g_variant_get_child (list, i, "&s", &key);
    json_array_add_string_element (keys, key);
  }
  json_object_set_string_member (arguments, "username", user);
  json_object_set_array_member (arguments, "keys", keys);
  if (!removes)
    json_object_set_boolean_member (arguments, "reset",
                                    (flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND) == 0);
  answer = agent_call (agent, removes ? "guest-ssh-remove-authorized-keys" : "guest-ssh-add-authorized-keys",
                       arguments, error);
  return answer != NULL ? g_variant_new ("()") : NULL;
}

void
op_domain_authorized_ssh_keys_set (Call *call)
{
  g_autoptr (GVariant) keys = g_variant_get_child_value (call->arguments, 2);
  guint32 flags = call_uint (call, 3);

  if (!call_check_flags (call, flags, SET_FLAGS))
    return;
  if ((flags & SET_FLAGS) == SET_FLAGS)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND' and "
                    "'VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE' are mutually exclusive");
  else if (flags != 0 && g_variant_n_children (keys) == 0)
    call_fail_plain (call, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                     "keys in virDomainAuthorizedSSHKeysSet must not be NULL");
  else
    agent_call_query (call, set_keys);
}
