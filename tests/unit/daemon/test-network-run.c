/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Networks that run, in a network namespace of the test's own, with the real dnsmasq: what is there after a
 * start, that nothing is left after a stop, after a start that fails, and after one that was killed at each
 * of its steps; and what is found again, mended and changed.
 */
#include "daemon/host/bridge.h"
#include "daemon/host/firewall.h"
#include "daemon/host/link.h"
#include "daemon/host/sysctl.h"
#include "daemon/network/network-dnsmasq.h"
#include "daemon/network/network-floor.h"
#include "daemon/network/network-status.h"
#include "network/firewall-check.h"
#include "network/network-firewall.h"

#include "network-host.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon that is killed: at the end of so many files, before or after it has its name. */
static int kill_at = -1;
static gboolean kill_before;

int
rename (const char *from, const char *to)
{
  int result;

  if (kill_at == 0 && kill_before)
    kill (getpid (), SIGKILL);
  result = (int)syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (kill_at == 0)
    kill (getpid (), SIGKILL);
  if (kill_at > 0)
    kill_at--;
  return result;
}

static gboolean
serves (const Host *host)
{
  g_autoptr (GPtrArray) found = helpers_find (host->input.directory);
  guint alive = 0;

  for (guint i = 0; i < found->len; i++)
    alive += helper_pid (g_ptr_array_index (found, i)) != 0;
  assert_in_range (alive, 0, 1);
  return alive == 1;
}

static GPid
service_pid (const Host *host)
{
  g_autoptr (GPtrArray) found = helpers_find (host->input.directory);

  return found->len > 0 ? helper_pid (g_ptr_array_index (found, 0)) : 0;
}

/* A killed process is alive until the kernel comes to it: only then has it died "meanwhile". */
static void
kill_service (const Host *host)
{
  int pidfd = (int)syscall (SYS_pidfd_open, service_pid (host), 0);
  struct pollfd ended = { .fd = pidfd, .events = POLLIN };

  assert_true (pidfd >= 0);
  assert_return_code (syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), errno);
  assert_int_equal (poll (&ended, 1, SECONDS * 1000), 1);
  close (pidfd);
}

#define BRIDGE "<bridge name='nr-vb1'/><mac address='52:54:00:11:22:33'/>"
#define NAT                                                                                        \
  "<forward mode='nat'/>" BRIDGE "<mtu size='1400'/>"                                              \
  "<ip address='192.168.97.1' netmask='255.255.255.0'><dhcp><range start='192.168.97.100' "        \
  "end='192.168.97.200'/><host mac='52:54:00:00:00:01' name='g1' ip='192.168.97.10'/></dhcp></ip>" \
  "<ip family='ipv6' address='fd97::1' prefix='64'/>"                                              \
  "<route address='10.97.0.0' prefix='16' gateway='192.168.97.3'/>"
#define ISOLATED BRIDGE "<ip address='192.168.97.1' prefix='24'/>"

static void
a_started_network_is_all_there_and_stopped_nothing_is (void **state)
{
  Host host;
  g_autofree char *before = NULL, *after = NULL, *value = NULL;

  host_open (&host, *state, NAT);
  before = everything (&host);
  start (&host);
  assert_shows ("ip -d link show nr-vb1", "mtu 1400");
  assert_shows ("ip -d link show nr-vb1", "52:54:00:11:22:33");
  assert_shows ("ip -d link show nr-vb1", "stp_state 1");
  assert_shows ("ip addr show nr-vb1", "inet 192.168.97.1/24 brd 192.168.97.255");
  assert_shows ("ip addr show nr-vb1", "inet6 fd97::1/64 scope global nodad");
  assert_shows ("ip route", "10.97.0.0/16 via 192.168.97.3 dev nr-vb1 proto static metric 1");
  assert_shows ("nft list table inet domaind_network", "masquerade");
  assert_shows ("cat /proc/sys/net/ipv4/ip_forward", "1");
  assert_shows ("cat /proc/sys/net/ipv6/conf/all/forwarding", "1");
  value = sysctl_get ("net/ipv6/conf/nr-vb1/accept_ra");
  assert_string_equal (value, "0");
  assert_true (serves (&host));
  stop (&host);
  after = everything (&host);
  assert_string_equal (after, before);
  host_close (&host);
}

/* A root of the container's stays so; what it may is next to nothing. */
static void
dnsmasq_has_no_rights_but_its_own (void **state)
{
  Host host;
  g_autofree char *path = NULL, *status = NULL;
  const char *permitted;

  host_open (&host, *state, NAT);
  start (&host);
  path = g_strdup_printf ("/proc/%d/status", service_pid (&host));
  assert_true (g_file_get_contents (path, &status, NULL, NULL));
  permitted = strstr (status, "CapPrm:");
  assert_non_null (permitted);
  /* CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW */
  assert_int_equal (strtoull (permitted + strlen ("CapPrm:"), NULL, 16) & ~UINT64_C (0x3400), 0);
  assert_null (strstr (status, "Uid:\t0\t"));
  stop (&host);
  host_close (&host);
}

static void
a_start_that_fails_leaves_nothing (void **state)
{
  static const struct {
    const char *inside, *before, *words;
  } rows[] = {
    { NAT, "ip link add nr-vb1 type bridge", "error creating bridge interface nr-vb1: File exists" },
    { NAT,
      "ip link add nr-other type bridge; ip addr add 192.168.97.7/24 dev nr-other; ip link set nr-other up",
      "Network is already in use by interface nr-other: its 192.168.97.7/24 and 192.168.97.0/24 of network "
      "'test' "
      "overlap" },
    { NAT,
      "ip link add nr-other type bridge; ip addr add 192.168.97.7/16 dev nr-other; ip link set nr-other up",
      "Network is already in use by interface nr-other" },
    { NAT,
      "ip link add nr-other type bridge; ip addr add 10.0.0.1/8 dev nr-other; ip link set nr-other up; "
      "ip route add default via 192.168.97.250 dev nr-other onlink",
      "the host's gateway 192.168.97.250 lies in 192.168.97.0/24" },
    { BRIDGE "<ip address='192.168.97.1' prefix='24'><tftp root='/nonexistent/tftp'/></ip>", "true",
      "TFTP directory /nonexistent/tftp inaccessible" },
    { "<forward mode='nat'/>" BRIDGE "<ip address='192.168.97.1' prefix='24'/>"
      "<route address='10.97.0.0' prefix='16' gateway='192.168.97.3'/>",
      "ip link add nr-other type bridge; ip link set nr-other up; ip addr add 10.1.0.1/24 dev nr-other; "
      "ip route add 10.97.0.0/16 dev nr-other metric 1",
      "Route address '10.97.0.0' conflicts with IP address for 'nr-other'" },
    { "<forward mode='bridge'><pf dev='lo'/></forward>", "true", "No Vf's present on SRIOV PF lo" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *before = NULL, *after = NULL;
    Host host;

    g_free (look (rows[i].before));
    host_open (&host, *state, rows[i].inside);
    before = everything (&host);
    assert_null (act_with (&host, START, 0, &error));
    if (error == NULL || strstr (error->message, rows[i].words) == NULL)
      fail_msg ("%s\ninstead of\n%s", error != NULL ? error->message : "no error", rows[i].words);
    after = everything (&host);
    assert_string_equal (after, before);
    host_close (&host);
    g_free (look ("ip link del nr-vb1; ip link del nr-other; true"));
  }
}

static void
without_dnsmasq_it_is_said (void **state)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autoptr (GError) error = NULL;
  Host host;

  host_open (&host, *state, NAT);
  g_setenv ("PATH", "/nonexistent", TRUE);
  assert_null (act_with (&host, START, 0, &error));
  g_setenv ("PATH", path, TRUE);
  assert_int_equal (error->code, VIR_ERR_CONFIG_UNSUPPORTED);
  assert_non_null (strstr (error->message, "package dnsmasq-base"));
  host_close (&host);
}

static void
two_networks_do_not_share_a_subnet (void **state)
{
  g_autoptr (GError) error = NULL;
  Host host;
  NetworkDef *other = read_def ("<bridge name='nr-vb2'/><ip address='192.168.96.1' prefix='23'/>");

  host_open (&host, *state, NAT);
  host.input.others = g_ptr_array_new_with_free_func ((GDestroyNotify)network_def_unref);
  g_free (other->name);
  other->name = g_strdup ("first");
  g_ptr_array_add (host.input.others, other);
  assert_null (act_with (&host, START, 0, &error));
  assert_non_null (strstr (error->message,
                           "Network is already in use by interface nr-vb2: 192.168.96.0/23 of network "
                           "'first' and 192.168.97.0/24 of network 'test' overlap"));
  g_ptr_array_unref (host.input.others);
  host_close (&host);
}

/* Killed. */

/* A process of its own that starts the network and is killed at the end of the file of that number, which
 * must be below an end; TRUE: it was, FALSE: it started before that. */
static gboolean
start_and_kill (const char *root, int number, gboolean before)
{
  g_autofree char *count = g_strdup_printf ("%d", number);
  g_autoptr (GError) error = NULL;
  const char *argv[] = { "/proc/self/exe", "--start", root, count, before ? "before" : "after", NULL };
  int status = 0;

  assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL, NULL,
                             NULL, &status, &error));
  if (!WIFSIGNALED (status))
    assert_int_equal (status, 0);
  return WIFSIGNALED (status);
}

static int
be_killed (char **argv)
{
  Host host;

  host_open (&host, argv[2], NAT);
  kill_before = strcmp (argv[4], "before") == 0;
  kill_at = atoi (argv[3]);
  start (&host);
  host_close (&host);
  return 0;
}

static void
a_start_that_was_killed_is_undone (void **state)
{
  g_autofree char *before = NULL;
  guint killed = 0;
  Host host;

  host_open (&host, *state, NAT);
  before = everything (&host);
  for (int number = 0;; number++) {
    gboolean again = FALSE;

    for (guint when = 0; when < 2; when++) {
      g_autofree char *after = NULL;
      g_autoptr (GError) error = NULL;
      NetworkStatus *status;

      if (!start_and_kill (*state, number, when == 0)) {
        status = act_with (&host, ADOPT, 0, &error);
        g_assert_no_error (error);
        assert_non_null (status);
        host.input.status = status;
        stop (&host);
        continue;
      }
      again = TRUE;
      killed++;
      status = act_with (&host, ADOPT, 0, &error);
      g_assert_no_error (error);
      /* The last file says that it runs: then it does. */
      if (status != NULL) {
        assert_true (serves (&host));
        host.input.status = status;
        stop (&host);
      }
      after = everything (&host);
      /* What was only being written, and has no name yet, is the store's to remove. */
      g_free (look ("true"));
      if (!g_str_has_prefix (after, before))
        fail_msg ("killed %s file %d:\n%s", when == 0 ? "before" : "after", number, after);
      {
        g_autofree char *clean =
            g_strdup_printf ("rm -rf %s; mkdir -m 711 %s", host.input.directory, host.input.directory);

        g_free (look (clean));
      }
    }
    if (!again)
      break;
  }
  /* Each step, and each file of dnsmasq's. */
  assert_true (killed >= 20);
  host_close (&host);
}

static void
what_runs_is_found_again (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *after = NULL;
  GPid pid;
  Host host;

  host_open (&host, *state, NAT);
  start (&host);
  before = everything (&host);
  pid = service_pid (&host);
  network_status_unref (g_steal_pointer (&host.input.status));
  host.input.status = act_with (&host, ADOPT, 0, &error);
  g_assert_no_error (error);
  assert_non_null (host.input.status);
  after = everything (&host);
  assert_string_equal (after, before);
  assert_int_equal (service_pid (&host), pid);
  stop (&host);
  host_close (&host);
}

static void
what_died_meanwhile_is_started_again (void **state)
{
  g_autoptr (GError) error = NULL;
  Host host;
  GPid pid;

  host_open (&host, *state, NAT);
  start (&host);
  pid = service_pid (&host);
  kill_service (&host);
  g_free (look ("nft flush ruleset"));
  network_status_unref (g_steal_pointer (&host.input.status));
  host.input.status = act_with (&host, ADOPT, 0, &error);
  g_assert_no_error (error);
  assert_true (serves (&host));
  assert_int_not_equal (service_pid (&host), pid);
  assert_shows ("nft list ruleset", "masquerade");
  stop (&host);
  host_close (&host);
}

static void
without_its_bridge_it_is_no_more (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *after = NULL;
  Host host;

  host_open (&host, *state, NAT);
  before = everything (&host);
  start (&host);
  g_free (look ("ip link del nr-vb1"));
  network_status_unref (g_steal_pointer (&host.input.status));
  assert_null (act_with (&host, ADOPT, 0, &error));
  g_assert_no_error (error);
  after = everything (&host);
  assert_string_equal (after, before);
  host_close (&host);
}

static void
another_bridge_of_that_name_is_left_alone (void **state)
{
  Host host;

  host_open (&host, *state, NAT);
  start (&host);
  g_free (look ("ip link del nr-vb1; ip link add nr-vb1 type bridge"));
  stop (&host);
  assert_shows ("ip link show nr-vb1", "nr-vb1");
  g_free (look ("ip link del nr-vb1"));
  host_close (&host);
}

/* Watched. */

typedef struct {
  gboolean happened;
  NetworkParts parts;
} News;

static void
note (NetworkParts parts, const char *why, gpointer data)
{
  News *news = data;

  assert_non_null (why);
  news->happened = TRUE;
  news->parts |= parts;
}

static void
the_end_of_dnsmasq_is_told_and_mended (void **state)
{
  g_autoptr (GError) error = NULL;
  News news = { 0 };
  NetworkWatch *watch;
  NetworkStatus *mended;
  Host host;

  host_open (&host, *state, NAT);
  start (&host);
  watch = network_watch_new (host.input.status, host.input.directory, note, &news);
  kill (service_pid (&host), SIGKILL);
  assert_true (run_main_loop_until (&news.happened));
  assert_int_equal (news.parts, NETWORK_PART_HELPER);
  network_watch_free (watch);
  mended = act_with (&host, UPDATE, news.parts, &error);
  g_assert_no_error (error);
  network_status_unref (host.input.status);
  host.input.status = mended;
  assert_true (serves (&host));
  stop (&host);
  host_close (&host);
}

static void
a_flushed_packet_filter_is_told_and_mended (void **state)
{
  g_autoptr (GError) error = NULL;
  News news = { 0 };
  NetworkWatch *watch;
  NetworkStatus *mended;
  Host host;

  host_open (&host, *state, NAT);
  start (&host);
  watch = network_watch_new (host.input.status, host.input.directory, note, &news);
  g_free (look ("nft flush ruleset"));
  assert_true (run_main_loop_until (&news.happened));
  assert_int_equal (news.parts, NETWORK_PART_FIREWALL);
  network_watch_free (watch);
  mended = act_with (&host, UPDATE, news.parts, &error);
  g_assert_no_error (error);
  network_status_unref (mended);
  assert_shows ("nft list ruleset", "masquerade");
  stop (&host);
  host_close (&host);
}

/* Changed. */

static void
a_known_machine_is_read_again_and_a_range_is_a_new_process (void **state)
{
  static const struct {
    const char *inside;
    gboolean is_new_process;
  } rows[] = {
    { "<forward mode='nat'/>" BRIDGE
      "<ip address='192.168.97.1' prefix='24'><dhcp><range start='192.168.97.100' "
      "end='192.168.97.200'/><host mac='52:54:00:00:00:02' name='g2' ip='192.168.97.11'/></dhcp></ip>",
      FALSE },
    { "<forward mode='nat'/>" BRIDGE
      "<ip address='192.168.97.1' prefix='24'><dhcp><range start='192.168.97.50' "
      "end='192.168.97.200'/><host mac='52:54:00:00:00:02' name='g2' ip='192.168.97.11'/></dhcp></ip>",
      TRUE },
  };
  Host host;

  host_open (
      &host, *state,
      "<forward mode='nat'/>" BRIDGE
      "<ip address='192.168.97.1' prefix='24'><dhcp><range start='192.168.97.100' end='192.168.97.200'/>"
      "</dhcp></ip>");
  start (&host);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    GPid pid = service_pid (&host);
    NetworkStatus *changed;

    network_def_unref (host.input.def);
    host.input.def = read_def (rows[i].inside);
    changed = act_with (&host, UPDATE, NETWORK_PART_DHCP | NETWORK_PART_HOSTS, &error);
    g_assert_no_error (error);
    network_status_unref (host.input.status);
    host.input.status = changed;
    assert_true (serves (&host));
    assert_int_equal (service_pid (&host) != pid, rows[i].is_new_process);
  }
  stop (&host);
  host_close (&host);
}

static void
a_change_that_fails_leaves_what_was (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL, *before = NULL, *after = NULL;
  Host host;

  host_open (&host, *state, ISOLATED);
  start (&host);
  path = g_build_filename (host.input.directory, "dnsmasq.conf", NULL);
  assert_true (g_file_get_contents (path, &before, NULL, NULL));
  network_def_unref (host.input.def);
  host.input.def =
      read_def (BRIDGE "<ip address='192.168.97.1' prefix='24'><tftp root='/nonexistent'/></ip>");
  assert_null (act_with (&host, UPDATE, NETWORK_PART_DHCP, &error));
  assert_non_null (strstr (error->message, "inaccessible"));
  assert_true (g_file_get_contents (path, &after, NULL, NULL));
  assert_string_equal (after, before);
  assert_true (serves (&host));
  stop (&host);
  host_close (&host);
}

/* The words of check: none on a host that leaves us alone, and one for each thing in the way. */
static void
what_is_in_the_way_is_found (void **state)
{
  static const struct {
    const char *before, *what; /* what: NULL: nothing */
  } rows[] = {
    { "true", NULL },
    { "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; "
      "policy drop; }'",
      "the table 'ip filter' drops what is forwarded by policy" },
    { "nft delete table ip filter; echo 0 > /proc/sys/net/ipv4/ip_forward",
      "the host does not forward packets" },
    { "echo 1 > /proc/sys/net/ipv4/ip_forward; ip link set nr-vb1 down", "is down" },
    { "ip link set nr-vb1 up; nft flush ruleset", "rules of the network are missing" },
  };
  Host host;

  host_open (&host, *state, NAT);
  start (&host);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) found = NULL;

    g_free (look (rows[i].before));
    found = act_with (&host, CHECK, 0, &error);
    g_assert_no_error (error);
    assert_int_equal (found->len, rows[i].what != NULL);
    if (rows[i].what != NULL)
      assert_non_null (strstr (((FirewallFinding *)g_ptr_array_index (found, 0))->what, rows[i].what));
  }
  stop (&host);
  host_close (&host);
}

/* A floor: classes of the bridge's traffic, and rules that lead a machine's packets to its own. */
static void
a_port_with_a_floor_has_a_class_of_its_own (void **state)
{
  static const char text[] =
      "<networkport><uuid>22222222-2222-3333-4444-555555555555</uuid>"
      "<owner><name>web</name><uuid>33333333-2222-3333-4444-555555555555</uuid></owner>"
      "<mac address='52:54:00:00:00:01'/>"
      "<bandwidth classID='3'><inbound average='100' floor='200'/></bandwidth></networkport>";
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  NetworkPortDef *port = network_port_def_parse (text, -1, 0, diagnostics);
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *after = NULL;
  Host host;

  assert_non_null (port);
  host_open (&host, *state, ISOLATED "<bandwidth><inbound average='1000' peak='5000'/></bandwidth>");
  before = everything (&host);
  start (&host);
  assert_shows ("tc class show dev nr-vb1", "class htb 1:1 root");
  assert_true (network_floor_add (host.input.def, host.input.ports, port, &error));
  g_assert_no_error (error);
  assert_shows ("tc class show dev nr-vb1", "class htb 1:3 parent 1:1 prio 0 rate 1600Kbit ceil 40Mbit");
  assert_shows ("tc class show dev nr-vb1", "class htb 1:2 parent 1:1");
  assert_shows ("nft list table netdev domaind_network",
                "ether daddr 52:54:00:00:00:01 meta priority set 1:3");
  host.input.ports = g_ptr_array_new ();
  g_ptr_array_add (host.input.ports, port);
  assert_true (network_floor_remove (host.input.def, host.input.ports, port, &error));
  g_assert_no_error (error);
  assert_shows ("tc class show dev nr-vb1; echo; nft list ruleset | grep -c priority.set", "\n0\n");
  g_ptr_array_unref (g_steal_pointer (&host.input.ports));
  stop (&host);
  after = everything (&host);
  assert_string_equal (after, before);
  network_port_def_unref (port);
  host_close (&host);
}

/* The virtual functions of a card, in a /sys of the test's. */
static void
the_functions_of_a_card_are_its_pool (void **state)
{
  static const struct {
    const char *inside, *written;
  } rows[] = {
    { "<forward mode='passthrough'><pf dev='nrpf'/></forward>",
      "    <interface dev='nrvf0'/>\n    <interface dev='nrvf1'/>\n" },
    { "<forward mode='hostdev' managed='yes'><pf dev='nrpf'/></forward>",
      "    <address type='pci' domain='0x0000' bus='0x03' slot='0x10' function='0x0'/>\n"
      "    <address type='pci' domain='0x0000' bus='0x03' slot='0x10' function='0x2'/>\n" },
  };
  g_autofree char *command = g_strdup_printf (
      "cd %s && mkdir -p sys/class/net/nrpf sys/bus/pci/devices/0000:03:00.0 "
      "sys/bus/pci/devices/0000:03:10.0/net/nrvf0 sys/bus/pci/devices/0000:03:10.2/net/nrvf1 && "
      "ln -s ../../../bus/pci/devices/0000:03:00.0 sys/class/net/nrpf/device && "
      "ln -s ../0000:03:10.0 sys/bus/pci/devices/0000:03:00.0/virtfn0 && "
      "ln -s ../0000:03:10.2 sys/bus/pci/devices/0000:03:00.0/virtfn1",
      (const char *)*state);

  g_free (look (command));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *xml = NULL;
    Host host;

    host_open (&host, *state, rows[i].inside);
    g_free (host.settings->host_directory);
    host.settings->host_directory = g_strdup (*state);
    start (&host);
    assert_non_null (network_status_def (host.input.status));
    xml = network_def_to_xml (network_status_def (host.input.status), TRUE);
    if (strstr (xml, rows[i].written) == NULL)
      fail_msg ("%s", xml);
    stop (&host);
    host_close (&host);
  }
}

static void
leases_are_written_for_the_name_service (void **state)
{
  g_autofree char *directory = g_build_filename (*state, "names", NULL);
  g_autofree char *leases = g_build_filename (*state, "names", "nr-vb1.status", NULL);
  g_autofree char *text = NULL, *file = NULL;
  g_autoptr (GError) error = NULL;
  News news = { 0 };
  NetworkWatch *watch;
  Host host;

  host_open (&host, *state, NAT);
  g_free (host.settings->lease_directory);
  host.settings->lease_directory = g_steal_pointer (&directory);
  start (&host);
  assert_true (g_file_get_contents (leases, &text, NULL, NULL));
  assert_string_equal (text, "[]");
  watch = network_watch_new (host.input.status, host.input.directory, note, &news);
  file = network_dnsmasq_leases_path (host.settings, UUID);
  assert_true (g_file_set_contents_full (file, "0 52:54:00:00:00:01 192.168.97.10 g1 *\n", -1,
                                         G_FILE_SET_CONTENTS_NONE, 0644, NULL));
  assert_true (run_main_loop_until (&news.happened));
  assert_int_equal (news.parts, NETWORK_PART_LEASES);
  network_watch_free (watch);
  network_status_unref (act_with (&host, UPDATE, NETWORK_PART_LEASES, &error));
  g_assert_no_error (error);
  g_free (g_steal_pointer (&text));
  assert_true (g_file_get_contents (leases, &text, NULL, NULL));
  assert_non_null (strstr (text, "\"ip-address\" : \"192.168.97.10\""));
  assert_non_null (strstr (text, "\"hostname\" : \"g1\""));
  stop (&host);
  assert_false (g_file_test (leases, G_FILE_TEST_EXISTS));
  host_close (&host);
}

int
main (int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    TEST (a_started_network_is_all_there_and_stopped_nothing_is),
    TEST (dnsmasq_has_no_rights_but_its_own),
    TEST (a_start_that_fails_leaves_nothing),
    TEST (without_dnsmasq_it_is_said),
    TEST (two_networks_do_not_share_a_subnet),
    TEST (a_start_that_was_killed_is_undone),
    TEST (what_runs_is_found_again),
    TEST (what_died_meanwhile_is_started_again),
    TEST (without_its_bridge_it_is_no_more),
    TEST (another_bridge_of_that_name_is_left_alone),
    TEST (the_end_of_dnsmasq_is_told_and_mended),
    TEST (a_flushed_packet_filter_is_told_and_mended),
    TEST (a_known_machine_is_read_again_and_a_range_is_a_new_process),
    TEST (a_change_that_fails_leaves_what_was),
    TEST (what_is_in_the_way_is_found),
    TEST (a_port_with_a_floor_has_a_class_of_its_own),
    TEST (the_functions_of_a_card_are_its_pool),
    TEST (leases_are_written_for_the_name_service),
  };

  if (argc == 5 && strcmp (argv[1], "--start") == 0)
    return be_killed (argv);
  if (geteuid () != 0 || unshare (CLONE_NEWNET) != 0) {
    print_message ("no network namespace of its own: skipped\n");
    return 77; /* meson: skipped */
  }
  link_set_up ("lo", TRUE, NULL);
  return cmocka_run_group_tests (tests, NULL, NULL);
}
