/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine's display: a client's own connection to its VNC or SPICE server, without a port or a password,
 * and pictures of its screens. QEMU is handed descriptors for both; it opens nothing by itself.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/ops.h"

#include "domain/devices/graphics.h"
#include "domain/devices/video.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RELOAD_ANY, RELOAD_VNC }; /* newer than this host's libvirt headers */

#define SCREENSHOT_FDSET 0x5c5 /* QEMU's fd sets are numbered: one that no device has */

gboolean
call_check_monitor (Call *call)
{
  Domain *domain = call->domain;
  GError *error = NULL;

  if (domain_check_active (domain, &error) && domain_check_monitor (domain, &error))
    return TRUE;
  call_fail (call, error);
  return FALSE;
}

/* A client for the display. */

typedef struct {
  Qmp *qmp;
  const char *protocol; /* static */
  gboolean skip_authentication;
  int socket; /* QEMU's end */
} AddClient;

static void
add_client_free (gpointer data)
{
  AddClient *request = data;

  qmp_unref (request->qmp);
  close (request->socket);
  g_free (request);
}

static gpointer
add_client (Job *job, gpointer input, GError **error)
{
  AddClient *request = input;
  g_autofree char *name = g_strdup_printf ("client-%d", request->socket); /* ours alone while it is open */
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) given = NULL, added = NULL;

  json_object_set_string_member (arguments, "fdname", name);
  given = qmp_call_with_fd (request->qmp, job, "getfd", arguments, request->socket, error);
  if (given == NULL)
    return NULL;

  arguments = json_object_new ();
  json_object_set_string_member (arguments, "protocol", request->protocol);
  json_object_set_string_member (arguments, "fdname", name);
  json_object_set_boolean_member (arguments, "skipauth", request->skip_authentication);
  added = qmp_call (request->qmp, job, "add_client", arguments, error);
  if (added != NULL)
    return JOB_OK;

  g_autoptr (JsonNode) closed = NULL;
  arguments = json_object_new ();
  json_object_set_string_member (arguments, "fdname", name);
  closed = qmp_call (request->qmp, job, "closefd", arguments, NULL);
  return NULL;
}

static void
client_added (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer_nothing (call);
}

/* QEMU's name for the protocol of the display @index, or NULL and the call failed. */
static const char *
check_display (Call *call, guint index)
{
  guint at = 0;

  DOMAIN_FOREACH_DEVICE (call->domain->machine->def, graphics_kind, DeviceGraphics, graphics) {
    if (at++ < index)
      continue;
    if (graphics->type == GRAPHICS_VNC || graphics->type == GRAPHICS_SPICE)
      return enum_table_name (&graphics_types, graphics->type);
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "Can only open VNC or SPICE graphics backends, not %s",
                    enum_table_name (&graphics_types, graphics->type));
    return NULL;
  }
  call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "No graphics backend with index %u", index);
  return NULL;
}

/* Takes the socket. */
static void
begin_add_client (Call *call, const char *protocol, int socket)
{
  AddClient *request = g_new0 (AddClient, 1);

  request->qmp = qmp_ref (call->domain->machine->qmp);
  request->protocol = protocol;
  request->skip_authentication = (call_uint (call, 2) & VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH) != 0;
  request->socket = socket;
  job_start ("open-graphics", add_client, request, add_client_free, call->manager->settings->call_timeout,
             client_added, call);
}

void
op_domain_open_graphics (Call *call)
{
  const char *protocol;
  struct stat status;
  int fd;

  if (!call_check_flags (call, call_uint (call, 2), VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)
      || !call_check_monitor (call) || (protocol = check_display (call, call_uint (call, 1))) == NULL)
    return;
  fd = call_file_count (call) == 1 ? g_unix_fd_list_get (call->files, 0, NULL) : -1;
  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISSOCK (status.st_mode)) {
    if (fd >= 0)
      close (fd);
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "the call must come with one descriptor, and it must be a socket");
    return;
  }
  begin_add_client (call, protocol, fd);
}

void
op_domain_open_graphics_fd (Call *call)
{
  const char *protocol;
  int pair[2];

  if (!call_check_flags (call, call_uint (call, 2), VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH)
      || !call_check_monitor (call) || (protocol = check_display (call, call_uint (call, 1))) == NULL)
    return;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
    call_fail_with (call, VIR_ERR_SYSTEM_ERROR, "cannot make a pair of sockets: %s", g_strerror (errno));
    return;
  }
  call->descriptors = g_unix_fd_list_new ();
  g_unix_fd_list_append (call->descriptors, pair[0], NULL);
  close (pair[0]);
  call->descriptors_in_answer = TRUE;
  begin_add_client (call, protocol, pair[1]);
}

/* Certificates. */

static void
reloaded (JsonNode *answer, const GError *error, gpointer data)
{
  if (answer != NULL)
    call_answer_nothing (data);
  else
    call_fail (data, g_error_copy (error));
}

/* Only VNC's can be read again. */
void
op_domain_graphics_reload (Call *call)
{
  guint type = call_uint (call, 1);

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  if (type > RELOAD_VNC)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "unknown graphics reload type %u: %d (any) or %d (vnc)", type,
                    RELOAD_ANY, RELOAD_VNC);
  else if (call_check_monitor (call))
    qmp_query (call->domain->machine->qmp, "display-reload",
               props ("type", "s", "vnc", "tls-certs", "b", TRUE, NULL),
               call->manager->settings->call_timeout, reloaded, call);
}

/* Screenshots. */

typedef struct {
  Qmp *qmp;
  char *device; /* of the screen, an alias */
  guint head;
  int file;         /* in memory: gone with its last descriptor */
  int written;      /* the same for QEMU, which may only write to it */
  const char *mime; /* static: what it came to be */
} Screenshot;

static void
screenshot_free (gpointer data)
{
  Screenshot *shot = data;

  qmp_unref (shot->qmp);
  g_free (shot->device);
  if (shot->file >= 0)
    close (shot->file);
  if (shot->written >= 0)
    close (shot->written);
  g_free (shot);
}

static JsonNode *
dump_screen (const Screenshot *shot, Job *job, const char *format, GError **error)
{
  JsonObject *arguments = json_object_new ();
  g_autofree char *name = g_strdup_printf ("/dev/fdset/%d", SCREENSHOT_FDSET + shot->written);

  json_object_set_string_member (arguments, "filename", name);
  json_object_set_string_member (arguments, "device", shot->device);
  json_object_set_int_member (arguments, "head", shot->head);
  if (format != NULL)
    json_object_set_string_member (arguments, "format", format);
  return qmp_call (shot->qmp, job, "screendump", arguments, error);
}

/* A QEMU that is too old, or was built without libpng, makes the plain format only. */
static gboolean
dump_screen_somehow (Screenshot *shot, Job *job, GError **error)
{
  g_autoptr (JsonNode) png = dump_screen (shot, job, "png", NULL), plain = NULL;

  shot->mime = png != NULL ? "image/png" : "image/x-portable-pixmap";
  if (png == NULL)
    plain = dump_screen (shot, job, NULL, error);
  return png != NULL || plain != NULL;
}

static gpointer
take_screenshot (Job *job, gpointer input, GError **error)
{
  Screenshot *shot = input;
  JsonObject *arguments = json_object_new ();
  g_autoptr (JsonNode) added = NULL, removed = NULL;
  gboolean taken;

  json_object_set_int_member (arguments, "fdset-id", SCREENSHOT_FDSET + shot->written);
  added = qmp_call_with_fd (shot->qmp, job, "add-fd", arguments, shot->written, error);
  if (added == NULL)
    return NULL;
  taken = dump_screen_somehow (shot, job, error);
  arguments = json_object_new ();
  json_object_set_int_member (arguments, "fdset-id", SCREENSHOT_FDSET + shot->written);
  removed = qmp_call (shot->qmp, job, "remove-fd", arguments, NULL);
  return taken ? JOB_OK : NULL;
}

static void
screenshot_done (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  Screenshot *shot = call->user_data;

  if (result == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  call->descriptors = g_unix_fd_list_new_from_array (&shot->file, 1);
  shot->file = -1;
  call_answer (call, g_variant_new ("(ms)", shot->mime));
}

/* The video device and head of a screen, counted over all of them. */
static const DeviceVideo *
find_screen (const DomainDef *def, guint screen, guint *ret_head)
{
  DOMAIN_FOREACH_DEVICE (def, video_kind, DeviceVideo, video) {
    guint heads = video->heads.set ? (guint)MAX (video->heads.value, 1) : 1;

    if (video->model == VIDEO_MODEL_DISABLED)
      continue;
    if (screen < heads) {
      *ret_head = screen;
      return video;
    }
    screen -= heads;
  }
  return NULL;
}

static gboolean
open_files (Screenshot *shot)
{
  g_autofree char *path = NULL;

  shot->file = memfd_create ("screenshot", MFD_CLOEXEC);
  if (shot->file < 0)
    return FALSE;
  path = g_strdup_printf ("/proc/self/fd/%d", shot->file);
  shot->written = open (path, O_WRONLY | O_CLOEXEC);
  return shot->written >= 0;
}

void
op_domain_screenshot (Call *call)
{
  const DeviceVideo *video;
  Screenshot *shot;
  guint head = 0;

  if (!call_check_flags (call, call_uint (call, 2), 0) || !call_check_monitor (call))
    return;
  video = find_screen (call->domain->machine->def, call_uint (call, 1), &head);
  if (video == NULL) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "no such screen ID");
    return;
  }
  shot = g_new0 (Screenshot, 1);
  *shot = (Screenshot){
    qmp_ref (call->domain->machine->qmp), g_strdup (video->device.alias), head, -1, -1, NULL
  };
  call->user_data = shot;
  call->user_free = screenshot_free;
  if (!open_files (shot)) {
    call_fail_with (call, VIR_ERR_SYSTEM_ERROR, "cannot make a file for the screenshot: %s",
                    g_strerror (errno));
    return;
  }
  job_start ("screenshot", take_screenshot, shot, NULL, call->manager->settings->call_timeout,
             screenshot_done, call);
}
