/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What changes cost, asked like bench-rpc's reads: definitions, starts, ends and the telling of events.
 * Domains are named by a number, as m0000007; those of "define" are typical machines with two disks, network,
 * display and a console, those of "define-small" are as little as QEMU starts with.
 *
 *   bench-machines SOCKET URI define FIRST LAST      define FIRST up to, not including, LAST
 *   bench-machines SOCKET URI define-small FIRST LAST
 *   bench-machines SOCKET URI undefine FIRST LAST
 *   bench-machines SOCKET URI start FIRST LAST       start each and destroy it: two figures
 *   bench-machines SOCKET URI starts FIRST LAST N    start each, by N clients at once: for all of them
 *   bench-machines SOCKET URI destroys FIRST LAST N  destroy each, likewise
 *   bench-machines SOCKET URI events FIRST ROUNDS N  suspend and resume one that runs: three medians
 *
 * The figures of "events" are until the first of N listeners was told, until the last was, and until the call
 * was answered.
 *
 * prints microseconds a unit, on one line.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOCUMENT_MAX  4096u
#define NUMBER_ROOM   16u /* for the digits of any number */
#define ROUNDS_MAX    1000u
#define LISTENERS_MAX 1024u

static const char *socket_path, *uri;

static const char typical[] = "<domain type='qemu'>\n"
                              "  <name>m@</name>\n"
                              "  <uuid>00000000-0000-4000-8000-00000@</uuid>\n"
                              "  <title>Machine @</title>\n"
                              "  <memory unit='MiB'>2048</memory>\n"
                              "  <vcpu>2</vcpu>\n"
                              "  <os>\n"
                              "    <type arch='x86_64' machine='q35'>hvm</type>\n"
                              "    <boot dev='hd'/>\n"
                              "  </os>\n"
                              "  <features>\n"
                              "    <acpi/>\n"
                              "    <apic/>\n"
                              "  </features>\n"
                              "  <clock offset='utc'/>\n"
                              "  <devices>\n"
                              "    <disk type='file' device='disk'>\n"
                              "      <driver name='qemu' type='qcow2' discard='unmap'/>\n"
                              "      <source file='/var/lib/machines/m@.qcow2'/>\n"
                              "      <target dev='vda' bus='virtio'/>\n"
                              "    </disk>\n"
                              "    <disk type='file' device='cdrom'>\n"
                              "      <target dev='sda' bus='sata'/>\n"
                              "      <readonly/>\n"
                              "    </disk>\n"
                              "    <interface type='user'>\n"
                              "      <mac address='52:54:00:00:00:01'/>\n"
                              "      <model type='virtio'/>\n"
                              "    </interface>\n"
                              "    <serial type='pty'/>\n"
                              "    <channel type='unix'>\n"
                              "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n"
                              "    </channel>\n"
                              "    <graphics type='vnc'/>\n"
                              "    <video>\n"
                              "      <model type='virtio'/>\n"
                              "    </video>\n"
                              "    <rng model='virtio'>\n"
                              "      <backend model='random'>/dev/urandom</backend>\n"
                              "    </rng>\n"
                              "  </devices>\n"
                              "</domain>\n";

static const char small[] = "<domain type='qemu'>\n"
                            "  <name>m@</name>\n"
                            "  <uuid>00000000-0000-4000-8000-00000@</uuid>\n"
                            "  <memory unit='MiB'>16</memory>\n"
                            "  <vcpu>1</vcpu>\n"
                            "  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n"
                            "  <devices>\n"
                            "    <controller type='usb' model='none'/>\n"
                            "    <memballoon model='none'/>\n"
                            "  </devices>\n"
                            "</domain>\n";

/* @text with @number, as seven digits, wherever it has an "@". */
static void
numbered (const char *text, unsigned number, char ret[DOCUMENT_MAX])
{
  size_t length = 0;

  for (; *text != '\0' && length < DOCUMENT_MAX - NUMBER_ROOM; text++)
    if (*text == '@')
      length += (size_t)snprintf (ret + length, NUMBER_ROOM, "%07u", number);
    else
      ret[length++] = *text;
  ret[length] = '\0';
}

static void
domain_of (Client *client, unsigned number, Buffer *ret_domain)
{
  char name[DOCUMENT_MAX];

  numbered ("m@", number, name);
  ret_domain->length = 0;
  client_lookup (client, name, ret_domain);
}

static void
define (Client *client, const char *text, unsigned first, unsigned last)
{
  char document[DOCUMENT_MAX];
  Buffer payload = { 0 };
  double start = now ();

  for (unsigned i = first; i < last; i++) {
    payload.length = 0;
    numbered (text, i, document);
    buffer_text (&payload, document);
    client_call (client, DOMAIN_DEFINE_XML, &payload, NULL);
  }
  printf ("%.2f\n", (now () - start) / (last - first));
  buffer_free (&payload);
}

static void
bench_define (Client *client, unsigned first, unsigned last, unsigned unused)
{
  (void)unused;
  define (client, typical, first, last);
}

static void
bench_define_small (Client *client, unsigned first, unsigned last, unsigned unused)
{
  (void)unused;
  define (client, small, first, last);
}

static void
bench_undefine (Client *client, unsigned first, unsigned last, unsigned unused)
{
  Buffer domain = { 0 };
  double taken = 0;

  (void)unused;
  for (unsigned i = first; i < last; i++) {
    double start;

    domain_of (client, i, &domain);
    start = now ();
    client_call (client, DOMAIN_UNDEFINE, &domain, NULL);
    taken += now () - start;
  }
  printf ("%.2f\n", taken / (last - first));
  buffer_free (&domain);
}

static void
start_one (Client *client, const Buffer *domain)
{
  Buffer payload = { 0 };

  buffer_append (&payload, domain->bytes, domain->length);
  buffer_word (&payload, 0);
  client_call (client, DOMAIN_CREATE_WITH_FLAGS, &payload, NULL);
  buffer_free (&payload);
}

static void
bench_start (Client *client, unsigned first, unsigned last, unsigned unused)
{
  double started = 0, destroyed = 0;
  Buffer domain = { 0 };

  (void)unused;
  for (unsigned i = first; i < last; i++) {
    double begin, middle;

    domain_of (client, i, &domain);
    begin = now ();
    start_one (client, &domain);
    middle = now ();
    client_call (client, DOMAIN_DESTROY, &domain, NULL);
    started += middle - begin;
    destroyed += now () - middle;
  }
  printf ("%.2f %.2f\n", started / (last - first), destroyed / (last - first));
  buffer_free (&domain);
}

/* Client @which of @clients at once does its share of them. */
static void
do_share (unsigned first, unsigned last, unsigned which, unsigned clients, int start)
{
  Client *client = client_open (socket_path, uri);
  Buffer domain = { 0 };

  for (unsigned i = first + which; i < last; i += clients) {
    domain_of (client, i, &domain);
    if (start)
      start_one (client, &domain);
    else
      client_call (client, DOMAIN_DESTROY, &domain, NULL);
  }
  buffer_free (&domain);
  client_close (client);
}

static void
at_once (unsigned first, unsigned last, unsigned clients, int start_them)
{
  double start = now ();
  int status, failed = 0;

  for (unsigned i = 0; i < clients; i++) {
    pid_t pid = fork ();

    if (pid < 0)
      die ("fork");
    if (pid == 0) {
      do_share (first, last, i, clients, start_them);
      _exit (EXIT_SUCCESS);
    }
  }
  while (wait (&status) > 0)
    failed |= status;
  if (failed)
    exit (EXIT_FAILURE);
  printf ("%.2f\n", now () - start);
}

static void
bench_starts (Client *client, unsigned first, unsigned last, unsigned clients)
{
  (void)client;
  at_once (first, last, clients, 1);
}

static void
bench_destroys (Client *client, unsigned first, unsigned last, unsigned clients)
{
  (void)client;
  at_once (first, last, clients, 0);
}

static Client *
new_listener (void)
{
  Client *listener = client_open (socket_path, uri);
  Buffer payload = { 0 };

  buffer_word (&payload, 0); /* life cycle */
  buffer_word (&payload, 0); /* of all domains */
  client_call (listener, CONNECT_DOMAIN_EVENT_REGISTER_ANY, &payload, NULL);
  buffer_free (&payload);
  return listener;
}

static int
compare (const void *a, const void *b)
{
  const double *one = a, *other = b;

  return *one < *other ? -1 : *one > *other;
}

static double
median (double *values, unsigned count)
{
  qsort (values, count, sizeof *values, compare);
  return values[count / 2];
}

static void
bench_events (Client *client, unsigned number, unsigned rounds, unsigned count)
{
  static double first[2 * ROUNDS_MAX], last[2 * ROUNDS_MAX], answered[2 * ROUNDS_MAX];
  static Client *listeners[LISTENERS_MAX];
  Buffer domain = { 0 }, out = { 0 };

  count = count < LISTENERS_MAX ? count : LISTENERS_MAX;
  rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
  for (unsigned i = 0; i < count; i++)
    listeners[i] = new_listener ();
  domain_of (client, number, &domain);
  for (unsigned round = 0; round < 2 * rounds; round++) {
    double start = now ();

    out.length = 0;
    client_frame (&out, round % 2 == 0 ? DOMAIN_SUSPEND : DOMAIN_RESUME, round, &domain);
    client_send (client, &out);
    for (unsigned i = 0; i < count; i++) {
      client_receive (listeners[i], NULL);
      if (i == 0)
        first[round] = now () - start;
    }
    last[round] = now () - start;
    client_receive (client, NULL);
    answered[round] = now () - start;
  }
  printf ("%.2f %.2f %.2f\n", median (first, 2 * rounds), median (last, 2 * rounds),
          median (answered, 2 * rounds));
  buffer_free (&domain);
  buffer_free (&out);
  for (unsigned i = 0; i < count; i++)
    client_close (listeners[i]);
}

static const struct {
  const char *name;
  void (*measure) (Client *client, unsigned first, unsigned last, unsigned at_once);
} benches[] = {
  { "define", bench_define },     { "define-small", bench_define_small },
  { "undefine", bench_undefine }, { "start", bench_start },
  { "starts", bench_starts },     { "destroys", bench_destroys },
  { "events", bench_events },
};

int
main (int argc, char **argv)
{
  for (unsigned i = 0; argc >= 6 && i < sizeof benches / sizeof *benches; i++) {
    Client *client;

    if (strcmp (argv[3], benches[i].name) != 0)
      continue;
    socket_path = argv[1];
    uri = argv[2];
    client = client_open (socket_path, uri);
    benches[i].measure (client, (unsigned)atoi (argv[4]), (unsigned)atoi (argv[5]),
                        argc > 6 ? (unsigned)atoi (argv[6]) : 1);
    client_close (client);
    return EXIT_SUCCESS;
  }
  fprintf (stderr,
           "usage: bench-machines SOCKET URI define|define-small|undefine|start|starts|destroys|events FIRST "
           "LAST [AT-ONCE]\n");
  return 2;
}
