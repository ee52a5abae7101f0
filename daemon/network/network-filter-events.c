/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * News of the packet filter, by one netlink socket for all networks: the kernel tells every listener of every
 * change of every rule, which on a host with containers is much. Only one kind of message is looked into.
 */
#include "daemon/network/network-filter-events.h"

#include "network/network-firewall.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX   65536 /* bytes of messages taken at once */
#define MESSAGES_TURN 64    /* that are taken before others have their turn */
#define TABLE_DELETED ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_DELTABLE)

struct NetworkFilterEvents {
  NetworkFilterFlushed flushed;
  void *data;
};

/* All of them, and the socket they share: -1 while there are none. */
static GPtrArray *listeners;
static int listening = -1;
static guint source;

/* Is it of our table? @length: of the whole message. */
static gboolean
is_ours (const struct nlmsghdr *header, gsize length)
{
  const char *at = (const char *)header + NLMSG_HDRLEN + NLMSG_ALIGN (sizeof (struct nfgenmsg));
  const char *end = (const char *)header + length;

  while (end - at >= (ptrdiff_t)sizeof (struct nlattr)) {
    const struct nlattr *attribute = (const struct nlattr *)at;
    const char *value = at + NLA_HDRLEN;

    if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > end - at)
      return FALSE;
    if ((attribute->nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME)
      return strnlen (value, attribute->nla_len - NLA_HDRLEN) == strlen (NETWORK_FIREWALL_TABLE)
             && memcmp (value, NETWORK_FIREWALL_TABLE, strlen (NETWORK_FIREWALL_TABLE)) == 0;
    at += MIN (NLA_ALIGN (attribute->nla_len), end - at);
  }
  return FALSE;
}

static gboolean
has_deletion (const char *buffer, gsize length)
{
  while (length >= sizeof (struct nlmsghdr)) {
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    gsize step;

    if (header->nlmsg_len < sizeof *header || header->nlmsg_len > length)
      return FALSE;
    if (header->nlmsg_type == TABLE_DELETED && is_ours (header, header->nlmsg_len))
      return TRUE;
    step = MIN (NLMSG_ALIGN (header->nlmsg_len), length);
    buffer += step;
    length -= step;
  }
  return FALSE;
}

/* A listener may end another one while it is told. */
static void
tell_all (void)
{
  g_autoptr (GPtrArray) told = g_ptr_array_copy (listeners, NULL, NULL);

  for (guint i = 0; i < told->len && listeners != NULL; i++) {
    NetworkFilterEvents *events = g_ptr_array_index (told, i);

    if (g_ptr_array_find (listeners, events, NULL))
      events->flushed (events->data);
  }
}

static gboolean
on_message (int fd, G_GNUC_UNUSED GIOCondition condition, G_GNUC_UNUSED gpointer data)
{
  _Alignas(struct nlmsghdr) static char buffer[MESSAGE_MAX];
  gboolean is_deleted = FALSE;

  for (guint i = 0; i < MESSAGES_TURN; i++) {
    ssize_t got = recv (fd, buffer, sizeof buffer, 0);

    if (got < 0 && errno != ENOBUFS)
      break;
    /* Something was missed, and it may have been that. */
    is_deleted = is_deleted || got < 0 || has_deletion (buffer, (gsize)got);
  }
  if (is_deleted)
    tell_all ();
  return G_SOURCE_CONTINUE;
}

static void
listen_to_kernel (void)
{
  const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
  int group = NFNLGRP_NFTABLES;

  listening = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
  if (listening >= 0 && bind (listening, (const struct sockaddr *)&address, sizeof address) == 0
      && setsockopt (listening, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0) {
    source = g_unix_fd_add (listening, G_IO_IN, on_message, NULL);
    return;
  }
  g_info ("the kernel does not tell of changes to its packet filter: %s", g_strerror (errno));
  if (listening >= 0)
    close (listening);
  listening = -1;
}

NetworkFilterEvents *
network_filter_events_new (NetworkFilterFlushed flushed, void *data)
{
  NetworkFilterEvents *events = g_new0 (NetworkFilterEvents, 1);

  events->flushed = flushed;
  events->data = data;
  if (listeners == NULL) {
    listeners = g_ptr_array_new ();
    listen_to_kernel ();
  }
  g_ptr_array_add (listeners, events);
  return events;
}

void
network_filter_events_free (NetworkFilterEvents *events)
{
  if (events == NULL)
    return;
  g_ptr_array_remove (listeners, events);
  g_free (events);
  if (listeners->len > 0)
    return;
  g_clear_pointer (&listeners, g_ptr_array_unref);
  g_clear_handle_id (&source, g_source_remove);
  if (listening >= 0)
    close (listening);
  listening = -1;
}
