/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: what is written comes back, a change that is cut short at any of its steps leaves the old or the
 * new definition whole, and broken files are told of and passed over.
 */
#include "daemon/core/file.h"
#include "daemon/domain/domain-kind.h"
#include "daemon/object/store.h"

#include "cmocka-glib.h"
#include "temporary.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID_A "87291af1-1366-410c-bb6e-fbc6f66ff7ae"
#define UUID_B "00000000-0000-4000-8000-000000000002"

typedef struct {
  char *root;
  Settings *settings;
  Store *store;
} Fixture;

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->root = temporary_directory ();
  fixture->settings = settings_load (FALSE, fixture->root, NULL, NULL);
  fixture->store = store_new (&domain_kind, fixture->settings, NULL);
  assert_non_null (fixture->store);
  *state = fixture;
  return 0;
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;

  store_free (fixture->store);
  settings_free (fixture->settings);
  temporary_remove (fixture->root);
  g_free (fixture);
  return 0;
}

static void
reopen (Fixture *fixture)
{
  store_free (fixture->store);
  fixture->store = store_new (&domain_kind, fixture->settings, NULL);
  assert_non_null (fixture->store);
  store_recover (fixture->store);
}

static char *
document (const char *name, const char *uuid, const char *more)
{
  return g_strdup_printf ("<!-- mine -->\n<domain type='qemu'>\n\t<name>%s</name>%s%s%s\n  %s</domain>\n",
                          name, uuid != NULL ? "<uuid>" : "", uuid != NULL ? uuid : "",
                          uuid != NULL ? "</uuid>" : "", more);
}

static void
save (Fixture *fixture, const char *name, const char *uuid, const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *source = document (name, NULL, more), *completed = document (name, uuid, more);

  assert_true (store_save (fixture->store, uuid, name, source, completed, NULL, &error));
  assert_null (error);
}

static void
count_broken (const char *path, const GError *error, gpointer data)
{
  GString *text = data;

  g_string_append_printf (text, "%s: %s\n", path, error->message);
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *)a, *(const char *const *)b);
}

/* "name uuid autostart once" of every entry, sorted; broken ones into @broken. */
static char *
list (Fixture *fixture, GString *broken)
{
  g_autoptr (GPtrArray) entries = store_list (fixture->store, count_broken, broken);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < entries->len; i++) {
    const StoreEntry *entry = g_ptr_array_index (entries, i);

    g_ptr_array_add (lines, g_strdup_printf ("%s %s%s%s", entry->name, entry->uuid,
                                             entry->autostart ? " autostart" : "",
                                             entry->autostart_once ? " once" : ""));
  }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **)lines->pdata);
}

static void
assert_listed (Fixture *fixture, const char *expected)
{
  g_autoptr (GString) broken = g_string_new (NULL);
  g_autofree char *listed = list (fixture, broken);

  assert_string_equal (listed, expected);
  assert_string_equal (broken->str, "");
}

static void
test_source_comes_back (void **state)
{
  Fixture *fixture = *state;
  const char *source =
      "<?xml version='1.0'?>\r\n<!-- caf\xc3\xa9 -->\n<domain ><name>a</name>\t</domain>  \n\n";
  g_autofree char *loaded = NULL, *completed = NULL;
  gboolean stale = TRUE;

  assert_true (store_save (fixture->store, UUID_A, "a", source, "<domain/>\n", NULL, NULL));
  reopen (fixture);
  loaded = store_load_source (fixture->store, "a", NULL);
  assert_string_equal (loaded, source);
  completed = store_load_completed (fixture->store, UUID_A, "a", &stale, NULL);
  assert_true (g_str_has_suffix (completed, "<domain/>\n"));
  assert_false (stale);
}

static void
test_list (void **state)
{
  Fixture *fixture = *state;

  save (fixture, "b", UUID_B, "");
  save (fixture, "a", UUID_A, "");
  assert_true (store_set_autostart (fixture->store, "b", STORE_AUTOSTART, TRUE, NULL));
  assert_listed (fixture, "a " UUID_A "\nb " UUID_B " autostart");
  reopen (fixture);
  assert_listed (fixture, "a " UUID_A "\nb " UUID_B " autostart");
  assert_true (store_set_autostart (fixture->store, "b", STORE_AUTOSTART_ONCE, TRUE, NULL));
  assert_listed (fixture, "a " UUID_A "\nb " UUID_B " autostart once");
  assert_true (store_set_autostart (fixture->store, "b", STORE_AUTOSTART, FALSE, NULL));
  assert_listed (fixture, "a " UUID_A "\nb " UUID_B " once");
  assert_true (store_set_autostart (fixture->store, "b", STORE_AUTOSTART_ONCE, FALSE, NULL));
  assert_true (store_remove (fixture->store, UUID_A, "a", NULL));
  assert_listed (fixture, "b " UUID_B);
}

static void
remove_index (Fixture *fixture)
{
  g_autofree char *index = g_build_filename (fixture->settings->state_directory, "domains", "index", NULL);

  assert_int_equal (unlink (index), 0);
}

static void
test_index_may_be_lost_or_torn (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *index = g_build_filename (fixture->settings->state_directory, "domains", "index", NULL);

  save (fixture, "a", UUID_A, ""); /* its document says no UUID: the completed one does */
  remove_index (fixture);
  reopen (fixture);
  assert_listed (fixture, "a " UUID_A);
  assert_true (
      g_file_set_contents (index, "a\t" UUID_B "\t1\t2\t3\na\tb\n\xff\xff\t\t\nhalf a li", -1, NULL));
  reopen (fixture);
  assert_listed (fixture, "a " UUID_A);
}

static void
test_odd_names (void **state)
{
  static const char *const names[] = {
    "a b",      "\xc3\xa4\xe2\x82\xac", "..", ".hidden", "100%", "a%2Fb", "$(reboot)", "-rf *", "'\"\\",
    "tab\there"
  };
  Fixture *fixture = *state;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *uuid = g_strdup_printf ("00000000-0000-4000-8000-%012u", (guint)i);
    g_autofree char *source = NULL;

    assert_true (store_save (fixture->store, uuid, names[i], names[i], "<domain/>", NULL, NULL));
    source = store_load_source (fixture->store, names[i], NULL);
    assert_string_equal (source, names[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *encoded = store_encode_name (names[i]), *decoded = store_decode_name (encoded);

    assert_null (strchr (encoded, '/'));
    assert_string_equal (decoded, names[i]);
  }
}

static void
test_long_name_is_refused (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *name = g_strnfill (300, 'n');
  g_autoptr (GError) error = NULL;

  assert_false (store_save (fixture->store, UUID_A, name, "x", "y", NULL, &error));
  assert_non_null (strstr (error->message, "too long"));
  assert_listed (fixture, "");
}

static void
write_document (Fixture *fixture, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->settings->config_directory, "domains", file, NULL);

  assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_broken_files_are_skipped (void **state)
{
  static const struct {
    const char *file, *text, *message;
  } files[] = {
    { "torn.xml", "<domain><name>torn</na", "torn.xml" },
    { "other.xml", "<network><name>other</name></network>", "no <domain> with a <name>" },
    { "nameless.xml", "<domain/>", "no <domain> with a <name>" },
    { "renamed.xml", "<domain><name>x</name></domain>", "the document's name is 'x', the file's 'renamed'" },
    { "uuid.xml", "<domain><name>uuid</name><uuid>1-2</uuid></domain>", "'1-2' is no UUID" },
    { "copy.xml", "<domain><name>copy</name><uuid>" UUID_A "</uuid></domain>",
      "domain 'good' already exists with uuid " UUID_A },
    { "bad%zz.xml", "<domain><name>b</name></domain>", "not a file name a domain can have" },
  };
  Fixture *fixture = *state;
  g_autoptr (GString) broken = g_string_new (NULL);
  g_autofree char *listed = NULL;

  save (fixture, "good", UUID_A, "");
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    write_document (fixture, files[i].file, files[i].text);
  write_document (fixture, "README", "not a document at all");
  listed = list (fixture, broken);
  assert_string_equal (listed, "good " UUID_A);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    if (strstr (broken->str, files[i].message) == NULL)
      fail_msg ("'%s' is not in:\n%s", files[i].message, broken->str);
}

static void
test_document_put_there_by_hand (void **state)
{
  Fixture *fixture = *state;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries = NULL, again = NULL;
  const StoreEntry *entry, *same;

  write_document (fixture, "hand.xml", "<domain><name>hand</name></domain>");
  entries = store_list (fixture->store, NULL, NULL);
  assert_int_equal (entries->len, 1);
  entry = g_ptr_array_index (entries, 0);
  assert_null (store_load_completed (fixture->store, entry->uuid, "hand", NULL, &error));
  assert_true (g_error_matches (error, VIRT_ERROR, VIR_ERR_NO_DOMAIN));
  reopen (fixture); /* the UUID it was given stays */
  again = store_list (fixture->store, NULL, NULL);
  same = g_ptr_array_index (again, 0);
  assert_string_equal (same->uuid, entry->uuid);
}

static void
test_document_changed_by_hand (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *completed = NULL;
  gboolean stale = FALSE;

  save (fixture, "a", UUID_A, "");
  write_document (fixture, "a.xml", "<domain><name>a</name><!-- new --></domain>");
  assert_listed (fixture, "a " UUID_A);
  completed = store_load_completed (fixture->store, UUID_A, "a", &stale, NULL);
  assert_non_null (completed);
  assert_true (stale);
}

static void
test_rename (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *source = document ("new", NULL, ""), *completed = document ("new", UUID_A, "");

  save (fixture, "old", UUID_A, "");
  assert_true (store_set_autostart (fixture->store, "old", STORE_AUTOSTART, TRUE, NULL));
  assert_true (store_set_autostart (fixture->store, "old", STORE_AUTOSTART_ONCE, TRUE, NULL));
  assert_true (store_rename (fixture->store, UUID_A, "old", "new", source, completed, NULL, NULL));
  assert_listed (fixture, "new " UUID_A " autostart once");
  reopen (fixture);
  assert_listed (fixture, "new " UUID_A " autostart once");
}

/* A rename that was cut short leaves both documents: the completed text says which one holds. */
static void
test_rename_cut_short (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *old = document ("old", UUID_A, "");
  g_autoptr (GString) broken = g_string_new (NULL);
  g_autofree char *listed = NULL;

  save (fixture, "new", UUID_A, "");
  write_document (fixture, "old.xml", old);
  listed = list (fixture, broken);
  assert_string_equal (listed, "new " UUID_A);
  assert_non_null (strstr (broken->str, "old.xml"));
}

/* Whatever the definition is after a change was cut short, its two texts belong together and are whole. */
static void
assert_whole (Fixture *fixture)
{
  gboolean stale = TRUE;
  g_autofree char *source = NULL, *completed = NULL;

  reopen (fixture);
  assert_listed (fixture, "a " UUID_A);
  source = store_load_source (fixture->store, "a", NULL);
  completed = store_load_completed (fixture->store, UUID_A, "a", &stale, NULL);
  assert_non_null (source);
  assert_non_null (completed);
  assert_false (stale);
  assert_true (g_str_has_suffix (source, "</domain>\n"));
  assert_true (g_str_has_suffix (completed, "</domain>\n"));
  assert_int_equal (strstr (source, "<new/>") != NULL, strstr (completed, "<new/>") != NULL);
}

static void
test_no_room_leaves_the_old_one (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *padding = g_strnfill (6000, ' '), *more = g_strconcat (padding, "<new/>", NULL);
  g_autofree char *source = document ("a", NULL, more), *completed = document ("a", UUID_A, more);
  g_autoptr (GError) error = NULL;
  struct rlimit old_limit, limit;
  g_autofree char *now = NULL;

  save (fixture, "a", UUID_A, "");
  assert_int_equal (getrlimit (RLIMIT_FSIZE, &old_limit), 0);
  limit = old_limit;
  limit.rlim_cur = 4096; /* writing beyond this fails, as on a full disk */
  signal (SIGXFSZ, SIG_IGN);
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &limit), 0);
  assert_false (store_save (fixture->store, UUID_A, "a", source, completed, NULL, &error));
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &old_limit), 0);
  assert_non_null (strstr (error->message, "a.xml"));
  assert_whole (fixture);
  now = store_load_source (fixture->store, "a", NULL);
  assert_null (strstr (now, "<new/>"));
}

/* A child writes two definitions in turn, for ever; it is killed a little later each time. */
static void
test_killed_at_any_instant (void **state)
{
  Fixture *fixture = *state;

  save (fixture, "a", UUID_A, "");
  for (guint i = 0; i < 25; i++) {
    pid_t child = fork ();

    assert_true (child >= 0);
    if (child == 0) {
      g_autofree char *source = document ("a", NULL, ""), *completed = document ("a", UUID_A, "");
      g_autofree char *new_source = document ("a", NULL, "<new/>"),
                      *new_completed = document ("a", UUID_A, "<new/>");

      for (gboolean new = TRUE;; new = !new)
        store_save (fixture->store, UUID_A, "a", new ? new_source : source, new ? new_completed : completed,
                    NULL, NULL);
    }
    g_usleep (2000 + i * 370);
    kill (child, SIGKILL);
    assert_int_equal (waitpid (child, NULL, 0), child);
    assert_whole (fixture);
  }
}

/* The three steps of a change (store.c), stopped between each two of them. */
static void
test_stopped_between_steps (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *final =
      g_build_filename (fixture->settings->state_directory, "domains", UUID_A ".xml", NULL);
  g_autofree char *next =
      g_build_filename (fixture->settings->state_directory, "domains", UUID_A ".next.xml", NULL);
  g_autofree char *aside =
      g_build_filename (fixture->settings->config_directory, "domains", ".aside-abc", NULL);
  g_autofree char *path = store_source_path (fixture->store, "a");
  g_autofree char *old_source = NULL, *new_source = NULL, *old_text = NULL, *new_text = NULL;

  save (fixture, "a", UUID_A, "<new/>");
  new_source = store_load_source (fixture->store, "a", NULL);
  assert_true (g_file_get_contents (final, &new_text, NULL, NULL));
  save (fixture, "a", UUID_A, "");
  old_source = store_load_source (fixture->store, "a", NULL);
  assert_true (g_file_get_contents (final, &old_text, NULL, NULL));

  /* after step 1: the old one holds, and nothing is left of the new one */
  assert_true (g_file_set_contents (next, new_text, -1, NULL));
  assert_true (g_file_set_contents (aside, new_source, -1, NULL));
  assert_whole (fixture);
  assert_false (g_file_test (next, G_FILE_TEST_EXISTS));
  assert_false (g_file_test (aside, G_FILE_TEST_EXISTS));

  /* after step 2: the new one holds */
  assert_true (g_file_set_contents (next, new_text, -1, NULL));
  assert_true (g_file_set_contents (path, new_source, -1, NULL));
  assert_whole (fixture);
  g_free (old_source);
  old_source = store_load_source (fixture->store, "a", NULL);
  assert_string_equal (old_source, new_source);
}

static void
test_status (void **state)
{
  Fixture *fixture = *state;
  g_autofree char *json = NULL, *live = NULL, *directory = store_run_directory (fixture->store, UUID_A);
  g_autoptr (GPtrArray) none = NULL, one = store_list_status (fixture->store);

  assert_int_equal (one->len, 0);
  assert_true (store_save_status (fixture->store, UUID_A, "{}", "<domain/>", NULL));
  assert_true (store_load_status (fixture->store, UUID_A, &json, &live, NULL));
  assert_string_equal (json, "{}");
  assert_string_equal (live, "<domain/>");
  g_ptr_array_unref (one);
  one = store_list_status (fixture->store);
  assert_int_equal (one->len, 1);
  assert_string_equal (g_ptr_array_index (one, 0), UUID_A);
  store_remove_status (fixture->store, UUID_A);
  none = store_list_status (fixture->store);
  assert_int_equal (none->len, 0);
  assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
}

#define TEST(function) cmocka_unit_test_setup_teardown (function, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_source_comes_back),
    TEST (test_list),
    TEST (test_index_may_be_lost_or_torn),
    TEST (test_odd_names),
    TEST (test_long_name_is_refused),
    TEST (test_broken_files_are_skipped),
    TEST (test_document_put_there_by_hand),
    TEST (test_document_changed_by_hand),
    TEST (test_rename),
    TEST (test_rename_cut_short),
    TEST (test_no_room_leaves_the_old_one),
    TEST (test_killed_at_any_instant),
    TEST (test_stopped_between_steps),
    TEST (test_status),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
