/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <policy> by its table. In a document it stands inside of <metadata>, which libvirt's programs keep as it
 * is; so it is read from the document's own tree, once the domain's fields are, and its mistakes have their
 * places like any other. What a client puts into the metadata by itself is read from that text.
 */
#include "domain/policy.h"

#include "document/namespace.h"

#include <string.h>

#define POLICY_CONSOLE_MAX       1024 /* bytes of a text that a console is to write */
#define READY_TIMEOUT_SECONDS    300
#define RESTART_DELAY_SECONDS    1
#define RESTART_DELAY_MAX        300
#define RESTART_LIMIT            5
#define RESTART_INTERVAL_SECONDS 600

const EnumTable policy_states = { "state", { NULL, "running", "stopped", "as-is" } };
const EnumTable policy_restarts = { "restart policy", { NULL, "no", "on-failure", "always" } };
const EnumTable policy_shutdowns = { "shutdown action", { NULL, "shutdown", "save", "leave" } };
const EnumTable policy_disk_formats = { "format of an image", { NULL, "qcow2", "raw" } };

static const FieldRange seconds = { 0, POLICY_SECONDS_MAX };
static const FieldRange some_seconds = { 1, POLICY_SECONDS_MAX };
static const FieldRange port_numbers = { 1, G_MAXUINT16 };
static const FieldRange limits = { 0, 1000000 };
static const FieldSize bytes = { .unit = 1, .kept = 1, .written = "bytes", .written_unit = 1 };

static const FieldTable label_table = {
  sizeof (PolicyLabel),
  (const Field[]){
      FIELD_WITH (PolicyLabel, name, "@name", field_text, NULL, FIELD_REQUIRED),
      FIELD (PolicyLabel, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable start_table = {
  sizeof (PolicyStart),
  (const Field[]){
      FIELD (PolicyStart, delay, "@delay", field_number, &seconds),
      FIELD (PolicyStart, after, "domaind:after", field_texts, NULL),
      FIELD (PolicyStart, requires, "domaind:requires", field_texts, NULL),
      FIELD_END,
  },
};

static const FieldTable port_table = {
  sizeof (PolicyPort),
  (const Field[]){
      FIELD_WITH (PolicyPort, number, "@number", field_number, &port_numbers, FIELD_REQUIRED),
      FIELD (PolicyPort, address, "@address", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable ready_table = {
  sizeof (PolicyReady),
  (const Field[]){
      FIELD (PolicyReady, timeout, "@timeout", field_number, &some_seconds),
      FIELD (PolicyReady, agent, "domaind:agent", field_flag, NULL),
      FIELD (PolicyReady, address, "domaind:address", field_flag, NULL),
      FIELD (PolicyReady, ports, "domaind:port", field_list, &port_table),
      FIELD (PolicyReady, console, "domaind:console", field_texts, NULL),
      FIELD_END,
  },
};

static const FieldTable restart_table = {
  sizeof (PolicyRestart),
  (const Field[]){
      FIELD_WITH (PolicyRestart, when, "@when", field_enum, &policy_restarts, FIELD_REQUIRED),
      FIELD (PolicyRestart, delay, "@delay", field_number, &seconds),
      FIELD (PolicyRestart, maximum_delay, "@maximumDelay", field_number, &seconds),
      FIELD (PolicyRestart, limit, "@limit", field_number, &limits),
      FIELD (PolicyRestart, interval, "@interval", field_number, &some_seconds),
      FIELD_END,
  },
};

static const FieldTable shutdown_table = {
  sizeof (PolicyShutdown),
  (const Field[]){
      FIELD_WITH (PolicyShutdown, action, "@action", field_enum, &policy_shutdowns, FIELD_REQUIRED),
      FIELD (PolicyShutdown, timeout, "@timeout", field_number, &some_seconds),
      FIELD_END,
  },
};

static const FieldTable disk_table = {
  sizeof (PolicyDisk),
  (const Field[]){
      FIELD_WITH (PolicyDisk, target, "@target", field_text, NULL, FIELD_REQUIRED),
      FIELD (PolicyDisk, format, "@format", field_enum, &policy_disk_formats),
      FIELD (PolicyDisk, size, "domaind:size", field_memory, &bytes),
      FIELD (PolicyDisk, base, "domaind:base/@file", field_text, NULL),
      FIELD (PolicyDisk, base_format, "domaind:base/@format", field_text, NULL),
      FIELD (PolicyDisk, base_sha256, "domaind:base/@sha256", field_text, NULL),
      FIELD (PolicyDisk, base_copy, "domaind:base/@copy", field_yes_no, NULL),
      FIELD_END,
  },
};

static const FieldTable seed_table = {
  sizeof (PolicySeed),
  (const Field[]){
      FIELD_WITH (PolicySeed, target, "@target", field_text, NULL, FIELD_REQUIRED),
      FIELD (PolicySeed, user_data, "@userData", field_text, NULL),
      FIELD (PolicySeed, meta_data, "@metaData", field_text, NULL),
      FIELD (PolicySeed, network_config, "@networkConfig", field_text, NULL),
      FIELD (PolicySeed, host_name, "@hostName", field_text, NULL),
      FIELD (PolicySeed, user, "@user", field_text, NULL),
      FIELD (PolicySeed, ssh_keys, "domaind:sshKey", field_texts, NULL),
      FIELD_END,
  },
};

const FieldTable policy_table = {
  sizeof (Policy),
  (const Field[]){
      FIELD (Policy, state, "@state", field_enum, &policy_states),
      FIELD (Policy, source, "@source", field_text, NULL),
      FIELD (Policy, labels, "domaind:label", field_list, &label_table),
      FIELD (Policy, start, "domaind:start", field_struct, &start_table),
      FIELD (Policy, ready, "domaind:ready", field_struct, &ready_table),
      FIELD (Policy, restart, "domaind:restart", field_struct, &restart_table),
      FIELD (Policy, shutdown, "domaind:shutdown", field_struct, &shutdown_table),
      FIELD (Policy, disks, "domaind:disk", field_list, &disk_table),
      FIELD (Policy, seeds, "domaind:seed", field_list, &seed_table),
      FIELD_END,
  },
};

static void G_GNUC_PRINTF (4, 5)
    refuse (const FieldReader *reader, gconstpointer member, gconstpointer fallback, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (reader->diagnostics, source_map_find (reader->map, member, fallback), VIR_ERR_XML_ERROR,
                     "%s", message);
}

static void
check_texts (const FieldReader *reader, GPtrArray *const *texts, gconstpointer fallback, const char *what)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (*texts == NULL)
    return;
  if ((*texts)->len > POLICY_NAMES_MAX)
    refuse (reader, texts, fallback, "<%s> stands %u times: at most %d are possible", what, (*texts)->len,
            POLICY_NAMES_MAX);
  for (guint i = 0; i < (*texts)->len; i++) {
    char *text = g_ptr_array_index (*texts, i);

    if (text[0] == '\0' || strchr (text, '\n') != NULL)
      refuse (reader, texts, fallback, "<%s> is '%s': one line of text is needed", what, text);
    else if (!g_hash_table_add (seen, text))
      refuse (reader, texts, fallback, "<%s>%s</%s> stands twice", what, text, what);
  }
}

static void
check_labels (const FieldReader *reader, const Policy *policy)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (policy->labels == NULL)
    return;
  if (policy->labels->len > POLICY_NAMES_MAX)
    refuse (reader, &policy->labels, policy, "%u labels: at most %d are possible", policy->labels->len,
            POLICY_NAMES_MAX);
  for (guint i = 0; i < policy->labels->len; i++) {
    const PolicyLabel *label = g_ptr_array_index (policy->labels, i);

    if (label->name != NULL && !g_hash_table_add (seen, label->name))
      refuse (reader, &label->name, label, "label '%s' stands twice", label->name);
  }
}

static void
check_ready (const FieldReader *reader, const PolicyReady *ready)
{
  if (ready->ports != NULL && ready->ports->len > POLICY_NAMES_MAX)
    refuse (reader, &ready->ports, ready, "<port> stands %u times: at most %d are possible",
            ready->ports->len, POLICY_NAMES_MAX);
  for (guint i = 0; ready->console != NULL && i < ready->console->len; i++)
    if (strlen (g_ptr_array_index (ready->console, i)) > POLICY_CONSOLE_MAX)
      refuse (reader, &ready->console, ready, "the text of <console> has %zu bytes: at most %d are possible",
              strlen (g_ptr_array_index (ready->console, i)), POLICY_CONSOLE_MAX);
}

static void
check_restart (const FieldReader *reader, const PolicyRestart *restart)
{
  if (restart->delay.set && restart->maximum_delay.set && restart->delay.value > restart->maximum_delay.value)
    refuse (reader, &restart->maximum_delay, restart,
            "a restart's delay of %" G_GUINT64_FORMAT
            " seconds is more than its maximumDelay of %" G_GUINT64_FORMAT,
            restart->delay.value, restart->maximum_delay.value);
}

/* Each image is made in one way. */
static void
check_target (const FieldReader *reader, GHashTable *seen, char *const *target, gconstpointer fallback)
{
  if (*target != NULL && !g_hash_table_add (seen, *target))
    refuse (reader, target, fallback, "the image of target '%s' is described twice", *target);
}

static gboolean
is_sha256 (const char *text)
{
  return strlen (text) == 64 && strspn (text, "0123456789abcdef") == 64;
}

static void
check_disk (const FieldReader *reader, const PolicyDisk *disk)
{
  if (disk->base == NULL && !disk->size.set && !source_map_is_invalid (reader->map, disk))
    refuse (reader, &disk->target, disk, "the disk '%s' needs a <size> or a <base>", disk->target);
  if (disk->size.set && disk->size.value == 0)
    refuse (reader, &disk->size, disk, "the size of disk '%s' is 0", disk->target);
  if (disk->base == NULL && (disk->base_format != NULL || disk->base_sha256 != NULL || disk->base_copy != 0))
    refuse (reader, &disk->base_format, disk, "the <base> of disk '%s' needs a file", disk->target);
  if (disk->base_sha256 != NULL && !is_sha256 (disk->base_sha256))
    refuse (reader, &disk->base_sha256, disk,
            "sha256 is '%s': 64 hexadecimal digits in small letters are needed", disk->base_sha256);
}

static void
check_seed (const FieldReader *reader, const PolicySeed *seed)
{
  gboolean brief = seed->host_name != NULL || seed->user != NULL || seed->ssh_keys != NULL;

  if (seed->user_data != NULL && (seed->user != NULL || seed->ssh_keys != NULL))
    refuse (reader, &seed->user_data, seed, "the seed '%s' has userData besides a user or an <sshKey>",
            seed->target);
  if (seed->meta_data != NULL && seed->host_name != NULL)
    refuse (reader, &seed->meta_data, seed, "the seed '%s' has metaData besides a hostName", seed->target);
  if (seed->user_data == NULL && !brief && !source_map_is_invalid (reader->map, seed))
    refuse (reader, &seed->target, seed, "the seed '%s' needs userData, or a hostName, a user or an <sshKey>",
            seed->target);
  check_texts (reader, &seed->ssh_keys, seed, "sshKey");
}

static void
check (const FieldReader *reader, const Policy *policy)
{
  g_autoptr (GHashTable) targets = g_hash_table_new (g_str_hash, g_str_equal);

  if (policy->source != NULL && policy->source[0] == '\0')
    refuse (reader, &policy->source, policy, "the source is empty: a label is needed");
  check_labels (reader, policy);
  check_texts (reader, &policy->start.after, &policy->start, "after");
  check_texts (reader, &policy->start.requires, &policy->start, "requires");
  check_texts (reader, &policy->ready.console, &policy->ready, "console");
  check_ready (reader, &policy->ready);
  check_restart (reader, &policy->restart);
  for (guint i = 0; policy->disks != NULL && i < policy->disks->len; i++) {
    const PolicyDisk *disk = g_ptr_array_index (policy->disks, i);

    check_target (reader, targets, &disk->target, disk);
    check_disk (reader, disk);
  }
  for (guint i = 0; policy->seeds != NULL && i < policy->seeds->len; i++) {
    const PolicySeed *seed = g_ptr_array_index (policy->seeds, i);

    check_target (reader, targets, &seed->target, seed);
    check_seed (reader, seed);
  }
}

static gboolean
is_policy (const xmlNode *node)
{
  return node->type == XML_ELEMENT_NODE && node->ns != NULL
         && g_strcmp0 ((const char *)node->ns->href, POLICY_NAMESPACE) == 0
         && g_str_equal ((const char *)node->name, "policy");
}

static void
claim_namespace (xmlNode *element)
{
  namespace_claim (element, POLICY_PREFIX, POLICY_NAMESPACE, FALSE);
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      claim_namespace (child);
}

static Policy *
read_element (FieldReader *reader, xmlNode *element)
{
  Policy *policy = field_new (&policy_table);

  policy->ref_count = 1;
  claim_namespace (element);
  field_read (reader, &policy_table, policy, element);
  check (reader, policy);
  return policy;
}

/* @metadata: the element. */
static Policy *
read_metadata (FieldReader *reader, xmlNode *metadata)
{
  Policy *policy = NULL;

  for (xmlNode *child = metadata->children; child != NULL; child = child->next)
    if (is_policy (child) && policy != NULL)
      diagnostics_error (reader->diagnostics, xml_document_node_position (reader->document, child),
                         VIR_ERR_XML_ERROR, "there is more than one <policy>");
    else if (is_policy (child))
      policy = read_element (reader, child);
  return policy;
}

Policy *
policy_read_document (FieldReader *reader, xmlNode *root)
{
  /* Declared there, it is everywhere below. */
  namespace_claim (root, POLICY_PREFIX, POLICY_NAMESPACE, TRUE);
  for (xmlNode *child = root->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && child->ns == NULL
        && g_str_equal ((const char *)child->name, "metadata")) {
      namespace_claim (child, POLICY_PREFIX, POLICY_NAMESPACE, FALSE);
      return read_metadata (reader, child);
    }
  return NULL;
}

gboolean
policy_read (const char *metadata, Policy **ret_policy, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("(metadata)");
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (XmlDocument) document = NULL;
  g_autoptr (Policy) policy = NULL;

  /* Most have none, and nothing is read for it. */
  if (metadata != NULL && strstr (metadata, POLICY_NAMESPACE) != NULL)
    document = xml_document_parse (metadata, -1, diagnostics);
  if (document != NULL) {
    FieldReader reader = { document, diagnostics, map, FALSE, NULL, NULL };

    namespace_claim (xml_document_root (document), POLICY_PREFIX, POLICY_NAMESPACE, TRUE);
    policy = read_metadata (&reader, xml_document_root (document));
  }
  if (!diagnostics_check (diagnostics, error))
    return FALSE;
  *ret_policy = g_steal_pointer (&policy);
  return TRUE;
}

Policy *
policy_ref (Policy *policy)
{
  g_atomic_int_inc (&policy->ref_count);
  return policy;
}

void
policy_unref (Policy *policy)
{
  if (policy != NULL && g_atomic_int_dec_and_test (&policy->ref_count))
    field_free (&policy_table, policy);
}

static guint
said (Number number, guint otherwise)
{
  return number.set ? (guint)number.value : otherwise;
}

PolicyState
policy_state (const Policy *policy)
{
  return policy == NULL || policy->state == POLICY_STATE_UNSET ? POLICY_STATE_AS_IS
                                                               : (PolicyState)policy->state;
}

guint
policy_start_delay (const Policy *policy)
{
  return policy != NULL ? said (policy->start.delay, 0) : 0;
}

guint
policy_ready_timeout (const Policy *policy)
{
  return policy != NULL ? said (policy->ready.timeout, READY_TIMEOUT_SECONDS) : READY_TIMEOUT_SECONDS;
}

gboolean
policy_waits_ready (const Policy *policy)
{
  return policy != NULL
         && (policy->ready.agent || policy->ready.address || policy->ready.ports != NULL
             || policy->ready.console != NULL);
}

RestartWhen
policy_restart_when (const Policy *policy)
{
  return policy == NULL || policy->restart.when == RESTART_UNSET ? RESTART_NO
                                                                 : (RestartWhen)policy->restart.when;
}

guint
policy_restart_delay (const Policy *policy, guint restarts)
{
  guint64 delay =
      policy != NULL ? said (policy->restart.delay, RESTART_DELAY_SECONDS) : RESTART_DELAY_SECONDS;
  guint64 most = policy != NULL ? said (policy->restart.maximum_delay, RESTART_DELAY_MAX) : RESTART_DELAY_MAX;

  if (policy != NULL && !policy->restart.maximum_delay.set)
    most = MAX (most, delay);
  while (restarts-- > 0 && delay > 0 && delay < most)
    delay *= 2;
  return (guint)MIN (delay, most);
}

gboolean
policy_requires (const Policy *policy, const char *name)
{
  return policy != NULL && policy->start.requires != NULL
         && g_ptr_array_find_with_equal_func (policy->start.requires, name, g_str_equal, NULL);
}

guint
policy_restart_limit (const Policy *policy)
{
  return policy != NULL ? said (policy->restart.limit, RESTART_LIMIT) : RESTART_LIMIT;
}

guint
policy_restart_interval (const Policy *policy)
{
  return policy != NULL ? said (policy->restart.interval, RESTART_INTERVAL_SECONDS)
                        : RESTART_INTERVAL_SECONDS;
}
