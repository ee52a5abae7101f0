/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What emulators can do, asked once. An entry is good for one identity: everything that could change the
 * answers without the path changing. QEMU's devices live partly in modules that are packages of their own, so
 * the folders of modules belong to the identity, or a freshly installed module would stay unknown; so does
 * the kernel and whether KVM works, which decide what "usable" means for a CPU.
 *
 * Threads that want the same emulator at the same time wait for the one that asks, and share its answer or
 * its failure. On disk there is one file a binary, holding the identity it is good for; a damaged or outdated
 * one is written anew.
 */
#include "daemon/drivers/qemu/probe.h"

#include "base/virt-error.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CACHE_MAX_FILE (1024 * 1024) /* bytes; an entry is 100 kB */

typedef struct {
  char *identity;
  QemuCaps *caps; /* NULL when the last probe failed */
  GError *error;
  gboolean busy; /* a thread is asking */
} Entry;

struct CapsCache {
  char *directory;
  GMutex lock;
  GCond asked;         /* an entry is no longer busy */
  GHashTable *entries; /* path → Entry */
  char *kvm_device;    /* what /dev/kvm was when it was tried */
  gboolean kvm_works;
  CapsKvmProblem problem; /* may be NULL */
  gpointer problem_data;
};

static void
entry_clear (Entry *entry)
{
  g_clear_pointer (&entry->identity, g_free);
  g_clear_pointer (&entry->caps, qemu_caps_unref);
  g_clear_error (&entry->error);
}

static void
entry_free (gpointer data)
{
  entry_clear (data);
  g_free (data);
}

CapsCache *
caps_cache_new (const char *directory)
{
  CapsCache *cache = g_new0 (CapsCache, 1);

  cache->directory = g_strdup (directory);
  g_mutex_init (&cache->lock);
  g_cond_init (&cache->asked);
  cache->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  return cache;
}

void
caps_cache_set_kvm_problem (CapsCache *cache, CapsKvmProblem problem, gpointer data)
{
  cache->problem = problem;
  cache->problem_data = data;
}

void
caps_cache_free (CapsCache *cache)
{
  if (cache == NULL)
    return;
  g_hash_table_unref (cache->entries);
  g_mutex_clear (&cache->lock);
  g_cond_clear (&cache->asked);
  g_free (cache->directory);
  g_free (cache->kvm_device);
  g_free (cache);
}

static void
append_file (GString *text, const char *path)
{
  struct stat info;

  if (stat (path, &info) < 0)
    return;
  g_string_append_printf (text, "%s %ju %ju %jd %jd.%09ld %jd.%09ld\n", path, (uintmax_t)info.st_dev,
                          (uintmax_t)info.st_ino, (intmax_t)info.st_size, (intmax_t)info.st_mtim.tv_sec,
                          info.st_mtim.tv_nsec, (intmax_t)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

/* Making a KVM machine takes long enough to do it only when the device has changed. Called locked. */
static gboolean
kvm_works (CapsCache *cache)
{
  g_autofree char *device = NULL;
  struct stat info = { 0 };

  if (stat ("/dev/kvm", &info) == 0)
    device = g_strdup_printf ("%ju %o %u %u %jd", (uintmax_t)info.st_rdev, info.st_mode, info.st_uid,
                              info.st_gid, (intmax_t)info.st_ctim.tv_sec);
  else
    device = g_strdup ("none");
  if (g_strcmp0 (device, cache->kvm_device) != 0) {
    g_autofree char *problem = probe_kvm_problem ();

    if (problem == NULL && cache->problem != NULL)
      problem = cache->problem (cache->problem_data);
    cache->kvm_works = problem == NULL;
    g_free (cache->kvm_device);
    cache->kvm_device = g_steal_pointer (&device);
  }
  return cache->kvm_works;
}

/* What tells one build of an emulator from another. */
static char *
describe_binary (const char *binary, GError **error)
{
  static const char *const module_folders[] = { "/usr/lib/x86_64-linux-gnu/qemu",
                                                "/usr/lib/aarch64-linux-gnu/qemu", "/usr/lib/qemu",
                                                "/usr/lib64/qemu", "/usr/local/lib/qemu" };
  GString *text;

  if (access (binary, F_OK) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot check QEMU binary %s: %s", binary,
                    g_strerror (errno));
    return NULL;
  }
  if (g_file_test (binary, G_FILE_TEST_IS_DIR) || access (binary, X_OK) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "QEMU binary %s is not executable: %s", binary,
                    g_strerror (g_file_test (binary, G_FILE_TEST_IS_DIR) ? EISDIR : errno));
    return NULL;
  }
  text = g_string_new (NULL);
  append_file (text, binary);
  for (guint i = 0; i < G_N_ELEMENTS (module_folders); i++)
    append_file (text, module_folders[i]);
  return g_string_free (text, FALSE);
}

/* Called locked. (transfer full) */
static char *
identity_of (CapsCache *cache, const char *description)
{
  struct utsname host;

  uname (&host);
  return g_strdup_printf ("%s%s kvm %s", description, host.release, kvm_works (cache) ? "yes" : "no");
}

static char *
cache_path (const CapsCache *cache, const char *binary)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, binary, -1);
  g_autofree char *name = g_strconcat (digest, ".json", NULL);

  return g_build_filename (cache->directory, name, NULL);
}

/* A file is the identity's digest, a newline, and the capabilities. */
static QemuCaps *
load (const CapsCache *cache, const char *binary, const char *identity)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, identity, -1);
  g_autofree char *path = NULL, *text = NULL;
  struct stat info;
  gsize length;

  if (cache->directory == NULL)
    return NULL;
  path = cache_path (cache, binary);
  if (stat (path, &info) < 0 || info.st_size > CACHE_MAX_FILE
      || !g_file_get_contents (path, &text, &length, NULL))
    return NULL;
  if (!g_str_has_prefix (text, digest) || text[strlen (digest)] != '\n')
    return NULL;
  return qemu_caps_from_json (text + strlen (digest) + 1, -1, NULL);
}

/* A cache that cannot be written costs a probe at the next start and nothing else. */
static void
save (const CapsCache *cache, const char *binary, const char *identity, const QemuCaps *caps)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, identity, -1);
  g_autofree char *json = NULL, *text = NULL, *path = NULL;
  g_autoptr (GError) error = NULL;

  if (cache->directory == NULL)
    return;
  json = qemu_caps_to_json (caps);
  text = g_strconcat (digest, "\n", json, "\n", NULL);
  path = cache_path (cache, binary);
  g_mkdir_with_parents (cache->directory, 0755);
  if (!g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                 0644, &error))
    g_info ("the capabilities of %s are not kept: %s", binary, error->message);
}

static Entry *
entry_for (CapsCache *cache, const char *binary)
{
  Entry *entry = g_hash_table_lookup (cache->entries, binary);

  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    g_hash_table_insert (cache->entries, g_strdup (binary), entry);
  }
  return entry;
}

/* Entries are never removed, so @entry stays good while the lock is let go. */
static void
ask (CapsCache *cache, Entry *entry, const char *binary, const char *identity)
{
  gboolean use_kvm = cache->kvm_works;
  GError *error = NULL;
  QemuCaps *caps;

  entry->busy = TRUE;
  g_mutex_unlock (&cache->lock);
  caps = load (cache, binary, identity);
  if (caps == NULL && (caps = qemu_probe (binary, use_kvm, &error)) != NULL)
    save (cache, binary, identity, caps);
  g_mutex_lock (&cache->lock);
  entry_clear (entry);
  entry->identity = g_strdup (identity);
  entry->caps = caps;
  entry->error = error;
  entry->busy = FALSE;
  g_cond_broadcast (&cache->asked);
}

QemuCaps *
caps_cache_get (CapsCache *cache, const char *binary, GError **error)
{
  /* Not under the lock: a document may name an emulator on a file system that does not answer. */
  g_autofree char *description = describe_binary (binary, error);
  gboolean waited = FALSE;
  Entry *entry;

  if (description == NULL)
    return NULL;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cache->lock);
  g_autofree char *identity = identity_of (cache, description);
  entry = entry_for (cache, binary);
  for (; entry->busy; waited = TRUE)
    g_cond_wait (&cache->asked, &cache->lock);
  if (g_strcmp0 (entry->identity, identity) != 0 || (entry->caps == NULL && !waited))
    ask (cache, entry, binary, identity);
  if (entry->caps == NULL) {
    if (error != NULL)
      *error = g_error_copy (entry->error);
    return NULL;
  }
  return qemu_caps_ref (entry->caps);
}
