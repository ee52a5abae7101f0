/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The import of a machine. The first files of an archive say all that will come; from them the plan is made
 * and the host is asked, before anything is written. Then file after file must be the one that was announced,
 * by name and size, up to the manifest, whose sums must be those of what came. Only what has passed all of
 * this is looked at by any other program, and nothing has its name until it is committed.
 */
#include "daemon/bundle/import.h"

#include "daemon/bundle/archive-reader.h"
#include "daemon/bundle/host-fit.h"
#include "daemon/bundle/image-tool.h"
#include "daemon/bundle/import-ova.h"
#include "daemon/core/file.h"
#include "daemon/domain/definition.h"
#include "daemon/drivers/qemu/save-image.h"
#include "daemon/drivers/qemu/save.h"
#include "daemon/drivers/qemu/start.h"
#include "daemon/network/networks.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IMAGES_DIRECTORY "images"
#define NVRAM_DIRECTORY  "nvram"
#define VERIFIED         "good" /* what a verifier says of a signature that is; otherwise why not */
#define ANSWER_MAX       4096   /* bytes of it */

static void
finding_free (gpointer data)
{
  g_free (((ImportFinding *)data)->text);
  g_free (data);
}

void
import_request_free (gpointer data)
{
  ImportRequest *request = data;

  if (request == NULL)
    return;
  if (request->archive >= 0)
    close (request->archive);
  if (request->verifier >= 0)
    close (request->verifier);
  g_free (request->directory);
  g_free (request->name);
  g_strfreev (request->maps);
  author_free (request->author);
  g_clear_pointer (&request->progress, progress_unref);
  g_clear_pointer (&request->findings, g_ptr_array_unref);
  bundle_head_free (request->head);
  import_plan_free (request->plan);
  import_journal_free (request->journal);
  g_clear_pointer (&request->snapshots, g_ptr_array_unref);
  g_free (request->snapshot);
  g_free (request->completed);
  g_free (request);
}

static void
snapshot_free (gpointer def)
{
  document_unref (&snapshot_document, def);
}

static void
find (ImportRequest *request, const char *kind, const char *text)
{
  ImportFinding *finding = g_new0 (ImportFinding, 1);

  *finding = (ImportFinding){ kind, g_strdup (text) };
  g_ptr_array_add (request->findings, finding);
}

/* Reading. */

typedef struct {
  ImportRequest *request;
  Job *job;
  Stream *stream;
  ArchiveReader *reader;
  ImportOva *ova;           /* it is one; NULL: a bundle */
  char *source, *completed; /* the archive's documents */
} Import;

static void
import_clear (Import *import)
{
  import_ova_free (import->ova);
  archive_reader_free (import->reader);
  g_free (import->source);
  g_free (import->completed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* The file that was read last must be that one; @file NULL: of any size. */
static gboolean
check_file (const char *found, guint64 size, const char *name, const BundleFile *file, GError **error)
{
  if (g_strcmp0 (found, name) != 0) {
    g_autofree char *shown = found != NULL ? g_strescape (found, NULL) : NULL;

    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the archive has %s%s%s where '%s' is expected",
                    shown != NULL ? "'" : "", shown != NULL ? shown : "its end", shown != NULL ? "'" : "",
                    name);
    return FALSE;
  }
  if (file != NULL && file->size != size) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "'%s' in the archive has %" G_GUINT64_FORMAT
                    " bytes, and its beginning said %" G_GUINT64_FORMAT,
                    name, size, file->size);
    return FALSE;
  }
  return TRUE;
}

static gboolean
next_file (Import *import, const char *name, const BundleFile *file, GError **error)
{
  const char *found;
  guint64 size;

  return archive_reader_next (import->reader, &found, &size, error)
         && check_file (found, size, name, file, error);
}

/* (transfer full) */
static char *
next_text (Import *import, const char *name, const BundleFile *file, guint64 limit, gsize *ret_length,
           GError **error)
{
  return next_file (import, name, file, error)
             ? archive_reader_text (import->reader, limit, ret_length, error)
             : NULL;
}

static char *
next_document (Import *import, guint index, GError **error)
{
  const BundleFile *file = g_ptr_array_index (import->request->head->files, index);
  gsize length;
  g_autofree char *text = next_text (import, file->name, file, XML_MAX_BYTES, &length, error);

  if (text != NULL && strlen (text) != length) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' in the archive is no document", file->name);
    return NULL;
  }
  return g_steal_pointer (&text);
}

static gboolean
read_bundle_head (Import *import, const char *found, guint64 size, GError **error)
{
  ImportRequest *request = import->request;
  gsize length;
  g_autofree char *text = check_file (found, size, BUNDLE_HEAD_NAME, NULL, error)
                              ? archive_reader_text (import->reader, BUNDLE_HEAD_BYTES_MAX, &length, error)
                              : NULL;

  request->head = text != NULL ? bundle_head_parse (text, length, error) : NULL;
  if (request->head == NULL)
    return FALSE;
  import->source = next_document (import, 0, error);
  import->completed = import->source != NULL ? next_document (import, 1, error) : NULL;
  return import->completed != NULL;
}

/* Its document is made ours, and completed; there is nothing in it to sign. */
static gboolean
read_ova_head (Import *import, const char *found, guint64 size, GError **error)
{
  const Platform *platform = import->request->manager->platform;
  g_autoptr (DomainDef) def = NULL;

  if (import->request->verifier >= 0) {
    virt_error_set (error, VIR_ERR_OPERATION_DENIED, "the archive is not signed");
    return FALSE;
  }
  import->ova = import_ova_new (import->reader, found, size, error);
  if (import->ova == NULL)
    return FALSE;
  import->source = g_strdup (import_ova_document (import->ova, platform));
  def = definition_parse (platform, import->source, FALSE, NULL, error);
  if (def == NULL)
    return FALSE;
  import->completed = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  import->request->head = import_ova_head (import->ova, def->name, def->uuid);
  return TRUE;
}

static gboolean
read_head (Import *import, GError **error)
{
  ImportRequest *request = import->request;
  const char *found;
  guint64 size;

  if (!archive_reader_next (import->reader, &found, &size, error))
    return FALSE;
  if (!(found != NULL && g_str_has_suffix (found, OVA_SUFFIX)
            ? read_ova_head (import, found, size, error)
            : read_bundle_head (import, found, size, error)))
    return FALSE;
  progress_set (request->progress, &(ProgressFigures){ .total = bundle_head_stored (request->head),
                                                       .remaining = bundle_head_stored (request->head) });
  return TRUE;
}

/* Planning. */

/* The user's document must be one of the same machine. */
static gboolean
check_source (const Import *import, const DomainDef *def, GError **error)
{
  g_autoptr (DomainDef) own =
      definition_parse (import->request->manager->platform, import->source, FALSE, NULL, error);

  if (own == NULL)
    return FALSE;
  if (g_str_equal (own->name, def->name))
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "the documents in the archive are of '%s' and of '%s'",
                  own->name, def->name);
  return FALSE;
}

static gboolean
make_plan (Import *import, GError **error)
{
  ImportRequest *request = import->request;
  const Settings *settings = request->manager->settings;
  g_autofree char *images = g_build_filename (settings->state_directory, IMAGES_DIRECTORY, NULL);
  g_autofree char *stores = g_build_filename (settings->state_directory, NVRAM_DIRECTORY, NULL);
  const ImportOptions options = {
    .directory = request->directory != NULL ? request->directory : images,
    .store_directory = stores,
    .maps = (const char *const *)request->maps,
    .name = request->name,
    .new_identity = (request->flags & IMPORT_NEW_IDENTITY) != 0,
  };
  g_autoptr (DomainDef) def =
      definition_parse (request->manager->platform, import->completed, FALSE, NULL, error);

  if (def == NULL || !check_source (import, def, error))
    return FALSE;
  request->plan = import_plan_new (request->head, import->source, def, &options, error);
  if (request->plan == NULL)
    return FALSE;
  request->completed = domain_def_to_xml (request->plan->def, DOMAIN_WRITE_SECURE);
  for (guint i = 0; i < request->plan->changes->len; i++)
    find (request, "change", g_ptr_array_index (request->plan->changes, i));
  return TRUE;
}

/* In the main loop: what only it knows. */
typedef struct {
  ImportRequest *request;
  GPtrArray *networks; /* char *, and NULL */
} Asked;

static void
ask_main_loop (gpointer data)
{
  Asked *asked = data;
  Manager *manager = asked->request->manager;
  const DomainDef *def = asked->request->plan->def;
  g_autoptr (GPtrArray) networks = registry_list (manager_registry (manager, &network_kind));
  g_autoptr (GError) taken = NULL;
  Domain *same = NULL;

  if (!manager_check_identity (manager, def->name, def->uuid, &same, &taken))
    find (asked->request, "refused", virt_error_detail (taken));
  else if (same != NULL)
    find (asked->request, "refused",
          "this machine is here already: give it another --name and a --new-identity");
  for (guint i = 0; i < networks->len; i++)
    g_ptr_array_add (asked->networks, g_strdup (((const Object *)g_ptr_array_index (networks, i))->name));
  g_ptr_array_add (asked->networks, NULL);
}

static void
find_all (ImportRequest *request, const char *kind, GPtrArray *texts)
{
  for (guint i = 0; i < texts->len; i++)
    find (request, kind, g_ptr_array_index (texts, i));
}

static void
check_memory (ImportRequest *request)
{
  g_autofree char *path = managed_save_path (request->manager->settings, request->plan->def->uuid);

  if (bundle_head_find (request->head, BUNDLE_MEMORY) == NULL)
    return;
  if (request->flags & IMPORT_NEW_IDENTITY)
    find (request, "refused", "a machine that goes on from its memory keeps its identity");
  if (access (path, F_OK) == 0)
    find (request, "refused", "a managed save of this UUID is there already");
}

static void
check_host (Import *import)
{
  ImportRequest *request = import->request;
  Manager *manager = request->manager;
  g_autoptr (GPtrArray) networks = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) refused = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *directory = store_run_directory (manager->store, request->plan->def->uuid);
  g_autofree char *run_directory = g_build_filename (directory, START_QEMU_DIRECTORY, NULL);
  Asked asked = { request, networks };
  FitHost host = { .settings = manager->settings,
                   .platform = manager->platform,
                   .caps = manager->caps,
                   .run_directory = run_directory };

  job_in_main_loop (import->job, ask_main_loop, &asked);
  host.networks = (const char *const *)networks->pdata;
  host_fit_files (request->head, request->plan, &host, refused);
  host_fit_machine (request->plan, &host, problems);
  find_all (request, "refused", refused);
  check_memory (request);
  find_all (request, "problem", problems);
}

/* All that speaks against it in one error; FALSE when there is something. */
static gboolean
nothing_speaks_against (const ImportRequest *request, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean problem = FALSE;

  for (guint i = 0; i < request->findings->len; i++) {
    const ImportFinding *finding = g_ptr_array_index (request->findings, i);
    gboolean counts = g_str_equal (finding->kind, "refused")
                      || (g_str_equal (finding->kind, "problem") && !(request->flags & IMPORT_FORCE));

    if (!counts)
      continue;
    problem = problem || g_str_equal (finding->kind, "problem");
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", finding->text);
  }
  if (text->len == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "the machine does not fit this host%s:\n%s",
                  problem ? " (it can be imported with --force all the same)" : "", text->str);
  return FALSE;
}

/* Restoring. */

/* Where each file with a name of its own goes. NULL: it is a small one of the journal's. (transfer full) */
static char *
target_of (const ImportRequest *request, guint index)
{
  const BundleFile *file = g_ptr_array_index (request->head->files, index);

  if (file->role == BUNDLE_MEMORY)
    return managed_save_path (request->manager->settings, request->plan->def->uuid);
  return g_strdup (g_ptr_array_index (request->plan->targets, index));
}

static gboolean
make_parent (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (g_mkdir_with_parents (directory, 0711) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", directory, g_strerror (errno));
  return FALSE;
}

static gboolean
read_large (Import *import, const BundleFile *file, const char *part, GError **error)
{
  int fd = make_parent (part, error) ? g_open (part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  gboolean done;

  if (fd < 0) {
    if (error != NULL && *error == NULL)
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", part, g_strerror (errno));
    return FALSE;
  }
  done = archive_reader_file (import->reader, fd, part, file->stored, error);
  if (done && fsync (fd) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", part, g_strerror (errno));
    done = FALSE;
  }
  close (fd);
  return done;
}

/* Names were checked by the head: this one leads nowhere but into the journal. */
static gboolean
read_small (Import *import, const BundleFile *file, GError **error)
{
  g_autofree char *path =
      g_build_filename (import_journal_directory (import->request->journal), file->name, NULL);
  gsize length;
  g_autofree char *text = archive_reader_text (import->reader, BUNDLE_SMALL_MAX, &length, error);

  return text != NULL && make_parent (path, error)
         && store_write_file (path, text, (gssize)length, 0600, error);
}

/* The document of a snapshot holds those of the machine: places and names are exchanged in it as well. */
static gboolean
read_snapshot (Import *import, const BundleFile *file, GError **error)
{
  ImportRequest *request = import->request;
  g_autofree char *folder = g_build_filename (import_journal_directory (request->journal), "snapshot", NULL);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (file->name);
  gsize length;
  g_autofree char *text = archive_reader_text (import->reader, CHILD_TEXT_MAX, &length, error);
  g_autofree char *edited = NULL;
  SnapshotDef *def;

  if (text == NULL)
    return FALSE;
  if (g_str_has_suffix (file->name, "/" BUNDLE_CURRENT_NAME)) {
    request->snapshot = g_utf8_make_valid (text, -1);
    return child_store_check_name (&snapshot_kind, request->snapshot, error)
           && child_store_set_current (folder, request->snapshot, error);
  }
  edited = import_values_edit (request->plan->values, text);
  def = edited != NULL ? document_read (&snapshot_document, edited, -1, DOCUMENT_LAX, diagnostics) : NULL;
  if (def == NULL) {
    if (edited == NULL || diagnostics_check (diagnostics, error))
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' in the archive is no snapshot", file->name);
    return FALSE;
  }
  g_ptr_array_add (request->snapshots, def);
  return diagnostics_check (diagnostics, error)
         && child_store_check_name (&snapshot_kind, document_name (&snapshot_document, def), error)
         && child_store_save (&snapshot_kind, folder, def, error);
}

static gboolean
read_files (Import *import, const char *const *parts, GError **error)
{
  const BundleHead *head = import->request->head;

  for (guint i = 2; i < head->files->len; i++) {
    const BundleFile *file = g_ptr_array_index (head->files, i);

    if (!next_file (import, file->name, file, error)
        || !(parts[i] != NULL                ? read_large (import, file, parts[i], error)
             : file->role == BUNDLE_SNAPSHOT ? read_snapshot (import, file, error)
                                             : read_small (import, file, error)))
      return FALSE;
  }
  return TRUE;
}

/* The end of the archive. */

/* FALSE unless whoever verifies says that the signature is good. */
static gboolean
verify (Import *import, const char *manifest, const char *signature, GError **error)
{
  ImportRequest *request = import->request;
  g_auto (Stream) stream = { .fd = -1 };
  g_autofree char *question = g_strdup_printf ("%zu\n%s%s", strlen (manifest), manifest, signature);
  char answer[ANSWER_MAX + 1] = "";
  gsize got = 0;
  gssize more;

  stream_init (&stream, request->verifier, TRUE, import->job, request->progress);
  request->verifier = -1;
  job_extend_deadline (import->job, request->patience);
  more = stream_write (&stream, question, strlen (question));
  shutdown (stream.fd, SHUT_WR);
  while (more >= 0 && got < ANSWER_MAX && (more = stream_read (&stream, answer + got, ANSWER_MAX - got)) > 0)
    got += (gsize)more;
  job_extend_deadline (import->job, G_MAXINT32);
  if (more < 0) {
    g_propagate_error (error, g_steal_pointer (&stream.error));
    return FALSE;
  }
  if (g_str_equal (answer, VERIFIED))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_DENIED, "the archive's signature is not accepted: %s",
                  g_utf8_validate (answer, -1, NULL) && answer[0] != '\0' ? answer : "no reason was given");
  return FALSE;
}

static gboolean
read_end (Import *import, GError **error)
{
  g_autoptr (BundleManifest) found = archive_reader_take_manifest (import->reader);
  g_autoptr (BundleManifest) said = NULL;
  g_autofree char *manifest = NULL, *signature = NULL;
  const char *name;
  gsize length, signature_length;
  guint64 size;

  manifest = next_text (import, BUNDLE_MANIFEST_NAME, NULL, BUNDLE_MANIFEST_BYTES_MAX, &length, error);
  said = manifest != NULL ? bundle_manifest_parse (manifest, length, error) : NULL;
  if (said == NULL || !bundle_manifest_check (said, found, error)
      || !archive_reader_next (import->reader, &name, &size, error))
    return FALSE;
  if (g_strcmp0 (name, BUNDLE_SIGNATURE_NAME) == 0) {
    signature = archive_reader_text (import->reader, BUNDLE_SIGNATURE_MAX, &signature_length, error);
    if (signature == NULL || !archive_reader_next (import->reader, &name, &size, error))
      return FALSE;
  }
  if (name != NULL) {
    g_autofree char *shown = g_strescape (name, NULL);

    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the archive has '%s' behind its end", shown);
    return FALSE;
  }
  if (import->request->verifier < 0)
    return TRUE;
  if (signature == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_DENIED, "the archive is not signed");
    return FALSE;
  }
  return verify (import, manifest, signature, error);
}

/* Images and the memory say where the machine's files are, too. */

static gboolean
set_backing (const ImportRequest *request, const BundleFile *file, const char *part, GError **error)
{
  const BundleFile *below = g_ptr_array_index (request->head->files, file->backing);
  int fd = open (part, O_RDWR | O_CLOEXEC);
  gboolean done;

  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", part, g_strerror (errno));
    return FALSE;
  }
  done = image_tool_set_backing (fd, file->path, file->format != NULL ? file->format : "raw",
                                 g_ptr_array_index (request->plan->targets, file->backing),
                                 below->format != NULL ? below->format : "raw", error)
         && fsync (fd) == 0;
  close (fd);
  return done;
}

static gboolean
set_memory (const ImportRequest *request, const char *part, GError **error)
{
  g_autoptr (SaveImage) image = save_image_open (part, TRUE, error);
  g_autofree char *xml = image != NULL ? import_values_edit (request->plan->values, image->xml) : NULL;

  if (image != NULL && xml == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the document of the saved memory cannot be read");
  return xml != NULL && save_image_replace (image, xml, image->was_running, error);
}

static gboolean
set_places (ImportRequest *request, const char *const *parts, GError **error)
{
  for (guint i = 0; i < request->head->files->len; i++) {
    const BundleFile *file = g_ptr_array_index (request->head->files, i);

    if (file->backing >= 0 && !set_backing (request, file, parts[i], error))
      return FALSE;
    if (file->role == BUNDLE_MEMORY && !set_memory (request, parts[i], error))
      return FALSE;
    request->has_memory = request->has_memory || file->role == BUNDLE_MEMORY;
  }
  return TRUE;
}

static gboolean
restore (Import *import, GError **error)
{
  ImportRequest *request = import->request;
  const BundleHead *head = request->head;
  g_autofree const char **parts = g_new0 (const char *, head->files->len);

  request->journal = import_journal_new (request->manager->settings, request->plan->def->uuid,
                                         request->plan->def->name, g_steal_pointer (&request->author));
  for (guint i = 0; i < head->files->len; i++) {
    g_autofree char *target = target_of (request, i);

    if (target != NULL)
      parts[i] = import_journal_add (request->journal, target);
  }
  if (!import_journal_begin (request->journal, error))
    return FALSE;
  if (import->ova != NULL)
    return import_ova_read (import->ova, parts, request->manager->settings, error);
  return read_files (import, parts, error) && read_end (import, error) && set_places (request, parts, error);
}

gpointer
import_job (Job *job, gpointer data, GError **error)
{
  ImportRequest *request = data;
  g_auto (Stream) stream = { .fd = -1 };
  g_auto (Import) import = { .request = request, .job = job, .stream = &stream };

  job_extend_deadline (job, G_MAXINT32);
  request->findings = g_ptr_array_new_with_free_func (finding_free);
  request->snapshots = g_ptr_array_new_with_free_func (snapshot_free);
  stream_init (&stream, request->archive, FALSE, job, request->progress);
  request->archive = -1;
  import.reader = archive_reader_new (&stream, error);
  if (import.reader == NULL || !read_head (&import, error) || !make_plan (&import, error))
    return NULL;
  check_host (&import);
  if (request->flags & IMPORT_CHECK)
    return JOB_OK;
  if (nothing_speaks_against (request, error) && restore (&import, error))
    return JOB_OK;
  g_clear_pointer (&request->journal, import_journal_free); /* before the client is told */
  return NULL;
}
