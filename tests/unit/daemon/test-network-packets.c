/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What gets through a network, by packets: machines' stand-ins and a server outside are network namespaces
 * with a pair of links each, and the real dnsmasq serves them. All of it is in a namespace of the test's own.
 */
#include "daemon/helper/helper.h"
#include "daemon/host/link.h"

#include "network-host.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTSIDE_LINK "nr-out"
#define PORT         "8000"
#define PORT_NUMBER  8000
#define WAIT_SECONDS "5" /* for one packet's answer where one is expected */

/* Answers whoever connects that there is nothing, until it is killed, or the test ends. */
static void G_GNUC_NORETURN
serve (int ready)
{
  static const char answer[] = "HTTP/1.0 404 Not Found\r\n\r\n";
  const struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons (PORT_NUMBER) };
  int listener, client;
  char request[1024];

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (unshare (CLONE_NEWNET) != 0)
    _exit (1);
  listener = socket (AF_INET6, SOCK_STREAM, 0);
  if (bind (listener, (const struct sockaddr *)&address, sizeof address) != 0 || listen (listener, 8) != 0
      || write (ready, "r", 1) != 1)
    _exit (1);
  close (ready);
  for (;;) {
    client = accept (listener, NULL, NULL);
    if (client >= 0 && read (client, request, sizeof request) > 0
        && write (client, answer, strlen (answer)) < 0)
      _exit (1);
    close (client);
  }
}

/* A network namespace, kept by a process that serves in it. */
static GPid
namespace_new (void)
{
  int ready[2];
  GPid pid;
  char byte;

  assert_int_equal (pipe (ready), 0);
  pid = fork ();
  if (pid == 0) {
    close (ready[0]);
    serve (ready[1]);
  }
  close (ready[1]);
  assert_int_equal (read (ready[0], &byte, 1), 1);
  close (ready[0]);
  return pid;
}

static void
namespace_free (GPid pid)
{
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
}

/* Run @command in the namespace; its output. */
static char *in (GPid pid, const char *format, ...)G_GNUC_PRINTF (2, 3);

static char *
in (GPid pid, const char *format, ...)
{
  g_autofree char *command = NULL, *quoted = NULL, *whole = NULL;
  va_list values;

  va_start (values, format);
  command = g_strdup_vprintf (format, values);
  va_end (values);
  quoted = g_shell_quote (command);
  whole = g_strdup_printf ("nsenter -t %d -n sh -c %s 2>&1", pid, quoted);
  return look (whole);
}

static void
assert_says (char *output, const char *part)
{
  g_autofree char *said = output;

  if (strstr (said, part) == NULL)
    fail_msg ("'%s' is not in:\n%s", part, said);
}

static void
assert_says_not (char *output, const char *part)
{
  g_autofree char *said = output;

  if (strstr (said, part) != NULL)
    fail_msg ("'%s' is in:\n%s", part, said);
}

/* What udhcpc tells: the address, the router and the name server, put into effect. */
#define DHCP_SCRIPT                                                                                 \
  "#!/bin/sh\n[ $1 = bound ] || exit 0\nip addr add $ip/$mask dev $interface\n"                     \
  "[ -z \"$router\" ] || ip route add default via $router\necho bound $ip router=$router dns=$dns " \
  "mtu=$mtu\n"

typedef struct {
  Host host;
  char *script;
  GPid first, second, outside;
} Place;

static GPid
add_machine (const char *bridge, const char *link, const char *mac)
{
  GPid pid = namespace_new ();
  g_autofree char *command = g_strdup_printf (
      "ip link add %s type veth peer name eth0 netns %d address %s && ip link set %s master %s up", link, pid,
      mac, link, bridge);

  g_free (look (command));
  assert_says (in (pid, "ip link set lo up; ip link set eth0 up; echo done"), "done");
  return pid;
}

/* A server with IPv4 and IPv6 at 10.99.0.2 and fd99::2, that knows no way to the network's subnets. */
static GPid
add_outside (void)
{
  GPid pid = namespace_new ();
  g_autofree char *command = g_strdup_printf (
      "ip link add " OUTSIDE_LINK
      " type veth peer name eth0 netns %d && ip addr add 10.99.0.1/24 dev " OUTSIDE_LINK
      " && ip -6 addr add fd99::1/64 dev " OUTSIDE_LINK " nodad && ip link set " OUTSIDE_LINK " up",
      pid);

  g_free (look (command));
  assert_says (in (pid, "ip link set lo up; ip addr add 10.99.0.2/24 dev eth0; "
                        "ip -6 addr add fd99::2/64 dev eth0 nodad; ip link set eth0 up; echo served"),
               "served");
  return pid;
}

static void
place_open (Place *place, void **state, const char *inside)
{
  host_open (&place->host, *state, inside);
  place->outside = add_outside ();
  start (&place->host);
  place->script = g_build_filename (*state, "dhcp.sh", NULL);
  assert_true (
      g_file_set_contents_full (place->script, DHCP_SCRIPT, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  place->first = add_machine ("nr-vb1", "nr-g1", "52:54:00:00:00:01");
  place->second = add_machine ("nr-vb1", "nr-g2", "52:54:00:00:00:02");
}

static void
place_close (Place *place)
{
  stop (&place->host);
  namespace_free (place->first);
  namespace_free (place->second);
  namespace_free (place->outside);
  g_free (look ("for l in nr-g1 nr-g2 " OUTSIDE_LINK "; do ip link del $l 2>/dev/null; done"));
  g_free (place->script);
  host_close (&place->host);
}

/* "bound 192.168.97.10 router=192.168.97.1 dns=192.168.97.1" */
static char *
ask_dhcp (const Place *place, GPid machine, const char *name)
{
  return in (machine, "busybox udhcpc -i eth0 -n -q -t 10 -T 1 -x hostname:%s -s %s", name, place->script);
}

static char *
ping (GPid from, const char *to)
{
  return in (from, "busybox ping -c 1 -W " WAIT_SECONDS " %s", to);
}

/* The server's answer to anything: it has nothing to give. */
static char *
fetch (GPid from, const char *server, const char *seconds)
{
  return in (from,
             "timeout %s bash -c 'exec 3<>/dev/tcp/%s/" PORT
             "; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; cat <&3'",
             seconds, server);
}

#define ANSWERED "1 packets received"
#define SERVED   "404 Not Found"
#define BRIDGE   "<bridge name='nr-vb1' stp='off'/><mac address='52:54:00:11:22:33'/>"
#define SUBNET                                                                              \
  "<ip address='192.168.97.1' netmask='255.255.255.0'><dhcp><range start='192.168.97.100' " \
  "end='192.168.97.200'/><host mac='52:54:00:00:00:01' name='g1' ip='192.168.97.10'/></dhcp></ip>"
#define SUBNET6                                                                     \
  "<ip family='ipv6' address='fd97::1' prefix='64'><dhcp><range start='fd97::100' " \
  "end='fd97::1ff'/></dhcp></ip>"

static void
machines_of_a_translated_network_reach_each_other_and_the_world (void **state)
{
  g_autoptr (GPtrArray) leases = NULL;
  Place place;

  place_open (&place, state,
              "<forward mode='nat'/>" BRIDGE "<domain name='nr.test' localOnly='yes'/>" SUBNET);
  assert_says (ask_dhcp (&place, place.first, "one"),
               "bound 192.168.97.10 router=192.168.97.1 dns=192.168.97.1");
  assert_says (ask_dhcp (&place, place.second, "two"), "bound 192.168.97.1");
  assert_says (in (place.second, "busybox nslookup g1.nr.test 192.168.97.1"), "192.168.97.10");
  assert_says (in (place.first, "busybox nslookup two.nr.test 192.168.97.1"), "Name:\ttwo.nr.test");
  assert_says (ping (place.second, "192.168.97.10"), ANSWERED);
  assert_says (fetch (place.first, "10.99.0.2", WAIT_SECONDS), SERVED);
  /* Nobody outside gets in, not even one who knows the way. */
  assert_says_not (in (place.outside, "ip route add 192.168.97.0/24 via 10.99.0.1; "
                                      "busybox ping -c 1 -W 1 192.168.97.10"),
                   ANSWERED);
  leases = act_with (&place.host, LEASES, 0, NULL);
  assert_int_equal (leases->len, 2);
  for (guint i = 0; i < leases->len; i++) {
    const NetworkLease *lease = g_ptr_array_index (leases, i);
    gboolean is_first = strcmp (lease->mac, "52:54:00:00:00:01") == 0;

    assert_string_equal (lease->interface, "nr-vb1");
    assert_string_equal (lease->hostname, is_first ? "g1" : "two");
    assert_int_equal (lease->prefix, 24);
    assert_true (lease->expiry > 0);
  }
  place_close (&place);
}

static void
machines_of_an_isolated_network_have_each_other (void **state)
{
  Place place;

  place_open (&place, state, BRIDGE SUBNET);
  assert_says (ask_dhcp (&place, place.first, "one"), "bound 192.168.97.10 router= ");
  assert_says (ask_dhcp (&place, place.second, "two"), "bound ");
  assert_says (ping (place.second, "192.168.97.10"), ANSWERED);
  assert_says (ping (place.first, "192.168.97.1"), ANSWERED);
  /* Not even by a route of their own, on a host that forwards. */
  g_free (look ("echo 1 > /proc/sys/net/ipv4/ip_forward"));
  assert_says (in (place.outside, "ip route add 192.168.97.0/24 via 10.99.0.1; echo done"), "done");
  assert_says (in (place.first, "ip route add default via 192.168.97.1; echo done"), "done");
  assert_says_not (fetch (place.first, "10.99.0.2", "1"), SERVED);
  assert_says_not (in (place.outside, "busybox ping -c 1 -W 1 192.168.97.10"), ANSWERED);
  place_close (&place);
}

static void
a_routed_network_is_reached_by_who_knows_the_way (void **state)
{
  Place place;

  place_open (&place, state, "<forward mode='route'/>" BRIDGE SUBNET);
  assert_says (ask_dhcp (&place, place.first, "one"), "bound 192.168.97.10 router=192.168.97.1");
  /* Nothing is translated: the server does not know where to answer. */
  assert_says_not (fetch (place.first, "10.99.0.2", "1"), SERVED);
  assert_says (in (place.outside, "ip route add 192.168.97.0/24 via 10.99.0.1; echo done"), "done");
  assert_says (fetch (place.first, "10.99.0.2", WAIT_SECONDS), SERVED);
  assert_says (ping (place.outside, "192.168.97.10"), ANSWERED);
  place_close (&place);
}

static void
ipv6_is_advertised_given_and_translated (void **state)
{
  Place place;

  place_open (
      &place, state,
      "<forward mode='nat'><nat ipv6='yes'><port start='20000' end='20010'/></nat></forward>" BRIDGE SUBNET
      "<ip family='ipv6' address='fd97::1' prefix='64'/>");
  assert_says (in (place.first,
                   "for i in $(seq 100); do ip -6 route show default | grep -q via "
                   "&& ip -6 addr show dev eth0 scope global -tentative | grep -q fd97 && break; "
                   "sleep 0.1; done; ip -6 addr show dev eth0"),
               "inet6 fd97::5054:ff:fe00:1/64");
  assert_says (ping (place.first, "fd97::1"), ANSWERED);
  assert_says (fetch (place.first, "fd99::2", WAIT_SECONDS), SERVED);
  assert_says_not (in (place.outside, "ip -6 route add fd97::/64 via fd99::1; "
                                      "busybox ping -c 1 -W 1 fd97::5054:ff:fe00:1"),
                   ANSWERED);
  place_close (&place);
}

/* What was given is still known after dnsmasq was killed. */
static void
leases_outlive_dnsmasq (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = NULL, leases = NULL;
  NetworkStatus *mended;
  Place place;

  place_open (&place, state, "<forward mode='nat'/>" BRIDGE SUBNET);
  assert_says (ask_dhcp (&place, place.second, "two"), "bound ");
  found = helpers_find (place.host.input.directory);
  kill (helper_pid (g_ptr_array_index (found, 0)), SIGKILL);
  g_free (helper_end_words (g_ptr_array_index (found, 0), SECONDS * 1000));
  mended = act_with (&place.host, UPDATE, NETWORK_PART_HELPER, &error);
  g_assert_no_error (error);
  network_status_unref (place.host.input.status);
  place.host.input.status = mended;
  leases = act_with (&place.host, LEASES, 0, NULL);
  assert_int_equal (leases->len, 1);
  assert_says (in (place.first, "ip addr add 192.168.97.50/24 dev eth0; busybox nslookup two 192.168.97.1"),
               "Name:\ttwo");
  place_close (&place);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (machines_of_a_translated_network_reach_each_other_and_the_world),
    TEST (machines_of_an_isolated_network_have_each_other),
    TEST (a_routed_network_is_reached_by_who_knows_the_way),
    TEST (ipv6_is_advertised_given_and_translated),
    TEST (leases_outlive_dnsmasq),
  };

  if (geteuid () != 0 || unshare (CLONE_NEWNET) != 0) {
    print_message ("no network namespace of its own: skipped\n");
    return 77; /* meson: skipped */
  }
  link_set_up ("lo", TRUE, NULL);
  return cmocka_run_group_tests (tests, NULL, NULL);
}
