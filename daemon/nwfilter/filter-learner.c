/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A packet socket on the device, whose program in the kernel lets through what can tell an address and
 * nothing else; a source of the main loop reads it, a few packets at a time, and wakes when a lease ends. The
 * device's own rules do not hide anything from it: what is dropped has been seen before.
 */
#include "daemon/nwfilter/filter-learner.h"

#include "daemon/core/file.h"
#include "daemon/core/job.h"
#include "daemon/nwfilter/filter-rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_BYTES  2048 /* of a packet that are looked at: DHCP's are shorter */
#define PACKETS_MAX   32   /* read before the main loop has its turn */
#define LEASES_MAX    16   /* of one machine */
#define RECEIVE_BYTES 65536

typedef struct {
  struct in_addr address;
  gint64 ends; /* g_get_real_time; 0: never */
} Lease;

struct FilterLearner {
  GSource source;
  const Settings *settings;
  char *port;
  guint8 mac[MAC_BYTES];
  gboolean dhcp, done;
  GPtrArray *servers; /* NULL: all */
  int fd;
  gpointer tag;
  Lease leases[LEASES_MAX];
  guint count;
};

static guint64 sequences; /* main loop only */

/* Jobs. */

typedef struct {
  const Settings *settings;
  char *port, *lines;
  GPtrArray *addresses;
  guint64 sequence;
} Learnt;

static void
learnt_free (gpointer data)
{
  Learnt *learnt = data;

  g_free (learnt->port);
  g_free (learnt->lines);
  g_ptr_array_unref (learnt->addresses);
  g_free (learnt);
}

static gpointer
learnt_job (Job *job G_GNUC_UNUSED, gpointer data, GError **error G_GNUC_UNUSED)
{
  const Learnt *learnt = data;

  filter_binding_learnt (learnt->settings, learnt->port, learnt->addresses, learnt->lines, learnt->sequence);
  return JOB_OK;
}

static void
tell (FilterLearner *learner)
{
  Learnt *learnt = g_new0 (Learnt, 1);
  g_autoptr (GString) lines = g_string_new (NULL);

  learnt->settings = learner->settings;
  learnt->port = g_strdup (learner->port);
  learnt->addresses = g_ptr_array_new_with_free_func (g_free);
  learnt->sequence = ++sequences;
  for (guint i = 0; i < learner->count; i++) {
    char text[INET_ADDRSTRLEN];

    inet_ntop (AF_INET, &learner->leases[i].address, text, sizeof (text));
    g_ptr_array_add (learnt->addresses, g_strdup (text));
    g_string_append_printf (lines, "%s %" G_GINT64_FORMAT "\n", text, learner->leases[i].ends);
  }
  learnt->lines = g_strdup (lines->str);
  job_start ("filter-ip", learnt_job, learnt, learnt_free, 0, NULL, NULL);
}

/* Leases. */

static void
plan_end (FilterLearner *learner)
{
  gint64 first = 0;

  for (guint i = 0; i < learner->count; i++)
    if (learner->leases[i].ends != 0 && (first == 0 || learner->leases[i].ends < first))
      first = learner->leases[i].ends;
  g_source_set_ready_time (&learner->source,
                           first == 0 ? -1 : g_get_monotonic_time () + MAX (first - g_get_real_time (), 0));
}

static guint
find_lease (const FilterLearner *learner, const guint8 address[4])
{
  guint index = 0;

  while (index < learner->count && memcmp (&learner->leases[index].address, address, 4) != 0)
    index++;
  return index;
}

static gboolean
remove_lease (FilterLearner *learner, guint index)
{
  if (index >= learner->count)
    return FALSE;
  learner->leases[index] = learner->leases[--learner->count];
  return TRUE;
}

/* TRUE: it is a new one. */
static gboolean
add_lease (FilterLearner *learner, const FilterPacket *packet)
{
  guint index = find_lease (learner, packet->address);
  gboolean is_new = index == learner->count;

  if (index == LEASES_MAX)
    return FALSE;
  memcpy (&learner->leases[index].address, packet->address, 4);
  learner->leases[index].ends = !learner->dhcp || packet->seconds == FILTER_LEASE_FOREVER
                                    ? 0
                                    : g_get_real_time () + (gint64)packet->seconds * G_USEC_PER_SEC;
  learner->count += is_new;
  return is_new;
}

static gboolean
remove_ended (FilterLearner *learner)
{
  gint64 now = g_get_real_time ();
  gboolean removed = FALSE;

  for (guint i = learner->count; i > 0; i--)
    if (learner->leases[i - 1].ends != 0 && learner->leases[i - 1].ends <= now)
      removed |= remove_lease (learner, i - 1);
  return removed;
}

static gboolean
is_trusted (const FilterLearner *learner, const FilterPacket *packet)
{
  char text[INET_ADDRSTRLEN];

  if (learner->servers == NULL)
    return TRUE;
  inet_ntop (AF_INET, packet->server, text, sizeof (text));
  return g_ptr_array_find_with_equal_func (learner->servers, text, g_str_equal, NULL);
}

/* TRUE: the addresses have changed. */
static gboolean
learn (FilterLearner *learner, const FilterPacket *packet)
{
  switch (packet->kind) {
    case FILTER_PACKET_USED:
      learner->done = !learner->dhcp;
      return !learner->dhcp && add_lease (learner, packet);
    case FILTER_PACKET_LEASED:
      if (!is_trusted (learner, packet))
        return FALSE;
      learner->done = !learner->dhcp;
      return add_lease (learner, packet);
    case FILTER_PACKET_RELEASED:
      return learner->dhcp && remove_lease (learner, find_lease (learner, packet->address));
    default:
      return FALSE;
  }
}

/* The source. */

static gboolean
read_packets (FilterLearner *learner)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < PACKETS_MAX && !learner->done; i++) {
    guint8 bytes[PACKET_BYTES];
    struct sockaddr_ll from;
    socklen_t size = sizeof (from);
    FilterPacket packet;
    ssize_t length =
        recvfrom (learner->fd, bytes, sizeof (bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

    if (length < 0)
      return changed;
    packet = filter_packet_read (bytes, (gsize)length, learner->mac, from.sll_pkttype == PACKET_OUTGOING);
    changed |= learn (learner, &packet);
  }
  return changed;
}

static gboolean
learner_dispatch (GSource *source, GSourceFunc callback G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
  FilterLearner *learner = (FilterLearner *)source;
  gboolean changed = remove_ended (learner);

  changed |= read_packets (learner);
  plan_end (learner);
  if (changed)
    tell (learner);
  /* One address is all that is to be learnt; and a device that is gone has nothing more to tell. */
  if (learner->done || (g_source_query_unix_fd (source, learner->tag) & (G_IO_ERR | G_IO_HUP)) != 0)
    return G_SOURCE_REMOVE;
  return G_SOURCE_CONTINUE;
}

static void
learner_finalize (GSource *source)
{
  FilterLearner *learner = (FilterLearner *)source;

  if (learner->fd >= 0)
    close (learner->fd);
  g_free (learner->port);
  if (learner->servers != NULL)
    g_ptr_array_unref (learner->servers);
}

static gboolean
learner_check (GSource *source)
{
  const FilterLearner *learner = (FilterLearner *)source;
  gint64 ready = g_source_get_ready_time (source);

  return g_source_query_unix_fd (source, learner->tag) != 0
         || (ready >= 0 && ready <= g_source_get_time (source));
}

static GSourceFuncs learner_functions = { .check = learner_check,
                                          .dispatch = learner_dispatch,
                                          .finalize = learner_finalize };

/* ARP, and UDP in IPv4 to or from a DHCP server; with @any, all IPv4. */
static gboolean
attach_program (int fd, gboolean any)
{
  struct sock_filter program[] = {
    BPF_STMT (BPF_LD | BPF_H | BPF_ABS, 12),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 8, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 8),
    BPF_JUMP (BPF_JMP | BPF_JA | BPF_K, any ? 6 : 0, 0, 0),
    BPF_STMT (BPF_LD | BPF_B | BPF_ABS, 23),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 5),
    BPF_STMT (BPF_LDX | BPF_B | BPF_MSH, 14),
    BPF_STMT (BPF_LD | BPF_H | BPF_IND, 14),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 67, 1, 0),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, PACKET_BYTES),
    BPF_STMT (BPF_RET | BPF_K, 0),
  };
  struct sock_fprog attached = { G_N_ELEMENTS (program), program };

  return setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof (attached)) == 0;
}

/* The program is there before the first packet is. */
static int
open_socket (const char *port, gboolean any, GError **error)
{
  struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL) };
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = RECEIVE_BYTES;

  address.sll_ifindex = (int)if_nametoindex (port);
  if (fd >= 0 && address.sll_ifindex != 0 && attach_program (fd, any)
      && setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof (size)) == 0
      && bind (fd, (struct sockaddr *)&address, sizeof (address)) == 0)
    return fd;
  store_system_error (error, errno, "listen for the addresses of the machine behind", port);
  if (fd >= 0)
    close (fd);
  return -1;
}

static void
read_lines (FilterLearner *learner, const char *lines)
{
  g_auto (GStrv) each = g_strsplit (lines, "\n", LEASES_MAX + 1);

  for (guint i = 0; each[i] != NULL && learner->count < LEASES_MAX; i++) {
    Lease *lease = &learner->leases[learner->count];
    char *space = strchr (each[i], ' ');

    if (space == NULL)
      continue;
    *space = '\0';
    if (inet_pton (AF_INET, each[i], &lease->address) != 1)
      continue;
    lease->ends = MAX (g_ascii_strtoll (space + 1, NULL, 10), 0);
    learner->count++;
  }
  remove_ended (learner);
}

GPtrArray *
filter_learner_addresses (const char *lines)
{
  FilterLearner learner = { .count = 0 };
  GPtrArray *addresses = g_ptr_array_new_with_free_func (g_free);

  read_lines (&learner, lines);
  for (guint i = 0; i < learner.count; i++) {
    char text[INET_ADDRSTRLEN];

    g_ptr_array_add (addresses,
                     g_strdup (inet_ntop (AF_INET, &learner.leases[i].address, text, sizeof (text))));
  }
  return addresses;
}

FilterLearner *
filter_learner_new (const Settings *settings, const char *port, const char *mac, gboolean dhcp,
                    const GPtrArray *servers, const char *lines, GError **error)
{
  int fd = open_socket (port, !dhcp, error);
  FilterLearner *learner;

  if (fd < 0)
    return NULL;
  learner = (FilterLearner *)g_source_new (&learner_functions, sizeof (FilterLearner));
  learner->settings = settings;
  learner->port = g_strdup (port);
  learner->dhcp = dhcp;
  learner->fd = fd;
  mac_parse (mac, learner->mac);
  for (guint i = 0; servers != NULL && i < servers->len; i++) {
    if (learner->servers == NULL)
      learner->servers = g_ptr_array_new_with_free_func (g_free);
    g_ptr_array_add (learner->servers, g_strdup (g_ptr_array_index (servers, i)));
  }
  if (lines != NULL)
    read_lines (learner, lines);
  learner->tag = g_source_add_unix_fd (&learner->source, fd, G_IO_IN);
  plan_end (learner);
  g_source_set_static_name (&learner->source, "filter-learner");
  g_source_attach (&learner->source, NULL);
  return learner;
}

void
filter_learner_free (FilterLearner *learner)
{
  if (learner == NULL)
    return;
  g_source_destroy (&learner->source);
  g_source_unref (&learner->source);
}
