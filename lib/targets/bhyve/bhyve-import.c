/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of bhyve's command lines, the loader's among them. Options are those of getopt's string in
 * bhyve(8). What has no element in the format goes whole into <bhyve:commandline>, and is told: started again
 * the machine has it.
 */
#include "targets/bhyve/bhyve-import.h"

#include "base/scalars.h"

#include <stdlib.h>
#include <string.h>

#define BHYVE_NAMESPACE  "http://libvirt.org/schemas/domain/bhyve/1.0"
#define FLAGS            "aAbCDehHIPSTuwWxY"
#define WITH_VALUE       "cfgGkKlmopsrU"
#define VCPUS_MAX        4096
#define MEMORY_BYTES_MIN ((guint64)1 << 20) /* a plain number below is in MiB */

void
bhyve_import_keep (BhyveImport *import, const char *option, const char *value)
{
  diagnostics_warning (import->diagnostics, import->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s%s%s' has no element in the format and is kept in <bhyve:commandline>", option,
                       value != NULL ? " " : "", value != NULL ? value : "");
  g_ptr_array_add (import->own, g_strdup (option));
  if (value != NULL)
    g_ptr_array_add (import->own, g_strdup (value));
}

/*
 * Memory and processors.
 */
static void
read_memory (BhyveImport *import, const char *text)
{
  gsize digits = strspn (text, G_CSET_DIGITS);
  g_autofree char *number = g_strndup (text, digits);
  guint64 count, unit = 1;

  if (!parse_uint (number, G_MAXINT64, &count) || !size_unit (text + digits, 1, &unit) || count == 0
      || count > G_MAXINT64 / unit) {
    MISTAKE (import, "'%s' is no size of memory: expected one such as '512', '512M' or '4G'", text);
    return;
  }
  import->memory = count * unit;
  if (text[digits] == '\0' && count < MEMORY_BYTES_MIN)
    import->memory = count << 20;
}

static gboolean
read_count (BhyveImport *import, const char *text, guint64 *ret)
{
  if (parse_uint (text, VCPUS_MAX, ret) && *ret > 0)
    return TRUE;
  MISTAKE (import, "'%s' is no number of processors: expected 1 to %d", text, VCPUS_MAX);
  return FALSE;
}

static void
read_processors (BhyveImport *import, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  guint64 cpus = 0;

  import->sockets = import->cores = import->threads = 1;
  for (guint i = 0; words[i] != NULL; i++) {
    const char *equals = strchr (words[i], '=');
    const struct {
      const char *name;
      guint64 *value;
    } keys[] = { { "cpus=", &cpus },
                 { "sockets=", &import->sockets },
                 { "cores=", &import->cores },
                 { "threads=", &import->threads } };
    guint64 *value = equals == NULL ? &cpus : NULL;

    for (guint k = 0; equals != NULL && k < G_N_ELEMENTS (keys); k++)
      if (g_str_has_prefix (words[i], keys[k].name))
        value = keys[k].value;
    if (value == NULL) {
      MISTAKE (import, "'%s' is none of 'cpus=', 'sockets=', 'cores=' and 'threads='", words[i]);
      return;
    }
    import->has_topology = import->has_topology || value != &cpus;
    if (!read_count (import, equals != NULL ? equals + 1 : words[i], value))
      return;
  }
  if (cpus == 0)
    cpus = import->sockets * import->cores * import->threads;
  g_free (import->vcpus);
  import->vcpus = g_strdup_printf ("%" G_GUINT64_FORMAT, cpus);
}

/*
 * The commands.
 */
static void
read_flag (BhyveImport *import, char flag)
{
  const char option[] = { '-', flag, '\0' };

  switch (flag) {
    case 'A':
      import->acpi = TRUE;
      return;
    case 'I':
      import->apic = TRUE;
      return;
    case 'u':
      import->utc = TRUE;
      return;
    case 'S':
      import->locked = TRUE;
      return;
    case 'w':
      import->ignores_msrs = TRUE;
      return;
    case 'H':
    case 'P':
      return; /* libvirt gives them to every machine */
    default:
      bhyve_import_keep (import, option, NULL);
  }
}

static void
read_value (BhyveImport *import, char letter, const char *value)
{
  const char option[] = { '-', letter, '\0' };
  guint8 uuid[UUID_BYTES];

  switch (letter) {
    case 'c':
      read_processors (import, value);
      return;
    case 'm':
      read_memory (import, value);
      return;
    case 's':
      bhyve_import_slot (import, value);
      return;
    case 'l':
      bhyve_import_old_device (import, value);
      return;
    case 'U':
      if (uuid_parse (value, uuid))
        import_set_text (&import->uuid, value);
      else
        MISTAKE (import, "'%s' is no UUID", value);
      return;
    default:
      bhyve_import_keep (import, option, value);
  }
}

static void
set_name (BhyveImport *import, const ImportWord *word)
{
  import->where = word->where;
  if (import->name != NULL && !g_str_equal (import->name, word->text))
    MISTAKE (import, "the machine is '%s' here and '%s' before", word->text, import->name);
  else if (word->text[0] == '\0' || strpbrk (word->text, "/\n") != NULL)
    MISTAKE (import, "'%s' is no name of a machine", word->text);
  else
    import_set_text (&import->name, word->text);
}

/* As getopt reads it: letters together, a value in the same word or the next. */
static void
read_bhyve (BhyveImport *import, const GPtrArray *words, guint from)
{
  guint i = from;

  for (; i < words->len; i++) {
    const ImportWord *word = g_ptr_array_index (words, i);
    const char *letter = word->text;

    if (*letter != '-' || letter[1] == '\0' || g_str_equal (letter, "--"))
      break;
    import->where = word->where;
    for (letter++; *letter != '\0'; letter++) {
      if (strchr (FLAGS, *letter) != NULL) {
        read_flag (import, *letter);
        continue;
      }
      if (strchr (WITH_VALUE, *letter) == NULL) {
        MISTAKE (import, "'-%.*s' is no option of bhyve's", (int)(g_utf8_next_char (letter) - letter),
                 letter);
      } else if (letter[1] != '\0') {
        read_value (import, *letter, letter + 1);
      } else if (i + 1 < words->len) {
        read_value (import, *letter, ((const ImportWord *)g_ptr_array_index (words, ++i))->text);
      } else {
        MISTAKE (import, "'-%c' has no value", *letter);
      }
      break;
    }
  }
  if (i + 1 == words->len)
    set_name (import, g_ptr_array_index (words, i));
  else
    MISTAKE (import, "expected the machine's name, and nothing else, behind the options");
}

/* "bhyveload -m 512 -d PATH NAME" is what the document means anyway; anything else is kept. */
static gboolean
is_plain_loader (const GPtrArray *words)
{
  for (guint i = 1; i + 1 < words->len; i++) {
    const char *word = ((const ImportWord *)g_ptr_array_index (words, i))->text;

    if (g_str_equal (word, "-S"))
      continue;
    if ((!g_str_equal (word, "-m") && !g_str_equal (word, "-d")) || ++i + 1 >= words->len)
      return FALSE;
  }
  return TRUE;
}

static void
read_loader (BhyveImport *import, const GPtrArray *words)
{
  const ImportWord *program = g_ptr_array_index (words, 0);
  gboolean is_bhyveload = g_str_has_suffix (program->text, "bhyveload");
  g_autoptr (GString) arguments = g_string_new (NULL);

  import->where = program->where;
  if (is_bhyveload && is_plain_loader (words))
    return;
  for (guint i = 1; i + (is_bhyveload ? 1 : 0) < words->len; i++) {
    const ImportWord *word = g_ptr_array_index (words, i);

    if (strpbrk (word->text, " \t\n") != NULL)
      MISTAKE (import, "<bootloader_args> cannot hold the word '%s'", word->text);
    g_string_append_printf (arguments, "%s%s", arguments->len > 0 ? " " : "", word->text);
  }
  if (!is_bhyveload)
    import_set_text (&import->bootloader, program->text);
  import_set_text (&import->loader_arguments, arguments->str);
}

static gboolean
read_commands (BhyveImport *import, const GPtrArray *commands)
{
  gboolean found = FALSE;

  for (guint i = 0; i < commands->len; i++) {
    const GPtrArray *words = g_ptr_array_index (commands, i);
    const ImportWord *program = g_ptr_array_index (words, 0);
    const char *slash = strrchr (program->text, '/'), *name = slash != NULL ? slash + 1 : program->text;

    import->where = program->where;
    if (g_str_equal (name, "bhyve") && !found) {
      read_bhyve (import, words, 1);
      found = TRUE;
    } else if (!found && i + 1 < commands->len) {
      read_loader (import, words);
    } else {
      MISTAKE (import, "'%s' is not bhyve, and no loader before it", name);
    }
  }
  if (!found && !diagnostics_has_errors (import->diagnostics))
    diagnostics_error (import->diagnostics, (Position){ 1, 1 }, VIR_ERR_CONFIG_UNSUPPORTED,
                       "expected a command line of bhyve");
  return !diagnostics_has_errors (import->diagnostics);
}

/*
 * The document.
 */
static void
add_features (const BhyveImport *import, XmlElement *domain)
{
  XmlElement *features;

  if (!import->acpi && !import->apic && !import->ignores_msrs)
    return;
  features = xml_element_add (domain, "features");
  if (import->acpi)
    xml_element_add (features, "acpi");
  if (import->apic)
    xml_element_add (features, "apic");
  if (import->ignores_msrs)
    import_add (features, "msrs", "unknown", "ignore", NULL);
}

static void
add_topology (const BhyveImport *import, XmlElement *domain)
{
  g_autofree char *sockets = g_strdup_printf ("%" G_GUINT64_FORMAT, import->sockets);
  g_autofree char *cores = g_strdup_printf ("%" G_GUINT64_FORMAT, import->cores);
  g_autofree char *threads = g_strdup_printf ("%" G_GUINT64_FORMAT, import->threads);

  if (import->has_topology)
    import_add (xml_element_add (domain, "cpu"), "topology", "sockets", sockets, "cores", cores, "threads",
                threads, NULL);
}

static void
add_own (const BhyveImport *import, XmlElement *domain)
{
  XmlElement *own;

  if (import->own->len == 0)
    return;
  xml_element_set (domain, "xmlns:bhyve", BHYVE_NAMESPACE);
  own = xml_element_add (domain, "bhyve:commandline");
  for (guint i = 0; i < import->own->len; i++)
    import_add (own, "bhyve:arg", "value", g_ptr_array_index (import->own, i), NULL);
}

static char *
write_document (BhyveImport *import)
{
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  g_autofree char *devices = NULL;
  XmlElement *os;

  xml_element_set (domain, "type", "bhyve");
  import_add_text (domain, "name", "%s", import->name);
  if (import->uuid != NULL)
    import_add_text (domain, "uuid", "%s", import->uuid);
  import_add_text (domain, "memory", "%" G_GUINT64_FORMAT, MAX (import->memory >> 10, 1));
  if (import->locked)
    xml_element_add (xml_element_add (domain, "memoryBacking"), "locked");
  import_add_text (domain, "vcpu", "%s", import->vcpus != NULL ? import->vcpus : "1");
  if (import->bootloader != NULL)
    import_add_text (domain, "bootloader", "%s", import->bootloader);
  if (import->loader_arguments != NULL)
    import_add_text (domain, "bootloader_args", "%s", import->loader_arguments);
  os = xml_element_add (domain, "os");
  import_add_text (os, "type", "hvm");
  xml_element_set (xml_element_ensure (os, "type"), "arch", "x86_64");
  if (import->firmware != NULL) {
    import_add_text (os, "loader", "%s", import->firmware);
    xml_element_set (xml_element_ensure (os, "loader"), "readonly", "yes");
    xml_element_set (xml_element_ensure (os, "loader"), "type", "pflash");
  }
  if (import->variables != NULL)
    import_add_text (os, "nvram", "%s", import->variables);
  add_features (import, domain);
  add_topology (import, domain);
  import_add (domain, "clock", "offset", import->utc ? "utc" : "localtime", NULL);
  devices = xml_element_to_string (import->devices);
  xml_element_add_parsed (domain, devices);
  add_own (import, domain);
  return xml_element_to_string (domain);
}

static void
import_clear (BhyveImport *import)
{
  g_free (import->name);
  g_free (import->uuid);
  g_free (import->bootloader);
  g_free (import->loader_arguments);
  g_free (import->firmware);
  g_free (import->variables);
  g_free (import->vcpus);
  g_ptr_array_unref (import->own);
  xml_element_free (import->devices);
}

char *
bhyve_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) commands = import_read_commands (text, diagnostics);
  BhyveImport import = { .diagnostics = diagnostics };
  char *document = NULL;

  if (commands == NULL)
    return NULL;
  import.devices = xml_element_new ("devices");
  import.own = g_ptr_array_new_with_free_func (g_free);
  if (read_commands (&import, commands))
    document = write_document (&import);
  import_clear (&import);
  return document;
}
