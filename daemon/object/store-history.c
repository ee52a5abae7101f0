/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The documents a definition has had. UUID.history is a log: of each revision a line of JSON (its number,
 * when, by whom, how long it is, its checksum) and the document behind it. A revision is appended and synced
 * before the definition changes, so that none that holds is missing; one whose change was cut short is the
 * last one, and neither the document nor the completed definition has its checksum: it does not count, and
 * the next one takes its place. So no file has to be in step with another.
 *
 * What is older than the setting wants is passed over by those who read, and leaves the file once it is as
 * much again as what is kept.
 */
#include "daemon/object/store-history.h"

#include "base/untrusted-json.h"
#include "base/xml-document.h"
#include "daemon/core/file.h"
#include "daemon/object/store-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_MAX_BYTES 4096
#define CLIENT_MAX_CHARS 256

/* UUID.history in memory. */
typedef struct {
  char *path, *text;    /* NULL: there is no such file */
  gsize length;         /* of the whole revisions in it */
  GPtrArray *revisions; /* Revision */
} Log;

Author *
author_new (gint64 uid, const char *client, const char *call)
{
  Author *author = g_new0 (Author, 1);

  author->uid = uid;
  author->client = g_utf8_make_valid (client, (gssize)strnlen (client, CLIENT_MAX_CHARS));
  author->call = g_strdup (call);
  return author;
}

void
author_free (Author *author)
{
  if (author == NULL)
    return;
  g_free (author->client);
  g_free (author->call);
  g_free (author);
}

static void
revision_free (gpointer data)
{
  Revision *revision = data;

  g_free (revision->client);
  g_free (revision->call);
  g_free (revision->sum);
  g_free (revision);
}

static void
log_clear (Log *log)
{
  g_free (log->path);
  g_free (log->text);
  g_clear_pointer (&log->revisions, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Log, log_clear)

/* The line before a document. (transfer full) */
static char *
header_line (const Revision *revision)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *text = NULL;

  json_object_set_int_member (object, "revision", revision->number);
  json_object_set_int_member (object, "time", revision->time);
  json_object_set_int_member (object, "uid", revision->uid);
  json_object_set_string_member (object, "client", revision->client);
  json_object_set_string_member (object, "call", revision->call);
  json_object_set_string_member (object, "sha256", revision->sum);
  json_object_set_int_member (object, "bytes", (gint64)revision->length);
  text = json_object_text (object);
  return g_strconcat (text, "\n", NULL);
}

/* The revision whose line begins at @offset. NULL: there is no whole one. */
static Revision *
read_revision (const char *text, gsize length, gsize offset)
{
  gsize left = length - offset;
  const char *end = memchr (text + offset, '\n', MIN (left, HEADER_MAX_BYTES));
  gsize line = end != NULL ? (gsize)(end - text) - offset : 0;
  g_autoptr (JsonObject) object = end != NULL ? untrusted_json_object (text + offset, line) : NULL;
  const char *client = untrusted_text (object, "client"), *call = untrusted_text (object, "call");
  const char *sum = untrusted_text (object, "sha256");
  gint64 number = 0, when = 0, uid = -1, bytes = -1;
  Revision *revision;

  if (object == NULL || client == NULL || call == NULL || sum == NULL
      || !untrusted_number (object, "revision", &number) || number < 1 || number > G_MAXINT
      || !untrusted_number (object, "time", &when) || !untrusted_number (object, "bytes", &bytes) || bytes < 0
      || (guint64)bytes + 1 > left - line - 1)
    return NULL;
  untrusted_number (object, "uid", &uid);
  revision = g_new0 (Revision, 1);
  revision->number = (guint)number;
  revision->time = when;
  revision->uid = uid;
  revision->client = g_strdup (client);
  revision->call = g_strdup (call);
  revision->sum = g_strdup (sum);
  revision->offset = offset + line + 1;
  revision->length = (gsize)bytes;
  return revision;
}

static void
read_revisions (Log *log, gsize length)
{
  Revision *revision;

  while (log->length < length && (revision = read_revision (log->text, length, log->length)) != NULL) {
    log->length = revision->offset + revision->length + 1;
    g_ptr_array_add (log->revisions, revision);
  }
}

static Revision *
last_revision (const Log *log)
{
  return log->revisions->len > 0 ? g_ptr_array_index (log->revisions, log->revisions->len - 1) : NULL;
}

static gboolean
is_last (const Log *log, const char *sum)
{
  const Revision *last = last_revision (log);

  return last != NULL && g_strcmp0 (last->sum, sum) == 0;
}

static char *
sum_of (const char *text)
{
  return text != NULL ? g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1) : NULL;
}

/* A change that was cut short has left its revision, which is neither that of the document nor that of the
 * completed definition. */
static void
drop_unaccepted (Log *log, const char *document_sum, const char *completed_sum)
{
  const Revision *last = last_revision (log);

  if (last == NULL || is_last (log, document_sum) || is_last (log, completed_sum))
    return;
  g_ptr_array_remove_index (log->revisions, log->revisions->len - 1);
  last = last_revision (log);
  log->length = last != NULL ? last->offset + last->length + 1 : 0;
}

/* @document: that of the definition as it is on the disk; NULL: there is none. */
static gboolean
open_log (Store *store, const char *uuid, const char *document, Log *log, GError **error)
{
  g_autofree char *completed_path = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *completed = store_read_file (completed_path, XML_MAX_BYTES, NULL, NULL);
  g_autofree char *completed_sum = completed != NULL ? store_completed_sum (completed) : NULL;
  g_autofree char *document_sum = sum_of (document);
  gsize length = 0;

  log->revisions = g_ptr_array_new_with_free_func (revision_free);
  log->path = store_path_in (store->completed, uuid, HISTORY_SUFFIX);
  if (access (log->path, F_OK) < 0 && errno == ENOENT)
    return TRUE;
  log->text = store_read_file (log->path, HISTORY_FILE_MAX_BYTES, &length, error);
  if (log->text == NULL)
    return FALSE;
  read_revisions (log, length);
  drop_unaccepted (log, document_sum, completed_sum);
  return TRUE;
}

/* Adding. */

/* When the document was put into its directory. */
static gint64
time_of (const char *path)
{
  struct stat status;

  return stat (path, &status) == 0 ? status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000
                                   : g_get_real_time ();
}

/* One more, behind those of @log; its text is in @added. */
static void
add_revision (Log *log, GString *added, const char *document, gint64 when, const Author *author)
{
  const Revision *last = last_revision (log);
  Revision *revision = g_new0 (Revision, 1);
  g_autofree char *header = NULL;

  revision->number = last != NULL ? last->number + 1 : 1;
  revision->time = when;
  revision->uid = author != NULL ? author->uid : -1;
  revision->client = g_strdup (author != NULL ? author->client : "");
  revision->call = g_strdup (author != NULL ? author->call : "");
  revision->sum = sum_of (document);
  revision->length = strlen (document);
  header = header_line (revision);
  g_string_append (added, header);
  revision->offset = log->length + added->len;
  g_string_append (added, document);
  g_string_append_c (added, '\n');
  g_ptr_array_add (log->revisions, revision);
}

/* Which one is the oldest that is kept. */
static guint
first_kept (const Store *store, const GPtrArray *revisions)
{
  guint first = revisions->len;
  gsize bytes = 0;

  while (first > 0 && revisions->len - first < store->history_revisions) {
    bytes += ((const Revision *)g_ptr_array_index (revisions, first - 1))->length;
    if (bytes > HISTORY_TEXT_MAX_BYTES && first < revisions->len)
      break;
    first--;
  }
  return first;
}

/* Only those that are kept, into a new file. */
static gboolean
write_again (const Log *log, const GString *added, guint first, GError **error)
{
  g_autoptr (GString) text = g_string_new_len (log->text, (gssize)log->length);
  const Revision *before = g_ptr_array_index (log->revisions, first - 1);

  g_string_append_len (text, added->str, (gssize)added->len);
  g_string_erase (text, 0, (gssize)(before->offset + before->length + 1));
  return store_write_file (log->path, text->str, (gssize)text->len, 0600, error);
}

gboolean
store_add_revision (Store *store, const char *uuid, const char *name, const char *source,
                    const Author *author, GError **error)
{
  g_autofree char *path = store_source_path (store, name);
  g_autofree char *document = store_read_file (path, XML_MAX_BYTES, NULL, NULL);
  g_autofree char *document_sum = sum_of (document), *sum = sum_of (source);
  g_autoptr (GString) added = g_string_new (NULL);
  g_auto (Log) log = { 0 };
  guint first;

  if (store->history_revisions == 0)
    return TRUE;
  if (!open_log (store, uuid, document, &log, error))
    return FALSE;
  /* It is older than its history, or somebody has changed it by hand, and it is about to be replaced. */
  if (document != NULL && !is_last (&log, document_sum) && !g_str_equal (document_sum, sum))
    add_revision (&log, added, document, time_of (path), NULL);
  if (!is_last (&log, sum))
    add_revision (&log, added, source, author != NULL ? g_get_real_time () : time_of (path), author);
  if (added->len == 0)
    return TRUE;
  first = first_kept (store, log.revisions);
  if (first > log.revisions->len - first)
    return write_again (&log, added, first, error);
  return store_append_file (log.path, log.length, added->str, (gssize)added->len, 0600, error);
}

/* Reading. */

GPtrArray *
store_list_revisions (Store *store, const char *uuid, const char *name, GError **error)
{
  g_autofree char *document = store_load_source (store, name, NULL);
  g_auto (Log) log = { 0 };

  if (!open_log (store, uuid, document, &log, error))
    return NULL;
  g_ptr_array_remove_range (log.revisions, 0, first_kept (store, log.revisions));
  return g_steal_pointer (&log.revisions);
}

static gboolean
no_such_revision (const Log *log, guint first, const char *name, guint number, GError **error)
{
  const Revision *last = last_revision (log);

  if (last == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "nothing is kept of what '%s' was before", name);
  else
    virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' has no revision %u; there are %u to %u", name, number,
                    ((const Revision *)g_ptr_array_index (log->revisions, first))->number, last->number);
  return FALSE;
}

char *
store_load_revision (Store *store, const char *uuid, const char *name, guint number, GError **error)
{
  g_autofree char *document = store_load_source (store, name, NULL);
  g_autofree char *text = NULL, *sum = NULL;
  const Revision *found = NULL;
  g_auto (Log) log = { 0 };
  guint first;

  if (!open_log (store, uuid, document, &log, error))
    return NULL;
  first = first_kept (store, log.revisions);
  for (guint i = first; i < log.revisions->len && found == NULL; i++)
    if (((const Revision *)g_ptr_array_index (log.revisions, i))->number == number)
      found = g_ptr_array_index (log.revisions, i);
  if (found == NULL) {
    no_such_revision (&log, first, name, number, error);
    return NULL;
  }
  text = g_strndup (log.text + found->offset, found->length);
  sum = sum_of (text);
  if (g_str_equal (sum, found->sum))
    return g_steal_pointer (&text);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "revision %u of '%s' is damaged: '%s' has changed on the disk", number, name, log.path);
  return NULL;
}
