/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The cookie of a migration, written and read. Two programs of different ages write it for each other:
 * elements that are not known are passed over, except for a <feature>, with which the other side says that it
 * must be understood.
 */
#include "domain/migration-cookie.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "base/xml-writer.h"

#include <string.h>

#define ROOT_ELEMENT "qemu-migration"
#define LOCK_DRIVER  "nop" /* libvirt's name for a lock manager that locks nothing */

static const char *const statistic_names[MIGRATION_STATISTICS] = {
  [MIGRATION_TIME_ELAPSED] = "time_elapsed",
  [MIGRATION_TIME_REMAINING] = "time_remaining",
  [MIGRATION_DOWNTIME] = "downtime",
  [MIGRATION_SETUP_TIME] = "setup_time",
  [MIGRATION_MEMORY_TOTAL] = "memory_total",
  [MIGRATION_MEMORY_PROCESSED] = "memory_processed",
  [MIGRATION_MEMORY_REMAINING] = "memory_remaining",
  [MIGRATION_MEMORY_BPS] = "memory_bps",
  [MIGRATION_MEMORY_CONSTANT] = "memory_constant",
  [MIGRATION_MEMORY_NORMAL] = "memory_normal",
  [MIGRATION_MEMORY_NORMAL_BYTES] = "memory_normal_bytes",
  [MIGRATION_MEMORY_DIRTY_RATE] = "memory_dirty_rate",
  [MIGRATION_MEMORY_ITERATION] = "memory_iteration",
  [MIGRATION_MEMORY_POSTCOPY_REQS] = "memory_postcopy_requests",
  [MIGRATION_MEMORY_PAGE_SIZE] = "memory_page_size",
  [MIGRATION_DISK_TOTAL] = "disk_total",
  [MIGRATION_DISK_PROCESSED] = "disk_processed",
  [MIGRATION_DISK_REMAINING] = "disk_remaining",
};

static void
disk_free (gpointer data)
{
  MigrationDisk *disk = data;

  g_free (disk->target);
  g_free (disk);
}

MigrationCookie *
migration_cookie_new (void)
{
  return g_new0 (MigrationCookie, 1);
}

void
migration_cookie_free (MigrationCookie *cookie)
{
  if (cookie == NULL)
    return;
  g_free (cookie->name);
  g_free (cookie->uuid);
  g_free (cookie->host_name);
  g_free (cookie->host_uuid);
  g_free (cookie->document);
  g_free (cookie->processor);
  g_clear_pointer (&cookie->capabilities, g_ptr_array_unref);
  g_clear_pointer (&cookie->disks, g_ptr_array_unref);
  g_free (cookie);
}

void
migration_cookie_add_disk (MigrationCookie *cookie, const char *target, guint64 capacity)
{
  MigrationDisk *disk = g_new0 (MigrationDisk, 1);

  disk->target = g_strdup (target);
  disk->capacity = capacity;
  if (cookie->disks == NULL)
    cookie->disks = g_ptr_array_new_with_free_func (disk_free);
  g_ptr_array_add (cookie->disks, disk);
}

/* Writing. */

static void
add_text (XmlElement *parent, const char *name, const char *text)
{
  if (text != NULL)
    xml_element_set_text (xml_element_add (parent, name), text);
}

static void
set_number (XmlElement *element, const char *attribute, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  xml_element_set (element, attribute, text);
}

static void
add_nbd (XmlElement *root, const MigrationCookie *cookie)
{
  XmlElement *nbd = xml_element_add (root, "nbd");

  if (cookie->nbd_port != 0)
    set_number (nbd, "port", cookie->nbd_port);
  for (guint i = 0; cookie->disks != NULL && i < cookie->disks->len; i++) {
    const MigrationDisk *disk = g_ptr_array_index (cookie->disks, i);
    XmlElement *element = xml_element_add (nbd, "disk");

    xml_element_set (element, "target", disk->target);
    set_number (element, "capacity", disk->capacity);
  }
}

static void
add_statistics (XmlElement *root, const MigrationCookie *cookie)
{
  XmlElement *statistics = xml_element_add (root, "statistics");

  for (guint i = 0; i < MIGRATION_STATISTICS; i++) {
    g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, cookie->statistics[i]);

    add_text (statistics, statistic_names[i], text);
  }
}

static void
add_capabilities (XmlElement *root, const GPtrArray *capabilities)
{
  XmlElement *list = xml_element_add (root, "capabilities");

  for (guint i = 0; i < capabilities->len; i++) {
    XmlElement *element = xml_element_add (list, "cap");

    xml_element_set (element, "name", g_ptr_array_index (capabilities, i));
    xml_element_set (element, "auto", "no");
  }
}

char *
migration_cookie_to_xml (const MigrationCookie *cookie)
{
  g_autoptr (XmlElement) root = xml_element_new (ROOT_ELEMENT);

  add_text (root, "name", cookie->name);
  add_text (root, "uuid", cookie->uuid);
  add_text (root, "hostname", cookie->host_name);
  add_text (root, "hostuuid", cookie->host_uuid);
  if (cookie->document != NULL)
    xml_element_add_verbatim (root, cookie->document);
  if (cookie->has_nbd)
    add_nbd (root, cookie);
  if (cookie->has_statistics)
    add_statistics (root, cookie);
  if (cookie->processor != NULL)
    xml_element_add_verbatim (root, cookie->processor);
  if (cookie->capabilities != NULL)
    add_capabilities (root, cookie->capabilities);
  return xml_element_to_string (root);
}

/* Reading. */

static gboolean
bad (GError **error, const char *words)
{
  virt_error_set_from (error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", words);
  return FALSE;
}

static gboolean
parse_number (const char *text, guint64 maximum, guint64 *ret)
{
  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, maximum, ret, NULL);
}

static gboolean
read_nbd (const xmlNode *nbd, MigrationCookie *cookie, GError **error)
{
  g_autofree char *port = xml_node_attribute (nbd, "port");
  guint64 number = 0;

  cookie->has_nbd = TRUE;
  if (port != NULL && !parse_number (port, G_MAXUINT16, &number))
    return bad (error, "malformed nbd port in migration data");
  cookie->nbd_port = (guint)number;
  for (const xmlNode *node = nbd->children; node != NULL; node = node->next) {
    g_autofree char *target = NULL, *capacity = NULL;

    if (node->type != XML_ELEMENT_NODE || strcmp ((const char *)node->name, "disk") != 0)
      continue;
    target = xml_node_attribute (node, "target");
    capacity = xml_node_attribute (node, "capacity");
    if (target == NULL || !parse_number (capacity, G_MAXINT64, &number)
        || (cookie->disks != NULL && cookie->disks->len >= MIGRATION_COOKIE_LIST))
      return bad (error, "malformed nbd disk in migration data");
    migration_cookie_add_disk (cookie, target, number);
  }
  return TRUE;
}

static gboolean
read_statistics (const xmlNode *statistics, MigrationCookie *cookie, G_GNUC_UNUSED GError **error)
{
  cookie->has_statistics = TRUE;
  for (const xmlNode *node = statistics->children; node != NULL; node = node->next)
    for (guint i = 0; node->type == XML_ELEMENT_NODE && i < MIGRATION_STATISTICS; i++)
      if (strcmp ((const char *)node->name, statistic_names[i]) == 0) {
        g_autofree char *text = xml_node_text (node);

        parse_number (text, G_MAXUINT64, &cookie->statistics[i]);
      }
  return TRUE;
}

static gboolean
read_capabilities (const xmlNode *list, MigrationCookie *cookie, GError **error)
{
  if (cookie->capabilities == NULL)
    cookie->capabilities = g_ptr_array_new_with_free_func (g_free);
  for (const xmlNode *node = list->children; node != NULL; node = node->next) {
    char *name = node->type == XML_ELEMENT_NODE ? xml_node_attribute (node, "name") : NULL;

    if (name == NULL)
      continue;
    g_ptr_array_add (cookie->capabilities, name);
    if (cookie->capabilities->len > MIGRATION_COOKIE_LIST)
      return bad (error, "too many capabilities in migration data");
  }
  return TRUE;
}

/* Leases of disks go with a machine where the other side's lock manager is ours: none. */
static gboolean
check_lock_driver (const xmlNode *root, GError **error)
{
  for (const xmlNode *node = root->children; node != NULL; node = node->next) {
    g_autofree char *driver = NULL;

    if (node->type != XML_ELEMENT_NODE || strcmp ((const char *)node->name, "lockstate") != 0)
      continue;
    driver = xml_node_attribute (node, "driver");
    if (g_strcmp0 (driver, LOCK_DRIVER) == 0)
      continue;
    virt_error_set_from (error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Source host lock driver %s different from target %s", driver != NULL ? driver : "",
                         LOCK_DRIVER);
    return FALSE;
  }
  return TRUE;
}

/*
 * What the other side needs us to understand. Memory and processors that were plugged in are in the machine's
 * document as any others are: a libvirt that names them is afraid of older ones.
 */
static gboolean
read_feature (const xmlNode *feature, G_GNUC_UNUSED MigrationCookie *cookie, GError **error)
{
  static const char *const understood[] = { "persistent", "memory-hotplug", "cpu-hotplug", NULL };
  g_autofree char *name = xml_node_attribute (feature, "name");

  if (g_strcmp0 (name, "lockstate") == 0)
    return check_lock_driver (feature->parent, error);
  if (name != NULL && g_strv_contains (understood, name))
    return TRUE;
  virt_error_set_from (error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Unknown migration cookie feature %s",
                       name != NULL ? name : "");
  return FALSE;
}

static const struct {
  const char *name;
  gboolean (*read) (const xmlNode *element, MigrationCookie *cookie, GError **error);
} parts[] = {
  { "nbd", read_nbd },
  { "statistics", read_statistics },
  { "capabilities", read_capabilities },
  { "feature", read_feature },
};

static gboolean
read_element (XmlDocument *document, xmlNode *element, MigrationCookie *cookie, GError **error)
{
  const struct {
    const char *name;
    char **text;
  } texts[] = {
    { "name", &cookie->name },
    { "uuid", &cookie->uuid },
    { "hostname", &cookie->host_name },
    { "hostuuid", &cookie->host_uuid },
  };
  const char *name = (const char *)element->name;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (strcmp (name, texts[i].name) == 0 && *texts[i].text == NULL)
      *texts[i].text = xml_node_text (element);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strcmp (name, parts[i].name) == 0 && !parts[i].read (element, cookie, error))
      return FALSE;
  if (strcmp (name, "domain") == 0 && cookie->document == NULL)
    cookie->document = xml_document_verbatim (document, element);
  if (strcmp (name, "cpu") == 0 && cookie->processor == NULL)
    cookie->processor = xml_document_verbatim (document, element);
  return TRUE;
}

MigrationCookie *
migration_cookie_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("(qemu_migration_cookie)");
  g_autoptr (XmlDocument) document = NULL;
  g_autoptr (MigrationCookie) cookie = migration_cookie_new ();
  const char *end = memchr (text, '\0', length);

  document = xml_document_parse (text, end != NULL ? end - text : (gssize)length, diagnostics);
  if (!diagnostics_check (diagnostics, error))
    return NULL;
  if (strcmp ((const char *)xml_document_root (document)->name, ROOT_ELEMENT) != 0) {
    bad (error, "the migration data is no <" ROOT_ELEMENT ">");
    return NULL;
  }
  for (xmlNode *node = xml_document_root (document)->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && !read_element (document, node, cookie, error))
      return NULL;
  return g_steal_pointer (&cookie);
}

gboolean
migration_cookie_check (const MigrationCookie *cookie, const char *uuid, const char *name,
                        const char *host_uuid, GError **error)
{
  if (cookie->name == NULL || cookie->uuid == NULL || cookie->host_name == NULL || cookie->host_uuid == NULL)
    return bad (error, "missing name, uuid, hostname or hostuuid element in migration data");
  if (g_ascii_strcasecmp (cookie->uuid, uuid) != 0 || (name != NULL && strcmp (cookie->name, name) != 0)) {
    virt_error_set_from (error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Incoming cookie data had unexpected UUID or name: %s, %s vs %s", cookie->uuid,
                         cookie->name, uuid);
    return FALSE;
  }
  if (g_ascii_strcasecmp (cookie->host_uuid, host_uuid) == 0) {
    virt_error_set_from (error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Attempt to migrate guest to the same host %s", cookie->host_uuid);
    return FALSE;
  }
  return TRUE;
}
