/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"

typedef struct Hotplug Hotplug;       /* attach.h */
typedef struct Plugging Plugging;     /* attach-private.h */
typedef struct LiveValues LiveValues; /* runtime-values.h */

/*
 * What a kind of device needs besides its recipe while QEMU runs. A kind without a row needs nothing, and a
 * function that is NULL is not needed. All but `wants_render_node` run in a job's thread.
 */
typedef struct {
  const DeviceKind *kind;
  /* Before QEMU has it: set in @device what the document leaves open. */
  gboolean (*choose) (Device *device, LiveValues *values, GError **error);
  gboolean problem_waits; /* what it cannot choose is told with all else that cannot be made */
  /* Once that is chosen for all devices, from the last to the first: give numbers from values->next_node on.
   */
  void (*number) (Device *device, LiveValues *values);
  /* It is about to be plugged in: make what stands behind it on the host, and offer its descriptors to the
   * plugging's files. */
  gboolean (*open) (Plugging *plugging, DomainDef *def, Device *device, GError **error);
  /* The device is gone, or could not be plugged in: take away what was made and is not gone with its
   * descriptors. There where `open` is. */
  void (*close) (const Plugging *plugging, const DomainDef *def, const Device *device);
  /* Once QEMU has it and before the guest sees it: what no step can say. */
  gboolean (*started) (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
  /* Make of @device what @updated is, a device of @def: see DeviceKind.update. @force: also where the guest
   * has locked the tray. */
  gboolean (*update) (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
                      gboolean force, GError **error);
  /* The guest has let go of it; what stands behind it in QEMU is about to go. */
  void (*release) (const Plugging *plugging, const Device *device);
  /* Take away what stood behind it and no recipe can name any more. */
  void (*remove_rest) (Plugging *plugging, const Device *device);
  gboolean (*wants_render_node) (const Device *device);
} RunningKind;

extern const RunningKind running_kinds[];                 /* ends with kind NULL */
const RunningKind *running_kind (const DeviceKind *kind); /* never NULL: an empty row where there is none */

/* The rows' functions: disks (running-disk.c), displays (running-graphics.c), network cards
 * (running-interface.c), devices of the host (running-hostdev.c), the others (running-misc.c). */
gboolean running_disk_choose (Device *device, LiveValues *values, GError **error);
gboolean running_disk_open (Plugging *plugging, DomainDef *def, Device *device, GError **error);
void running_disk_close (const Plugging *plugging, const DomainDef *def, const Device *device);
void running_disk_number (Device *device, LiveValues *values);
gboolean
running_disk_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
gboolean running_disk_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                              Device *updated, gboolean force, GError **error);
void running_disk_remove_rest (Plugging *plugging, const Device *device);

gboolean running_graphics_choose (Device *device, LiveValues *values, GError **error);
gboolean
running_graphics_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
gboolean running_graphics_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                                  Device *updated, gboolean force, GError **error);
gboolean running_graphics_wants_render_node (const Device *device);

gboolean running_interface_open (Plugging *plugging, DomainDef *def, Device *device, GError **error);
void running_interface_release (const Plugging *plugging, const Device *device);
void running_interface_close (const Plugging *plugging, const DomainDef *def, const Device *device);
gboolean
running_interface_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
gboolean running_interface_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                                   Device *updated, gboolean force, GError **error);

gboolean running_filesystem_open (Plugging *plugging, DomainDef *def, Device *device, GError **error);
void running_filesystem_release (const Plugging *plugging, const Device *device);
void running_filesystem_close (const Plugging *plugging, const DomainDef *def, const Device *device);

gboolean running_chardev_open (Plugging *plugging, DomainDef *def, Device *device, GError **error);
void running_chardev_close (const Plugging *plugging, const DomainDef *def, const Device *device);
gboolean running_hostdev_choose (Device *device, LiveValues *values, GError **error);
gboolean running_hostdev_open (Plugging *plugging, DomainDef *def, Device *device, GError **error);
void running_hostdev_close (const Plugging *plugging, const DomainDef *def, const Device *device);

gboolean running_channel_choose (Device *device, LiveValues *values, GError **error);
gboolean
running_memballoon_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
gboolean
running_memory_started (const DomainDef *def, const Device *device, Qmp *qmp, Job *job, GError **error);
gboolean running_memory_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device,
                                Device *updated, gboolean force, GError **error);
gboolean running_vsock_choose (Device *device, LiveValues *values, GError **error);
gboolean running_video_wants_render_node (const Device *device);
