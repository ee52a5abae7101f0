/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One misspelling, one message. Good documents are read with each of their names and words misspelt in turn,
 * and exactly that is what must be said of them: nothing that only follows from it, whatever the device was
 * needed for. A document with a misspelling and another mistake must be told both, so each is tried beside a
 * clash of two devices as well.
 */

#include "cmocka-glib.h"
#include "domain/domain-def.h"
#include "model-platform.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

static const char *golden; /* the folder with the documents */

static const char *const cases[] = {
  "desktop",
  "cloud",
  "founding-q35",
  "old-server-pc",
  "disks-mixed-q35",
  "disks-mixed-pc",
  "channels-q35",
  "serials-and-consoles-pc",
  "usb-hub-automatic-pc",
  "usb-ehci-companions-q35",
  "pci-switch-q35",
  "pci-expander-pc",
  "pci-bridges-pc",
  "inputs-q35",
  "graphics-spice-q35",
  "video-two-heads-q35",
  "sound-q35",
  "rngs-q35",
  "watchdog-q35",
  "panics-q35",
  "usb-explicit-ports-q35",
  "disks-scsi-explicit-targets",
  "boot-order-devices-q35",
  "hub-explicit-pc",
};

/* What a document says of a clash that it did not have; before </devices>. */
#define CLASHING_DEVICES                                                                                \
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-clash'/><address " \
  "type='pci' slot='0x1c'/></rng>"                                                                      \
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-clash'/><address " \
  "type='pci' slot='0x1c'/></rng>"
#define CLASH "non unique alias detected: ua-clash"

typedef struct {
  const char *name;
  xmlDoc *document;
  gboolean with_clash;
  guint tried;
} Trial;

static char *
text_of (const Trial *trial)
{
  xmlChar *text = NULL;
  int length;
  char *copy;

  xmlDocDumpMemory (trial->document, &text, &length);
  copy = g_strdup ((const char *)text);
  xmlFree (text);
  if (trial->with_clash) {
    g_auto (GStrv) halves = g_strsplit (copy, "</devices>", 2);

    g_free (copy);
    copy = g_strjoin (CLASHING_DEVICES "</devices>", halves[0], halves[1], NULL);
  }
  return copy;
}

/* How many errors there are, and whether the clash is among them. */
static guint
count_errors (const Diagnostics *diagnostics, gboolean *ret_clash)
{
  guint errors = 0;

  *ret_clash = FALSE;
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    errors += diagnostic->severity == DIAGNOSTIC_ERROR;
    *ret_clash |= strstr (diagnostic->message, CLASH) != NULL;
  }
  return errors;
}

/* @least: a value that is misspelt may still be a value. */
static void
check (Trial *trial, guint least, const char *what)
{
  g_autofree char *text = text_of (trial);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (trial->name);
  g_autoptr (DomainDef) def G_GNUC_UNUSED = domain_def_parse (text, -1, 0, &test_platform, diagnostics);
  gboolean clash;
  guint errors = count_errors (diagnostics, &clash);
  guint further = trial->with_clash ? 2 : 0;

  trial->tried++;
  if (errors < least + further || errors > 1 + further || (trial->with_clash && !clash)) {
    g_autofree char *said = diagnostics_to_text (diagnostics);

    print_error ("%s misspelt in %s: %u mistakes were told:\n%s", what, trial->name, errors, said);
    fail ();
  }
}

/* Two letters change places, or where there are none, one is there twice. */
static char *
misspell (const char *word)
{
  gsize length = strlen (word);
  char *wrong = g_strdup_printf ("%sq", word);

  if (length > 3 && word[1] != word[2]) {
    wrong[length] = '\0';
    wrong[1] = word[2];
    wrong[2] = word[1];
  }
  return wrong;
}

static void
misspell_attribute (Trial *trial, xmlAttr *attribute)
{
  xmlNode *element = attribute->parent;
  g_autofree char *name = g_strdup ((const char *)attribute->name);
  g_autofree char *wrong_name = misspell (name);
  xmlChar *value = xmlGetProp (element, (const xmlChar *)name);
  g_autofree char *wrong_value = g_strdup_printf ("%sq", (const char *)value);
  g_autofree char *what = g_strdup_printf ("%s/@%s", element->name, name);

  xmlNodeSetName ((xmlNode *)attribute, (const xmlChar *)wrong_name);
  check (trial, 1, what);
  xmlNodeSetName ((xmlNode *)attribute, (const xmlChar *)name);

  xmlSetProp (element, (const xmlChar *)name, (const xmlChar *)wrong_value);
  check (trial, 0, what);
  xmlSetProp (element, (const xmlChar *)name, value);
  xmlFree (value);
}

static void
misspell_below (Trial *trial, xmlNode *element)
{
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    misspell_attribute (trial, attribute);
  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    g_autofree char *name = NULL, *wrong = NULL;

    if (child->type != XML_ELEMENT_NODE || g_str_equal ((const char *)child->name, "metadata"))
      continue;
    name = g_strdup ((const char *)child->name);
    wrong = misspell (name);
    if (!g_str_equal (name, "devices")) { /* nothing is left of the document without them */
      xmlNodeSetName (child, (const xmlChar *)wrong);
      check (trial, 1, name);
      xmlNodeSetName (child, (const xmlChar *)name);
    }
    misspell_below (trial, child);
  }
}

static void
try_case (const char *name, gboolean with_clash)
{
  g_autofree char *path = g_build_filename (golden, name, "domain.xml", NULL);
  Trial trial = { .name = name, .with_clash = with_clash };

  trial.document = xmlReadFile (path, NULL, XML_PARSE_NONET);
  assert_non_null (trial.document);
  misspell_below (&trial, xmlDocGetRootElement (trial.document));
  xmlFreeDoc (trial.document);
  assert_true (trial.tried > 0);
}

static void
one_misspelling_is_one_message (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    try_case (cases[i], FALSE);
}

static void
a_misspelling_hides_no_clash (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i += 1)
    try_case (cases[i], TRUE);
}

int
main (int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (one_misspelling_is_one_message),
    cmocka_unit_test (a_misspelling_hides_no_clash),
  };

  if (argc != 2)
    return 2;
  golden = argv[1];
  return cmocka_run_group_tests (tests, NULL, NULL);
}
