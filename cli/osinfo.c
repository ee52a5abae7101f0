/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libosinfo's database, read when it is asked. The library is loaded then and not linked: it brings an HTTP
 * client and an XSLT processor along, which every other command, and each press of the tab key, would pay
 * for; and domctl is of use where it is not installed.
 */
#include "cli/osinfo.h"

#include "base/enum-table.h"
#include "cli/i18n.h"

#include <gmodule.h>
#include <osinfo/osinfo.h>
#include <string.h>

#define LIBRARY "libosinfo-1.0.so.0"

#define FUNCTIONS(X)                       \
  X (osinfo_loader_new)                    \
  X (osinfo_loader_process_default_path)   \
  X (osinfo_loader_get_db)                 \
  X (osinfo_db_get_os_list)                \
  X (osinfo_list_get_length)               \
  X (osinfo_list_get_nth)                  \
  X (osinfo_entity_get_id)                 \
  X (osinfo_product_get_short_id)          \
  X (osinfo_product_get_name)              \
  X (osinfo_os_get_family)                 \
  X (osinfo_os_get_cloud_image_username)   \
  X (osinfo_os_get_all_devices)            \
  X (osinfo_os_get_complete_firmware_list) \
  X (osinfo_firmware_get_architecture)     \
  X (osinfo_firmware_get_firmware_type)    \
  X (osinfo_firmware_is_supported)         \
  X (osinfo_os_get_recommended_resources)  \
  X (osinfo_os_get_minimum_resources)      \
  X (osinfo_resources_get_architecture)    \
  X (osinfo_resources_get_n_cpus)          \
  X (osinfo_resources_get_ram)             \
  X (osinfo_resources_get_storage)

#define MEMBER(name) __typeof__ (name) *name;
static struct {
  FUNCTIONS (MEMBER)
} library;

#define NAME(name) { #name, (gpointer *)&library.name },
static const struct {
  const char *name;
  gpointer *place;
} symbols[] = { FUNCTIONS (NAME) };

static gboolean
load_library (GError **error)
{
  GModule *module = g_module_open (LIBRARY, G_MODULE_BIND_LAZY);
  gboolean good = module != NULL;

  for (guint i = 0; good && i < G_N_ELEMENTS (symbols); i++)
    good = g_module_symbol (module, symbols[i].name, symbols[i].place);
  if (good)
    g_module_make_resident (module); /* it registers types */
  else
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        _ ("what operating systems need is libosinfo's knowledge, which is not installed: apt install "
           "libosinfo-1.0-0 osinfo-db (%s)"),
        g_module_error ());
  return good;
}

/* The library's loader forgets a few bytes of its own: they are not to fail a test of ours. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#define LEAKS_BEGIN() __lsan_disable ()
#define LEAKS_END()   __lsan_enable ()
#else
#define LEAKS_BEGIN() (void)0
#define LEAKS_END()   (void)0
#endif

/* (transfer full) */
static OsinfoLoader *
open_database (GError **error)
{
  OsinfoLoader *loader;

  if (!load_library (error))
    return NULL;
  LEAKS_BEGIN ();
  loader = library.osinfo_loader_new ();
  library.osinfo_loader_process_default_path (loader, error);
  LEAKS_END ();
  if (*error == NULL)
    return loader;
  g_object_unref (loader);
  return NULL;
}

static guint
length_of (gpointer list)
{
  return list != NULL ? (guint)library.osinfo_list_get_length (list) : 0;
}

/* One system. */

/* The ids of the devices that say there is a driver: of virtio both generations. */
static const struct {
  OsDevice device;
  const char *id;
} devices[] = {
  { OS_DISK, "http://pcisig.com/pci/1af4/1001" },    { OS_DISK, "http://pcisig.com/pci/1af4/1042" },
  { OS_NETWORK, "http://pcisig.com/pci/1af4/1000" }, { OS_NETWORK, "http://pcisig.com/pci/1af4/1041" },
  { OS_RNG, "http://pcisig.com/pci/1af4/1005" },     { OS_RNG, "http://pcisig.com/pci/1af4/1044" },
  { OS_BALLOON, "http://pcisig.com/pci/1af4/1002" }, { OS_BALLOON, "http://pcisig.com/pci/1af4/1045" },
  { OS_VIDEO, "http://pcisig.com/pci/1af4/1050" },   { OS_E1000E, "http://pcisig.com/pci/8086/10d3" },
};

static void
read_devices (OsinfoOs *os, OsFacts *facts)
{
  g_autoptr (GObject) list = G_OBJECT (library.osinfo_os_get_all_devices (os, NULL));

  for (guint i = 0; i < length_of (list); i++) {
    const char *id = library.osinfo_entity_get_id (library.osinfo_list_get_nth ((gpointer)list, (gint)i));

    for (guint k = 0; k < G_N_ELEMENTS (devices); k++)
      if (g_strcmp0 (id, devices[k].id) == 0)
        facts->has_driver[devices[k].device] = TRUE;
  }
}

static void
read_firmware (OsinfoOs *os, const char *arch, OsFacts *facts)
{
  g_autoptr (GObject) list = G_OBJECT (library.osinfo_os_get_complete_firmware_list (os, NULL));
  gboolean has_bios = TRUE;

  for (guint i = 0; i < length_of (list); i++) {
    gpointer firmware = library.osinfo_list_get_nth ((gpointer)list, (gint)i);
    const char *type = library.osinfo_firmware_get_firmware_type (firmware);
    gboolean supported = library.osinfo_firmware_is_supported (firmware);

    if (g_strcmp0 (library.osinfo_firmware_get_architecture (firmware), arch) != 0)
      continue;
    if (g_strcmp0 (type, "efi") == 0)
      facts->has_efi = supported;
    else if (g_strcmp0 (type, "bios") == 0)
      has_bios = supported;
  }
  facts->needs_efi = facts->has_efi && !has_bios;
}

/* Of the architecture, or of all. */
static void
read_resources (OsinfoResourcesList *list, const char *arch, OsFacts *facts)
{
  g_autoptr (GObject) object = G_OBJECT (list);

  for (guint i = 0; i < length_of (object); i++) {
    gpointer resources = library.osinfo_list_get_nth ((gpointer)object, (gint)i);
    const char *whose = library.osinfo_resources_get_architecture (resources);

    if (g_strcmp0 (whose, arch) != 0 && g_strcmp0 (whose, "all") != 0)
      continue;
    facts->memory = MAX (facts->memory, library.osinfo_resources_get_ram (resources));
    facts->storage = MAX (facts->storage, library.osinfo_resources_get_storage (resources));
    facts->cpus = MAX (facts->cpus, library.osinfo_resources_get_n_cpus (resources));
  }
}

static OsFacts *
facts_new (OsinfoOs *os)
{
  OsFacts *facts = g_new0 (OsFacts, 1);

  facts->name = g_strdup (library.osinfo_product_get_short_id ((OsinfoProduct *)os));
  facts->title = g_strdup (library.osinfo_product_get_name ((OsinfoProduct *)os));
  facts->id = g_strdup (library.osinfo_entity_get_id ((OsinfoEntity *)os));
  return facts;
}

static OsFacts *
read_facts (OsinfoOs *os, const char *arch)
{
  OsFacts *facts = facts_new (os);

  facts->family = g_strdup (library.osinfo_os_get_family (os));
  facts->cloud_user = g_strdup (library.osinfo_os_get_cloud_image_username (os));
  read_devices (os, facts);
  read_firmware (os, arch, facts);
  read_resources (library.osinfo_os_get_minimum_resources (os), arch, facts);
  read_resources (library.osinfo_os_get_recommended_resources (os), arch, facts);
  return facts;
}

void
os_facts_free (OsFacts *facts)
{
  if (facts == NULL)
    return;
  g_free (facts->name);
  g_free (facts->title);
  g_free (facts->id);
  g_free (facts->family);
  g_free (facts->cloud_user);
  g_free (facts);
}

/* Finding. */

/* "debian", 12.0 of "debian12"; FALSE: it has no version. */
static gboolean
split_version (const char *name, gsize *ret_length, double *ret_version)
{
  gsize length = strcspn (name, "0123456789");
  char *end;

  if (name[length] == '\0' || length == 0)
    return FALSE;
  *ret_version = g_ascii_strtod (name + length, &end);
  *ret_length = length;
  return *end == '\0';
}

/* The newest system of the same name whose version is below that of @name; NULL: there is none. */
static gpointer
find_older (gpointer list, const char *name)
{
  double wanted, version, best = -1;
  gsize length, other;
  gpointer found = NULL;

  if (!split_version (name, &length, &wanted))
    return NULL;
  for (guint i = 0; i < length_of (list); i++) {
    gpointer os = library.osinfo_list_get_nth (list, (gint)i);
    const char *known = library.osinfo_product_get_short_id (os);

    if (known != NULL && split_version (known, &other, &version) && other == length
        && strncmp (known, name, length) == 0 && version < wanted && version > best) {
      best = version;
      found = os;
    }
  }
  return found;
}

static gpointer
find_os (gpointer list, const char *name)
{
  for (guint i = 0; i < length_of (list); i++) {
    gpointer os = library.osinfo_list_get_nth (list, (gint)i);

    if (g_strcmp0 (library.osinfo_product_get_short_id (os), name) == 0
        || g_strcmp0 (library.osinfo_entity_get_id (os), name) == 0)
      return os;
  }
  return NULL;
}

static void
set_unknown (gpointer list, const char *name, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  for (guint i = 0; i < length_of (list); i++) {
    const char *known =
        library.osinfo_product_get_short_id ((gpointer)library.osinfo_list_get_nth (list, (gint)i));

    if (known != NULL)
      g_ptr_array_add (names, (gpointer)known);
  }
  g_ptr_array_add (names, NULL);
  near = nearest_word (name, (const char *const *)names->pdata);
  if (near != NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 _ ("no operating system is called '%s': did you mean '%s'?"), name, near);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 _ ("no operating system is called '%s': 'domctl init --list' names them"), name);
}

OsFacts *
os_facts_find (const char *name, const char *arch, char **ret_note, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GObject) loader = (GObject *)open_database (&problem), list = NULL;
  gpointer os;

  *ret_note = NULL;
  if (loader == NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  list = G_OBJECT (library.osinfo_db_get_os_list (library.osinfo_loader_get_db ((gpointer)loader)));
  os = find_os (list, name);
  if (os == NULL && (os = find_older (list, name)) != NULL)
    *ret_note =
        g_strdup_printf (_ ("the database of this host does not know '%s' yet (package osinfo-db): taken "
                            "as '%s'"),
                         name, library.osinfo_product_get_short_id (os));
  if (os != NULL)
    return read_facts (os, arch);
  set_unknown (list, name, error);
  return NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const OsFacts *one = *(OsFacts *const *)a, *other = *(OsFacts *const *)b;

  return strcmp (one->name, other->name);
}

GPtrArray *
os_facts_list (GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GObject) loader = (GObject *)open_database (&problem), list = NULL;
  GPtrArray *all;

  if (loader == NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  all = g_ptr_array_new_with_free_func ((GDestroyNotify)os_facts_free);
  list = G_OBJECT (library.osinfo_db_get_os_list (library.osinfo_loader_get_db ((gpointer)loader)));
  for (guint i = 0; i < length_of (list); i++) {
    gpointer os = library.osinfo_list_get_nth ((gpointer)list, (gint)i);

    if (library.osinfo_product_get_short_id (os) != NULL)
      g_ptr_array_add (all, facts_new (os));
  }
  g_ptr_array_sort (all, compare_names);
  return all;
}
