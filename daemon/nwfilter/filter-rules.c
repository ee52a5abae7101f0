/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two locks. One is held by whoever changes rules, over the kernel's transaction: so a definition's change
 * and a machine's start never cross. The other guards the tables of definitions and bindings, for an instant:
 * the main loop takes that one alone. What is in the kernel is remembered by name; when somebody else has
 * emptied our table, a change fails, and everything is put back in one transaction.
 *
 * Bindings are files in the run directory, so that a daemon that is killed finds them again; the rules stand
 * all the while.
 */
#include "daemon/nwfilter/filter-rules.h"

#include "daemon/core/file.h"
#include "daemon/host/firewall.h"
#include "daemon/host/link.h"
#include "daemon/nwfilter/filter-learner.h"
#include "nwfilter/filter-learning.h"
#include "nwfilter/filter-table.h"

#include <string.h>

#define BINDING_BYTES (1024 * 1024) /* of a binding's file */
#define LEASE_BYTES   4096
#define FOLDER        "nwfilter-bindings"
#define FILE_MODE     0600
#define FOLDER_MODE   0700

typedef struct {
  FilterBindingDef *def;
  FilterTraces *traces;   /* in the kernel's table; NULL: nothing */
  GPtrArray *addresses;   /* learnt (char *) */
  FilterLearner *learner; /* NULL: nothing is to be learnt */
  char *lines;            /* what a learner has learnt, for the next one */
  guint64 sequence;       /* of that */
} Binding;

static GMutex change_lock;
static GMutex table_lock;
static GHashTable *definitions; /* name → FilterDef */
static GHashTable *bindings;    /* device → Binding */
static FilterDef *replaced;     /* by filter_rules_define; change_lock */
static gboolean table_is_known; /* the table in the kernel is as the bindings' traces say; change_lock */
static gboolean reject_was_asked, reject_is_there;

static void
binding_free (gpointer data)
{
  Binding *binding = data;

  document_unref (&filter_binding_document, binding->def);
  g_clear_pointer (&binding->traces, g_ptr_array_unref);
  g_clear_pointer (&binding->addresses, g_ptr_array_unref);
  filter_learner_free (binding->learner);
  g_free (binding->lines);
  g_free (binding);
}

static void
binding_def_free (gpointer def)
{
  document_unref (&filter_binding_document, def);
}

static void
filter_def_free (gpointer def)
{
  document_unref (&filter_document, def);
}

/* table_lock. */
static void
make_tables (void)
{
  if (definitions != NULL)
    return;
  definitions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, filter_def_free);
  bindings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, binding_free);
}

void
filter_rules_note (FilterDef *def)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);

  make_tables ();
  g_hash_table_insert (definitions, g_strdup (def->name), document_ref (&filter_document, def));
}

void
filter_rules_forget (const char *name)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);

  make_tables ();
  g_hash_table_remove (definitions, name);
}

/* The definitions as they are now, @def (may be NULL) among them. */
static GHashTable *
take_definitions (FilterDef *def)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);
  GHashTable *taken = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, filter_def_free);
  GHashTableIter iter;
  gpointer each;

  make_tables ();
  g_hash_table_iter_init (&iter, definitions);
  while (g_hash_table_iter_next (&iter, NULL, &each))
    g_hash_table_insert (taken, ((FilterDef *)each)->name, document_ref (&filter_document, each));
  if (def != NULL)
    g_hash_table_replace (taken, def->name, document_ref (&filter_document, def));
  return taken;
}

static const FilterDef *
look_up (const char *name, gpointer data)
{
  return g_hash_table_lookup (data, name);
}

static gboolean
is_bound_to (const FilterBindingDef *def, const char *name, GHashTable *taken)
{
  const FilterDef *filter = g_hash_table_lookup (taken, def->reference.filter);

  return g_str_equal (def->reference.filter, name)
         || (filter != NULL && filter_refers_to (filter, name, look_up, taken));
}

/* All. The bindings stay while the change lock is held. (transfer container) */
static GPtrArray *
list_bindings (void)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer binding;

  make_tables ();
  g_hash_table_iter_init (&iter, bindings);
  while (g_hash_table_iter_next (&iter, NULL, &binding))
    g_ptr_array_add (list, binding);
  return list;
}

gboolean
filter_rules_in_use (const char *name)
{
  g_autoptr (GHashTable) taken = take_definitions (NULL);
  g_autoptr (GPtrArray) defs = filter_bindings_list ();

  for (guint i = 0; i < defs->len; i++)
    if (is_bound_to (g_ptr_array_index (defs, i), name, taken))
      return TRUE;
  return FALSE;
}

/* One device in a change. */
typedef struct {
  Binding *binding;
  const FilterBindingDef *def;
  FilterTraces *traces;    /* that it will have */
  FilterLearning learning; /* what is to be learnt */
} Item;

static void
item_free (gpointer data)
{
  Item *item = data;

  g_clear_pointer (&item->traces, g_ptr_array_unref);
  filter_learning_clear (&item->learning);
  g_free (item);
}

static Item *
add_item (GPtrArray *items, Binding *binding, const FilterBindingDef *def)
{
  Item *item = g_new0 (Item, 1);

  item->binding = binding;
  item->def = def;
  g_ptr_array_add (items, item);
  return item;
}

/* Asked once: a transaction that leaves nothing. */
static guint
table_flags (const FilterInstance *instance)
{
  static const char probe[] =
      "[{\"add\":{\"table\":{\"family\":\"bridge\",\"name\":\"" FILTER_TABLE "-probe\"}}},"
      "{\"add\":{\"chain\":{\"family\":\"bridge\",\"table\":\"" FILTER_TABLE
      "-probe\",\"name\":\"c\",\"type\":"
      "\"filter\",\"hook\":\"prerouting\",\"prio\":0,\"policy\":\"accept\"}}},{\"add\":{\"rule\":{\"family\":"
      "\"bridge\",\"table\":\"" FILTER_TABLE
      "-probe\",\"chain\":\"c\",\"expr\":[{\"reject\":{\"type\":\"icmpx\","
      "\"expr\":\"port-unreachable\"}}]}}},{\"delete\":{\"table\":{\"family\":\"bridge\",\"name\":"
      "\"" FILTER_TABLE "-probe\"}}}]";
  gboolean asks = FALSE;

  for (guint i = 0; i < instance->rules->len && !asks; i++)
    asks = ((const FilterRuleInstance *)g_ptr_array_index (instance->rules, i))->action == FILTER_REJECT;
  if (asks && !reject_was_asked) {
    g_autoptr (JsonNode) node = json_from_string (probe, NULL);

    reject_was_asked = TRUE;
    reject_is_there = firewall_apply (json_node_get_array (node), NULL);
  }
  return asks && reject_is_there ? FILTER_TABLE_REJECT : 0;
}

/* The commands for one device; @fresh: there is nothing of it in the table. */
static gboolean
prepare (Item *item, GHashTable *taken, gboolean fresh, JsonArray *commands, GError **error)
{
  const FilterTraces *traces = fresh ? NULL : item->binding->traces;
  g_autoptr (FilterInstance) instance = NULL;

  g_clear_pointer (&item->traces, g_ptr_array_unref);
  filter_learning_clear (&item->learning);
  instance = filter_learning_instantiate (item->def, item->binding->addresses, look_up, taken,
                                          &item->learning, error);
  return instance != NULL
         && filter_table_set (commands, item->def->port, instance, table_flags (instance), traces,
                              &item->traces, error);
}

static gboolean
is_among (const GPtrArray *items, const Binding *binding)
{
  for (guint i = 0; i < items->len; i++)
    if (((const Item *)g_ptr_array_index (items, i))->binding == binding)
      return TRUE;
  return FALSE;
}

/* Everything anew: what is not changed, too. */
static gboolean
apply_all (GPtrArray *items, GHashTable *taken, GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GPtrArray) all = list_bindings ();
  guint changed = items->len;

  filter_table_begin (commands);
  for (guint i = 0; i < all->len; i++) {
    Binding *binding = g_ptr_array_index (all, i);

    if (!is_among (items, binding))
      add_item (items, binding, binding->def);
  }
  for (guint i = 0; i < items->len; i++) {
    g_autoptr (GError) problem = NULL;

    if (prepare (g_ptr_array_index (items, i), taken, TRUE, commands, i < changed ? error : &problem))
      continue;
    if (i < changed)
      return FALSE;
    g_warning ("filter of '%s': %s", ((const Item *)g_ptr_array_index (items, i))->def->port,
               problem->message);
  }
  return firewall_apply (commands, error);
}

static gboolean
apply_some (GPtrArray *items, GHashTable *taken, GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();

  for (guint i = 0; i < items->len; i++)
    if (!prepare (g_ptr_array_index (items, i), taken, FALSE, commands, error))
      return FALSE;
  return firewall_apply (commands, error);
}

/* The learner that the device needs from now on. */
static void
set_learner (const Settings *settings, Item *item)
{
  Binding *binding = item->binding;
  g_autoptr (GError) error = NULL;

  if (item->learning.method == FILTER_LEARN_NOTHING) {
    g_clear_pointer (&binding->learner, filter_learner_free);
  } else if (binding->learner == NULL || binding->def != item->def) {
    filter_learner_free (binding->learner);
    binding->learner = filter_learner_new (settings, item->def->port, item->def->mac,
                                           item->learning.method == FILTER_LEARN_DHCP, item->learning.servers,
                                           binding->lines, &error);
  }
  if (error != NULL && link_exists (item->def->port))
    g_warning ("%s", error->message);
}

/* All devices of @items, or none. */
static gboolean
apply (const Settings *settings, GPtrArray *items, FilterDef *def, GError **error)
{
  g_autoptr (GHashTable) taken = take_definitions (def);
  g_autoptr (GError) problem = NULL;
  gboolean done = table_is_known && apply_some (items, taken, &problem);

  if (!done) {
    g_autoptr (GError) again = NULL;

    done = apply_all (items, taken, &again);
    if (!done) {
      /* What somebody else did to the table is not why. */
      g_propagate_error (error, problem != NULL ? g_steal_pointer (&problem) : g_steal_pointer (&again));
      return FALSE;
    }
    table_is_known = TRUE;
  }
  for (guint i = 0; i < items->len; i++) {
    Item *item = g_ptr_array_index (items, i);

    g_clear_pointer (&item->binding->traces, g_ptr_array_unref);
    item->binding->traces = g_steal_pointer (&item->traces);
    set_learner (settings, item);
  }
  return TRUE;
}

/* Definitions. */

static GPtrArray *
items_of (const char *name, GHashTable *taken)
{
  g_autoptr (GPtrArray) all = list_bindings ();
  GPtrArray *items = g_ptr_array_new_with_free_func (item_free);

  for (guint i = 0; i < all->len; i++) {
    Binding *binding = g_ptr_array_index (all, i);

    if (is_bound_to (binding->def, name, taken))
      add_item (items, binding, binding->def);
  }
  return items;
}

gboolean
filter_rules_define (const Settings *settings, FilterDef *def, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (GHashTable) taken = take_definitions (NULL), changed = take_definitions (def);
  g_autoptr (GPtrArray) items = items_of (def->name, changed);
  FilterDef *old = g_hash_table_lookup (taken, def->name);

  if (!filter_check_loop (def, look_up, changed, error)
      || (items->len > 0 && !apply (settings, items, def, error)))
    return FALSE;
  document_unref (&filter_document, replaced);
  replaced = old != NULL ? document_ref (&filter_document, old) : NULL;
  filter_rules_note (def);
  return TRUE;
}

void
filter_rules_undo_define (const Settings *settings, FilterDef *def)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (GHashTable) taken = NULL;
  g_autoptr (GPtrArray) items = NULL;
  g_autoptr (GError) error = NULL;

  if (replaced == NULL) {
    filter_rules_forget (def->name);
    return;
  }
  filter_rules_note (replaced);
  taken = take_definitions (NULL);
  items = items_of (def->name, taken);
  if (items->len > 0 && !apply (settings, items, NULL, &error))
    g_warning ("filter '%s': its old rules cannot be put back: %s", def->name, error->message);
}

/* Bindings on disk. */

static char *
path_of (const Settings *settings, const char *port, const char *suffix)
{
  g_autofree char *name = store_encode_name (port), *file = g_strconcat (name, suffix, NULL);

  return g_build_filename (settings->run_directory, FOLDER, file, NULL);
}

static gboolean
write_file (const Settings *settings, const char *port, const char *suffix, const char *text, GError **error)
{
  g_autofree char *folder = g_build_filename (settings->run_directory, FOLDER, NULL);
  g_autofree char *path = path_of (settings, port, suffix);

  return store_make_directory (folder, FOLDER_MODE, error)
         && store_write_file (path, text, -1, FILE_MODE, error);
}

static gboolean
save (const Settings *settings, const FilterBindingDef *def, GError **error)
{
  g_autofree char *xml = document_to_xml (&filter_binding_document, def, 0);

  return write_file (settings, def->port, ".xml", xml, error);
}

static void
remove_files (const Settings *settings, const char *port)
{
  static const char *const suffixes[] = { ".xml", ".leases" };

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *path = path_of (settings, port, suffixes[i]);
    g_autoptr (GError) error = NULL;

    if (!store_remove_file (path, &error))
      g_warning ("%s", error->message);
  }
}

/* Bindings. */

static Binding *
find (const char *port)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);

  make_tables ();
  return g_hash_table_lookup (bindings, port);
}

static void
insert (Binding *binding)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);

  g_hash_table_insert (bindings, g_strdup (binding->def->port), binding);
}

/* @binding has @def, and forgets what was learnt for another machine. */
static void
take_def (Binding *binding, FilterBindingDef *def)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);

  document_unref (&filter_binding_document, binding->def);
  binding->def = document_ref (&filter_binding_document, def);
}

static gboolean
same_machine (const FilterBindingDef *a, const FilterBindingDef *b)
{
  return g_str_equal (a->mac, b->mac) && g_str_equal (a->owner_uuid, b->owner_uuid);
}

static void
forget_learnt (Binding *binding)
{
  g_clear_pointer (&binding->addresses, g_ptr_array_unref);
  g_clear_pointer (&binding->lines, g_free);
}

gboolean
filter_binding_set (const Settings *settings, FilterBindingDef *def, gboolean replace, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (item_free);
  Binding *old = find (def->port), *binding = old;

  if (old != NULL && !replace) {
    virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_OPERATION_FAILED, "binding '%s' already exists",
                         def->port);
    return FALSE;
  }
  if (old == NULL) {
    binding = g_new0 (Binding, 1);
    binding->def = document_ref (&filter_binding_document, def);
  } else if (!same_machine (old->def, def)) {
    forget_learnt (old);
  }
  add_item (items, binding, def);
  if (!save (settings, def, error) || !apply (settings, items, NULL, error)) {
    if (old == NULL) {
      remove_files (settings, def->port);
      binding_free (binding);
    } else {
      save (settings, old->def, NULL);
    }
    return FALSE;
  }
  if (old == NULL)
    insert (binding);
  else
    take_def (binding, def);
  return TRUE;
}

gboolean
filter_binding_remove (const Settings *settings, const char *port, const FilterBindingDef *only,
                       GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GError) problem = NULL;
  Binding *binding = find (port);

  if (binding == NULL || (only != NULL && binding->def != only)) {
    virt_error_set (error, VIR_ERR_NO_NWFILTER_BINDING, "no nwfilter binding for port dev '%s'", port);
    return FALSE;
  }
  if (table_is_known && binding->traces != NULL) {
    filter_table_remove (commands, port, binding->traces);
    if (!firewall_apply (commands, &problem)) { /* what is left goes when everything is made anew */
      g_message ("filter of '%s': %s", port, problem->message);
      table_is_known = FALSE;
    }
  }
  remove_files (settings, port);
  g_mutex_lock (&table_lock);
  g_hash_table_remove (bindings, port);
  g_mutex_unlock (&table_lock);
  return TRUE;
}

void
filter_binding_learnt (const Settings *settings, const char *port, const GPtrArray *addresses,
                       const char *lines, guint64 sequence)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (item_free);
  g_autoptr (GError) error = NULL;
  Binding *binding = find (port);

  if (binding == NULL || binding->learner == NULL || sequence <= binding->sequence)
    return;
  binding->sequence = sequence;
  forget_learnt (binding);
  binding->addresses = g_ptr_array_copy ((GPtrArray *)addresses, (GCopyFunc)(void (*) (void))g_strdup, NULL);
  g_ptr_array_set_free_func (binding->addresses, g_free);
  binding->lines = g_strdup (lines);
  add_item (items, binding, binding->def);
  if (!write_file (settings, port, ".leases", lines, &error) || !apply (settings, items, NULL, &error))
    g_warning ("filter of '%s': what was learnt of the machine's address is not used: %s", port,
               error->message);
}

GPtrArray *
filter_bindings_list (void)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);
  GPtrArray *defs = g_ptr_array_new_with_free_func (binding_def_free);
  GHashTableIter iter;
  gpointer binding;

  make_tables ();
  g_hash_table_iter_init (&iter, bindings);
  while (g_hash_table_iter_next (&iter, NULL, &binding))
    g_ptr_array_add (defs, document_ref (&filter_binding_document, ((Binding *)binding)->def));
  return defs;
}

FilterBindingDef *
filter_binding_find (const char *port)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&table_lock);
  const Binding *binding;

  make_tables ();
  binding = g_hash_table_lookup (bindings, port);
  return binding != NULL ? document_ref (&filter_binding_document, binding->def) : NULL;
}

/* At the start. */

static FilterBindingDef *
read_binding (const char *path)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = store_read_file (path, BINDING_BYTES, NULL, &error);
  FilterBindingDef *def =
      text != NULL ? document_read (&filter_binding_document, text, -1, DOCUMENT_LAX, diagnostics) : NULL;

  if (text == NULL || !diagnostics_check (diagnostics, &error))
    g_warning ("a filter's binding is lost: %s", error->message);
  return def;
}

static void
adopt_file (const Settings *settings, const char *path)
{
  FilterBindingDef *def = read_binding (path);
  g_autofree char *leases = NULL;
  Binding *binding;

  if (def == NULL)
    return;
  if (!link_exists (def->port)) {
    g_message ("device '%s' is gone: so is the binding of its filter", def->port);
    remove_files (settings, def->port);
    document_unref (&filter_binding_document, def);
    return;
  }
  binding = g_new0 (Binding, 1);
  binding->def = def;
  leases = path_of (settings, def->port, ".leases");
  binding->lines = store_read_file (leases, LEASE_BYTES, NULL, NULL);
  if (binding->lines != NULL)
    binding->addresses = filter_learner_addresses (binding->lines);
  insert (binding);
}

/* TRUE: there were some, even if their devices are gone. */
static gboolean
adopt_files (const Settings *settings)
{
  g_autofree char *folder = g_build_filename (settings->run_directory, FOLDER, NULL);
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  gboolean found = FALSE;
  const char *name;

  if (directory == NULL)
    return FALSE;
  store_remove_temporary (folder);
  while ((name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (!g_str_has_suffix (name, ".xml"))
      continue;
    found = TRUE;
    adopt_file (settings, path);
  }
  return found;
}

/* What is in the kernel's table of devices: theirs is remembered, that of others goes. */
static gboolean
adopt_table (JsonArray *commands)
{
  g_autoptr (JsonArray) objects = NULL;
  g_autoptr (GHashTable) devices = NULL;
  GHashTableIter iter;
  gpointer port, traces;

  if (!firewall_list_table (FILTER_FAMILY, FILTER_TABLE, &objects, NULL) || objects == NULL
      || (devices = filter_table_read (objects)) == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, devices);
  while (g_hash_table_iter_next (&iter, &port, &traces)) {
    Binding *binding = find (port);

    if (binding != NULL)
      binding->traces = g_ptr_array_ref (traces);
    else
      filter_table_remove (commands, port, traces);
  }
  return TRUE;
}

/* One that cannot be as its filter says now is as it was. */
static void
adopt_binding (const Settings *settings, Binding *binding)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (item_free);
  g_autoptr (GError) error = NULL;

  add_item (items, binding, binding->def);
  if (!apply (settings, items, NULL, &error))
    g_warning ("filter of '%s': its rules stay as they are: %s", binding->def->port, error->message);
}

void
filter_bindings_adopt (const Settings *settings)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&change_lock);
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GPtrArray) all = NULL;

  /* With a root of its own, a daemon has no right to what is not in its files. */
  if (!adopt_files (settings) && settings->root != NULL)
    return;
  all = list_bindings ();
  table_is_known = adopt_table (commands) && firewall_apply (commands, NULL);
  for (guint i = 0; i < all->len; i++)
    adopt_binding (settings, g_ptr_array_index (all, i));
}
