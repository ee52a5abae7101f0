/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What libvirt does with tc, over netlink: what goes to the machine is shaped by a class of htb, with a fair
 * queue below it where the kernel has one; what comes from it is policed as it arrives. Rates are thousands
 * of bytes a second, as tc reads libvirt's numbers; bursts are KiB.
 */
#include "daemon/host/traffic.h"

#include "base/virt-error.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/class.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/htb.h>
#include <netlink/route/qdisc/sfq.h>
#include <netlink/route/tc.h>

#define RATE_UNIT     1000 /* bytes a second */
#define BURST_UNIT    1024 /* bytes */
#define POLICE_MTU    (64 * 1024)
#define POLICE_CELL   8 /* packets are counted in 256 bytes */
#define RATE_SLOTS    256
#define SFQ_PERTURB   10     /* seconds */
#define ANY_PROTOCOL  0x0300 /* ETH_P_ALL in network order */
#define CLASS_ROOT    TC_HANDLE (1, 0)
#define CLASS_LIMITED TC_HANDLE (1, 1)
#define CLASS_REST    TC_HANDLE (1, 2) /* of a bridge with shares: what is nobody's */
#define FAIR_QUEUE    TC_HANDLE (2, 0)

typedef struct nl_sock NlSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlSocket, nl_socket_free)

static gboolean
check (int code, const char *name, const char *what, GError **error)
{
  if (code == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "cannot limit the bandwidth of '%s' (%s): %s", name, what,
                  nl_geterror (code));
  return FALSE;
}

/* The place of a queueing discipline or class: @object is freed with it. */
static void
place (struct rtnl_tc *object, guint index, guint32 parent, guint32 handle, const char *kind)
{
  rtnl_tc_set_ifindex (object, (int)index);
  rtnl_tc_set_parent (object, parent);
  rtnl_tc_set_handle (object, handle);
  if (kind != NULL)
    rtnl_tc_set_kind (object, kind);
}

/* One that is not there is as good as removed. */
static void
remove_discipline (NlSocket *socket, guint index, guint32 parent)
{
  struct rtnl_qdisc *discipline = rtnl_qdisc_alloc ();

  place (TC_CAST (discipline), index, parent, 0, NULL);
  rtnl_qdisc_delete (socket, discipline);
  rtnl_qdisc_put (discipline);
}

/* A class that has @average for sure, in bytes a second, and as much as @rate says of what others leave. */
static int
add_class (NlSocket *socket, guint index, guint32 parent, guint32 handle, guint64 average,
           const InterfaceRate *rate)
{
  struct rtnl_class *class = rtnl_class_alloc ();
  guint64 most = (rate->peak.set ? MAX (rate->peak.value, rate->average.value) : rate->average.value);
  guint64 peak = MAX (most * RATE_UNIT, average);
  int code;

  place (TC_CAST (class), index, parent, handle, "htb");
  rtnl_tc_set_mtu (TC_CAST (class), POLICE_MTU);
  rtnl_htb_set_rate64 (class, average);
  rtnl_htb_set_ceil64 (class, peak);
  if (rate->burst.set)
    rtnl_htb_set_rbuffer (class, (guint32)MIN (rate->burst.value * BURST_UNIT, G_MAXINT32));
  rtnl_htb_set_quantum (class, (guint32)CLAMP (average / 10, 1500, 60000));
  code = rtnl_class_add (socket, class, NLM_F_CREATE);
  rtnl_class_put (class);
  return code;
}

/* A fair queue, for the sake of fairness only: a kernel may be without it. */
static void
add_fair_queue (NlSocket *socket, guint index, guint32 class)
{
  struct rtnl_qdisc *queue = rtnl_qdisc_alloc ();

  place (TC_CAST (queue), index, class, FAIR_QUEUE, "sfq");
  rtnl_sfq_set_perturb (queue, SFQ_PERTURB);
  rtnl_qdisc_add (socket, queue, NLM_F_CREATE);
  rtnl_qdisc_put (queue);
}

static gboolean
add_root (NlSocket *socket, const char *name, guint index, guint32 fallback, GError **error)
{
  struct rtnl_qdisc *root = rtnl_qdisc_alloc ();
  int code;

  place (TC_CAST (root), index, TC_H_ROOT, CLASS_ROOT, "htb");
  rtnl_htb_set_defcls (root, TC_H_MIN (fallback));
  code = rtnl_qdisc_add (socket, root, NLM_F_CREATE | NLM_F_REPLACE);
  rtnl_qdisc_put (root);
  return check (code, name, "htb", error);
}

static gboolean
limit_inbound (NlSocket *socket, const char *name, guint index, const InterfaceRate *rate, GError **error)
{
  guint64 average = rate->average.value * RATE_UNIT;

  if (!add_root (socket, name, index, CLASS_LIMITED, error)
      || !check (add_class (socket, index, CLASS_ROOT, CLASS_LIMITED, average, rate), name, "class", error))
    return FALSE;
  add_fair_queue (socket, index, CLASS_LIMITED);
  return TRUE;
}

/* All of it is one class, of which each share and the rest are parts that lend to one another. */
static gboolean
share_inbound (NlSocket *socket, const char *name, guint index, const InterfaceRate *rate,
               const TrafficShare *shares, guint count, GError **error)
{
  guint64 average = rate->average.value * RATE_UNIT, rest = average;

  if (!add_root (socket, name, index, CLASS_REST, error)
      || !check (add_class (socket, index, CLASS_ROOT, CLASS_LIMITED, average, rate), name, "class", error))
    return FALSE;
  for (guint i = 0; i < count; i++) {
    guint64 floor = shares[i].floor * RATE_UNIT;

    if (!check (add_class (socket, index, CLASS_LIMITED, TC_HANDLE (1, shares[i].id), floor, rate), name,
                "share", error))
      return FALSE;
    rest -= MIN (rest, floor);
  }
  if (!check (add_class (socket, index, CLASS_LIMITED, CLASS_REST, MAX (rest, RATE_UNIT), rate), name, "rest",
              error))
    return FALSE;
  add_fair_queue (socket, index, CLASS_REST);
  return TRUE;
}

/* The kernel's clock of traffic: its ticks in the time that @bytes take at @rate. */
static guint32
ticks_of (guint64 bytes, guint64 rate)
{
  double ticks = (double)bytes * 1e6 / (double)rate * ((double)nl_us2ticks (1000) / 1000.0);

  return ticks > G_MAXUINT32 ? G_MAXUINT32 : (guint32)ticks;
}

/* Every packet matches, and what is above the rate is dropped. */
static struct nl_msg *
police_message (guint index, const InterfaceRate *rate)
{
  guint64 bytes = MIN (rate->average.value * RATE_UNIT, G_MAXUINT32);
  guint64 burst = (rate->burst.set ? rate->burst.value : rate->average.value) * BURST_UNIT;
  struct tcmsg header = { .tcm_ifindex = (int)index,
                          .tcm_parent = TC_H_MAKE (TC_H_INGRESS, 0),
                          .tcm_info = TC_H_MAKE (1 << 16, ANY_PROTOCOL) };
  /* A selector with one key, whose mask of nothing matches everything. */
  _Alignas(struct tc_u32_sel) guint8 all[sizeof (struct tc_u32_sel) + sizeof (struct tc_u32_key)] = { 0 };
  struct tc_u32_sel *selector = (struct tc_u32_sel *)all;
  struct tc_police police = { .action = TC_POLICE_SHOT, .burst = ticks_of (burst, bytes), .mtu = POLICE_MTU };
  struct nl_msg *message = nlmsg_alloc_simple (RTM_NEWTFILTER, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
  guint32 table[RATE_SLOTS];
  struct nlattr *options, *nested;

  selector->flags = TC_U32_TERMINAL;
  selector->nkeys = 1;
  police.rate.rate = (guint32)bytes;
  police.rate.cell_log = POLICE_CELL;
  police.rate.linklayer = 1; /* Ethernet */
  for (guint i = 0; i < RATE_SLOTS; i++)
    table[i] = ticks_of ((i + 1) << POLICE_CELL, bytes);
  nlmsg_append (message, &header, sizeof header, NLMSG_ALIGNTO);
  nla_put_string (message, TCA_KIND, "u32");
  options = nla_nest_start (message, TCA_OPTIONS);
  nla_put_u32 (message, TCA_U32_CLASSID, 1);
  nested = nla_nest_start (message, TCA_U32_POLICE);
  nla_put (message, TCA_POLICE_TBF, sizeof police, &police);
  nla_put (message, TCA_POLICE_RATE, sizeof table, table);
  nla_nest_end (message, nested);
  nla_put (message, TCA_U32_SEL, sizeof all, all);
  nla_nest_end (message, options);
  return message;
}

static gboolean
limit_outbound (NlSocket *socket, const char *name, guint index, const InterfaceRate *rate, GError **error)
{
  struct rtnl_qdisc *ingress = rtnl_qdisc_alloc ();
  int code;

  place (TC_CAST (ingress), index, TC_H_INGRESS, TC_HANDLE (0xffffU, 0), "ingress");
  code = rtnl_qdisc_add (socket, ingress, NLM_F_CREATE);
  rtnl_qdisc_put (ingress);
  return check (code, name, "ingress", error)
         && check (nl_send_sync (socket, police_message (index, rate)), name, "police", error);
}

gboolean
traffic_set_shared (const char *name, const InterfaceRate *inbound, const InterfaceRate *outbound,
                    const TrafficShare *shares, guint count, GError **error)
{
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  guint index = if_nametoindex (name);
  gboolean is_limited = inbound != NULL && inbound->average.set;

  if (index == 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot find interface '%s': No such device", name);
    return FALSE;
  }
  if (!check (nl_connect (socket, NETLINK_ROUTE), name, "netlink", error))
    return FALSE;
  remove_discipline (socket, index, TC_H_ROOT);
  remove_discipline (socket, index, TC_H_INGRESS);
  if (is_limited && count > 0 && !share_inbound (socket, name, index, inbound, shares, count, error))
    return FALSE;
  if (is_limited && count == 0 && !limit_inbound (socket, name, index, inbound, error))
    return FALSE;
  return outbound == NULL || !outbound->average.set || limit_outbound (socket, name, index, outbound, error);
}

gboolean
traffic_set (const char *name, const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error)
{
  return traffic_set_shared (name, inbound, outbound, NULL, 0, error);
}
