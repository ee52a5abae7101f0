/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the words of the policy to files: which disk is meant, whether its file is there, and what is to be in
 * it; daemon/storage makes them. Only a machine that starts afresh gets any: one that goes on with a state it
 * has had needs the disks it had, and an empty one in their place would be the end of what is on it.
 */
#include "daemon/drivers/qemu/policy-images.h"

#include "daemon/core/file.h"
#include "daemon/host/named-file.h"
#include "daemon/object/store-applied.h"
#include "daemon/storage/disk-image.h"
#include "daemon/storage/seed-image.h"
#include "domain/devices/disk.h"
#include "domain/seed-text.h"

#include <errno.h>
#include <string.h>

#define SEED_FILES_MAX 3

/* Of a policy that is read leniently the disk may be gone: NULL. */
static const DeviceDisk *
find_disk (const DomainDef *def, const char *target)
{
  const DeviceDisk *disk = target != NULL ? domain_def_find_disk (def, target) : NULL;

  return disk != NULL && g_strcmp0 (disk->target, target) == 0 && disk->type == DISK_TYPE_FILE
                 && disk_path (disk) != NULL
             ? disk
             : NULL;
}

/* What cannot be looked at is not missing: opening it says so. */
static gboolean
is_missing (const DeviceDisk *disk)
{
  struct stat status;

  return named_file_stat (disk_path (disk), &status) < 0 && errno == ENOENT;
}

/* Clears @problem. */
static gboolean
refuse (const DeviceDisk *disk, const char *what, GError *problem, GError **error)
{
  virt_error_set (error, virt_error_code (problem), "the %s of disk '%s', '%s', cannot be made: %s", what,
                  disk->target, disk_path (disk), virt_error_detail (problem));
  g_error_free (problem);
  return FALSE;
}

/* A name in the policy as a file; NULL stays NULL, without an error. So does what cannot be told yet: a
 * document that is checked before it is kept may get its directory when it is applied. */
static gboolean
resolve (const StartPlan *plan, const char *name, char **ret_path, GError **error)
{
  g_autoptr (Applied) applied = NULL;

  *ret_path = NULL;
  if (name == NULL
      || (plan->request->is_check && plan->request->document != NULL && !g_path_is_absolute (name)))
    return TRUE;
  if (!g_path_is_absolute (name))
    applied = store_load_applied (plan->request->store, plan->uuid);
  *ret_path = applied_resolve (applied, name, error);
  return *ret_path != NULL;
}

/* Disks. */

/* What the policy says, or else the disk's driver, which has to agree. NULL with @error. */
static const char *
choose_format (const PolicyDisk *wanted, const DeviceDisk *disk, GError **error)
{
  const char *said = wanted->format != 0 ? enum_table_name (&policy_disk_formats, wanted->format) : NULL;
  const char *driver = disk->format != NULL ? disk->format : "raw";

  if (said != NULL && !g_str_equal (said, driver)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "its format is '%s', and the disk's driver reads '%s': <driver type='%s'/>", said, driver,
                    said);
    return NULL;
  }
  if (enum_table_value (&policy_disk_formats, driver) > 0)
    return driver;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the disk's driver reads '%s', and only 'qcow2' and 'raw' are made: <driver type='qcow2'/>",
                  driver);
  return NULL;
}

static char *
path_aside (const StartPlan *plan, const DeviceDisk *disk)
{
  g_autofree char *directory = g_path_get_dirname (disk_path (disk));

  return g_strdup_printf ("%s/" STORE_ASIDE_PREFIX "%s-%s", directory, plan->uuid, disk->target);
}

static gboolean
make_disk (StartPlan *plan, const PolicyDisk *wanted, const DeviceDisk *disk, GError **error)
{
  g_autofree char *base = NULL, *aside = path_aside (plan, disk);
  WantedImage image = {
    .path = disk_path (disk),
    .aside = aside,
    .format = choose_format (wanted, disk, error),
    .size = wanted->size.set ? wanted->size.value : 0,
    .base_format = wanted->base_format,
    .base_sha256 = wanted->base_sha256,
    .base_copied = wanted->base_copy == TRISTATE_YES,
  };

  if (image.format == NULL || !resolve (plan, wanted->base, &base, error))
    return FALSE;
  image.base = base;
  return plan->request->is_check ? disk_image_check (&image, error)
                                 : disk_image_make (plan->job, &image, error);
}

/* Seeds. */

typedef struct {
  SeedFile files[SEED_FILES_MAX];
  char *texts[SEED_FILES_MAX]; /* their bytes */
  guint count;
} Contents;

static void
contents_clear (Contents *contents)
{
  for (guint i = 0; i < contents->count; i++)
    g_free (contents->texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Contents, contents_clear)

/* Takes @text. */
static void
add_text (Contents *contents, const char *name, char *text, gsize length)
{
  contents->texts[contents->count] = text;
  contents->files[contents->count++] = (SeedFile){ name, text, length };
}

/* The file @file, if there is to be one. */
static gboolean
add_file (const StartPlan *plan, Contents *contents, const char *name, const char *file, GError **error)
{
  g_autofree char *path = NULL;
  struct stat status;
  gsize length = 0;
  char *text;

  if (!resolve (plan, file, &path, error))
    return FALSE;
  if (path == NULL)
    return TRUE;
  if (named_file_stat (path, &status) < 0) {
    store_system_error (error, errno, "read", path);
    return FALSE;
  }
  text = store_read_file (path, SEED_FILE_MAX, &length, error);
  if (text != NULL)
    add_text (contents, name, text, length);
  return text != NULL;
}

static gboolean
collect (const StartPlan *plan, const PolicySeed *seed, Contents *contents, GError **error)
{
  const DomainDef *def = plan->def;

  if (seed->user_data == NULL) {
    char *text = seed_user_data (seed);

    add_text (contents, "user-data", text, strlen (text));
  }
  if (seed->meta_data == NULL) {
    char *text = seed_meta_data (seed, def->name, def->uuid);

    add_text (contents, "meta-data", text, strlen (text));
  }
  return add_file (plan, contents, "user-data", seed->user_data, error)
         && add_file (plan, contents, "meta-data", seed->meta_data, error)
         && add_file (plan, contents, "network-config", seed->network_config, error);
}

/* A machine that came here as one file has no directory with it, but the image that was made of the files
 * there: that one is its seed. */
static gboolean
is_kept_as_it_came (const StartPlan *plan, const PolicySeed *seed, const DeviceDisk *disk)
{
  const char *const files[] = { seed->user_data, seed->meta_data, seed->network_config };
  g_autoptr (Applied) applied = NULL;
  gboolean needs_directory = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    needs_directory = needs_directory || (files[i] != NULL && !g_path_is_absolute (files[i]));
  if (!needs_directory || is_missing (disk))
    return FALSE;
  applied = store_load_applied (plan->request->store, plan->uuid);
  return (applied == NULL || applied->file == NULL) && seed_image_check (disk_path (disk), NULL);
}

static gboolean
make_seed (const StartPlan *plan, const PolicySeed *seed, const DeviceDisk *disk, GError **error)
{
  g_auto (Contents) contents = { .count = 0 };

  if (is_kept_as_it_came (plan, seed, disk))
    return TRUE;
  if (!collect (plan, seed, &contents, error))
    return FALSE;
  return plan->request->is_check ? seed_image_check (disk_path (disk), error)
                                 : seed_image_make (disk_path (disk), contents.files, contents.count, error);
}

/* The whole. */

static gboolean
make_disks (StartPlan *plan, const Policy *policy, GError **error)
{
  for (guint i = 0; policy->disks != NULL && i < policy->disks->len; i++) {
    const PolicyDisk *wanted = g_ptr_array_index (policy->disks, i);
    const DeviceDisk *disk = find_disk (plan->def, wanted->target);
    GError *problem = NULL;

    if (disk != NULL && is_missing (disk) && !make_disk (plan, wanted, disk, &problem))
      return refuse (disk, "image", problem, error);
  }
  return TRUE;
}

static gboolean
make_seeds (StartPlan *plan, const Policy *policy, GError **error)
{
  for (guint i = 0; policy->seeds != NULL && i < policy->seeds->len; i++) {
    const PolicySeed *seed = g_ptr_array_index (policy->seeds, i);
    const DeviceDisk *disk = find_disk (plan->def, seed->target);
    GError *problem = NULL;

    if (disk != NULL && !make_seed (plan, seed, disk, &problem))
      return refuse (disk, "seed", problem, error);
  }
  return TRUE;
}

/* A start would have made it, or was told of here: the rest of the machine is looked at without it. */
static void
leave_out (DomainDef *def, const char *target)
{
  const DeviceDisk *disk = find_disk (def, target);

  if (disk != NULL && is_missing (disk))
    g_ptr_array_remove (def->devices, (gpointer)disk);
}

static void
leave_out_missing (StartPlan *plan, const Policy *policy)
{
  for (guint i = 0; policy->disks != NULL && i < policy->disks->len; i++)
    leave_out (plan->def, ((const PolicyDisk *)g_ptr_array_index (policy->disks, i))->target);
  for (guint i = 0; policy->seeds != NULL && i < policy->seeds->len; i++)
    leave_out (plan->def, ((const PolicySeed *)g_ptr_array_index (policy->seeds, i))->target);
}

gboolean
policy_images_make (StartPlan *plan, GError **error)
{
  const StartRequest *request = plan->request;
  const Policy *policy = plan->def->policy;
  gboolean made;

  if (policy == NULL || (policy->disks == NULL && policy->seeds == NULL) || start_request_goes_on (request)
      || request->from_snapshot)
    return TRUE;
  made = make_disks (plan, policy, error) && make_seeds (plan, policy, error);
  if (request->is_check)
    leave_out_missing (plan, policy);
  else if (made) /* the start itself has all of its time */
    job_extend_deadline (plan->job, start_job_seconds (request->settings));
  return made;
}
