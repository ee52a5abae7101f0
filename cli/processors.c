/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Processors: the models there are, whether this host or a guest on it has what a <cpu> asks for, and what
 * several hosts have in common. The <cpu> is taken out of whatever document it is in: a machine's, a host's
 * capabilities, or the domain capabilities, where it is what mode 'host-model' stands for.
 */

#include "cli/command.h"
#include "cli/connection.h"

#include "base/xml-document.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define CPUS_MAX 256               /* of one question; what the protocol allows */
#define FRAME    "cpus-to-compare" /* around several documents that follow one another */

static char *virt_type, *emulator, *arch, *machine;
static gboolean validate, fail, expand, migratable;

static gboolean
is_element (const xmlNode *node, const char *name)
{
  return node != NULL && node->type == XML_ELEMENT_NODE && strcmp ((const char *)node->name, name) == 0;
}

/* <mode name='host-model'> without its frame is a <cpu>. (transfer full) */
static char *
host_model (XmlDocument *document, xmlNode *mode)
{
  GString *text = g_string_new ("<cpu>");

  for (xmlNode *child = mode->children; child != NULL; child = child->next) {
    g_autofree char *part = NULL;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    part = xml_document_verbatim (document, child);
    g_string_append (text, part);
  }
  g_string_append (text, "</cpu>");
  return g_string_free (text, FALSE);
}

/* Those of CPU maps and pinning, which are <cpu> too, have other parents. */
static gboolean
is_processor (const xmlNode *node)
{
  static const char *const parents[] = { "host", "domain", FRAME, "domainCapabilities", NULL };
  const xmlNode *parent = node->parent;

  if (!is_element (node, "cpu"))
    return FALSE;
  return parent == NULL || parent->type != XML_ELEMENT_NODE
         || g_strv_contains (parents, (const char *)parent->name);
}

/* @node by itself, moved to its place in the file, so that what the daemon says of it can be found there. */
static char *
text_in_place (XmlDocument *document, xmlNode *node)
{
  Position where = xml_document_node_position (document, node);
  g_autofree char *text = xml_document_verbatim (document, node);
  GString *placed = g_string_new (NULL);

  if (where.line == 1 && is_element (xml_document_root (document), FRAME))
    where.column -= MIN (where.column, strlen ("<" FRAME ">"));
  for (guint line = 1; line < where.line; line++)
    g_string_append_c (placed, '\n');
  for (guint column = 1; column < where.column; column++)
    g_string_append_c (placed, ' ');
  return g_string_free (g_string_append (placed, text), FALSE);
}

static void
collect (XmlDocument *document, xmlNode *node, GPtrArray *texts)
{
  for (; node != NULL && texts->len < CPUS_MAX; node = node->next) {
    g_autofree char *name = is_element (node, "mode") ? xml_node_attribute (node, "name") : NULL;

    if (is_element (node->parent, "domainCapabilities") && is_element (node, "cpu"))
      collect (document, node->children, texts);
    else if (is_processor (node))
      g_ptr_array_add (texts, text_in_place (document, node));
    else if (g_strcmp0 (name, "host-model") == 0 && is_element (node->parent, "cpu"))
      g_ptr_array_add (texts, host_model (document, node));
    else if (node->type == XML_ELEMENT_NODE)
      collect (document, node->children, texts);
  }
}

/* The processors a file tells of, as texts; NULL after an error was printed. Several documents may follow one
 * another, as they do when the answers of several hosts are put together. (transfer full) */
static GPtrArray *
read_processors (const char *path)
{
  g_autofree char *text = NULL, *framed = NULL;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autoptr (XmlDocument) document = NULL;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error)) {
    command_error ("%s", error->message);
    return NULL;
  }
  framed = g_str_has_prefix (text, "<?xml") ? g_strdup (text)
                                            : g_strconcat ("<" FRAME ">", text, "</" FRAME ">", NULL);
  document = xml_document_parse (framed, -1, diagnostics);
  if (document == NULL) {
    diagnostics_check (diagnostics, &error);
    command_error ("%s", error->message);
    return NULL;
  }
  collect (document, xml_document_root (document), texts);
  if (texts->len > 0)
    return g_steal_pointer (&texts);
  command_error (
      _ ("file '%s' does not contain any <cpu> element or valid domain or capabilities XML, or host CPU "
         "is unknown"),
      path);
  return NULL;
}

static int
cpu_models_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree const char **names = NULL;
  g_autoptr (JsonArray) array = json_array_new ();
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  if (command_connect (line) != NULL)
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "GetCPUModelNames",
                              g_variant_new ("(su)", line->arguments[0], 0), &error);
  if (answer == NULL) {
    json_node_free (node);
    return error != NULL ? command_error ("%s", error->message) : EXIT_FAILED;
  }
  g_variant_get (answer, "(^a&s)", &names);
  if (names[0] == NULL)
    command_print (line, "%s\n", _ ("all CPU models are accepted"));
  for (guint i = 0; names[i] != NULL; i++) {
    command_print (line, "%s\n", names[i]);
    json_array_add_string_element (array, names[i]);
  }
  json_node_set_array (node, array);
  command_print_json (line, node);
  return EXIT_OK;
}

static const char *
given (const char *option)
{
  return option != NULL ? option : "";
}

static int
print_comparison (CommandLine *line, int result, gboolean of_hypervisor)
{
  static const char *const words[] = { "incompatible", "identical", "superset" };
  const char *texts[2][3] = {
    { _ ("CPU described in %s is incompatible with host CPU"),
      _ ("CPU described in %s is identical to host CPU"),
      _ ("Host CPU is a superset of CPU described in %s") },
    { _ ("CPU described in %s is incompatible with the CPU provided by hypervisor on the host"),
      _ ("CPU described in %s is identical to the CPU provided by hypervisor on the host"),
      _ ("The CPU provided by hypervisor on the host is a superset of CPU described in %s") },
  };
  guint index = (guint)CLAMP (result, VIR_CPU_COMPARE_INCOMPATIBLE, VIR_CPU_COMPARE_SUPERSET);
  g_autoptr (GString) text = g_string_new (texts[of_hypervisor ? 1 : 0][index]);
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) object = json_object_new ();

  g_string_replace (text, "%s", line->arguments[0], 1);
  command_print (line, "%s\n", text->str);
  json_object_set_string_member (object, "result", words[index]);
  json_node_set_object (node, object);
  command_print_json (line, node);
  return index == VIR_CPU_COMPARE_INCOMPATIBLE ? EXIT_FAILED : EXIT_OK;
}

static int
compare (CommandLine *line, gboolean of_hypervisor)
{
  g_autoptr (GPtrArray) cpus = read_processors (line->arguments[0]);
  guint flags = (fail ? VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE : 0)
                | (validate ? VIR_CONNECT_COMPARE_CPU_VALIDATE_XML : 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  const char *cpu;
  int result;

  if (cpus == NULL || command_connect (line) == NULL)
    return EXIT_FAILED;
  cpu = g_ptr_array_index (cpus, 0);
  if (of_hypervisor)
    answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "CompareHypervisorCPU",
                              g_variant_new ("(sssssu)", given (emulator), given (arch), given (machine),
                                             given (virt_type), cpu, flags),
                              &error);
  else
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "CompareCPU",
                              g_variant_new ("(su)", cpu, flags), &error);
  if (answer == NULL)
    return command_document_error (line->arguments[0], error->message);
  g_variant_get (answer, "(i)", &result);
  return print_comparison (line, result, of_hypervisor);
}

static int
cpu_compare_run (CommandLine *line)
{
  return compare (line, FALSE);
}

static int
hypervisor_cpu_compare_run (CommandLine *line)
{
  return compare (line, TRUE);
}

static int
baseline (CommandLine *line, gboolean of_hypervisor)
{
  g_autoptr (GPtrArray) cpus = read_processors (line->arguments[0]);
  guint flags = (expand ? VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES : 0)
                | (migratable ? VIR_CONNECT_BASELINE_CPU_MIGRATABLE : 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (JsonObject) object = NULL;
  JsonNode *node;
  const char *xml;

  if (cpus == NULL || command_connect (line) == NULL)
    return EXIT_FAILED;
  g_ptr_array_add (cpus, NULL);
  if (of_hypervisor)
    answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "BaselineHypervisorCPU",
                              g_variant_new ("(ssss^asu)", given (emulator), given (arch), given (machine),
                                             given (virt_type), cpus->pdata, flags),
                              &error);
  else
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "BaselineCPU",
                              g_variant_new ("(^asu)", cpus->pdata, flags), &error);
  if (answer == NULL)
    return command_document_error (line->arguments[0], error->message);
  g_variant_get (answer, "(&s)", &xml);
  command_print (line, "%s", xml);
  object = json_object_new ();
  json_object_set_string_member (object, "document", xml);
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_set_object (node, object);
  command_print_json (line, node);
  return EXIT_OK;
}

static int
cpu_baseline_run (CommandLine *line)
{
  return baseline (line, FALSE);
}

static int
hypervisor_cpu_baseline_run (CommandLine *line)
{
  return baseline (line, TRUE);
}

#define EMULATOR_OPTIONS                                                                             \
  { "virttype", 0, 0, G_OPTION_ARG_STRING, &virt_type, N_ ("kvm or qemu"), N_ ("TYPE") },            \
      { "emulator", 0, 0, G_OPTION_ARG_STRING, &emulator, N_ ("The emulator's path"), N_ ("PATH") }, \
      { "arch", 0, 0, G_OPTION_ARG_STRING, &arch, N_ ("The guest's architecture"), N_ ("ARCH") },    \
  {                                                                                                  \
    "machine", 0, 0, G_OPTION_ARG_STRING, &machine, N_ ("The machine type"), N_ ("MACHINE")          \
  }
#define COMPARE_OPTIONS                                                                                \
  { "error", 0, 0, G_OPTION_ARG_NONE, &fail, N_ ("Say why it is incompatible"), NULL },                \
  {                                                                                                    \
    "validate", 0, 0, G_OPTION_ARG_NONE, &validate, N_ ("Check the document against the schema"), NULL \
  }
#define BASELINE_OPTIONS                                                                                 \
  { "features", 0, 0, G_OPTION_ARG_NONE, &expand, N_ ("List the features of the model as well"), NULL }, \
  {                                                                                                      \
    "migratable", 0, 0, G_OPTION_ARG_NONE, &migratable,                                                  \
        N_ ("Leave out what cannot be moved to another host"), NULL                                      \
  }

static const GOptionEntry compare_options[] = { COMPARE_OPTIONS, G_OPTION_ENTRY_NULL };
static const GOptionEntry baseline_options[] = { BASELINE_OPTIONS, G_OPTION_ENTRY_NULL };
static const GOptionEntry hypervisor_compare_options[] = { EMULATOR_OPTIONS, COMPARE_OPTIONS,
                                                           G_OPTION_ENTRY_NULL };
static const GOptionEntry hypervisor_baseline_options[] = { EMULATOR_OPTIONS, BASELINE_OPTIONS,
                                                            G_OPTION_ENTRY_NULL };

const Command processor_commands[] = {
  { "cpu-models", "ARCH", N_ ("The CPU models of an architecture"), 1, 1, NULL, cpu_models_run },
  { "cpu-compare", "FILE", N_ ("Compare a CPU with the host's"), 1, 1, compare_options, cpu_compare_run },
  { "cpu-baseline", "FILE", N_ ("The CPU several hosts have in common"), 1, 1, baseline_options,
    cpu_baseline_run },
  { "hypervisor-cpu-compare", "FILE", N_ ("Compare a CPU with what guests can be given"), 1, 1,
    hypervisor_compare_options, hypervisor_cpu_compare_run },
  { "hypervisor-cpu-baseline", "FILE", N_ ("The CPU guests of several hosts can be given"), 1, 1,
    hypervisor_baseline_options, hypervisor_cpu_baseline_run },
  { NULL },
};
