/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's document as a config of LXC, with the names that LXC has had since 3.0. A line is a key and a
 * value, and nothing can quote the end of one: what a document says with a line break in it is a loss, so
 * that no text of a document becomes a setting of its own. Words within a value are separated by blanks,
 * which lxc.mount.entry writes as fstab does and lxc.init.cmd in quotes.
 */
#include "targets/lxc/lxc-target.h"

#include "base/translate-mark.h"
#include "domain/devices/console.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"
#include "targets/container.h"

#include <string.h>

#define PTYS_MAX       1024 /* for what the container itself opens */
#define CPU_WEIGHT_MAX 10000

static const TargetPart parts[] = {
  CONTAINER_COMMON_PARTS,
  CARRIED ("on_poweroff"),
  CARRIED ("on_crash"),
  LOST ("devices/disk", "has no disks: share a block device by <hostdev mode='capabilities' type='storage'>"),
  CARRIED ("devices/filesystem/driver@format"),
  CARRIED ("devices/interface@type"),
  CARRIED ("devices/interface/mac"),
  CARRIED ("devices/interface/source"),
  NEEDLESS ("devices/interface/model"),
  CARRIED ("devices/interface/target"),
  CARRIED ("devices/interface/guest"),
  CARRIED ("devices/interface/ip"),
  CARRIED ("devices/interface/route"),
  CARRIED ("devices/interface/link"),
  CARRIED ("devices/interface/mtu"),
  LOST ("devices/interface/filterref", "filters no frames"),
  LOST ("devices/interface/bandwidth", "limits no card's speed"),
  CARRIED ("devices/console@type"),
  CARRIED ("devices/console/target"),
  CARRIED ("devices/console/source"),
  CARRIED ("devices/hostdev@mode"),
  CARRIED ("devices/hostdev@type"),
  CARRIED ("devices/hostdev/source"),
  { NULL, TARGET_LOST, NULL },
};

typedef struct {
  const DomainDef *def;
  const Container *container;
  GString *text;
  TargetLosses *losses;
} Config;

/* LXC takes blanks around a value away, and quotes at both its ends. */
static gboolean
can_be_said (const char *value)
{
  gsize length = strlen (value);

  if (length == 0)
    return FALSE;
  return strpbrk (value, "\r\n") == NULL && !g_ascii_isspace (value[0])
         && !g_ascii_isspace (value[length - 1])
         && (strchr ("'\"", value[0]) == NULL || value[length - 1] != value[0]);
}

/* A setting of @device, or with NULL of the domain, that @part says. */
static void
add (const Config *config, const Device *device, const char *part, const char *key, const char *value)
{
  if (!can_be_said (value))
    target_lose (config->losses, device, part,
                 "has no value that is empty, has a line break, or blanks or quotes at both ends");
  else
    g_string_append_printf (config->text, "%s = %s\n", key, value);
}

static void
add_number (const Config *config, const char *key, guint64 value)
{
  g_string_append_printf (config->text, "%s = %" G_GUINT64_FORMAT "\n", key, value);
}

/*
 * What is started.
 */

/* lxc.init.cmd is cut at each blank, and no quote keeps it from that. */
static void
append_word (const Config *config, GString *line, const char *word)
{
  if (*word == '\0' || strchr (word, ' ') != NULL)
    target_refuse (config->losses, NULL, "<os><initarg>",
                   "cannot start '%s': it has no word that is empty or has a blank", word);
  g_string_append_printf (line, "%s%s", line->len > 0 ? " " : "", word);
}

static void
add_command (const Config *config)
{
  const DomainOs *os = &config->def->os;
  g_autoptr (GString) line = g_string_new (NULL);

  append_word (config, line, os->init);
  for (guint i = 0; os->init_arguments != NULL && i < os->init_arguments->len; i++)
    append_word (config, line, g_ptr_array_index (os->init_arguments, i));
  add (config, NULL, "<os><init>", "lxc.init.cmd", line->str);
}

static void
add_account (const Config *config, const char *account, const char *part, const char *key)
{
  guint64 number;

  if (container_read_account (account, part, config->losses, &number))
    add_number (config, key, number);
}

static void
add_process (const Config *config)
{
  const DomainOs *os = &config->def->os;

  add_command (config);
  if (os->init_directory != NULL)
    add (config, NULL, "<os><initdir>", "lxc.init.cwd", os->init_directory);
  add_account (config, os->init_user, "<os><inituser>", "lxc.init.uid");
  add_account (config, os->init_group, "<os><initgroup>", "lxc.init.gid");
  for (guint i = 0; i < config->container->variables->len; i++) {
    const ContainerVariable *variable = g_ptr_array_index (config->container->variables, i);
    g_autofree char *value = g_strdup_printf ("%s=%s", variable->name, variable->value);

    add (config, NULL, "<os><initenv>", "lxc.environment", value);
  }
}

static void
add_accounts (const Config *config)
{
  for (guint i = 0; i < config->container->mappings->len; i++) {
    const ContainerMapping *mapping = g_ptr_array_index (config->container->mappings, i);

    g_string_append_printf (
        config->text, "lxc.idmap = %c %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
        mapping->is_group ? 'g' : 'u', mapping->start, mapping->target, mapping->count);
  }
}

/* With the policy 'deny' those that are left are named, and otherwise those that are taken. */
static void
add_capabilities (const Config *config)
{
  gboolean keeps = config->container->policy == CONTAINER_CAPABILITIES_DENY;
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; container_capability_names[i] != NULL; i++)
    if (container_has_capability (config->container, container_capability_names[i]) == keeps)
      g_string_append_printf (names, "%s%s", names->len > 0 ? " " : "", container_capability_names[i]);
  if (names->len > 0)
    add (config, NULL, "<features><capabilities>", keeps ? "lxc.cap.keep" : "lxc.cap.drop", names->str);
  else if (keeps)
    add (config, NULL, "<features><capabilities>", "lxc.cap.keep", "none");
}

/*
 * Limits, as the kernel's second version of control groups has them.
 */
static void
add_memory (const Config *config)
{
  const DomainMemtune *tune = &config->def->memtune;
  guint64 limit = container_memory_limit (config->def);

  add_number (config, "lxc.cgroup2.memory.max", limit * 1024);
  if (tune->soft_limit.set)
    add_number (config, "lxc.cgroup2.memory.high", tune->soft_limit.value * 1024);
  if (tune->swap_hard_limit.set && tune->swap_hard_limit.value >= limit)
    add_number (config, "lxc.cgroup2.memory.swap.max", (tune->swap_hard_limit.value - limit) * 1024);
  else if (tune->swap_hard_limit.set)
    target_lose (config->losses, NULL, "<memtune><swap_hard_limit>",
                 "has memory and swap together no less than memory");
}

static void
add_processors (const Config *config)
{
  const DomainCputune *tune = &config->def->cputune;
  const Number *period;
  const SignedNumber *quota = container_quota (config->def, &period);

  if (config->def->vcpu_cpuset != NULL)
    add (config, NULL, "<vcpu cpuset=>", "lxc.cgroup2.cpuset.cpus", config->def->vcpu_cpuset);
  if (tune->shares.set && tune->shares.value >= 1 && tune->shares.value <= CPU_WEIGHT_MAX)
    add_number (config, "lxc.cgroup2.cpu.weight", tune->shares.value);
  else if (tune->shares.set)
    target_lose (config->losses, NULL, "<cputune><shares>", "has weights of 1 to %d", CPU_WEIGHT_MAX);
  if (quota->set && quota->value > 0) {
    g_autofree char *value = g_strdup_printf ("%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT, quota->value,
                                              period->set ? period->value : 100000);

    add (config, NULL, "<cputune><quota>", "lxc.cgroup2.cpu.max", value);
  }
}

static void
add_limits (const Config *config)
{
  const DomainDef *def = config->def;

  add_memory (config);
  add_processors (config);
  if (def->numatune.memory != NULL && def->numatune.memory->nodeset != NULL)
    add (config, NULL, "<numatune><memory nodeset=>", "lxc.cgroup2.cpuset.mems",
         def->numatune.memory->nodeset);
  if (def->blkiotune.weight.set && def->blkiotune.weight.value > 0) {
    g_autofree char *value = g_strdup_printf ("default %" G_GUINT64_FORMAT, def->blkiotune.weight.value);

    add (config, NULL, "<blkiotune><weight>", "lxc.cgroup2.io.weight", value);
  }
}

/*
 * Files.
 */
static const char *
find_source (const DeviceFilesystem *filesystem)
{
  switch (filesystem->type) {
    case FILESYSTEM_TYPE_NONE:
    case FILESYSTEM_MOUNT:
    case FILESYSTEM_BIND:
      return filesystem->source_dir;
    case FILESYSTEM_BLOCK:
      return filesystem->source_dev;
    case FILESYSTEM_FILE:
      return filesystem->source_file;
    default:
      return NULL;
  }
}

static void
add_root (const Config *config, const DeviceFilesystem *filesystem)
{
  const char *source = find_source (filesystem);
  g_autofree char *value = NULL;

  if (source == NULL) {
    target_refuse (config->losses, &filesystem->device,
                   "type=", "takes a directory, a block device or an image file for its root");
    return;
  }
  value = g_strdup_printf ("%s:%s", filesystem->type == FILESYSTEM_FILE ? "loop" : "dir", source);
  add (config, &filesystem->device, "<source>", "lxc.rootfs.path",
       filesystem->type == FILESYSTEM_BLOCK ? source : value);
  if (filesystem->readonly)
    add (config, NULL, NULL, "lxc.rootfs.options", "ro");
}

/* A field of fstab. */
static void
append_field (GString *line, const char *text)
{
  for (const char *next = text; *next != '\0'; next++)
    if (*next == ' ' || *next == '\t' || *next == '\\')
      g_string_append_printf (line, "\\%03o", (guint)(guchar)*next);
    else
      g_string_append_c (line, *next);
}

static void
add_mount (const Config *config, const DeviceFilesystem *filesystem)
{
  const char *source = filesystem->type == FILESYSTEM_RAM ? "tmpfs" : find_source (filesystem);
  gboolean is_bind = filesystem->type == FILESYSTEM_MOUNT || filesystem->type == FILESYSTEM_BIND;
  g_autoptr (GString) line = g_string_new (NULL);
  const char *target = filesystem->target;
  guint64 unit = 1;

  if (source == NULL || target == NULL || target[0] != '/' || filesystem->type == FILESYSTEM_FILE) {
    target_lose (config->losses, &filesystem->device, NULL,
                 "mounts directories, block devices and memory, at a path from '/'");
    return;
  }
  append_field (line, source);
  g_string_append_c (line, ' ');
  append_field (line, target + strspn (target, "/"));
  g_string_append (line, is_bind                              ? " none bind"
                         : filesystem->type == FILESYSTEM_RAM ? " tmpfs nodev"
                                                              : " auto nodev");
  if (filesystem->readonly)
    g_string_append (line, ",ro");
  if (filesystem->type == FILESYSTEM_RAM && filesystem->source_usage != NULL
      && size_unit (filesystem->source_units, 1024, &unit))
    g_string_append_printf (line, ",size=%" G_GUINT64_FORMAT,
                            g_ascii_strtoull (filesystem->source_usage, NULL, 10) * unit);
  g_string_append (line, ",create=dir 0 0");
  add (config, &filesystem->device, "<target>", "lxc.mount.entry", line->str);
}

static void
add_filesystems (const Config *config)
{
  gboolean has_root = FALSE;

  DOMAIN_FOREACH_DEVICE (config->def, filesystem_kind, DeviceFilesystem, filesystem) {
    if (filesystem->driver != FILESYSTEM_DRIVER_NONE && filesystem->driver != FILESYSTEM_DRIVER_PATH
        && filesystem->driver != FILESYSTEM_DRIVER_LOOP)
      target_lose (config->losses, &filesystem->device, "<driver type=>", "mounts by the kernel alone");
    else if (container_is_root (filesystem) && !has_root)
      add_root (config, filesystem);
    else if (!container_is_root (filesystem))
      add_mount (config, filesystem);
    else
      target_lose (config->losses, &filesystem->device, "<target dir=>", "has one root");
    has_root = has_root || container_is_root (filesystem);
  }
  add (config, NULL, NULL, "lxc.mount.auto", "proc:mixed sys:mixed cgroup:mixed");
}

/*
 * The network.
 */
typedef struct {
  const Config *config;
  guint index;
} Card;

static void
add_to_card (const Card *card, const Device *device, const char *part, const char *key, const char *value)
{
  g_autofree char *name = g_strdup_printf ("lxc.net.%u.%s", card->index, key);

  if (value != NULL)
    add (card->config, device, part, name, value);
}

/* The type of a card and what it is plugged into. FALSE, and it is lost, where LXC has none. */
static gboolean
add_card_type (const Card *card, const DeviceInterface *interface)
{
  const Device *device = &interface->device;

  switch (interface->type) {
    case INTERFACE_BRIDGE:
    case INTERFACE_ETHERNET:
      add_to_card (card, device, NULL, "type", "veth");
      add_to_card (card, device, "<source bridge=>", "link", interface->bridge);
      add_to_card (card, device, "<target dev=>", "veth.pair", interface->target_dev);
      return TRUE;
    case INTERFACE_DIRECT:
      add_to_card (card, device, NULL, "type", "macvlan");
      add_to_card (card, device, "<source dev=>", "link", interface->source_dev);
      add_to_card (card, device, "<source mode=>", "macvlan.mode", interface->source_mode);
      return TRUE;
    case INTERFACE_NETWORK:
      target_lose (card->config->losses, device, "<source network=>",
                   "is plugged into a bridge, and has to know which: <interface type='bridge'>");
      return FALSE;
    default:
      target_lose (card->config->losses, device,
                   "type=", "has the types 'bridge', 'direct' and 'ethernet' only");
      return FALSE;
  }
}

static gboolean
is_ipv6 (const char *address)
{
  return strchr (address, ':') != NULL;
}

static void
add_card_addresses (const Card *card, const DeviceInterface *interface)
{
  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);
    g_autofree char *value = ip->prefix.set ? g_strdup_printf ("%s/%u", ip->address, (guint)ip->prefix.value)
                                            : g_strdup (ip->address);

    if (ip->address != NULL)
      add_to_card (card, &interface->device, "<ip>", is_ipv6 (ip->address) ? "ipv6.address" : "ipv4.address",
                   value);
  }
  for (guint i = 0; interface->routes != NULL && i < interface->routes->len; i++) {
    const InterfaceRoute *route = g_ptr_array_index (interface->routes, i);
    gboolean is_default = route->address != NULL && route->gateway != NULL
                          && (g_str_equal (route->address, "0.0.0.0") || g_str_equal (route->address, "::"))
                          && route->prefix.value == 0;

    if (is_default)
      add_to_card (card, &interface->device, "<route>",
                   is_ipv6 (route->gateway) ? "ipv6.gateway" : "ipv4.gateway", route->gateway);
    else
      target_lose (card->config->losses, &interface->device, "<route>", "has a gateway, and no other routes");
  }
}

static gboolean
add_card (const Card *card, const DeviceInterface *interface)
{
  if (!add_card_type (card, interface))
    return FALSE;
  if (interface->link != LINK_DOWN)
    add_to_card (card, NULL, NULL, "flags", "up");
  add_to_card (card, &interface->device, "<mac>", "hwaddr", interface->mac);
  add_to_card (card, &interface->device, "<guest dev=>", "name", interface->guest_dev);
  if (interface->mtu.set) {
    g_autofree char *mtu = g_strdup_printf ("%" G_GUINT64_FORMAT, interface->mtu.value);

    add_to_card (card, NULL, NULL, "mtu", mtu);
  }
  add_card_addresses (card, interface);
  return TRUE;
}

/* A card of the host's own that moves into the container. */
static void
add_host_card (const Card *card, const DeviceHostdev *hostdev)
{
  add_to_card (card, NULL, NULL, "type", "phys");
  add_to_card (card, &hostdev->device, "<source><interface>", "link", hostdev->net_device);
  add_to_card (card, NULL, NULL, "flags", "up");
}

static gboolean
shares_network (const Config *config)
{
  for (guint i = 0; i < config->container->shares->len; i++)
    if (g_str_equal (((const ContainerShare *)g_ptr_array_index (config->container->shares, i))->kind, "net"))
      return TRUE;
  return FALSE;
}

static void
add_network (const Config *config)
{
  Card card = { config, 0 };

  DOMAIN_FOREACH_DEVICE (config->def, interface_kind, DeviceInterface, interface) {
    card.index += add_card (&card, interface) ? 1 : 0;
  }
  DOMAIN_FOREACH_DEVICE (config->def, hostdev_kind, DeviceHostdev, hostdev) {
    if (hostdev->type == HOSTDEV_NET && hostdev->net_device != NULL) {
      add_host_card (&card, hostdev);
      card.index++;
    }
  }
  if (card.index == 0
      && !shares_network (config)) /* libvirt's are then the host's, unless the document says no */
    add (config, NULL, NULL, "lxc.net.0.type", config->def->features.privnet ? "empty" : "none");
  for (guint i = 0; i < config->container->shares->len; i++) {
    const ContainerShare *share = g_ptr_array_index (config->container->shares, i);
    g_autofree char *key = g_strdup_printf ("lxc.namespace.share.%s", share->kind);
    g_autofree char *value = g_str_equal (share->type, "netns")
                                 ? g_build_filename ("/run/netns", share->value, NULL)
                                 : g_strdup (share->value);

    add (config, NULL, "<lxc:namespace>", key, value);
  }
}

/*
 * The host's devices, and terminals.
 */
static void
add_hostdev (const Config *config, const DeviceHostdev *hostdev)
{
  const char *node = hostdev->block != NULL ? hostdev->block : hostdev->character;
  g_autoptr (GString) line = g_string_new (NULL);

  if (hostdev->type == HOSTDEV_NET)
    return; /* among the cards */
  if (hostdev->mode != HOSTDEV_CAPABILITIES || node == NULL || node[0] != '/') {
    target_lose (
        config->losses, &hostdev->device, NULL,
        "has devices of the host by their nodes: mode='capabilities' of type 'storage', 'misc' or 'net'");
    return;
  }
  append_field (line, node);
  g_string_append_c (line, ' ');
  append_field (line, node + strspn (node, "/"));
  g_string_append (line, " none bind,create=file 0 0");
  add (config, &hostdev->device, "<source>", "lxc.mount.entry", line->str);
}

static void
add_terminals (const Config *config)
{
  guint terminals = 0;

  DOMAIN_FOREACH_DEVICE (config->def, console_kind, DeviceConsole, console) {
    if (console->source.type != CHARDEV_PTY && console->source.type != CHARDEV_NONE)
      target_lose (config->losses, &console->device, "type=", "has consoles of the type 'pty' only");
    else
      terminals++;
  }
  add_number (config, "lxc.tty.max", terminals);
  add_number (config, "lxc.pty.max", PTYS_MAX);
}

static void
check_domain (const DomainDef *def, TargetLosses *losses)
{
  container_check (def, losses);
  if (def->on_poweroff != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_poweroff>", "ends with its first process");
  if (def->on_reboot != ON_EVENT_RESTART)
    target_lose (losses, NULL, "<on_reboot>", "starts a container again that reboots");
  if (def->on_crash != ON_EVENT_DESTROY)
    target_lose (losses, NULL, "<on_crash>", "ends with its first process");
}

static gboolean
lxc_translate (const TargetRequest *request, TargetConfig *result, TargetLosses *losses,
               GError **error G_GNUC_UNUSED)
{
  g_autoptr (Container) container = container_read (request->def);
  const Config config = { request->def, container, g_string_new (NULL), losses };

  check_domain (request->def, losses);
  add (&config, NULL, "<name>", "lxc.uts.name", request->def->name);
  if (request->def->os.arch != NULL)
    add (&config, NULL, "<os><type arch=>", "lxc.arch", request->def->os.arch);
  if (request->def->os.init != NULL)
    add_process (&config);
  add_filesystems (&config);
  add_network (&config);
  add_accounts (&config);
  add_capabilities (&config);
  add_limits (&config);
  DOMAIN_FOREACH_DEVICE (request->def, hostdev_kind, DeviceHostdev, hostdev) {
    add_hostdev (&config, hostdev);
  }
  add_terminals (&config);
  target_config_add_file (result, "config", g_string_free (config.text, FALSE));
  return TRUE;
}

static gboolean
lxc_recognize (const char *file_name G_GNUC_UNUSED, const char *text)
{
  static const char *const beginnings[] = { "lxc.", "\nlxc." };

  return g_str_has_prefix (text, beginnings[0]) || strstr (text, beginnings[1]) != NULL;
}

const Target lxc_target = {
  .name = "lxc",
  .native_name = "lxc-tools",
  .title = "LXC",
  .summary = N_ ("a container's config for lxc-start"),
  .parts = parts,
  .translate = lxc_translate,
  .recognize = lxc_recognize,
  .import = lxc_import,
};
