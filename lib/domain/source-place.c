/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A completed definition knows no places: it has been copied, completed and read again since. So the document
 * is read once more and the element that speaks of a device is found by what it says. Of several that say the
 * same the first goes to the device asked for first: like devices are interchangeable, but each has one
 * place.
 */
#include "domain/source-place.h"

#include "document/source-edit-private.h"
#include "domain/device-match.h"
#include "domain/devices/controller.h"
#include "domain/devices/device-kinds.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"

#include <string.h>

typedef struct {
  xmlNode *element;
  Device *said;        /* as the element alone says it */
  const Device *taken; /* whose element it is, once somebody asked */
} SourceElement;

struct SourcePlaces {
  XmlDocument *document;
  GPtrArray *elements; /* SourceElement: those of <devices>, in order */
};

static void
element_free (gpointer data)
{
  SourceElement *element = data;

  device_free (element->said);
  g_free (element);
}

static void
read_devices (SourcePlaces *places, xmlNode *devices)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  for (xmlNode *child = devices->children; child != NULL; child = child->next) {
    const DeviceKind *kind =
        child->type == XML_ELEMENT_NODE ? device_kind_by_element ((const char *)child->name) : NULL;
    g_autoptr (SourceMap) map = source_map_new ();
    FieldReader reader = { places->document, diagnostics, map, TRUE };
    SourceElement *element;

    if (kind == NULL)
      continue;
    element = g_new0 (SourceElement, 1);
    element->element = child;
    element->said = device_new (kind);
    device_read (&reader, element->said, child);
    g_ptr_array_add (places->elements, element);
  }
}

SourcePlaces *
source_places_new (const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  XmlDocument *document =
      g_utf8_validate (text, -1, NULL) ? xml_document_parse (text, -1, diagnostics) : NULL;
  SourcePlaces *places;
  xmlNode *devices;

  if (document == NULL)
    return NULL;
  places = g_new0 (SourcePlaces, 1);
  places->document = document;
  places->elements = g_ptr_array_new_with_free_func (element_free);
  devices = source_find_child (xml_document_root (document), "devices");
  if (devices != NULL)
    read_devices (places, devices);
  return places;
}

void
source_places_free (SourcePlaces *places)
{
  if (places == NULL)
    return;
  g_ptr_array_unref (places->elements);
  xml_document_free (places->document);
  g_free (places);
}

/* May @said be about @device? The kinds that have a name of their own are known by it. */
static gboolean
speaks_of (const Device *said, const Device *device)
{
  if (said->kind != device->kind)
    return FALSE;
  if (said->kind == &disk_kind)
    return g_strcmp0 (((const DeviceDisk *)said)->target, ((const DeviceDisk *)device)->target) == 0;
  if (said->kind == &graphics_kind)
    return ((const DeviceGraphics *)said)->type == ((const DeviceGraphics *)device)->type;
  if (said->kind == &controller_kind) {
    const DeviceController *a = (const DeviceController *)said, *b = (const DeviceController *)device;

    return a->type == b->type && (!a->index.set || a->index.value == b->index.value);
  }
  return device_difference (said, device, NULL) == NULL;
}

static const SourceElement *
find_device (SourcePlaces *places, const Device *device)
{
  SourceElement *found = NULL;

  for (guint i = 0; i < places->elements->len; i++) {
    SourceElement *element = g_ptr_array_index (places->elements, i);

    if (element->taken == device)
      return element;
    if (found == NULL && element->taken == NULL && speaks_of (element->said, device))
      found = element;
  }
  if (found != NULL)
    found->taken = device;
  return found;
}

/* "name" from the beginning of @text. (transfer full) */
static char *
take_name (const char **text)
{
  gsize length = strspn (*text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-:");
  char *name = g_strndup (*text, length);

  *text += length;
  return name;
}

/* The child of that name (prefixes are not looked at); with @attribute, the first whose attribute has @value.
 */
static xmlNode *
find_child (xmlNode *parent, const char *name, const char *attribute, const char *value)
{
  const char *colon = strchr (name, ':'), *local = colon != NULL ? colon + 1 : name;

  for (xmlNode *child = parent->children; child != NULL; child = child->next) {
    g_autofree char *said = NULL;

    if (child->type != XML_ELEMENT_NODE || !g_str_equal ((const char *)child->name, local))
      continue;
    if (attribute == NULL)
      return child;
    said = xml_node_attribute (child, attribute);
    if (g_strcmp0 (said, value) == 0)
      return child;
  }
  return NULL;
}

/* "='host'", of which the value is wanted; NULL for a mere "=". (transfer full) */
static char *
take_value (const char **text)
{
  const char *end;
  char *value;

  (*text)++;
  if (**text != '\'' || (end = strchr (*text + 1, '\'')) == NULL)
    return NULL;
  value = g_strndup (*text + 1, (gsize)(end - *text - 1));
  *text = end + 1;
  return value;
}

/* One step of a part: an element below @node, or an attribute of it or of that. FALSE when there are no more.
 */
static gboolean
take_step (const SourcePlaces *places, const char **part, xmlNode **node, Position *where)
{
  g_autofree char *name = NULL, *attribute = NULL, *value = NULL;
  xmlNode *child;
  xmlAttr *found;

  *part += strspn (*part, "</>");
  name = take_name (part);
  if (name[0] == '\0')
    return FALSE;
  if (**part == '=') {
    attribute = g_steal_pointer (&name);
  } else if (**part == ' ' && g_ascii_isalpha ((*part)[1])) {
    (*part)++;
    attribute = take_name (part);
    value = **part == '=' ? take_value (part) : NULL;
  }
  if (name != NULL) {
    child = find_child (*node, name, value != NULL ? attribute : NULL, value);
    if (child == NULL)
      return FALSE;
    *node = child;
    *where = xml_document_node_position (places->document, child);
  }
  found = attribute != NULL && value == NULL ? xmlHasProp (*node, BAD_CAST attribute) : NULL;
  if (found != NULL)
    *where = xml_document_attribute_position (places->document, found);
  return attribute == NULL || value != NULL;
}

Position
source_places_find (SourcePlaces *places, const Device *device, const char *part)
{
  const SourceElement *element = device != NULL ? find_device (places, device) : NULL;
  Position where = { 0, 0 };
  xmlNode *node = device == NULL ? xml_document_root (places->document) : NULL;

  if (element != NULL) {
    node = element->element;
    where = xml_document_node_position (places->document, node);
  }
  while (node != NULL && part != NULL && take_step (places, &part, &node, &where))
    ;
  return where;
}

char *
source_places_describe (SourcePlaces *places, const Device *device)
{
  const SourceElement *element = find_device (places, device);

  return element != NULL ? device_describe (element->said) : NULL;
}
