/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <throttlegroups>: limits that belong to the machine and not to one disk. A disk joins some of them by
 * <throttlefilters>; its requests are counted by each in turn, so that a disk may have an allowance of its
 * own and share another. The limits are those of <iotune>, with the name at the end.
 */

#include "domain/complete-parts.h"
#include "domain/devices/disk-private.h"

#define LIMIT(member) FIELD (DiskIotune, member, #member, field_number, NULL)
static const Field group_fields[] = {
  LIMIT (total_bytes_sec),
  LIMIT (read_bytes_sec),
  LIMIT (write_bytes_sec),
  LIMIT (total_iops_sec),
  LIMIT (read_iops_sec),
  LIMIT (write_iops_sec),
  LIMIT (total_bytes_sec_max),
  LIMIT (read_bytes_sec_max),
  LIMIT (write_bytes_sec_max),
  LIMIT (total_iops_sec_max),
  LIMIT (read_iops_sec_max),
  LIMIT (write_iops_sec_max),
  LIMIT (size_iops_sec),
  LIMIT (total_bytes_sec_max_length),
  LIMIT (read_bytes_sec_max_length),
  LIMIT (write_bytes_sec_max_length),
  LIMIT (total_iops_sec_max_length),
  LIMIT (read_iops_sec_max_length),
  LIMIT (write_iops_sec_max_length),
  FIELD (DiskIotune, group_name, "group_name", field_text, NULL),
  FIELD_END,
};
const FieldTable throttle_group_table = { sizeof (DiskIotune), group_fields };

DiskIotune *
domain_def_find_throttle_group (const DomainDef *def, const char *name)
{
  for (guint i = 0; def->throttle_groups != NULL && i < def->throttle_groups->len; i++) {
    DiskIotune *group = g_ptr_array_index (def->throttle_groups, i);

    if (g_strcmp0 (group->group_name, name) == 0)
      return group;
  }
  return NULL;
}

const DeviceDisk *
domain_def_find_throttled_disk (const DomainDef *def, const char *group)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    for (guint i = 0; disk->throttle_filters != NULL && i < disk->throttle_filters->len; i++)
      if (g_strcmp0 (((const DiskThrottleFilter *)g_ptr_array_index (disk->throttle_filters, i))->group,
                     group)
          == 0)
        return disk;
  }
  return NULL;
}

/* A limit of 0 is no limit. */
void
throttle_groups_complete (DomainDef *def)
{
  for (guint i = 0; def->throttle_groups != NULL && i < def->throttle_groups->len; i++) {
    DiskIotune *group = g_ptr_array_index (def->throttle_groups, i);

    for (const Field *field = group_fields; field->path != NULL; field++) {
      Number *number = disk_iotune_number (group, field);

      if (number != NULL && number->value == 0)
        number->set = FALSE;
    }
  }
}

void
throttle_groups_validate (Validation *validation)
{
  const GPtrArray *groups = validation->def->throttle_groups;
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; groups != NULL && i < groups->len; i++) {
    const DiskIotune *group = g_ptr_array_index (groups, i);

    disk_iotune_validate_totals (validation, group, group);
    if (group->group_name == NULL)
      validation_error_code (validation, VIR_ERR_XML_ERROR, group, group, "missing group name");
    else if (!g_hash_table_add (names, group->group_name))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &group->group_name, group,
                             "duplicate group name '%s' found", group->group_name);
  }
}

static void
validate_filter (Validation *validation, const DeviceDisk *disk, const DiskThrottleFilter *filter,
                 GHashTable *seen)
{
  if (filter->group == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, filter, disk, "missing throttle group name");
  else if (domain_def_find_throttle_group (validation->def, filter->group) == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &filter->group, disk,
                           "throttle group '%s' not found", filter->group);
  else if (!g_hash_table_add (seen, filter->group))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &filter->group, disk,
                           "duplicate filter name '%s' found", filter->group);
}

void
disk_throttle_validate (Validation *validation, const DeviceDisk *disk)
{
  const GPtrArray *filters = disk->throttle_filters;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (filters == NULL || filters->len == 0)
    return;
  if (disk->device_type == DISK_DEVICE_CDROM)
    validation_error_code (validation, VIR_ERR_OPERATION_UNSUPPORTED, &disk->throttle_filters, disk,
                           "cdrom device with throttle filters isn't supported");
  else if (disk->iotune != NULL)
    validation_error_code (validation, VIR_ERR_OPERATION_UNSUPPORTED, &disk->throttle_filters, disk,
                           "block 'throttlefilters' can't be used together with 'iotune' for disk '%s'",
                           disk->target);
  for (guint i = 0; i < filters->len; i++)
    validate_filter (validation, disk, g_ptr_array_index (filters, i), seen);
}
