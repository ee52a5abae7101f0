/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * virtio-serial ports: found by name, written without waiting, read as frames. The kernel says by SIGIO that
 * somebody came to the other end or left; a port nobody is at would be ready for ever, so it is not polled.
 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX (GUEST_HEADER_BYTES + GUEST_FRAME_MAX)

/* "vport0p1", whose name in /sys is @name. */
static bool
find (const char *name, char device[static 64])
{
  DIR *ports = opendir ("/sys/class/virtio-ports");
  bool found = false;

  for (struct dirent *entry; ports != NULL && !found && (entry = readdir (ports)) != NULL;) {
    char path[320], text[64] = "";
    FILE *file;

    snprintf (path, sizeof path, "/sys/class/virtio-ports/%s/name", entry->d_name);
    file = fopen (path, "re");
    if (file != NULL) {
      found = fgets (text, sizeof text, file) != NULL && strcspn (text, "\n") == strlen (name)
              && strncmp (text, name, strlen (name)) == 0;
      fclose (file);
    }
    snprintf (device, 64, "/dev/%.50s", entry->d_name);
  }
  if (ports != NULL)
    closedir (ports);
  return found;
}

void
port_open (Port *port, const char *name)
{
  char device[64];

  memset (port, 0, sizeof *port);
  port->fd = -1;
  snprintf (port->name, sizeof port->name, "%s", name);
  if (!find (name, device))
    return;
  port->fd = open (device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (port->fd < 0) {
    say ("cannot open %s: %s", name, strerror (errno));
    return;
  }
  fcntl (port->fd, F_SETOWN, getpid ());
  fcntl (port->fd, F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC);
  port->in = take (IN_MAX);
}

bool
port_check (Port *port)
{
  struct pollfd look = { .fd = port->fd };
  bool before = port->connected;

  if (port->fd < 0)
    return false;
  port->connected = poll (&look, 1, 0) >= 0 && (look.revents & POLLHUP) == 0;
  if (!port->connected) {
    port->in_length = 0;
    port->out_length = port->out_start = 0;
  }
  return port->connected != before;
}

void
port_send_raw (Port *port, const void *bytes, size_t length)
{
  uint8_t *larger;

  if (port->fd < 0 || !port->connected || length == 0)
    return;
  if (port->out_start > 0) {
    memmove (port->out, port->out + port->out_start, port->out_length);
    port->out_start = 0;
  }
  larger = realloc (port->out, port->out_length + length);
  if (larger == NULL)
    give_up ("no memory");
  port->out = larger;
  memcpy (port->out + port->out_length, bytes, length);
  port->out_length += length;
  port_flush (port);
}

void
port_send (Port *port, GuestFrame type, const void *bytes, size_t length)
{
  const uint8_t header[GUEST_HEADER_BYTES] = {
    type, 0, 0, 0, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16), (uint8_t)(length >> 24)
  };

  port_send_raw (port, header, sizeof header);
  port_send_raw (port, bytes, length);
}

void
port_flush (Port *port)
{
  while (port->out_length > 0) {
    ssize_t written = write (port->fd, port->out + port->out_start, port->out_length);

    if (written <= 0)
      return;
    port->out_start += (size_t)written;
    port->out_length -= (size_t)written;
  }
  port->out_start = 0;
}

static int
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (int)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

void
port_finish (Port *port, int patience)
{
  int end = now () + patience;

  while (port->fd >= 0 && port->out_length > 0 && now () < end) {
    struct pollfd wait = { .fd = port->fd, .events = POLLOUT };

    if (poll (&wait, 1, end - now ()) > 0 && (wait.revents & POLLHUP) != 0)
      return;
    port_flush (port);
  }
}

void
port_fill (Port *port)
{
  ssize_t count = read (port->fd, port->in + port->in_length, IN_MAX - port->in_length);

  if (count > 0)
    port->in_length += (size_t)count;
}

bool
port_next (Port *port, GuestFrame *ret_type, const uint8_t **ret_bytes, size_t *ret_length)
{
  static uint8_t payload[GUEST_FRAME_MAX + 1];
  size_t length;

  if (port->in_length < GUEST_HEADER_BYTES)
    return false;
  length =
      (size_t)port->in[4] | (size_t)port->in[5] << 8 | (size_t)port->in[6] << 16 | (size_t)port->in[7] << 24;
  if (length > GUEST_FRAME_MAX) { /* no frame of ours: what is left of somebody who went */
    port->in_length = 0;
    return false;
  }
  if (port->in_length < GUEST_HEADER_BYTES + length)
    return false;
  *ret_type = port->in[0];
  *ret_length = length;
  *ret_bytes = payload;
  memcpy (payload, port->in + GUEST_HEADER_BYTES, length);
  payload[length] = '\0';
  port->in_length -= GUEST_HEADER_BYTES + length;
  memmove (port->in, port->in + GUEST_HEADER_BYTES + length, port->in_length);
  return true;
}
