/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store, cut short: a child changes a definition and ends before its first, its second, its third... call
 * that changes the disk, and what the next start finds is the old definition or the new one, whole. With the
 * power, more is lost: whatever was done in a directory since it was last synced may be there or not, and
 * every combination is tried.
 *
 * The calls are counted by being defined here, before the C library's.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/object/store.h"
#include "daemon/storage/pools.h"

#include "cmocka-glib.h"
#include "temporary.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID        "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
#define CALLS_MAX   200 /* of one change */
#define DIRECTORIES 4
#define CHANGED     3 /* the first of them are changed here */

/* A kind of object whose store is changed, and what that keeps, below the root. */
typedef struct {
  const ObjectKind *kind;
  const char *directories[DIRECTORIES];
} Kept;

static const Kept domains = {
  &domain_kind,
  { "etc/domaind/domains", "etc/domaind/autostart", "var/lib/domaind/domains", "etc/domaind/autostart-once" },
};
static const Kept pools = {
  &storage_pool_kind,
  { "etc/domaind/storage", "etc/domaind/storage/autostart", "var/lib/domaind/storage", "etc/domaind/none" },
};
static const Kept *kept = &domains;

static int calls_left = -1; /* until the child ends; -1: for ever */
static const char *root;    /* of the store whose directories are copied as they are synced */

static void
count_call (void)
{
  if (calls_left == 0)
    _exit (0);
  if (calls_left > 0)
    calls_left--;
}

static char *
synced_copy (guint i)
{
  return g_strdup_printf ("%s/synced-%u", root, i);
}

static void
remove_files (const char *directory)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *file = g_build_filename (directory, name, NULL);

    if (!g_file_test (file, G_FILE_TEST_IS_DIR) || g_file_test (file, G_FILE_TEST_IS_SYMLINK))
      syscall (SYS_unlink, file);
  }
}

/* The store changes no file in place, so another name for each is a copy. */
static void
copy_directory (const char *from, const char *to)
{
  g_autoptr (GDir) files = NULL;
  const char *name;

  remove_files (to);
  g_mkdir (to, 0755);
  files = g_dir_open (from, 0, NULL);
  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *file = g_build_filename (from, name, NULL);
    g_autofree char *copy = g_build_filename (to, name, NULL);

    if (g_file_test (file, G_FILE_TEST_IS_DIR))
      continue; /* of links, which is one of the directories itself */
    assert_int_equal (linkat (AT_FDCWD, file, AT_FDCWD, copy, 0), 0);
  }
}

/* The directory that was just synced is safe as it stands. */
static void
note_synced (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  for (guint i = 0; root != NULL && i < DIRECTORIES; i++) {
    g_autofree char *directory = g_build_filename (root, kept->directories[i], NULL);
    g_autofree char *copy = synced_copy (i);

    if (g_strcmp0 (path, directory) == 0)
      copy_directory (directory, copy);
  }
}

int
rename (const char *from, const char *to)
{
  count_call ();
  return (int)syscall (SYS_rename, from, to);
}

int
unlink (const char *path)
{
  count_call ();
  return (int)syscall (SYS_unlink, path);
}

int
symlink (const char *target, const char *path)
{
  count_call ();
  return (int)syscall (SYS_symlink, target, path);
}

/* The disk itself is not waited for: what it would keep is what was synced. */
int
fsync (int fd)
{
  count_call ();
  if (calls_left >= 0)
    note_synced (fd);
  return 0;
}

static char *
document (const char *name)
{
  const char *root_element = kept->kind->document->root;

  return g_strdup_printf ("<%s type='qemu'><name>%s</name></%s>\n", root_element, name, root_element);
}

static Store *
open_store (const char *directory)
{
  g_autoptr (GError) error = NULL;
  Settings *settings = settings_load (FALSE, directory, NULL, &error);
  Store *store;

  assert_non_null (settings);
  store = store_new (kept->kind, settings, &error);
  assert_non_null (store);
  store_recover (store);
  settings_free (settings);
  return store;
}

/* A store with one definition, "old", that is marked for autostart. */
static char *
make_store (void)
{
  char *directory = temporary_directory ();
  g_autoptr (Store) store = open_store (directory);
  g_autofree char *text = document ("old");

  assert_true (store_save (store, UUID, "old", text, text, NULL, NULL));
  assert_true (store_set_autostart (store, "old", STORE_AUTOSTART, TRUE, NULL));
  return directory;
}

static void
remove_it (Store *store)
{
  store_remove (store, UUID, "old", NULL);
}

static void
rename_it (Store *store)
{
  g_autofree char *text = document ("new");

  store_rename (store, UUID, "old", "new", text, text, NULL, NULL);
}

static void
save_it (Store *store)
{
  g_autofree char *text = g_strdup ("<domain type='qemu'><name>old</name><title>t</title></domain>\n");

  store_save (store, UUID, "old", text, text, NULL, NULL);
}

static void
append_broken (const char *path, const GError *error, gpointer data)
{
  g_string_append_printf (data, " broken: %s: %s", path, error->message);
}

static guint
count_files (const char *directory)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;
  guint count = 0;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL)
    count += !g_str_equal (name, "index") && !g_str_equal (name, "autostart");
  return count;
}

/* Who is defined, what is broken, and how many files there are in each directory. */
static char *
state_of (const char *directory)
{
  g_autoptr (Store) store = open_store (directory);
  GString *text = g_string_new (NULL);
  g_autoptr (GPtrArray) entries = store_list (store, append_broken, text);

  for (guint i = 0; i < entries->len; i++) {
    const StoreEntry *entry = g_ptr_array_index (entries, i);
    g_autofree char *completed = NULL;
    gboolean stale = FALSE;

    completed = store_load_completed (store, entry->uuid, entry->name, &stale, NULL);
    g_string_append_printf (text, "%s%s%s%s", entry->name, entry->autostart ? " autostart" : "",
                            completed == NULL ? " incomplete" : "", stale ? " stale" : "");
  }
  for (guint i = 0; i < DIRECTORIES; i++) {
    g_autofree char *path = g_build_filename (directory, kept->directories[i], NULL);

    g_string_append_printf (text, " %u", count_files (path));
  }
  return g_string_free (text, FALSE);
}

/* Do @change and end before call @calls. FALSE: it was done before. */
static gboolean
cut_short (const char *directory, void (*change) (Store *), int calls)
{
  pid_t child = fork ();
  int status = 0;

  if (child == 0) {
    g_autoptr (Store) store = open_store (directory);

    root = directory;
    for (guint i = 0; i < DIRECTORIES; i++) {
      g_autofree char *path = g_build_filename (root, kept->directories[i], NULL);
      g_autofree char *copy = synced_copy (i);

      copy_directory (path, copy);
    }
    calls_left = calls;
    change (store);
    _exit (1);
  }
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFEXITED (status));
  return WEXITSTATUS (status) == 0;
}

/* Of the directories in @lost (bits), what was not synced is gone. */
static void
lose_power (const char *directory, guint lost)
{
  root = directory;
  for (guint i = 0; i < DIRECTORIES; i++) {
    g_autofree char *path = g_build_filename (directory, kept->directories[i], NULL);
    g_autofree char *copy = synced_copy (i);

    if ((lost & (1u << i)) != 0)
      copy_directory (copy, path);
  }
  root = NULL;
}

/* All the power takes, or nothing: in place of every combination. */
#define EVERYTHING ((1u << CHANGED) - 1)

static void
check_change (void (*change) (Store *), const char *before, const char *after, guint step)
{
  for (guint lost = 0; lost < 1u << CHANGED; lost += step) {
    int calls = 0;
    gboolean cut = TRUE;

    for (; cut; calls++) {
      char *directory = make_store ();
      g_autofree char *state = NULL, *again = NULL;

      cut = cut_short (directory, change, calls);
      if (cut)
        lose_power (directory, lost);
      state = state_of (directory);
      again = state_of (directory);
      if (!g_str_equal (state, after) && (!cut || !g_str_equal (state, before))) {
        print_error ("cut before call %d, lost %u: '%s'\n", calls, lost, state);
        fail ();
      }
      assert_string_equal (again, state);
      temporary_remove (directory);
      assert_true (calls < CALLS_MAX);
    }
    assert_true (calls > 4);
  }
}

#define DEFINED "old autostart 1 1 2 0"

static void
a_removal_is_done_or_not (void **state G_GNUC_UNUSED)
{
  check_change (remove_it, DEFINED, " 0 0 0 0", 1);
}

/* No link stays behind that would start the next pool of that name. */
static void
a_pools_removal_is_done_or_not (void **state G_GNUC_UNUSED)
{
  kept = &pools;
  check_change (remove_it, DEFINED, " 0 0 0 0", EVERYTHING);
  kept = &domains;
}

static void
a_rename_is_done_or_not (void **state G_GNUC_UNUSED)
{
  check_change (rename_it, DEFINED, "new autostart 1 1 2 0", 1);
}

static void
a_new_text_is_there_or_the_old_one (void **state G_GNUC_UNUSED)
{
  check_change (save_it, DEFINED, DEFINED, 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (a_removal_is_done_or_not),
    cmocka_unit_test (a_pools_removal_is_done_or_not),
    cmocka_unit_test (a_rename_is_done_or_not),
    cmocka_unit_test (a_new_text_is_there_or_the_old_one),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
