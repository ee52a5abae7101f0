/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why a value is there. What was chosen is what the completed document says and its source does not; which
 * rule chose it follows from where it stands, since each place of the document is filled in by one step of
 * completion. The rules are one table, the nearest pattern first.
 */
#include "domain/explain.h"

#include <string.h>

static const ChoiceRule rules[] = {
  { "/domain/uuid", "random-uuid", "A machine is known by a UUID: a random one, kept from now on." },
  { "/domain/genid", "random-genid", "An empty <genid/> asks for a random one." },
  { "/domain/currentMemory*", "memory-current", "Without a smaller balloon the guest has all its memory." },
  { "/domain/memory/*", "memory-unit", "Sizes are kept in KiB." },
  { "/domain/maxMemory/*", "memory-unit", "Sizes are kept in KiB." },
  { "/domain/vcpu*", "one-vcpu",
    "A machine has one virtual CPU, placed statically, unless it says otherwise." },
  { "/domain/os/type/@arch", "host-architecture", "The architecture is the emulator's own." },
  { "/domain/os/type/@machine", "machine-version",
    "A machine type is kept with its version, so that the guest keeps its hardware when the emulator "
    "changes." },
  { "/domain/os/boot*", "boot-disk", "A machine boots from its hard disk unless it says otherwise." },
  { "/domain/os/loader*", "firmware",
    "The firmware comes from the descriptors of those that are installed." },
  { "/domain/os/nvram*", "firmware-variables", "The firmware's variables get a file of the machine's own." },
  { "/domain/os/firmware*", "firmware",
    "The firmware comes from the descriptors of those that are installed." },
  { "/domain/features/*", "feature-default", "The machine's architecture has it by default." },
  { "/domain/cpu*", "cpu-default",
    "The CPU that the machine type, or the mode asked for, has on this host." },
  { "/domain/clock*", "clock-utc", "The clock of the guest is in UTC unless it says otherwise." },
  { "/domain/on_*", "lifecycle-default", "Power off and crash end a machine; a reboot restarts it." },
  { "/domain/pm*", "power-management-default", "What the architecture can do is left on." },
  { "/domain/seclabel*", "security-default", "The host's security driver labels the machine." },
  { "/domain/resource*", "resource-partition", "Machines lie in the host's partition for them." },
  { "/domain/iothread*", "iothread-numbers", "I/O threads are numbered from 1 on." },
  { "/domain/devices/emulator", "default-emulator", "The emulator of this host for the architecture." },
  { "/domain/devices/*/mac", "random-mac", "An interface gets a random address of the emulator's range." },
  { "/domain/devices/*/mac/*", "random-mac", "An interface gets a random address of the emulator's range." },
  { "/domain/devices/*/alias*", "device-alias", "Devices are named by their kind and number." },
  { "/domain/devices/*/address*", "free-address",
    "The first free place on a bus that suits the device, kept so that the guest finds it again." },
  { "/domain/devices/controller/target/*", "controller-port",
    "Ports of a PCI topology are numbered in order." },
  { "/domain/devices/controller/model*", "controller-model", "The model that the machine type has of it." },
  { "/domain/devices/controller/@model", "controller-model", "The model that the machine type has of it." },
  { "/domain/devices/controller/@index", "controller-index", "The lowest number that is free." },
  { "/domain/devices/controller", "implied-controller",
    "A device needs the bus, or the machine type always has the controller." },
  { "/domain/devices/input", "implied-input",
    "The machine type has a mouse and a keyboard for its display." },
  { "/domain/devices/audio", "implied-audio", "A display needs a place for sound." },
  { "/domain/devices/video", "implied-video", "A display needs a video device." },
  { "/domain/devices/console", "console-of-serial", "The first serial line is the console too." },
  { "/domain/devices/serial", "serial-of-console", "A console is the first serial line." },
  { "/domain/devices/memballoon", "implied-balloon",
    "A machine has a memory balloon unless its model is 'none'." },
  { "/domain/devices/watchdog", "implied-watchdog", "The machine type has it built in." },
  { "/domain/devices/*/target*", "device-target", "The lowest name or port that is free." },
  { "/domain/devices/*/driver*", "driver-default", "The driver that the kind of device has by default." },
  { "/domain/devices/*/model*", "model-default", "The model that the machine type has of such a device." },
  { "/domain/devices/*/listen*", "listen-default", "Displays listen on the loopback interface." },
  { "/domain/devices/graphics/*", "display-default", "A free port and address are chosen at each start." },
  { "/domain/devices/*", "device-default", "The default of this kind of device." },
  { "*", "default", "The format's default." },
};

void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_free (choice->path);
  g_free (choice->value);
  g_free (choice);
}

static const ChoiceRule *
rule_of (const char *path)
{
  guint i = 0;

  while (!g_pattern_match_simple (rules[i].pattern, path))
    i++;
  return &rules[i];
}

/* @plain: the path without what names its elements, which rules are looked up by. */
static void
add (GPtrArray *choices, const Origins *origins, const xmlNode *node, const char *path, const char *plain,
     const char *value)
{
  Choice *choice = g_new0 (Choice, 1);

  choice->path = g_strdup (path);
  choice->value = g_strdup (value);
  choice->rule = rule_of (plain);
  choice->line = origins_line (origins, node);
  g_ptr_array_add (choices, choice);
}

/* A machine's alias is written and yet chosen: what it means today. */
static gboolean
is_replaced (const Origins *origins, const xmlAttr *attribute)
{
  return xmlStrEqual (attribute->name, BAD_CAST "machine")
         && xmlStrEqual (attribute->parent->name, BAD_CAST "type") && !origins_says_same (origins, attribute);
}

static void
explain_attributes (GPtrArray *choices, const Origins *origins, xmlNode *element, const char *path,
                    const char *plain)
{
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    g_autofree char *below = g_strdup_printf ("%s/@%s", path, (const char *)attribute->name);
    g_autofree char *plain_below = g_strdup_printf ("%s/@%s", plain, (const char *)attribute->name);
    g_autofree char *value = xml_node_attribute (element, (const char *)attribute->name);

    if (!origins_is_written (origins, (xmlNode *)attribute) || is_replaced (origins, attribute))
      add (choices, origins, element, below, plain_below, value);
  }
}

static void
explain_element (GPtrArray *choices, const Origins *origins, xmlNode *element, const char *path,
                 const char *plain)
{
  explain_attributes (choices, origins, element, path, plain);
  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    g_autofree char *identity = child->type == XML_ELEMENT_NODE ? element_identity (child) : NULL;
    g_autofree char *below =
        g_strdup_printf ("%s/%s%s", path, (const char *)child->name, identity ? identity : "");
    g_autofree char *plain_below = g_strdup_printf ("%s/%s", plain, (const char *)child->name);
    g_autofree char *text = child->type == XML_ELEMENT_NODE ? xml_node_text (child) : NULL;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    if (origins_is_written (origins, child))
      explain_element (choices, origins, child, below, plain_below);
    else
      add (choices, origins, child, below, plain_below, text[0] != '\0' ? text : NULL);
  }
}

GPtrArray *
domain_explain (const Origins *origins)
{
  GPtrArray *choices = g_ptr_array_new_with_free_func (choice_free);

  explain_element (choices, origins, origins_root (origins), "/domain", "/domain");
  return choices;
}

/* "@arch: host-architecture", or of a whole element the rule alone. */
static void
append_choice (GString *text, const Choice *choice)
{
  const char *last = strrchr (choice->path, '/') + 1;

  if (last[0] == '@')
    g_string_append_printf (text, "%s: ", last);
  g_string_append (text, choice->rule->name);
}

char *
domain_explain_text (const Origins *origins, const char *completed)
{
  g_autoptr (GPtrArray) choices = domain_explain (origins);
  g_auto (GStrv) lines = g_strsplit (completed, "\n", -1);
  GString *text = g_string_new (NULL);
  guint next = 0;

  for (guint number = 1; lines[number - 1] != NULL; number++) {
    guint first = next;

    g_string_append (text, lines[number - 1]);
    for (; next < choices->len && ((Choice *)g_ptr_array_index (choices, next))->line == number; next++) {
      g_string_append (text, next == first ? "  <!-- chosen: " : ", ");
      append_choice (text, g_ptr_array_index (choices, next));
    }
    g_string_append (text, next > first ? " -->" : "");
    if (lines[number] != NULL)
      g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}
