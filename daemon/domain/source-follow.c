/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stored definition after a pivot. Both texts are written aside and renamed as those of any other change;
 * a text that was changed by hand meanwhile is left alone, for nobody has checked it, and that is an error:
 * then the pivot does not happen.
 */
#include "daemon/domain/source-follow.h"

#include "base/xml-writer.h"
#include "daemon/call/call.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/definition.h"
#include "daemon/object/change.h"
#include "daemon/object/store-history.h"
#include "domain/device-change.h"
#include "domain/devices/disk-chain.h"
#include "domain/source-device.h"

#include <unistd.h>

typedef struct {
  Manager *manager;
  char *uuid, *name;
  DeviceDisk *before, *after;
  SourceFollowed then;
  gpointer data;
  DomainDef *old_def, *new_def; /* the stored definition */
  const Device *old_device;     /* in old_def */
  guint definition_count;
} Follow;

static void
follow_free (gpointer data)
{
  Follow *follow = data;

  g_free (follow->uuid);
  g_free (follow->name);
  device_free (&follow->before->device);
  device_free (&follow->after->device);
  g_clear_pointer (&follow->old_def, domain_def_unref);
  g_clear_pointer (&follow->new_def, domain_def_unref);
  g_free (follow);
}

static gboolean
follow_check (Manager *manager, gpointer data, GError **error)
{
  Follow *follow = data;
  Domain *domain = manager_find_uuid (manager, follow->uuid, error);

  if (domain == NULL)
    return FALSE;
  if (domain->definition_count == follow->definition_count && g_str_equal (domain->name, follow->name))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain '%s' was defined again meanwhile", domain->name);
  return FALSE;
}

/* The disk's element as text. (transfer full) */
static char *
element_of (const Device *device)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autofree char *xml = NULL;
  const char *from, *to;

  device_write (device, root, FIELD_WRITE_SECURE);
  xml = xml_element_to_string (root);
  from = strstr (xml, "<disk");
  to = g_strrstr (xml, "</disk>");
  return from != NULL && to != NULL ? g_strndup (from, (gsize)(to - from) + strlen ("</disk>")) : NULL;
}

static gboolean
follow_write (Store *store, gpointer data, GError **error)
{
  Follow *follow = data;
  g_autofree char *completed = domain_def_to_xml (follow->new_def, DOMAIN_WRITE_SECURE);
  g_autofree char *element = NULL, *source = NULL, *edited = NULL, *stored = NULL;
  g_autoptr (Author) author = NULL;
  gboolean stale = FALSE;
  const guint index = domain_def_device_index (follow->old_def, follow->old_device);

  stored = store_load_completed (store, follow->uuid, follow->name, &stale, error);
  if (stored == NULL)
    return FALSE;
  if (stale) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "the document of domain '%s' was changed by hand; define it again first", follow->name);
    return FALSE;
  }
  source = store_load_source (store, follow->name, error);
  if (source == NULL)
    return FALSE;
  element = element_of (g_ptr_array_index (follow->new_def->devices, index));
  if (element != NULL)
    edited = source_replace_device (source, follow->old_def, follow->old_device, element);
  /* The daemon's own change, of what a client asked for earlier. */
  author = author_new ((gint64)geteuid (), "domaind", "block-job");
  return store_save (store, follow->uuid, follow->name, edited != NULL ? edited : completed, completed,
                     author, error);
}

static void
follow_done (Manager *manager, gpointer data, const GError *error)
{
  Follow *follow = data;
  Domain *domain = manager_find_uuid (manager, follow->uuid, NULL);

  if (error == NULL && domain != NULL)
    definition_replace (domain, follow->new_def);
  follow->then (domain, error, follow->data);
}

static const ChangeKind follow_change = { "follow", follow_check, follow_write, follow_done };

/* The image of @from becomes @disk's; what the document says of the disk besides stays. */
static void
take_source (DeviceDisk *disk, const DeviceDisk *from)
{
  DeviceDisk *copy = (DeviceDisk *)device_copy (&from->device);
  DiskBacking *image = disk_take_image (copy);

  disk_backing_free (disk_take_image (disk));
  disk_put_image (disk, image);
  /* What is below is read from the images at the next start. */
  g_clear_pointer (&disk->backing, disk_backing_free);
  disk->source_index = (Number){ 0 };
  if (disk->source.data_store != NULL)
    disk->source.data_store->index = (Number){ 0 };
  device_free (&copy->device);
}

static DeviceDisk *
find_target (const DomainDef *def, const char *target)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, target) == 0)
      return disk;
  }
  return NULL;
}

static void
found (Domain *domain, DomainDef *def, const GError *error, gpointer data)
{
  Follow *follow = data;
  DeviceDisk *disk = error == NULL ? find_target (def, follow->before->target) : NULL;

  if (disk == NULL || !disk_has_same_source (disk, follow->before)) {
    follow->then (domain, error, follow->data);
    follow_free (follow);
    return;
  }
  follow->definition_count = domain->definition_count;
  follow->name = g_strdup (domain->name);
  follow->old_def = domain_def_ref (def);
  follow->old_device = &disk->device;
  follow->new_def = domain_def_copy (def);
  disk = find_target (follow->new_def, follow->before->target);
  take_source (disk, follow->after);
  if (follow->before->mirror != NULL && follow->before->mirror->backing != NULL
      && disk_backing_is_end (follow->before->mirror->backing))
    disk->backing = disk_backing_new (); /* a whole copy stands on nothing, and says so */
  change_start (follow->manager, &follow_change, follow, follow_free);
}

void
source_follow (Domain *domain, const DeviceDisk *before, const DeviceDisk *after, SourceFollowed then,
               gpointer data)
{
  MAIN_LOOP_ONLY ();

  Follow *follow;

  if (!domain->persistent) {
    then (domain, NULL, data);
    return;
  }
  follow = g_new0 (Follow, 1);
  follow->manager = domain->manager;
  follow->uuid = g_strdup (domain->uuid);
  follow->before = (DeviceDisk *)device_copy (&before->device);
  follow->after = (DeviceDisk *)device_copy (&after->device);
  follow->then = then;
  follow->data = data;
  definition_request (domain, DEFINITION_CONFIG, found, follow);
}
