/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits of a disk. They are no part of the command line: QEMU is told of them before its CPUs run, and
 * whenever they change. One table pairs libvirt's names with QEMU's.
 */
#include "targets/qemu/throttle.h"

#include "targets/qemu/recipe-private.h"

#include <string.h>

static const struct {
  const char *name;
  gsize offset;
  gboolean optional; /* QEMU does not take 0 */
} members[] = {
#define MEMBER(name, member) name, G_STRUCT_OFFSET (DiskIotune, member)
  { MEMBER ("bps", total_bytes_sec) },
  { MEMBER ("bps_rd", read_bytes_sec) },
  { MEMBER ("bps_wr", write_bytes_sec) },
  { MEMBER ("iops", total_iops_sec) },
  { MEMBER ("iops_rd", read_iops_sec) },
  { MEMBER ("iops_wr", write_iops_sec) },
  { MEMBER ("bps_max", total_bytes_sec_max) },
  { MEMBER ("bps_rd_max", read_bytes_sec_max) },
  { MEMBER ("bps_wr_max", write_bytes_sec_max) },
  { MEMBER ("iops_max", total_iops_sec_max) },
  { MEMBER ("iops_rd_max", read_iops_sec_max) },
  { MEMBER ("iops_wr_max", write_iops_sec_max) },
  { MEMBER ("iops_size", size_iops_sec) },
  { MEMBER ("bps_max_length", total_bytes_sec_max_length), TRUE },
  { MEMBER ("bps_rd_max_length", read_bytes_sec_max_length), TRUE },
  { MEMBER ("bps_wr_max_length", write_bytes_sec_max_length), TRUE },
  { MEMBER ("iops_max_length", total_iops_sec_max_length), TRUE },
  { MEMBER ("iops_rd_max_length", read_iops_sec_max_length), TRUE },
  { MEMBER ("iops_wr_max_length", write_iops_sec_max_length), TRUE },
};

/* The same as members of a throttle group, in libvirt's order. */
static const struct {
  const char *name;
  gsize offset;
  gboolean optional;
} group_members[] = {
  { MEMBER ("bps-total", total_bytes_sec) },
  { MEMBER ("bps-read", read_bytes_sec) },
  { MEMBER ("bps-write", write_bytes_sec) },
  { MEMBER ("iops-total", total_iops_sec) },
  { MEMBER ("iops-read", read_iops_sec) },
  { MEMBER ("iops-write", write_iops_sec) },
  { MEMBER ("bps-total-max", total_bytes_sec_max) },
  { MEMBER ("bps-read-max", read_bytes_sec_max) },
  { MEMBER ("bps-write-max", write_bytes_sec_max) },
  { MEMBER ("iops-total-max", total_iops_sec_max) },
  { MEMBER ("iops-read-max", read_iops_sec_max) },
  { MEMBER ("iops-write-max", write_iops_sec_max) },
  { MEMBER ("iops-size", size_iops_sec) },
  { MEMBER ("bps-total-max-length", total_bytes_sec_max_length), TRUE },
  { MEMBER ("bps-read-max-length", read_bytes_sec_max_length), TRUE },
  { MEMBER ("bps-write-max-length", write_bytes_sec_max_length), TRUE },
  { MEMBER ("iops-total-max-length", total_iops_sec_max_length), TRUE },
  { MEMBER ("iops-read-max-length", read_iops_sec_max_length), TRUE },
  { MEMBER ("iops-write-max-length", write_iops_sec_max_length), TRUE },
};

JsonObject *
qemu_throttle_limits (const DiskIotune *group)
{
  JsonObject *limits = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (group_members); i++) {
    const Number *number = (const Number *)((const char *)group + group_members[i].offset);

    if (number->value != 0 || !group_members[i].optional)
      json_object_set_int_member (limits, group_members[i].name, (gint64)number->value);
  }
  return limits;
}

char *
qemu_throttle_group_id (const char *name)
{
  return g_strconcat ("throttle-", name, NULL);
}

static gboolean
has_limits (const DiskIotune *group)
{
  for (guint i = 0; i < G_N_ELEMENTS (group_members); i++)
    if (((const Number *)((const char *)group + group_members[i].offset))->value != 0)
      return TRUE;
  return FALSE;
}

/* A group without a limit is none that libvirt makes. One that a filter names has to be there all the same.
 */
void
recipe_add_throttle_groups (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);

  for (guint i = 0; def->throttle_groups != NULL && i < def->throttle_groups->len; i++) {
    const DiskIotune *group = g_ptr_array_index (def->throttle_groups, i);
    g_autofree char *id = qemu_throttle_group_id (group->group_name);

    if (has_limits (group)
        || (recipe_by_descriptor (recipe) && domain_def_find_throttled_disk (def, group->group_name) != NULL))
      recipe_step (recipe, STEP_OBJECT,
                   props ("qom-type", "s", "throttle-group", "id", "s", id, "limits", "o",
                          qemu_throttle_limits (group), NULL));
  }
}

char *
qemu_disk_object (const DeviceDisk *disk)
{
  const char *alias = disk->device.alias;

  if (disk->bus == DISK_BUS_VIRTIO)
    return g_strdup_printf ("/machine/peripheral/%s/virtio-backend", alias);
  if (disk->bus == DISK_BUS_USB)
    return g_strdup_printf ("/machine/peripheral/%s/%s.0/legacy[0]", alias, alias);
  return g_strdup (alias);
}

JsonObject *
qemu_throttle_arguments (const DeviceDisk *disk)
{
  const DiskIotune *tune = disk->iotune;
  g_autofree char *object = qemu_disk_object (disk);
  JsonObject *arguments = props ("id", "s", object, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    const Number *number =
        tune != NULL ? (const Number *)((const char *)tune + members[i].offset) : &(const Number){ 0 };

    if (number->value != 0 || !members[i].optional)
      json_object_set_int_member (arguments, members[i].name, (gint64)number->value);
  }
  if (tune != NULL)
    props_add (arguments, "group", "?s", tune->group_name, NULL);
  return arguments;
}

DiskIotune *
qemu_throttle_read (JsonObject *inserted)
{
  DiskIotune *tune = field_new (&disk_iotune_table);
  JsonNode *group = inserted != NULL ? json_object_get_member (inserted, "group") : NULL;

  for (guint i = 0; inserted != NULL && i < G_N_ELEMENTS (members); i++) {
    JsonNode *node = json_object_get_member (inserted, members[i].name);

    if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 && json_node_get_int (node) > 0)
      *(Number *)((char *)tune + members[i].offset) = NUMBER ((guint64)json_node_get_int (node));
  }
  if (group != NULL && json_node_get_value_type (group) == G_TYPE_STRING)
    tune->group_name = json_node_dup_string (group);
  return tune;
}
