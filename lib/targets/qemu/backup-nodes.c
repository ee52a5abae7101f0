/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The words in which QEMU is asked for a backup. A push copies what the guest sees at that instant into the
 * store; a pull copies nothing by itself: before the guest writes over something, that goes into the store,
 * which stands on the disk, so that whoever reads the store sees the disk as it was.
 */
#include "targets/qemu/backup-nodes.h"

#include "base/virt-error.h"
#include "snapshot/backup-complete.h"
#include "targets/qemu/recipe.h"

void
backup_node_free (gpointer data)
{
  BackupNode *node = data;

  g_free (node->target);
  g_free (node->node);
  g_free (node->job);
  g_free (node->storage);
  g_free (node->top);
  g_free (node->bitmap);
  g_free (node->since);
  g_free (node->backing);
  g_free (node->backing_format);
  g_clear_pointer (&node->chain, g_ptr_array_unref);
  g_free (node);
}

static gboolean
is_raw (const BackupDisk *disk)
{
  return g_str_equal (disk->driver_type, "raw");
}

static gboolean
find_since (BackupNode *node, const BackupDef *def, const BackupDisk *disk, const NodeStates *states,
            GError **error)
{
  g_autoptr (GPtrArray) nodes = NULL;

  if (disk->mode != BACKUP_INCREMENTAL)
    return TRUE;
  nodes = bitmap_chain (states, node->chain, disk->incremental);
  if (nodes == NULL) {
    virt_error_set (error, VIR_ERR_CHECKPOINT_INCONSISTENT, "missing or broken bitmap '%s' for disk '%s'",
                    disk->incremental, disk->name);
    return FALSE;
  }
  node->since = g_strdup (disk->incremental);
  node->granularity = bitmap_chain_granularity (states, nodes, node->since);
  node->bitmap =
      def->mode == BACKUP_PULL ? g_strdup (disk->export_bitmap) : g_strconcat ("backup-", disk->name, NULL);
  g_ptr_array_set_size (node->chain, (int)nodes->len); /* the others have nothing to say of it */
  return TRUE;
}

static BackupNode *
make_node (const BackupDef *def, const BackupDisk *disk, const DeviceDisk *device, const QemuCaps *caps,
           const NodeStates *states, guint number, GError **error)
{
  BackupNode *node = g_new0 (BackupNode, 1);
  const NodeState *state;

  node->target = g_strdup (disk->name);
  node->chain = qemu_disk_chain (caps, device);
  node->node = g_strdup (g_ptr_array_index (node->chain, 0));
  node->job = g_strdup_printf ("backup-%s-%s", disk->name, node->node);
  node->storage = g_strdup_printf ("libvirt-%u-storage", number);
  node->top = is_raw (disk) ? g_strdup (node->storage) : g_strdup_printf ("libvirt-%u-format", number);
  node->backing = g_strdup (disk_path (device));
  node->backing_format = g_strdup (device->format != NULL ? device->format : "raw");
  state = node_states_find (states, node->node);
  node->size = state != NULL ? state->size : 0;
  node->cluster = state != NULL && g_str_equal (disk->driver_type, node->backing_format) ? state->cluster : 0;
  if (state == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU does not know the node '%s' of disk '%s'",
                    node->node, disk->name);
  } else if (find_since (node, def, disk, states, error)) {
    return node;
  }
  backup_node_free (node);
  return NULL;
}

GPtrArray *
backup_nodes_new (BackupDef *def, const DomainDef *live, const QemuCaps *caps, const NodeStates *states,
                  guint number, GError **error)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new_with_free_func (backup_node_free);

  for (guint i = 0; i < def->disks->len; i++) {
    BackupDisk *disk = g_ptr_array_index (def->disks, i);
    BackupNode *node;

    if (!backup_disk_is_copied (disk))
      continue;
    node = make_node (def, disk, domain_def_find_disk (live, disk->name), caps, states, number, error);
    if (node == NULL)
      return NULL;
    g_ptr_array_add (nodes, node);
    disk->index = NUMBER (number++);
  }
  return g_steal_pointer (&nodes);
}

gboolean
backup_node_has_backing (const BackupDef *def, const BackupNode *node)
{
  return def->mode == BACKUP_PULL || node->since != NULL;
}

JsonObject *
backup_storage_arguments (const BackupDisk *disk, const BackupNode *node, const char *file)
{
  const char *driver = disk->type == BACKUP_STORE_BLOCK ? "host_device" : "file";

  return props ("driver", "s", driver, "filename", "s", file, "node-name", "s", node->storage, "read-only",
                "b", FALSE, "discard", "s", "unmap", NULL);
}

/* Can it stand on another image? */
static gboolean
may_have_backing (const BackupDisk *disk)
{
  static const char *const formats[] = { "qcow2", "qcow", "qed", "vmdk", NULL };

  return g_strv_contains (formats, disk->driver_type);
}

JsonObject *
backup_format_arguments (const BackupDef *def, const BackupDisk *disk, const BackupNode *node)
{
  JsonObject *arguments;

  if (is_raw (disk))
    return NULL;
  arguments = props ("node-name", "s", node->top, "read-only", "b", FALSE, "driver", "s", disk->driver_type,
                     "file", "s", node->storage, NULL);
  if (!may_have_backing (disk))
    return arguments;
  if (backup_node_has_backing (def, node))
    props_add (arguments, "backing", "s", node->node, NULL);
  else
    props_add (arguments, "backing", "n", NULL);
  return arguments;
}

JsonObject *
backup_create_arguments (const BackupDef *def, const BackupDisk *disk, const BackupNode *node)
{
  g_autofree char *id = g_strconcat (BACKUP_CREATE_PREFIX, node->top, NULL);
  JsonObject *options;

  if (is_raw (disk))
    return NULL;
  options =
      props ("driver", "s", disk->driver_type, "file", "s", node->storage, "size", "t", node->size, NULL);
  if (node->cluster != 0 && g_str_equal (disk->driver_type, "qcow2"))
    props_add (options, "cluster-size", "t", node->cluster, NULL);
  if (backup_node_has_backing (def, node) && node->backing != NULL
      && g_str_equal (disk->driver_type, "qcow2"))
    props_add (options, "backing-file", "s", node->backing, "backing-fmt", "s", node->backing_format, NULL);
  return props ("job-id", "s", id, "options", "o", options, NULL);
}

static void
add_job (JsonArray *actions, const BackupDef *def, const BackupNode *node)
{
  gboolean pull = def->mode == BACKUP_PULL;
  const char *where = pull ? node->top : node->node;
  const char *sync = pull ? "none" : node->bitmap != NULL ? "incremental" : "full";

  if (node->bitmap != NULL) {
    bitmap_action_add (actions, where, node->bitmap, FALSE, TRUE, node->granularity);
    bitmap_action_merge (actions, where, node->bitmap, node->chain, node->since);
  }
  json_array_add_object_element (
      actions, props ("type", "s", "blockdev-backup", "data", "o",
                      props ("device", "s", node->node, "job-id", "s", node->job, "target", "s", node->top,
                             "sync", "s", sync, "bitmap", "?s", pull ? NULL : node->bitmap, "auto-finalize",
                             "b", TRUE, "auto-dismiss", "b", FALSE, NULL),
                      NULL));
}

JsonObject *
backup_begin_arguments (const BackupDef *def, const GPtrArray *nodes, const char *checkpoint,
                        const GPtrArray *checkpoint_nodes)
{
  JsonArray *actions = json_array_new ();

  for (guint i = 0; checkpoint != NULL && i < checkpoint_nodes->len; i++)
    bitmap_action_add (actions, g_ptr_array_index (checkpoint_nodes, i), checkpoint, TRUE, FALSE, 0);
  for (guint i = 0; i < nodes->len; i++)
    add_job (actions, def, g_ptr_array_index (nodes, i));
  return props ("actions", "a", actions, NULL);
}

JsonObject *
backup_export_arguments (const BackupDisk *disk, const BackupNode *node)
{
  g_autofree char *id = g_strconcat ("libvirt-nbd-", node->top, NULL);
  JsonObject *arguments = props ("type", "s", "nbd", "id", "s", id, "node-name", "s", node->top, "writable",
                                 "b", FALSE, "name", "s", disk->export_name, NULL);

  if (node->bitmap != NULL) {
    JsonArray *bitmaps = json_array_new ();

    json_array_add_string_element (bitmaps, node->bitmap);
    props_add (arguments, "bitmaps", "a", bitmaps, NULL);
  }
  return arguments;
}
