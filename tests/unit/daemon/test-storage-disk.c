/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Storage on a real disk, with the real qemu-img: what a scan sees, what is made where, what cannot be. */
#include "daemon/core/stream-message.h"
#include "daemon/host/program.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/make.h"
#include "daemon/storage/tool.h"
#include "daemon/storage/transfer.h"
#include "main-loop.h"
#include "temporary.h"

#include "cmocka-glib.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB (1024 * 1024)

static char *directory;

static int
set_up (G_GNUC_UNUSED void **state)
{
  directory = temporary_directory ();
  return directory != NULL ? 0 : -1;
}

static int
tear_down (G_GNUC_UNUSED void **state)
{
  temporary_remove (directory);
  return 0;
}

static char *
in_directory (const char *name)
{
  return g_build_filename (directory, name, NULL);
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = in_directory (name);

  assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* One function in a job's thread, and what came of it. */
typedef gboolean (*Work) (Job *job, gpointer data, GError **error);

typedef struct {
  Work work;
  gpointer data;
  gboolean done, worked;
  int code;
  char *message;
} Run;

static gpointer
run_job (Job *job, gpointer input, GError **error)
{
  Run *run = input;

  return run->work (job, run->data, error) ? JOB_OK : NULL;
}

static void
run_done (gpointer result, const GError *error, gpointer data)
{
  Run *run = data;

  run->worked = result != NULL;
  run->code = error != NULL ? (int)virt_error_code (error) : VIR_ERR_OK;
  run->message = error != NULL ? g_strdup (error->message) : g_strdup ("");
  run->done = TRUE;
}

/* NULL when it worked; otherwise the error's text. (transfer full) */
static char *
work_in_job (Work work, gpointer data, guint seconds)
{
  Run run = { .work = work, .data = data };

  job_start ("test", run_job, &run, NULL, seconds, run_done, &run);
  assert_true (run_main_loop_until (&run.done));
  if (run.worked)
    g_clear_pointer (&run.message, g_free);
  return run.message;
}

static gboolean
scan (Job *job, gpointer data, GError **error)
{
  StorageScan **ret_scan = data;

  *ret_scan = storage_scan (job, directory, error);
  return *ret_scan != NULL;
}

static char *
describe (const StorageScan *found)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < found->volumes->len; i++) {
    const StorageVolumeDef *volume = g_ptr_array_index (found->volumes, i);

    g_string_append_printf (text, "%s %s %" G_GUINT64_FORMAT "\n", volume->name,
                            enum_table_name (&storage_formats, volume->format), volume->capacity.value);
  }
  return g_string_free (text, FALSE);
}

static void
test_a_scan_sees_files_directories_and_what_links_lead_to (G_GNUC_UNUSED void **state)
{
  g_autofree char *folder = in_directory ("folder"), *fifo = in_directory ("fifo"),
                  *link = in_directory ("link");
  g_autofree char *nowhere = in_directory ("nowhere"), *loop = in_directory ("loop"),
                  *bad = in_directory ("b\xff");
  g_autofree char *damaged = in_directory ("damaged"), *iso = in_directory ("iso"), *text = NULL;
  g_autoptr (StorageScan) found = NULL;
  int fd;

  write_file ("five", "12345");
  write_file (".hidden", "");
  assert_int_equal (mkdir (folder, 0700), 0);
  assert_int_equal (mkfifo (fifo, 0600), 0);
  assert_int_equal (symlink ("five", link), 0);
  assert_int_equal (symlink ("not-there", nowhere), 0);
  assert_int_equal (symlink ("loop", loop), 0);
  assert_true (g_file_set_contents (bad, "", 0, NULL));
  assert_true (g_file_set_contents (damaged, "QFI\xfb\0\0\0\3", 8, NULL));
  fd = open (iso, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_int_equal (pwrite (fd, "CD001", 5, 32769), 5);
  close (fd);

  assert_null (work_in_job (scan, &found, 0));
  text = describe (found);
  assert_string_equal (
      text, ".hidden raw 0\ndamaged qcow2 8\nfive raw 5\nfolder dir 0\niso iso 32774\nlink raw 5\n");
  assert_true (found->capacity >= found->available && found->allocation <= found->capacity);
}

static void
test_a_missing_directory_is_named (G_GNUC_UNUSED void **state)
{
  g_autofree char *message = NULL;
  g_autoptr (StorageScan) found = NULL;

  temporary_remove (directory);
  directory = g_strdup ("/nonexistent/pool");
  message = work_in_job (scan, &found, 0);
  assert_string_equal (message, "cannot open directory '/nonexistent/pool': No such file or directory");
}

typedef struct {
  StorageMake make;
  StorageVolumeDef *made;
} Making;

static gboolean
make (Job *job, gpointer data, GError **error)
{
  Making *making = data;

  making->made = storage_make (job, &making->make, error);
  return making->made != NULL;
}

/* What is made of a document; NULL, with the error's text, when nothing is. */
static StorageVolumeDef *
make_of (const char *xml, const char *from, guint flags, char **ret_message)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (StorageVolumeDef) wanted = storage_volume_def_parse (xml, -1, 0, from != NULL, diagnostics);
  g_autofree char *from_path = from != NULL ? in_directory (from) : NULL;
  Making making = { { .pool_path = directory,
                      .volume = wanted,
                      .flags = flags,
                      .from_path = from_path,
                      .from_format = STORAGE_FORMAT_RAW },
                    NULL };
  char *message;

  assert_non_null (wanted);
  message = work_in_job (make, &making, 60);
  if (ret_message != NULL)
    *ret_message = message;
  else if (message != NULL)
    fail_msg ("%s: %s", xml, message);
  return making.made;
}

#define DOCUMENT(name, target)                                                                              \
  "<volume><name>" name "</name><capacity unit='MiB'>4</capacity><allocation>0</allocation><target>" target \
  "</target></volume>"

static void
test_making (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document;
    int format;
    guint mode;
    const char *compat;
  } volumes[] = {
    { DOCUMENT ("raw", ""), STORAGE_FORMAT_RAW, 0600, NULL },
    { DOCUMENT ("open", "<permissions><mode>0644</mode></permissions>"), STORAGE_FORMAT_RAW, 0644, NULL },
    { DOCUMENT ("qcow2", "<format type='qcow2'/>"), STORAGE_FORMAT_QCOW2, 0600, "1.1" },
    { DOCUMENT ("old", "<format type='qcow2'/><compat>0.10</compat>"), STORAGE_FORMAT_QCOW2, 0600, NULL },
    { DOCUMENT ("small", "<format type='qcow2'/><clusterSize unit='KiB'>4</clusterSize>"),
      STORAGE_FORMAT_QCOW2, 0600, "1.1" },
    { DOCUMENT ("folder", "<format type='dir'/>"), STORAGE_FORMAT_DIR, 0711, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (volumes); i++) {
    g_autoptr (StorageVolumeDef) made = make_of (volumes[i].document, NULL, 0, NULL);

    assert_int_equal (made->format, volumes[i].format);
    assert_int_equal (made->permissions.mode.value, volumes[i].mode);
    assert_int_equal (made->capacity.value, made->format == STORAGE_FORMAT_DIR ? 0 : 4 * MIB);
    if (volumes[i].compat != NULL)
      assert_string_equal (made->compat, volumes[i].compat);
  }
}

static void
test_nothing_is_written_through_a_link_or_over_a_file (G_GNUC_UNUSED void **state)
{
  g_autofree char *outside = temporary_directory (), *target = g_build_filename (outside, "target", NULL);
  g_autofree char *link = in_directory ("link"), *message = NULL, *taken = NULL;

  write_file ("file", "precious");
  assert_int_equal (symlink (target, link), 0);
  assert_null (make_of (DOCUMENT ("link", ""), NULL, 0, &message));
  assert_non_null (strstr (message, "already exists"));
  assert_int_equal (access (target, F_OK), -1);
  assert_null (make_of (DOCUMENT ("file", "<format type='qcow2'/>"), NULL, 0, &taken));
  assert_non_null (strstr (taken, "already exists"));
  temporary_remove (g_steal_pointer (&outside));
}

static void
test_what_cannot_be_finished_is_gone (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *document, *words;
  } volumes[] = {
    { "<volume><name>v</name><capacity unit='TiB'>4</capacity><target/></volume>",
      "cannot allocate 4398046511104 bytes in file" },
    { DOCUMENT ("v", "<format type='qcow2'/><clusterSize>1000</clusterSize>"), "luster size" },
    { "<volume><name>v</name><capacity>512</capacity><target><format type='qcow2'/></target>"
      "<backingStore><path>/nonexistent</path><format type='raw'/></backingStore></volume>",
      "/nonexistent" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (volumes); i++) {
    g_autofree char *message = NULL, *path = in_directory ("v");

    assert_null (make_of (volumes[i].document, NULL, 0, &message));
    if (strstr (message, volumes[i].words) == NULL)
      fail_msg ("%s: %s", volumes[i].document, message);
    assert_int_equal (access (path, F_OK), -1);
  }
}

/* A guest can write any header into its raw disk: it is not believed when nobody says what the file is. */
static void
test_a_backing_file_that_looks_like_an_image_must_be_stated (G_GNUC_UNUSED void **state)
{
  g_autoptr (StorageVolumeDef) base = make_of (DOCUMENT ("base", "<format type='qcow2'/>"), NULL, 0, NULL);
  g_autofree char *document =
      g_strdup_printf ("<volume><name>top</name><target><format type='qcow2'/></target>"
                       "<backingStore><path>%s</path></backingStore></volume>",
                       base->path);
  g_autofree char *message = NULL;

  assert_null (make_of (document, NULL, 0, &message));
  assert_non_null (strstr (message, "is not stated, and it looks like 'qcow2'"));
}

static void
test_copies (G_GNUC_UNUSED void **state)
{
  g_autoptr (StorageVolumeDef) qcow2 = NULL, raw = NULL;
  g_autofree char *contents = g_strnfill (MIB, 'x'), *raw_path = in_directory ("raw"), *copied = NULL;

  write_file ("from", contents);
  qcow2 = make_of ("<volume><name>qcow2</name><capacity unit='MiB'>2</capacity><target><format type='qcow2'/>"
                   "</target></volume>",
                   "from", 0, NULL);
  assert_int_equal (qcow2->format, STORAGE_FORMAT_QCOW2);
  assert_int_equal (qcow2->capacity.value, 2 * MIB);
  raw =
      make_of ("<volume><name>raw</name><capacity unit='MiB'>1</capacity><allocation>0</allocation><target/>"
               "</volume>",
               "from", 0, NULL);
  assert_true (g_file_get_contents (raw_path, &copied, NULL, NULL));
  assert_string_equal (copied, contents);
}

typedef struct {
  const StorageVolumeDef *volume;
  guint64 capacity;
  guint flags;
} Resizing;

static gboolean
resize (Job *job, gpointer data, GError **error)
{
  const Resizing *resizing = data;

  return storage_resize (job, directory, resizing->volume, resizing->capacity, resizing->flags, error);
}

static gboolean
wipe (Job *job, gpointer data, GError **error)
{
  return storage_wipe (job, directory, data, error);
}

static guint64
capacity_now (const char *name)
{
  int fd = storage_open_directory (directory, NULL);
  g_autoptr (StorageVolumeDef) volume = storage_scan_volume (fd, directory, name, NULL);

  close (fd);
  return volume->capacity.value;
}

static void
test_changing (G_GNUC_UNUSED void **state)
{
  g_autoptr (StorageVolumeDef) raw = make_of (DOCUMENT ("raw", ""), NULL, 0, NULL);
  g_autoptr (StorageVolumeDef) qcow2 = make_of (DOCUMENT ("qcow2", "<format type='qcow2'/>"), NULL, 0, NULL);
  Resizing grow = { raw, 8 * MIB, 0 }, grow_qcow2 = { qcow2, 8 * MIB, 0 };
  Resizing shrink = { qcow2, 2 * MIB, 0 }, shrink_willing = { qcow2, 2 * MIB, VIR_STORAGE_VOL_RESIZE_SHRINK };
  g_autofree char *message = NULL;

  assert_null (work_in_job (resize, &grow, 60));
  assert_int_equal (capacity_now ("raw"), 8 * MIB);
  assert_null (work_in_job (resize, &grow_qcow2, 60));
  assert_int_equal (capacity_now ("qcow2"), 8 * MIB);
  message = work_in_job (resize, &shrink, 60);
  assert_non_null (strstr (message, "--shrink"));
  assert_null (work_in_job (resize, &shrink_willing, 60));
  assert_int_equal (capacity_now ("qcow2"), 2 * MIB);
  assert_null (work_in_job (wipe, qcow2, 60));
  assert_int_not_equal (capacity_now ("qcow2"), 2 * MIB); /* no image any more */
  assert_true (storage_delete (directory, qcow2, NULL));
  assert_true (storage_delete (directory, qcow2, NULL)); /* gone is gone */
}

static void
test_a_link_is_read_and_never_written (G_GNUC_UNUSED void **state)
{
  g_autofree char *link = in_directory ("link");
  g_autoptr (GError) error = NULL;
  int fd;

  write_file ("file", "text");
  assert_int_equal (symlink ("file", link), 0);
  fd = storage_open_volume (directory, "link", O_RDONLY, NULL);
  assert_true (fd >= 0);
  close (fd);
  assert_int_equal (storage_open_volume (directory, "link", O_RDWR, &error), -1);
  assert_non_null (strstr (error->message, "is a symbolic link"));
}

static gboolean
sleep_long (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED gpointer data, GError **error)
{
  static const char *const arguments[] = { "sleep", "1000", NULL };

  return tool_run (arguments, NULL, NULL, error);
}

static gboolean
complain (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED gpointer data, GError **error)
{
  static const char *const arguments[] = {
    "sh", "-c", "head -c 10000 /dev/zero | tr '\\0' . >&2; echo ' last words' >&2; exit 3", NULL
  };

  return tool_run (arguments, NULL, NULL, error);
}

static gboolean
run_nothing (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED gpointer data, GError **error)
{
  static const char *const arguments[] = { "no-such-program-here", NULL };

  return tool_run (arguments, NULL, NULL, error);
}

static void
test_a_tool_ends_with_its_deadline_and_its_last_words (G_GNUC_UNUSED void **state)
{
  g_autofree char *late = work_in_job (sleep_long, NULL, 1);
  g_autofree char *loud = work_in_job (complain, NULL, 60);
  g_autofree char *missing = work_in_job (run_nothing, NULL, 60);

  assert_non_null (strstr (late, "took too long"));
  assert_non_null (strstr (loud, "sh ended with status 3: ."));
  assert_true (g_str_has_suffix (loud, ". last words"));
  assert_true (strlen (loud) < PROGRAM_WORDS_MAX + 100);
  assert_non_null (strstr (missing, "the program 'no-such-program-here' is not installed"));
}

/* A program in qemu-img's place: it may open what was opened for it, each as it was, and nothing else. */
typedef struct {
  int read_only, writable;
  const char *script;
} Hostile;

static gboolean
run_hostile (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  const Hostile *hostile = data;
  const char *const arguments[] = { "/usr/bin/python3", "-IBSc", hostile->script, directory, NULL };
  g_autoptr (ToolFiles) files = tool_files_new ();

  g_free (tool_files_add (files, dup (hostile->read_only), "base"));
  g_free (tool_files_add (files, dup (hostile->writable), "image"));
  return tool_run (arguments, files, NULL, error);
}

static void
test_a_tool_is_kept_to_its_files (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *attempt;
    gboolean allowed;
  } rows[] = {
    { "os.open('/proc/self/fd/3', os.O_RDONLY)", TRUE },
    { "os.open('/proc/self/fd/4', os.O_RDWR | os.O_TRUNC)", TRUE },
    { "os.open('/proc/self/fd/3', os.O_RDWR)", FALSE },
    { "os.open(sys.argv[1] + '/other', os.O_RDONLY)", FALSE },
    { "os.open(sys.argv[1] + '/new', os.O_WRONLY | os.O_CREAT)", FALSE },
    { "os.open('/etc/passwd', os.O_RDONLY)", FALSE },
    { "os.listdir('/')", FALSE },
    { "os.unlink(sys.argv[1] + '/other')", FALSE },
    { "import _socket; _socket.socket(_socket.AF_UNIX)", FALSE },
    { "import _socket; _socket.socket(_socket.AF_INET)", FALSE },
    { "os.setgroups([1])", FALSE },
    { "os.chown(sys.argv[1], 1, 1)", FALSE },
  };
  g_autofree char *base = in_directory ("base"), *image = in_directory ("image");

  if (syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
    skip (); /* this kernel has no Landlock */
  write_file ("base", "b");
  write_file ("image", "i");
  write_file ("other", "o");
  assert_int_equal (chmod (base, 0600) | chmod (image, 0600), 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *script = g_strdup_printf (
        "import os, sys\ntry:\n  %s\nexcept PermissionError:\n  sys.exit('refused')\n", rows[i].attempt);
    Hostile hostile = { open (base, O_RDONLY | O_CLOEXEC), open (image, O_RDWR | O_CLOEXEC), script };
    g_autofree char *said = work_in_job (run_hostile, &hostile, 60);

    if (rows[i].allowed ? said != NULL : said == NULL || !g_str_has_suffix (said, ": refused"))
      fail_msg ("%s: %s", rows[i].attempt, said != NULL ? said : "it was done");
    close (hostile.read_only);
    close (hostile.writable);
  }
}

/* A stream's other end, played by the test. */
typedef struct {
  int file, stream;
  guint64 length;
} Streaming;

static gboolean
upload (Job *job, gpointer data, GError **error)
{
  const Streaming *streaming = data;

  return storage_upload (job, streaming->file, "v", 0, streaming->length, streaming->stream, error);
}

static gboolean
download (Job *job, gpointer data, GError **error)
{
  const Streaming *streaming = data;

  return storage_download (job, streaming->file, "v", 0, 0, TRUE, streaming->stream, error);
}

static void
say (int stream, StreamMessageKind kind, const char *text, guint64 length)
{
  guint8 packet[sizeof (StreamMessage) + 16];
  StreamMessage message = { .kind = kind, .length = length };

  memcpy (packet, &message, sizeof message);
  memcpy (packet + sizeof message, text, strlen (text));
  assert_true (send (stream, packet, sizeof message + strlen (text), 0) > 0);
}

static char *
hear_all (int stream)
{
  GString *heard = g_string_new (NULL);
  guint8 packet[sizeof (StreamMessage) + STREAM_MESSAGE_DATA_MAX];

  while (recv (stream, packet, sizeof packet, MSG_DONTWAIT) > 0) {
    StreamMessage message;

    memcpy (&message, packet, sizeof message);
    g_string_append_printf (heard, "%c%" G_GUINT64_FORMAT " ", "DHEX"[message.kind], message.length);
  }
  return g_string_free (heard, FALSE);
}

static void
test_holes_come_and_go (G_GNUC_UNUSED void **state)
{
  g_autofree char *path = in_directory ("v"), *heard = NULL, *acknowledged = NULL;
  int file = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), ends[2], more[2];
  Streaming up, down;
  struct stat status;

  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  up = (Streaming){ file, ends[1], 0 };
  say (ends[0], STREAM_MESSAGE_HOLE, "", 16 * MIB);
  say (ends[0], STREAM_MESSAGE_DATA, "data", 4);
  say (ends[0], STREAM_MESSAGE_HOLE, "", 16 * MIB);
  say (ends[0], STREAM_MESSAGE_END, "", 0);
  assert_null (work_in_job (upload, &up, 60));
  storage_stream_end (ends[1], NULL);
  acknowledged = hear_all (ends[0]);
  assert_string_equal (acknowledged, "E0 ");
  assert_int_equal (fstat (file, &status), 0);
  assert_int_equal (status.st_size, 32 * MIB + 4);
  assert_true (status.st_blocks * 512 < MIB);

  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, more), 0);
  down = (Streaming){ file, more[1], 0 };
  assert_null (work_in_job (download, &down, 60));
  storage_stream_end (more[1], NULL);
  heard = hear_all (more[0]);
  assert_string_equal (heard, "H16777216 D4096 H16773124 E0 ");
  for (guint i = 0; i < 2; i++) {
    close (ends[i]);
    close (more[i]);
  }
  close (file);
}

static void
test_more_than_announced_and_less_than_all_are_errors (G_GNUC_UNUSED void **state)
{
  g_autofree char *path = in_directory ("v"), *message = NULL, *given_up = NULL;
  int file = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), ends[2], more[2];
  Streaming up, left;

  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  up = (Streaming){ file, ends[1], 3 };
  say (ends[0], STREAM_MESSAGE_DATA, "data", 4);
  message = work_in_job (upload, &up, 60);
  assert_non_null (strstr (message, "more bytes come than were announced"));

  assert_int_equal (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, more), 0);
  left = (Streaming){ file, more[1], 0 };
  say (more[0], STREAM_MESSAGE_DATA, "data", 4);
  close (more[0]);
  given_up = work_in_job (upload, &left, 60);
  assert_non_null (strstr (given_up, "the client gave up writing volume 'v'"));
  close (ends[0]);
  close (ends[1]);
  close (more[1]);
  close (file);
}

static void
write_all_but_the_end (const char *path)
{
  g_autofree char *text = NULL;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  *(strrchr (text, '\n') - 3) = '\0';
  assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* How often the list of raw volumes is another file, and how large it is in the end. */
typedef struct {
  ino_t inode;
  guint rewritten;
  gsize size;
} ListWatch;

static void
look_at_list (ListWatch *watch, const char *path)
{
  struct stat status;

  assert_int_equal (stat (path, &status), 0);
  watch->rewritten += status.st_ino != watch->inode;
  watch->inode = status.st_ino;
  watch->size = (gsize)status.st_size;
}

/* Making and removing volumes writes a line each, and the whole list seldom. */
static void
test_the_list_of_raw_volumes_grows_with_its_volumes (G_GNUC_UNUSED void **state)
{
  enum { VOLUMES = 2000 };
  g_autofree char *list = in_directory ("storage/raw-volumes"), *volume = in_directory ("v");
  ListWatch watch = { 0 };
  g_autoptr (GError) error = NULL;
  int fd = open (volume, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  storage_formats_open (directory);
  for (guint i = 0; i < VOLUMES; i++) {
    g_autofree char *path = g_strdup_printf ("/pool/%04u", i);

    assert_true (storage_format_note_raw (fd, path, &error));
    look_at_list (&watch, list);
    if (i >= 100)
      storage_format_forget (path); /* all but the first */
    look_at_list (&watch, list);
  }
  assert_true (watch.rewritten <= 16);
  assert_true (watch.size < VOLUMES * 40);

  /* A crash in the middle of a line, and the next start. */
  write_all_but_the_end (list);
  storage_formats_open (directory);
  assert_true (storage_format_is_raw (fd, "/pool/0000"));
  assert_false (storage_format_is_raw (fd, "/pool/0100"));
  assert_true (storage_format_note_raw (fd, "/pool/new", &error));
  storage_formats_open (directory);
  assert_true (storage_format_is_raw (fd, "/pool/new") && storage_format_is_raw (fd, "/pool/0099"));
  close (fd);
}

#define STORAGE_TEST(test) cmocka_unit_test_setup_teardown (test, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    STORAGE_TEST (test_a_scan_sees_files_directories_and_what_links_lead_to),
    STORAGE_TEST (test_a_missing_directory_is_named),
    STORAGE_TEST (test_making),
    STORAGE_TEST (test_nothing_is_written_through_a_link_or_over_a_file),
    STORAGE_TEST (test_what_cannot_be_finished_is_gone),
    STORAGE_TEST (test_a_backing_file_that_looks_like_an_image_must_be_stated),
    STORAGE_TEST (test_copies),
    STORAGE_TEST (test_changing),
    STORAGE_TEST (test_a_link_is_read_and_never_written),
    STORAGE_TEST (test_a_tool_ends_with_its_deadline_and_its_last_words),
    STORAGE_TEST (test_the_list_of_raw_volumes_grows_with_its_volumes),
    STORAGE_TEST (test_a_tool_is_kept_to_its_files),
    STORAGE_TEST (test_holes_come_and_go),
    STORAGE_TEST (test_more_than_announced_and_less_than_all_are_errors),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
