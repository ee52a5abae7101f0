/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A kernel for a machine without firmware and disks of its own. Distributions' kernels have what such a
 * machine needs as modules: those of our list that a kernel has are packed beside the init, in the order in
 * which they depend on one another. What a kernel has built in is missed by nobody.
 */
#include "cli/guest-kernel.h"

#include "base/virt-error.h"
#include "config.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define INIT_NAME        "domaind-guest-init"
#define HEADER_BYTES     0x210 /* of a bzImage, up to the place of its version */
#define VERSION_AT       0x20e
#define VERSION_MAX      256
#define MODULE_BYTES_MAX (16 * 1024 * 1024)
#define MODULE_FILES_MAX 20000
#define MODULE_DEPTH_MAX 16

/* What is to be loaded, with what it depends on. Names as the kernel has them, with '_' and never '-'. */
static const char *const module_names[] = {
  "virtio_pci",  "virtio_mmio",  "virtio_net", "virtio_blk",     "virtio_console", "virtio_rng",
  "qemu_fw_cfg", "evdev",        "button",     "crc32c_generic", "ext4",           "squashfs",
  "overlay",     "9pnet_virtio", "9p",         "virtiofs",
};

void
guest_kernel_free (GuestKernel *kernel)
{
  if (kernel == NULL)
    return;
  g_free (kernel->kernel);
  g_free (kernel->initrd);
  g_free (kernel);
}

/* The version in a bzImage: "6.1.0-57-cloud-amd64". (transfer full) NULL: @file is none. */
static char *
kernel_version (const char *file)
{
  guint8 header[HEADER_BYTES];
  char version[VERSION_MAX + 1];
  int fd = open (file, O_RDONLY | O_CLOEXEC);
  ssize_t count = -1;

  if (fd >= 0 && pread (fd, header, sizeof header, 0) == sizeof header
      && memcmp (header + 0x202, "HdrS", 4) == 0)
    count = pread (fd, version, VERSION_MAX, 0x200 + (header[VERSION_AT] | header[VERSION_AT + 1] << 8));
  if (fd >= 0)
    close (fd);
  if (count <= 0)
    return NULL;
  version[count] = '\0';
  version[strcspn (version, " ")] = '\0';
  return strchr (version, '/') == NULL && version[0] != '.' ? g_strdup (version) : NULL;
}

/* (transfer full) NULL: nowhere. */
static char *
modules_of (const char *kernel, const char *version)
{
  g_autofree char *folder = g_path_get_dirname (kernel);
  g_autofree char *beside = g_build_filename (folder, "..", "lib", "modules", version, NULL);
  g_autofree char *below_usr = g_build_filename (folder, "..", "usr", "lib", "modules", version, NULL);
  g_autofree char *host = g_build_filename ("/lib/modules", version, NULL);
  const char *places[] = { beside, below_usr, host };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    if (g_file_test (places[i], G_FILE_TEST_IS_DIR))
      return g_strdup (places[i]);
  }
  return NULL;
}

/* The newest kernel of this host that has modules. (transfer full) */
static char *
host_kernel (GError **error)
{
  GDir *boot = g_dir_open ("/boot", 0, NULL);
  g_autofree char *newest = NULL;
  gint64 newest_time = -1;

  for (const char *name; boot != NULL && (name = g_dir_read_name (boot)) != NULL;) {
    g_autofree char *path = g_build_filename ("/boot", name, NULL);
    g_autofree char *version = g_str_has_prefix (name, "vmlinuz") ? kernel_version (path) : NULL;
    g_autofree char *modules = version != NULL ? modules_of (path, version) : NULL;
    GStatBuf status;

    if (modules == NULL || g_stat (path, &status) < 0 || status.st_mtime <= newest_time)
      continue;
    newest_time = status.st_mtime;
    g_free (newest);
    newest = g_steal_pointer (&path);
  }
  if (boot != NULL)
    g_dir_close (boot);
  if (newest == NULL)
    virt_error_set (
        error, VIR_ERR_OPERATION_FAILED,
        "there is no kernel in /boot that can be read and has modules in /lib/modules: install one "
        "(on Debian linux-image-cloud-amd64), or name one by --kernel");
  return g_steal_pointer (&newest);
}

/* Modules. */

/* "kernel/fs/overlayfs/overlay.ko.xz" → "overlay", as our list has it. (transfer full) NULL: no module. */
static char *
module_name (const char *file)
{
  const char *end = strstr (file, ".ko");

  return end != NULL ? g_strdelimit (g_strndup (file, (gsize)(end - file)), "-", '_') : NULL;
}

/* name → path of all modules below @path. */
static void
collect_modules (const char *path, guint depth, GHashTable *found)
{
  GDir *directory = depth < MODULE_DEPTH_MAX ? g_dir_open (path, 0, NULL) : NULL;

  for (const char *file; directory != NULL && (file = g_dir_read_name (directory)) != NULL;) {
    g_autofree char *below = g_build_filename (path, file, NULL);
    g_autofree char *name = module_name (file);

    if (g_hash_table_size (found) >= MODULE_FILES_MAX)
      break;
    if (name != NULL)
      g_hash_table_replace (found, g_steal_pointer (&name), g_steal_pointer (&below));
    else if (!g_file_test (below, G_FILE_TEST_IS_SYMLINK) && g_file_test (below, G_FILE_TEST_IS_DIR))
      collect_modules (below, depth + 1, found);
  }
  g_clear_pointer (&directory, g_dir_close);
}

/* What is in a module, unpacked. NULL with @error. */
static GByteArray *
read_module (const char *path, GError **error)
{
  struct archive *archive = archive_read_new ();
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  struct archive_entry *entry;
  guint8 block[65536];
  la_ssize_t count = -1;

  archive_read_support_filter_xz (archive);
  archive_read_support_filter_zstd (archive);
  archive_read_support_filter_gzip (archive);
  archive_read_support_format_raw (archive);
  if (archive_read_open_filename (archive, path, sizeof block) == ARCHIVE_OK
      && archive_read_next_header (archive, &entry) == ARCHIVE_OK) {
    while ((count = archive_read_data (archive, block, sizeof block)) > 0 && bytes->len < MODULE_BYTES_MAX)
      g_byte_array_append (bytes, block, (guint)count);
  }
  if (count != 0)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot read the kernel's module '%s': %s", path,
                    count > 0 ? "it is too large" : archive_error_string (archive));
  archive_read_free (archive);
  return count == 0 ? g_steal_pointer (&bytes) : NULL;
}

/* The initrd. */

static gboolean
add_file (struct archive *to, const char *name, guint type, guint permissions, const void *bytes,
          gsize length, GError **error)
{
  struct archive_entry *entry = archive_entry_new ();
  gboolean good;

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, type);
  archive_entry_set_perm (entry, permissions);
  archive_entry_set_size (entry, (la_int64_t)length);
  good = archive_write_header (to, entry) == ARCHIVE_OK
         && (length == 0 || archive_write_data (to, bytes, length) == (la_ssize_t)length);
  archive_entry_free (entry);
  if (!good)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot write the initrd: %s",
                    archive_error_string (to));
  return good;
}

typedef struct {
  struct archive *to;
  GHashTable *modules; /* name → path */
  GHashTable *added;   /* names */
  GString *list;
} Packing;

/* "a,b": what a module says it depends on. (transfer full) */
static char *
dependencies (const GByteArray *module)
{
  static const char word[] = "\0depends=";
  const char *found = memmem (module->data, module->len, word, sizeof word - 1);
  gsize left =
      found != NULL ? module->len - (gsize)(found - (const char *)module->data) - (sizeof word - 1) : 0;

  return found != NULL ? g_strndup (found + sizeof word - 1, strnlen (found + sizeof word - 1, left))
                       : g_strdup ("");
}

/* After those that it depends on; one that the kernel has built in is none. */
static gboolean
add_module (Packing *packing, const char *word, GError **error)
{
  g_autofree char *name = g_strdelimit (g_strdup (word), "-", '_');
  const char *path = g_hash_table_lookup (packing->modules, name);
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree char *needs = NULL, *file = NULL;
  g_auto (GStrv) needed = NULL;

  if (path == NULL || g_hash_table_contains (packing->added, name))
    return TRUE;
  g_hash_table_add (packing->added, g_strdup (name));
  bytes = read_module (path, error);
  if (bytes == NULL)
    return FALSE;
  needs = dependencies (bytes);
  needed = g_strsplit (needs, ",", -1);
  for (guint i = 0; needed[i] != NULL; i++) {
    if (!add_module (packing, needed[i], error))
      return FALSE;
  }
  g_string_append_printf (packing->list, "%s.ko\n", name);
  file = g_strdup_printf ("modules/%s.ko", name);
  return add_file (packing->to, file, AE_IFREG, 0644, bytes->data, bytes->len, error);
}

static gboolean
add_modules (struct archive *to, GHashTable *modules, GError **error)
{
  g_autoptr (GHashTable) added = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) list = g_string_new (NULL);
  Packing packing = { .to = to, .modules = modules, .added = added, .list = list };

  for (guint i = 0; i < G_N_ELEMENTS (module_names); i++) {
    if (!add_module (&packing, module_names[i], error))
      return FALSE;
  }
  return add_file (to, "modules/list", AE_IFREG, 0644, list->str, list->len, error);
}

/* Where the init is: beside domctl in a build, in its place where domaind is installed. (transfer full) */
static char *
init_file (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : NULL;
  g_autofree char *built =
      folder != NULL ? g_build_filename (folder, "..", "guest-init", INIT_NAME, NULL) : NULL;

  return built != NULL && g_file_test (built, G_FILE_TEST_IS_REGULAR)
             ? g_steal_pointer (&built)
             : g_build_filename (LIBEXEC_DIRECTORY, INIT_NAME, NULL);
}

static gboolean
write_initrd (const char *path, const char *init, GHashTable *modules, GError **error)
{
  g_autofree char *program = NULL;
  struct archive *to;
  gsize length;
  gboolean good;

  if (!g_file_get_contents (init, &program, &length, error))
    return FALSE;
  to = archive_write_new ();
  archive_write_set_format_cpio_newc (to);
  good = archive_write_open_filename (to, path) == ARCHIVE_OK;
  if (!good)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", path, archive_error_string (to));
  good = good && add_file (to, "dev", AE_IFDIR, 0755, NULL, 0, error)
         && add_file (to, "root", AE_IFDIR, 0755, NULL, 0, error)
         && add_file (to, "modules", AE_IFDIR, 0755, NULL, 0, error)
         && add_file (to, "init", AE_IFREG, 0755, program, length, error) && add_modules (to, modules, error);
  if (archive_write_close (to) != ARCHIVE_OK && good) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", path, archive_error_string (to));
    good = FALSE;
  }
  archive_write_free (to);
  return good;
}

/* Where the initrd of this kernel and this init is kept: other ones have other names. (transfer full) */
static char *
initrd_file (const char *directory, const char *version, const char *modules, const char *init)
{
  GStatBuf status = { 0 };
  g_autofree char *all = NULL;
  g_autofree char *key = NULL;
  g_autofree char *name = NULL;

  g_stat (init, &status);
  all =
      g_strdup_printf ("%s %s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, version,
                       modules != NULL ? modules : "", init, (gint64)status.st_mtime, (gint64)status.st_size);
  key = g_compute_checksum_for_string (G_CHECKSUM_SHA256, all, -1);
  name = g_strdup_printf ("%.16s.initrd", key);
  return g_build_filename (directory, "kernels", name, NULL);
}

static gboolean
make_initrd (const char *file, const char *init, GHashTable *modules, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (file);
  g_autofree char *made = g_strdup_printf ("%s.%d", file, (int)getpid ());

  if (g_file_test (file, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  if (g_mkdir_with_parents (folder, 0755) == 0 && write_initrd (made, init, modules, error)
      && g_rename (made, file) == 0)
    return TRUE;
  if (error != NULL && *error == NULL)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", file, g_strerror (errno));
  g_unlink (made);
  return FALSE;
}

GuestKernel *
guest_kernel_get (const char *file, const char *directory, GError **error)
{
  g_autoptr (GuestKernel) kernel = g_new0 (GuestKernel, 1);
  g_autoptr (GHashTable) modules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *version = NULL, *place = NULL, *init = init_file ();

  kernel->kernel = file != NULL ? g_canonicalize_filename (file, NULL) : host_kernel (error);
  if (kernel->kernel == NULL)
    return NULL;
  version = kernel_version (kernel->kernel);
  if (version == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "'%s' is no Linux kernel that can be read: expected a bzImage", kernel->kernel);
    return NULL;
  }
  place = modules_of (kernel->kernel, version);
  if (place != NULL)
    collect_modules (place, 0, modules);
  kernel->has_9p = place == NULL || g_hash_table_contains (modules, "9pnet_virtio");
  kernel->has_virtiofs = place == NULL || g_hash_table_contains (modules, "virtiofs");
  kernel->initrd = initrd_file (directory, version, place, init);
  return make_initrd (kernel->initrd, init, modules, error) ? g_steal_pointer (&kernel) : NULL;
}
