/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The policy against the machine it belongs to: what it makes must be an image that a disk of the document
 * names, and a machine cannot wait for itself. The policy alone is checked where it is read.
 */
#include "domain/complete-parts.h"
#include "domain/devices/disk.h"

static void
check_target (Validation *validation, char *const *target, gconstpointer fallback, const char *what)
{
  const DomainDef *def = validation->def;
  const DeviceDisk *disk = *target != NULL ? domain_def_find_disk (def, *target) : NULL;

  if (*target == NULL)
    return;
  if (disk == NULL || g_strcmp0 (disk->target, *target) != 0)
    validation_error_code (validation, VIR_ERR_XML_ERROR, target, fallback,
                           "the policy's %s '%s': no disk has this target", what, *target);
  else if (disk->type != DISK_TYPE_FILE || disk_path (disk) == NULL)
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, target, fallback,
        "the policy's %s '%s': the disk needs a <source file='...'>, which is what is made", what, *target);
}

static void
check_others (Validation *validation, GPtrArray *const *names, gconstpointer fallback, const char *what)
{
  const DomainDef *def = validation->def;

  for (guint i = 0; *names != NULL && i < (*names)->len; i++)
    if (g_strcmp0 (def->name, g_ptr_array_index (*names, i)) == 0)
      validation_error_code (validation, VIR_ERR_XML_ERROR, names, fallback,
                             "the policy's <%s>%s</%s> is the machine itself", what, def->name, what);
}

void
validate_policy (Validation *validation)
{
  const Policy *policy = validation->def->policy;

  /* A machine that runs may have lost a disk, or started without a medium, and one may be renamed: what is
   * kept of them, and given by them to other programs, is read all the same. */
  if (policy == NULL || validation->lax)
    return;
  check_others (validation, &policy->start.after, &policy->start, "after");
  check_others (validation, &policy->start.requires, &policy->start, "requires");
  for (guint i = 0; policy->disks != NULL && i < policy->disks->len; i++) {
    const PolicyDisk *disk = g_ptr_array_index (policy->disks, i);

    check_target (validation, &disk->target, disk, "disk");
  }
  for (guint i = 0; policy->seeds != NULL && i < policy->seeds->len; i++) {
    const PolicySeed *seed = g_ptr_array_index (policy->seeds, i);

    check_target (validation, &seed->target, seed, "seed");
  }
}
