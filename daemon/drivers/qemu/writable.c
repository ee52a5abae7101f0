/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where a machine's QEMU may change files. Images, logs, outputs and sockets of character devices come as
 * descriptors and need no place;
 * what is left are the few things that QEMU opens by name: memory on huge pages, sockets of displays, sounds
 * in files, pipes. Their places are looked up outside, as they may be on a file system that does not answer.
 */
#include "daemon/drivers/qemu/writable.h"

#include "daemon/core/blocking.h"
#include "daemon/drivers/qemu/free-arguments.h"
#include "daemon/host/isolation.h"
#include "domain/devices/audio.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/graphics.h"
#include "domain/devices/serial.h"

#include <unistd.h>

#define DEVICES "/dev" /* ptys, KVM, shared memory, huge pages: owners and modes say which */

static void
add_directory_of (GStrvBuilder *places, const char *path)
{
  g_autofree char *directory = path != NULL ? g_path_get_dirname (path) : NULL;

  if (directory != NULL)
    g_strv_builder_add (places, directory);
}

/* QEMU opens the two ends "PATH.in" and "PATH.out", or PATH. */
static void
add_pipe (GStrvBuilder *places, const char *path)
{
  g_autofree char *in = g_strconcat (path, ".in", NULL), *out = g_strconcat (path, ".out", NULL);

  g_strv_builder_add_many (places, path, in, out, NULL);
}

static void
add_chardev (GStrvBuilder *places, const Chardev *chardev)
{
  const char *path = chardev_path (chardev);

  if (path == NULL)
    return;
  if (chardev->type == CHARDEV_PIPE)
    add_pipe (places, path);
  else if (chardev->type == CHARDEV_DEV)
    g_strv_builder_add (places, path);
}

static void
add_devices (GStrvBuilder *places, const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial)
    add_chardev (places, &serial->source);
  DOMAIN_FOREACH_DEVICE (def, parallel_kind, DeviceParallel, parallel)
    add_chardev (places, &parallel->source);
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console)
    add_chardev (places, &console->source);
  DOMAIN_FOREACH_DEVICE (def, channel_kind, DeviceChannel, channel)
    add_chardev (places, &channel->source);
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    const GraphicsListen *listen = graphics_first_listen (graphics);

    add_directory_of (places, listen != NULL ? listen->socket : NULL);
    add_directory_of (places, graphics->socket);
  }
  DOMAIN_FOREACH_DEVICE (def, audio_kind, DeviceAudio, audio)
    add_directory_of (places, audio->path);
}

static void
add_directories (GStrvBuilder *places, const Recipe *recipe)
{
  const GPtrArray *directories = recipe_directories (recipe);

  for (guint i = 0; i < directories->len; i++)
    g_strv_builder_add (places, directories->pdata[i]);
}

/* { "qom-type": "memory-backend-file", "mem-path": "/dev/hugepages/..." } */
static void
add_memory (GStrvBuilder *places, const Recipe *recipe)
{
  for (guint i = 0; i < recipe_step_count (recipe); i++) {
    const Step *step = recipe_get_step (recipe, i);

    if (step->kind == STEP_OBJECT && json_object_has_member (step->properties, "mem-path"))
      g_strv_builder_add (places, json_object_get_string_member (step->properties, "mem-path"));
  }
}

/* What a document's own words name: the file, or where it would be made. Owners and modes hold there as well.
 */
static void
add_free_arguments (GStrvBuilder *places, const DomainDef *def)
{
  g_auto (GStrv) paths = free_argument_paths (def);

  for (guint i = 0; paths[i] != NULL; i++)
    if (!g_str_equal (paths[i], "/")) {
      g_strv_builder_add (places, paths[i]);
      if (access (paths[i], F_OK) != 0)
        add_directory_of (places, paths[i]);
    }
}

/* Never NULL: the descriptor and two, as -1 is an answer. */
static gpointer
make_ruleset (gpointer places, G_GNUC_UNUSED GError **error)
{
  return GINT_TO_POINTER (isolation_ruleset_new (places) + 2);
}

static void
close_ruleset (gpointer result)
{
  close (GPOINTER_TO_INT (result) - 2);
}

static void
free_places (gpointer places)
{
  g_strfreev (places);
}

int
writable_ruleset (const DomainDef *def, const Recipe *recipe, const char *qemu_directory)
{
  g_autoptr (GStrvBuilder) places = g_strv_builder_new ();
  g_autoptr (GError) error = NULL;
  gpointer result;

  g_strv_builder_add_many (places, qemu_directory, DEVICES, NULL);
  add_devices (places, def);
  add_memory (places, recipe);
  add_directories (places, recipe);
  add_free_arguments (places, def);
  result = blocking_run (make_ruleset, g_strv_builder_end (places), free_places, close_ruleset, &error);
  return result != NULL ? GPOINTER_TO_INT (result) - 2 : -1;
}
