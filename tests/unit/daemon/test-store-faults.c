/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store on a failing disk: each call that a change makes fails in its turn, once or from there on, and
 * what the change answers is what is found: after an error the old definition, after a success the new one,
 * by those who go on and by the next start alike.
 *
 * The calls are counted by being defined here, before the C library's.
 */
#include "daemon/object/object.h"
#include "daemon/object/store.h"

#include "cmocka-glib.h"
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UUID       "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
#define OTHER_UUID "11111111-1366-410c-bb6e-fbc6f66ff7ae"
#define CALLS_MAX  200 /* of one change */

typedef enum { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_NAME, CALL_KINDS } CallKind;

static struct {
  int left;          /* calls of that kind until one fails; -1: none does */
  CallKind kind;     /* of those that are counted */
  int number;        /* the errno */
  gboolean for_ever; /* all that follow fail too */
  gboolean failed;
} fault = { .left = -1 };

static const ObjectKind *kind; /* whose definitions the store keeps */

static gboolean
fails (CallKind call)
{
  if (fault.left < 0 || call != fault.kind)
    return FALSE;
  if (fault.left > 0) {
    fault.left--;
    return FALSE;
  }
  if (!fault.for_ever)
    fault.left = -1;
  fault.failed = TRUE;
  errno = fault.number;
  return TRUE;
}

int
rename (const char *from, const char *to)
{
  return fails (CALL_NAME) ? -1 : (int)syscall (SYS_rename, from, to);
}

int
unlink (const char *path)
{
  return fails (CALL_NAME) ? -1 : (int)syscall (SYS_unlink, path);
}

int
link (const char *from, const char *to)
{
  return fails (CALL_NAME) ? -1 : (int)syscall (SYS_link, from, to);
}

int
symlink (const char *target, const char *path)
{
  return fails (CALL_NAME) ? -1 : (int)syscall (SYS_symlink, target, path);
}

int
fsync (int fd G_GNUC_UNUSED)
{
  return fails (CALL_SYNC) ? -1 : 0;
}

ssize_t
write (int fd, const void *bytes, size_t length)
{
  return fails (CALL_WRITE) ? -1 : syscall (SYS_write, fd, bytes, length);
}

/* Whatever the size of offsets makes of the name. */
int open_counted (const char *path, int flags, ...) __asm__("open");
int open64_counted (const char *path, int flags, ...) __asm__("open64");

int
open_counted (const char *path, int flags, ...)
{
  va_list rest;
  int mode;

  va_start (rest, flags);
  mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (rest, int) : 0;
  va_end (rest);
  return fails (CALL_OPEN) ? -1 : (int)syscall (SYS_openat, AT_FDCWD, path, flags, mode);
}

int
open64_counted (const char *path, int flags, ...)
{
  va_list rest;
  int mode;

  va_start (rest, flags);
  mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (rest, int) : 0;
  va_end (rest);
  return fails (CALL_OPEN) ? -1 : (int)syscall (SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Any text with its name is a document to the store, whatever the kind. */
static char *
document (const char *name, const char *title)
{
  return g_strdup_printf ("<%s><name>%s</name><title>%s</title></%s>\n", kind->document->root, name, title,
                          kind->document->root);
}

static Store *
open_store (const char *directory)
{
  g_autoptr (GError) error = NULL;
  Settings *settings = settings_load (FALSE, directory, NULL, &error);
  Store *store;

  assert_non_null (settings);
  store = store_new (kind, settings, &error);
  assert_non_null (store);
  store_recover (store);
  settings_free (settings);
  return store;
}

static gboolean
save (Store *store, const char *name, const char *title)
{
  g_autofree char *text = document (name, title);

  return store_save (store, UUID, name, text, text, NULL, NULL);
}

static gboolean
define_anew (Store *store)
{
  return save (store, "old", "second");
}

static gboolean
define_another (Store *store)
{
  g_autofree char *text = document ("other", "first");

  return store_save (store, OTHER_UUID, "other", text, text, NULL, NULL);
}

static gboolean
undefine (Store *store)
{
  return store_remove (store, UUID, "old", NULL);
}

static gboolean
rename_it (Store *store)
{
  g_autofree char *text = document ("new", "first");

  return store_rename (store, UUID, "old", "new", text, text, NULL, NULL);
}

static gboolean
mark (Store *store)
{
  return store_set_autostart (store, "old", STORE_AUTOSTART_ONCE, TRUE, NULL);
}

static gboolean
unmark (Store *store)
{
  return store_set_autostart (store, "old", STORE_AUTOSTART, FALSE, NULL);
}

static void
append_broken (const char *path, const GError *error, gpointer data)
{
  g_string_append_printf (data, " broken: %s: %s", path, error->message);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(StoreEntry *const *)a)->name, (*(StoreEntry *const *)b)->name);
}

/* Each definition: its marks, and the title of its document. */
static char *
state_of (Store *store)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GPtrArray) entries = store_list (store, append_broken, text);

  g_ptr_array_sort (entries, compare_names);
  for (guint i = 0; i < entries->len; i++) {
    const StoreEntry *entry = g_ptr_array_index (entries, i);
    g_autofree char *source = store_load_source (store, entry->name, NULL);
    gboolean stale = FALSE;
    g_autofree char *completed = store_load_completed (store, entry->uuid, entry->name, &stale, NULL);

    g_string_append_printf (text, "%s%s%s %s%s%s;", entry->name, entry->autostart ? " always" : "",
                            entry->autostart_once ? " once" : "",
                            strstr (source, "second") != NULL ? "second" : "first",
                            stale ? " changed by hand" : "",
                            completed != NULL && strstr (completed, source) != NULL ? "" : " incomplete");
  }
  return g_string_free (text, FALSE);
}

/* FALSE: the change was done without coming to call @calls of that kind. */
static gboolean
try_fault (gboolean (*change) (Store *), CallKind call, int number, gboolean for_ever, int calls,
           const char *after)
{
  char *directory = temporary_directory ();
  Store *store = open_store (directory);
  g_autofree char *before = NULL, *found = NULL;

  assert_true (save (store, "old", "first"));
  assert_true (store_set_autostart (store, "old", STORE_AUTOSTART, TRUE, NULL));
  before = state_of (store);
  fault.left = calls;
  fault.kind = call;
  fault.number = number;
  fault.for_ever = for_ever;
  fault.failed = FALSE;
  gboolean good = change (store);
  fault.left = -1;
  if (!good) {
    g_autofree char *now = state_of (store);

    assert_string_equal (now, before);
  }
  store_free (store);

  store = open_store (directory);
  found = state_of (store);
  if (!g_str_equal (found, good ? after : before)) {
    print_error ("%s: call %d of kind %u, errno %d%s: answered %s, found '%s'\n", kind->name, calls, call,
                 number, for_ever ? " for ever" : "", good ? "well" : "an error", found);
    fail ();
  }
  /* What comes after it is no edit by hand. */
  assert_true (!good || define_another (store));
  store_free (store);
  temporary_remove (directory);
  return fault.failed;
}

/* All kinds that are kept under names and can be marked to start by themselves. */
static void
check_change (gboolean (*change) (Store *), const char *after)
{
  static const int numbers[CALL_KINDS] = { EMFILE, ENOSPC, EIO, EIO };
  guint tried = 0;

  for (guint i = 0; (kind = object_kinds[i]) != NULL; i++) {
    if (kind->folder == NULL || kind->unnamed || kind->autostart_folders[change == mark] == NULL)
      continue;
    tried++;
    for (guint call = 0; call < CALL_KINDS; call++)
      for (gboolean for_ever = FALSE; for_ever <= (call != CALL_NAME); for_ever++) {
        int calls = 0;

        while (try_fault (change, call, numbers[call], for_ever, calls, after))
          assert_true (++calls < CALLS_MAX);
        assert_true (calls > 0 || call == CALL_WRITE);
      }
  }
  assert_true (tried > 0);
}

#define TEST_OF(name, change, after)            \
  static void name (void **state G_GNUC_UNUSED) \
  {                                             \
    check_change (change, after);               \
  }

TEST_OF (a_new_text, define_anew, "old always second;")
TEST_OF (another_definition, define_another, "old always first;other first;")
TEST_OF (a_removal, undefine, "")
TEST_OF (a_rename, rename_it, "new always first;")
TEST_OF (a_mark, mark, "old always once first;")
TEST_OF (a_mark_taken_away, unmark, "old first;")

/* What could not be removed after a rename must not take another's place away later. */
static void
a_name_given_again_is_kept (void **state G_GNUC_UNUSED)
{
  kind = object_kind_of_letter ('D');

  char *directory = temporary_directory ();
  Store *store = open_store (directory);
  g_autofree char *leaving = g_strdup_printf ("%s/var/lib/domaind/domains/" UUID ".leaving", directory);
  g_autofree char *text = document ("old", "second"), *found = NULL;

  assert_true (save (store, "old", "first"));
  assert_true (rename_it (store));
  assert_true (g_file_set_contents (leaving, "old", -1, NULL));
  assert_true (store_save (store, OTHER_UUID, "old", text, text, NULL, NULL));
  store_free (store);

  store = open_store (directory);
  found = state_of (store);
  assert_string_equal (found, "new first;old second;");
  store_free (store);
  temporary_remove (directory);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (a_new_text),
    cmocka_unit_test (another_definition),
    cmocka_unit_test (a_removal),
    cmocka_unit_test (a_rename),
    cmocka_unit_test (a_mark),
    cmocka_unit_test (a_mark_taken_away),
    cmocka_unit_test (a_name_given_again_is_kept),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
