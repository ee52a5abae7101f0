/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <iotune>: how much a disk may do in a second. The names of the elements are those of libvirt's typed
 * parameters, and their order is that in which clients are told them, so the table serves both. Disks of one
 * group have one allowance, which they share: whatever changes for one of them changes for all.
 */

#include "domain/devices/disk-private.h"

#define LIMIT_MAX G_GUINT64_CONSTANT (1000000000000000) /* QEMU's */

#define IOTUNE(member) FIELD (DiskIotune, member, #member, field_number, NULL)
static const Field iotune_fields[] = {
  IOTUNE (total_bytes_sec),
  IOTUNE (read_bytes_sec),
  IOTUNE (write_bytes_sec),
  IOTUNE (total_iops_sec),
  IOTUNE (read_iops_sec),
  IOTUNE (write_iops_sec),
  IOTUNE (total_bytes_sec_max),
  IOTUNE (read_bytes_sec_max),
  IOTUNE (write_bytes_sec_max),
  IOTUNE (total_iops_sec_max),
  IOTUNE (read_iops_sec_max),
  IOTUNE (write_iops_sec_max),
  IOTUNE (size_iops_sec),
  FIELD (DiskIotune, group_name, "group_name", field_text, NULL),
  IOTUNE (total_bytes_sec_max_length),
  IOTUNE (read_bytes_sec_max_length),
  IOTUNE (write_bytes_sec_max_length),
  IOTUNE (total_iops_sec_max_length),
  IOTUNE (read_iops_sec_max_length),
  IOTUNE (write_iops_sec_max_length),
  FIELD_END,
};
const FieldTable disk_iotune_table = { sizeof (DiskIotune), iotune_fields };

/* A limit of 0 is no limit. */
void
disk_iotune_complete (DeviceDisk *disk)
{
  DiskIotune *tune = disk->iotune;

  if (tune == NULL)
    return;
  for (const Field *field = iotune_fields; field->path != NULL; field++) {
    Number *number = disk_iotune_number (tune, field);

    if (number != NULL && number->value == 0)
      number->set = FALSE;
  }
  if (tune->group_name != NULL && *tune->group_name == '\0')
    g_clear_pointer (&tune->group_name, g_free);
  if (field_table_is_empty (&disk_iotune_table, tune)) {
    field_free (&disk_iotune_table, tune);
    disk->iotune = NULL;
  }
}

Number *
disk_iotune_number (const DiskIotune *tune, const Field *field)
{
  return field->type == &field_number ? (Number *)((char *)tune + field->offset) : NULL;
}

/* One kind of limit, said for all or for reading and writing apart. */
typedef struct {
  gsize total, read, write; /* offsets of Numbers */
  const char *name;
} Limit;

#define LIMIT(name_)                                                                         \
  {                                                                                          \
    G_STRUCT_OFFSET (DiskIotune, total_##name_), G_STRUCT_OFFSET (DiskIotune, read_##name_), \
        G_STRUCT_OFFSET (DiskIotune, write_##name_), #name_                                  \
  }
static const Limit limits[] = { LIMIT (bytes_sec), LIMIT (iops_sec), LIMIT (bytes_sec_max),
                                LIMIT (iops_sec_max) };
static const Limit lengths[] = { LIMIT (bytes_sec_max_length), LIMIT (iops_sec_max_length) };

static Number *
number_at (const DiskIotune *tune, gsize offset)
{
  return (Number *)((char *)tune + offset);
}

static gboolean
is_given (const DiskIotune *tune, const Limit *limit)
{
  return number_at (tune, limit->total)->set || number_at (tune, limit->read)->set
         || number_at (tune, limit->write)->set;
}

static void
take_limit (DiskIotune *tune, const DiskIotune *old, const Limit *limit)
{
  *number_at (tune, limit->total) = *number_at (old, limit->total);
  *number_at (tune, limit->read) = *number_at (old, limit->read);
  *number_at (tune, limit->write) = *number_at (old, limit->write);
}

/* QEMU takes no length of 0 where there is a limit: what was set is unset with its least, 1. */
static void
unset_length (Number *length, const Number *old, const Number *limit, const Number *burst)
{
  if (old->value != 0 && length->value == 0)
    *length = NUMBER (limit->value != 0 || burst->value != 0 ? 1 : 0);
}

void
disk_iotune_merge (DiskIotune *tune, const DiskIotune *old)
{
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (!is_given (tune, &limits[i]))
      take_limit (tune, old, &limits[i]);
  if (!tune->size_iops_sec.set)
    tune->size_iops_sec = old->size_iops_sec;
  if (tune->group_name == NULL)
    tune->group_name = g_strdup (old->group_name);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    const Limit *length = &lengths[i], *limit = &limits[i], *burst = &limits[i + 2];

    if (!is_given (tune, length)) {
      take_limit (tune, old, length);
      continue;
    }
    unset_length (number_at (tune, length->total), number_at (old, length->total),
                  number_at (tune, limit->total), number_at (tune, burst->total));
    unset_length (number_at (tune, length->read), number_at (old, length->read),
                  number_at (tune, limit->read), number_at (tune, burst->read));
    unset_length (number_at (tune, length->write), number_at (old, length->write),
                  number_at (tune, limit->write), number_at (tune, burst->write));
  }
}

/* A client that says nothing but a group joins it, with the group's limits. */
static const DiskIotune *
iotune_before (const DomainDef *def, const DeviceDisk *disk, const DiskIotune *said)
{
  static const DiskIotune none;
  const DiskIotune *own = disk->iotune != NULL ? disk->iotune : &none;
  gboolean only_group = said->group_name != NULL && *said->group_name != '\0';

  for (const Field *field = iotune_fields; field->path != NULL; field++) {
    const Number *number = disk_iotune_number (said, field);

    only_group = only_group && (number == NULL || number->value == 0);
  }
  if (!only_group || g_strcmp0 (own->group_name, said->group_name) == 0)
    return own;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, other) {
    if (other->iotune != NULL && g_strcmp0 (other->iotune->group_name, said->group_name) == 0)
      return other->iotune;
  }
  return own;
}

static void
replace_iotune (DeviceDisk *disk, const DiskIotune *tune)
{
  field_free (&disk_iotune_table, disk->iotune);
  disk->iotune = field_copy (&disk_iotune_table, tune);
  disk_iotune_complete (disk);
}

void
domain_def_set_iotune (DomainDef *def, DeviceDisk *disk, const DiskIotune *said)
{
  DiskIotune *tune = field_copy (&disk_iotune_table, said);

  disk_iotune_merge (tune, iotune_before (def, disk, said));
  replace_iotune (disk, tune);
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, other) {
    if (other != disk && other->iotune != NULL && tune->group_name != NULL && *tune->group_name != '\0'
        && g_strcmp0 (other->iotune->group_name, tune->group_name) == 0)
      replace_iotune (other, tune);
  }
  field_free (&disk_iotune_table, tune);
}

gboolean
disk_iotune_check (const DiskIotune *tune, GError **error)
{
  for (const Field *field = iotune_fields; field->path != NULL; field++) {
    const Number *number = disk_iotune_number (tune, field);

    if (number != NULL && number->value > LIMIT_MAX) {
      virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                      "block I/O throttle limit value must be no more than %" G_GUINT64_FORMAT, LIMIT_MAX);
      return FALSE;
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (number_at (tune, limits[i].total)->value != 0
        && (number_at (tune, limits[i].read)->value != 0 || number_at (tune, limits[i].write)->value != 0)) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "total and read/write of %s cannot be set at the same time",
                      limits[i].name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_burst (guint64 limit, guint64 burst, const char *side, const char *name, GError **error)
{
  if (burst == 0 || (limit != 0 && burst >= limit))
    return TRUE;
  if (limit == 0)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "cannot reset '%s_%s' when '%s_%s_max' is set", side,
                    name, side, name);
  else
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "value '%s_%s_max' cannot be smaller than '%s_%s'",
                    side, name, side, name);
  return FALSE;
}

gboolean
disk_iotune_check_bursts (const DiskIotune *tune, GError **error)
{
  for (guint i = 0; tune != NULL && i < G_N_ELEMENTS (lengths); i++) {
    const Limit *limit = &limits[i], *burst = &limits[i + 2];

    if (!check_burst (number_at (tune, limit->total)->value, number_at (tune, burst->total)->value, "total",
                      limit->name, error)
        || !check_burst (number_at (tune, limit->read)->value, number_at (tune, burst->read)->value, "read",
                         limit->name, error)
        || !check_burst (number_at (tune, limit->write)->value, number_at (tune, burst->write)->value,
                         "write", limit->name, error))
      return FALSE;
  }
  return TRUE;
}

#define REFUSE(code, member, ...) \
  validation_error_code (validation, (code), &disk->iotune->member, disk, __VA_ARGS__)

static void
validate_group (Validation *validation, const DeviceDisk *disk)
{
  gboolean has_limits = FALSE;

  for (const Field *field = iotune_fields; field->path != NULL; field++) {
    const Number *number = disk_iotune_number (disk->iotune, field);

    has_limits = has_limits || (number != NULL && number->value != 0);
  }
  if (!has_limits)
    REFUSE (VIR_ERR_CONFIG_UNSUPPORTED, group_name,
            "group_name can be configured only together with settings");
  DOMAIN_FOREACH_DEVICE (validation->def, disk_kind, DeviceDisk, other) {
    g_autofree char *difference = NULL;

    if (other == disk)
      return; /* told once, of the later of the two */
    if (other->iotune == NULL || g_strcmp0 (other->iotune->group_name, disk->iotune->group_name) != 0)
      continue;
    difference = field_compare (&disk_iotune_table, disk->iotune, other->iotune, 0);
    if (difference != NULL)
      REFUSE (VIR_ERR_CONFIG_UNSUPPORTED, group_name,
              "different iotunes for disks %s and %s of group '%s': %s", other->target, disk->target,
              disk->iotune->group_name, difference);
  }
}

static gboolean
is_length (const Field *field)
{
  return g_str_has_suffix (field->path, "_length");
}

void
disk_iotune_validate_totals (Validation *validation, gconstpointer object, const DiskIotune *tune)
{
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (number_at (tune, limits[i].total)->set
        && (number_at (tune, limits[i].read)->set || number_at (tune, limits[i].write)->set))
      validation_error_code (validation, VIR_ERR_XML_ERROR, number_at (tune, limits[i].total), object,
                             "total and read/write %s cannot be set at the same time", limits[i].name);
}

void
disk_iotune_validate (Validation *validation, const DeviceDisk *disk)
{
  const DiskIotune *tune = disk->iotune;

  if (tune == NULL)
    return;
  disk_iotune_validate_totals (validation, disk, tune);
  for (const Field *field = iotune_fields; field->path != NULL; field++) {
    const Number *number = disk_iotune_number (tune, field);

    if (number != NULL && number->value > LIMIT_MAX && !is_length (field))
      validation_error_code (validation, VIR_ERR_ARGUMENT_UNSUPPORTED, number, disk,
                             "block I/O throttle limit must be no more than %" G_GUINT64_FORMAT
                             " using QEMU: %s",
                             LIMIT_MAX, field->path);
  }
  if (tune->group_name != NULL)
    validate_group (validation, disk);
}
