/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts of a container's document that the definition keeps as texts, read once for whichever runtime asks.
 * They passed the schema as far as it knows them; what is not understood is left out, and its table of parts
 * speaks of it.
 */
#include "targets/container.h"

#include "base/scalars.h"
#include "base/xml-document.h"

#include <string.h>

const char *const container_capability_names[] = { "chown",
                                                   "dac_override",
                                                   "dac_read_search",
                                                   "fowner",
                                                   "fsetid",
                                                   "kill",
                                                   "setgid",
                                                   "setuid",
                                                   "setpcap",
                                                   "linux_immutable",
                                                   "net_bind_service",
                                                   "net_broadcast",
                                                   "net_admin",
                                                   "net_raw",
                                                   "ipc_lock",
                                                   "ipc_owner",
                                                   "sys_module",
                                                   "sys_rawio",
                                                   "sys_chroot",
                                                   "sys_ptrace",
                                                   "sys_pacct",
                                                   "sys_admin",
                                                   "sys_boot",
                                                   "sys_nice",
                                                   "sys_resource",
                                                   "sys_time",
                                                   "sys_tty_config",
                                                   "mknod",
                                                   "lease",
                                                   "audit_write",
                                                   "audit_control",
                                                   "setfcap",
                                                   "mac_override",
                                                   "mac_admin",
                                                   "syslog",
                                                   "wake_alarm",
                                                   "block_suspend",
                                                   "audit_read",
                                                   NULL };

const char *const container_capabilities_withheld[] = { "sys_module",    "sys_time",  "mknod",
                                                        "audit_control", "mac_admin", NULL };

static void
variable_free (gpointer data)
{
  ContainerVariable *variable = data;

  g_free (variable->name);
  g_free (variable->value);
  g_free (variable);
}

static void
capability_free (gpointer data)
{
  ContainerCapability *capability = data;

  g_free (capability->name);
  g_free (capability);
}

static void
share_free (gpointer data)
{
  ContainerShare *share = data;

  g_free (share->kind);
  g_free (share->type);
  g_free (share->value);
  g_free (share);
}

/* An element that was kept as it stands; NULL is fine. */
static XmlDocument *
read_kept (const char *xml)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  return xml != NULL ? xml_document_parse (xml, -1, diagnostics) : NULL;
}

static void
read_variable (Container *container, const char *xml)
{
  g_autoptr (XmlDocument) document = read_kept (xml);
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;
  g_autofree char *name = root != NULL ? xml_node_attribute (root, "name") : NULL;
  ContainerVariable *variable;

  if (name == NULL)
    return;
  variable = g_new0 (ContainerVariable, 1);
  variable->name = g_steal_pointer (&name);
  variable->value = xml_node_text (root);
  g_ptr_array_add (container->variables, variable);
}

static gboolean
read_number (xmlNode *element, const char *name, guint64 *ret)
{
  g_autofree char *text = xml_node_attribute (element, name);

  return text != NULL && parse_uint (text, G_MAXUINT32, ret);
}

static void
read_mappings (Container *container, const char *xml)
{
  g_autoptr (XmlDocument) document = read_kept (xml);
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;

  for (xmlNode *child = root != NULL ? root->children : NULL; child != NULL; child = child->next) {
    ContainerMapping mapping = { .is_group = xmlStrEqual (child->name, BAD_CAST "gid") };

    if (child->type == XML_ELEMENT_NODE && read_number (child, "start", &mapping.start)
        && read_number (child, "target", &mapping.target) && read_number (child, "count", &mapping.count))
      g_ptr_array_add (container->mappings, g_memdup2 (&mapping, sizeof mapping));
  }
}

static void
read_capabilities (Container *container, const char *xml)
{
  g_autoptr (XmlDocument) document = read_kept (xml);
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;
  g_autofree char *policy = root != NULL ? xml_node_attribute (root, "policy") : NULL;

  if (g_strcmp0 (policy, "allow") == 0)
    container->policy = CONTAINER_CAPABILITIES_ALLOW;
  else if (g_strcmp0 (policy, "deny") == 0)
    container->policy = CONTAINER_CAPABILITIES_DENY;
  for (xmlNode *child = root != NULL ? root->children : NULL; child != NULL; child = child->next) {
    ContainerCapability *capability;
    g_autofree char *state = NULL;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    state = xml_node_attribute (child, "state");
    capability = g_new0 (ContainerCapability, 1);
    capability->name = g_ascii_strdown ((const char *)child->name, -1);
    capability->on = g_strcmp0 (state, "off") != 0;
    g_ptr_array_add (container->capabilities, capability);
  }
}

/* <lxc:sharenet type='netns' value='red'/> and its like. */
static void
read_shares (Container *container, const char *xml)
{
  g_autoptr (XmlDocument) document = read_kept (xml);
  xmlNode *root = document != NULL ? xml_document_root (document) : NULL;

  for (xmlNode *child = root != NULL ? root->children : NULL; child != NULL; child = child->next) {
    ContainerShare *share;

    if (child->type != XML_ELEMENT_NODE || !g_str_has_prefix ((const char *)child->name, "share"))
      continue;
    share = g_new0 (ContainerShare, 1);
    share->kind = g_strdup ((const char *)child->name + strlen ("share"));
    share->type = xml_node_attribute (child, "type");
    share->value = xml_node_attribute (child, "value");
    if (share->type != NULL && share->value != NULL)
      g_ptr_array_add (container->shares, share);
    else
      share_free (share);
  }
}

Container *
container_read (const DomainDef *def)
{
  Container *container = g_new0 (Container, 1);
  const GPtrArray *environment = def->os.init_environment;

  container->variables = g_ptr_array_new_with_free_func (variable_free);
  container->mappings = g_ptr_array_new_with_free_func (g_free);
  container->capabilities = g_ptr_array_new_with_free_func (capability_free);
  container->shares = g_ptr_array_new_with_free_func (share_free);
  for (guint i = 0; environment != NULL && i < environment->len; i++)
    read_variable (container, g_ptr_array_index (environment, i));
  read_mappings (container, def->verbatim.idmap);
  read_capabilities (container, def->features.capabilities);
  read_shares (container, def->verbatim.lxc_namespace);
  return container;
}

void
container_free (Container *container)
{
  if (container == NULL)
    return;
  g_ptr_array_unref (container->variables);
  g_ptr_array_unref (container->mappings);
  g_ptr_array_unref (container->capabilities);
  g_ptr_array_unref (container->shares);
  g_free (container);
}

gboolean
container_has_capability (const Container *container, const char *name)
{
  for (guint i = 0; i < container->capabilities->len; i++) {
    const ContainerCapability *capability = g_ptr_array_index (container->capabilities, i);

    if (g_str_equal (capability->name, name))
      return capability->on;
  }
  return container->policy == CONTAINER_CAPABILITIES_ALLOW
         || (container->policy == CONTAINER_CAPABILITIES_DEFAULT
             && !g_strv_contains (container_capabilities_withheld, name));
}

void
container_check (const DomainDef *def, TargetLosses *losses)
{
  if (def->os.type != OS_TYPE_EXE)
    target_refuse (losses, NULL, "<os><type>",
                   "runs containers, not machines: <domain type='lxc'> with <os><type>exe</type>");
  else if (def->os.init == NULL)
    target_refuse (losses, NULL, "<os>", "needs a program to start: <init>");
  if (def->clock.offset != CLOCK_UTC)
    target_lose (losses, NULL, "<clock offset=>", "has the host's clock, 'utc'");
  if (def->current_memory.value != def->memory.value)
    target_lose (losses, NULL, "<currentMemory>", "has one limit, <memory>");
}

gboolean
container_is_root (const DeviceFilesystem *filesystem)
{
  return g_strcmp0 (filesystem->target, "/") == 0;
}

gboolean
container_read_account (const char *account, const char *part, TargetLosses *losses, guint64 *ret)
{
  if (account == NULL)
    return FALSE;
  if (parse_uint (account + (*account == '+'), G_MAXUINT32, ret))
    return TRUE;
  target_lose (losses, NULL, part, "takes a number, and not the name '%s'", account);
  return FALSE;
}

guint64
container_memory_limit (const DomainDef *def)
{
  return def->memtune.hard_limit.set ? def->memtune.hard_limit.value : def->memory.value;
}

const SignedNumber *
container_quota (const DomainDef *def, const Number **ret_period)
{
  const DomainCputune *tune = &def->cputune;

  *ret_period = tune->global_quota.set ? &tune->global_period : &tune->period;
  return tune->global_quota.set ? &tune->global_quota : &tune->quota;
}
