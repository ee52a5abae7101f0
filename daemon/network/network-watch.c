/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of a running network changes without us, seen from the main loop: dnsmasq, its leases, the packet
 * filter. A dnsmasq that dies is started
 * again by the owner, at once the first times and then after ever longer pauses: one that dies of its
 * settings must not keep the host busy.
 */
#include "daemon/core/main-loop.h"
#include "daemon/network/network-dnsmasq.h"
#include "daemon/network/network-filter-events.h"
#include "daemon/network/network-run.h"
#include "network/network-firewall.h"

#define PAUSE_FIRST  100         /* ms before it is started again, doubled with each ... */
#define PAUSE_LAST   (60 * 1000) /* ... up to so many, ... */
#define CALM_SECONDS 120         /* ... and begun anew once it has lived so long */

struct NetworkWatch {
  char *directory;
  NetworkChanged changed;
  gpointer data;
  Helper *helper; /* NULL: none, or it has ended */
  NetworkFilterEvents *filter;
  GFileMonitor *leases; /* NULL: nobody wants to know */
  char *why;
  guint telling; /* source */
};

/* How often the dnsmasq of a directory has died lately: a watch does not outlive its process. */
typedef struct {
  gint64 last; /* µs */
  guint pause; /* ms */
} Deaths;
static GHashTable *deaths;

static guint
next_pause (const char *directory)
{
  Deaths *known;
  gint64 now = g_get_monotonic_time ();

  if (deaths == NULL)
    deaths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  known = g_hash_table_lookup (deaths, directory);
  if (known == NULL) {
    known = g_new0 (Deaths, 1);
    g_hash_table_insert (deaths, g_strdup (directory), known);
  }
  known->pause = known->pause == 0 || now - known->last > CALM_SECONDS * G_USEC_PER_SEC
                     ? PAUSE_FIRST
                     : MIN (known->pause * 2, PAUSE_LAST);
  known->last = now;
  return known->pause;
}

/* Again and again: whoever cannot start it now may be able to later, and then makes a new watch. */
static gboolean
tell (gpointer data)
{
  NetworkWatch *watch = data;
  g_autofree char *why = g_strdup (watch->why);

  watch->telling = g_timeout_add (next_pause (watch->directory), tell, watch);
  watch->changed (NETWORK_PART_HELPER, why, watch->data); /* may free the watch */
  return G_SOURCE_REMOVE;
}

static void
tell_later (NetworkWatch *watch, const char *last_words)
{
  watch->why = g_strdup_printf ("dnsmasq has ended%s%s", *last_words != '\0' ? ": " : "", last_words);
  watch->telling = g_timeout_add (next_pause (watch->directory), tell, watch);
}

static void
on_end (Helper *helper, const char *last_words, gpointer data)
{
  NetworkWatch *watch = data;

  watch->helper = NULL;
  helper_free (helper);
  tell_later (watch, last_words);
}

/* The helpers before this one, which have ended or are about to, are nobody's news. */
static Helper *
find (const NetworkStatus *status, const char *directory)
{
  g_autofree char *name = network_dnsmasq_name (status);
  g_autoptr (GPtrArray) found = helpers_find (directory);

  for (guint i = 0; i < found->len; i++)
    if (g_str_equal (helper_name (g_ptr_array_index (found, i)), name))
      return g_ptr_array_steal_index (found, i);
  return NULL;
}

static void
on_flush (gpointer data)
{
  NetworkWatch *watch = data;

  watch->changed (NETWORK_PART_FIREWALL, "the packet filter's table of networks was deleted", watch->data);
}

static void
on_lease (G_GNUC_UNUSED GFileMonitor *monitor, G_GNUC_UNUSED GFile *file, G_GNUC_UNUSED GFile *other,
          G_GNUC_UNUSED GFileMonitorEvent event, gpointer data)
{
  NetworkWatch *watch = data;

  watch->changed (NETWORK_PART_LEASES, "dnsmasq has written its leases", watch->data);
}

static void
watch_leases (NetworkWatch *watch, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;

  watch->leases = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, &error);
  if (watch->leases != NULL)
    g_signal_connect (watch->leases, "changed", G_CALLBACK (on_lease), watch);
  else
    g_warning ("the leases in '%s' cannot be watched: %s", path, error->message);
}

NetworkWatch *
network_watch_new (const NetworkStatus *status, const char *directory, NetworkChanged changed, gpointer data)
{
  MAIN_LOOP_ONLY ();

  NetworkWatch *watch = g_new0 (NetworkWatch, 1);

  watch->directory = g_strdup (directory);
  watch->changed = changed;
  watch->data = data;
  if (status->bridge == NULL)
    return watch;
  if (status->helper != 0)
    watch->helper = find (status, directory);
  if (watch->helper != NULL)
    helper_watch (watch->helper, on_end, watch);
  else if (status->helper != 0)
    tell_later (watch, "");
  if (status->leases != NULL)
    watch_leases (watch, status->leases);
  watch->filter = network_filter_events_new (on_flush, watch);
  return watch;
}

void
network_watch_free (NetworkWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_handle_id (&watch->telling, g_source_remove);
  helper_free (watch->helper);
  if (watch->leases != NULL)
    g_signal_handlers_disconnect_by_data (watch->leases, watch);
  g_clear_object (&watch->leases);
  network_filter_events_free (watch->filter);
  g_free (watch->why);
  g_free (watch->directory);
  g_free (watch);
}
