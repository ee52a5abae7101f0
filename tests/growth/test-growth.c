/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Work that grows faster than its input: a document is made twice and four times as long in one dimension,
 * and the steps of each thing that is done with it are counted. What is linear adds twice as many steps the
 * second time as the first, what is quadratic four times.
 */
#include "document/source-edit.h"
#include "domain/abi.h"
#include "domain/domain-def.h"
#include "steps.h"
#include "targets/qemu/recipe.h"

#include "cmocka-glib.h"

#include <string.h>

#define MOST_GROWTH 3.0    /* of what is added to what was added before: n·log(n) has at most 2.5 */
#define FEW_STEPS   100000 /* that are added: less is noise of tables that are made once */
#define LETTERS     26

/* {n}: the number of the part, {name}: the same in letters, {mac}: in bytes. */
typedef struct {
  const char *name;
  guint count;                       /* of the parts in the shortest document */
  const char *top;                   /* instead of the default beginning; NULL */
  const char *before, *part, *after; /* inside of it */
} Dimension;

#define TOP                                                  \
  "<domain type='qemu'><name>g</name><memory>65536</memory>" \
  "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
#define DEVICES "<devices>"
#define END     "</devices>"

static const Dimension dimensions[] = {
  { "unknown elements", 250, NULL, "", "<x{n}/>", "" },
  { "one element again and again", 250, NULL, "", "<title>{n}</title>", "" },
  { "comments", 1000, NULL, "", "<!-- {n} -->", "" },
  { "lines", 1000, NULL, "", "\n", "" },
  { "text", 1000, NULL, "<description>", "words {n} ", "</description>" },
  { "metadata", 250, NULL, "<metadata><a:a xmlns:a='http://a/'>", "<a:b c='{n}'/>", "</a:a></metadata>" },
  { "CPU features", 40, NULL, "<cpu mode='custom'><model>qemu64</model>",
    "<feature name='f{n}' policy='disable'/>", "</cpu>" },
  { "OEM strings", 250, NULL, "<sysinfo type='smbios'><oemStrings>", "<entry>{n}</entry>",
    "</oemStrings></sysinfo>" },
  { "labels", 250, NULL, "", "<seclabel type='dynamic' model='m{n}' relabel='yes'/>", "" },
  { "I/O threads", 250, NULL, "<iothreads>1</iothreads><iothreadids>", "<iothread id='{n}'/>",
    "</iothreadids>" },
  { "pins", 50, NULL, "<vcpu>200</vcpu><cputune>", "<vcpupin vcpu='{n}' cpuset='0'/>", "</cputune>" },
  { "vCPUs", 50, NULL, "<vcpu>200</vcpu><vcpus>", "<vcpu id='{zero}' enabled='yes' hotpluggable='no'/>",
    "</vcpus>" },
  { "QEMU arguments", 250,
    "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' type='qemu'>"
    "<name>g</name><memory>65536</memory>"
    "<os><type arch='x86_64' machine='pc'>hvm</type></os>",
    "<qemu:commandline>", "<qemu:arg value='-x{n}'/>", "</qemu:commandline>" },
  { "virtio disks", 250, NULL, DEVICES,
    "<disk type='file'><source file='/d/{n}'/><target dev='vd{name}' bus='virtio'/></disk>", END },
  { "SCSI disks", 250, NULL, DEVICES,
    "<disk type='file'><source file='/d/{n}'/><target dev='sd{name}' bus='scsi'/></disk>", END },
  { "images below", 12, NULL, DEVICES "<disk type='file'><source file='/d'/><target dev='vda' bus='virtio'/>",
    "<backingStore type='file'><format type='qcow2'/><source file='/d/{n}'/>", NULL },
  { "network cards", 250, NULL, DEVICES, "<interface type='user'><model type='virtio'/></interface>", END },
  { "MAC addresses", 250, NULL, DEVICES, "<interface type='user'><mac address='{mac}'/></interface>", END },
  { "controllers", 250, NULL, DEVICES, "<controller type='scsi' index='{n}' model='virtio-scsi'/>", END },
  { "controllers without an index", 250, NULL, DEVICES, "<controller type='scsi' model='virtio-scsi'/>",
    END },
  { "drives at one place", 250, NULL, DEVICES,
    "<disk type='file'><source file='/d/{n}'/><target dev='sd{name}' bus='scsi'/>"
    "<address type='drive' controller='0' bus='0' target='0' unit='1'/></disk>",
    END },
  { "boot orders", 250, NULL, DEVICES, "<interface type='user'><boot order='{n}'/></interface>", END },
  { "consoles", 250, NULL, DEVICES, "<console type='pty'><target type='virtio'/></console>", END },
  { "USB hubs", 250, NULL, DEVICES, "<hub type='usb'/>", END },
  { "PCI host devices", 250, NULL, DEVICES,
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='{bus}' slot='{slot}' "
    "function='0'/>"
    "</source></hostdev>",
    END },
  { "sound cards", 250, NULL, DEVICES, "<sound model='ich6'/>", END },
  { "video cards", 250, NULL, DEVICES, "<video><model type='virtio'/></video>", END },
  { "redirected devices", 250, NULL, DEVICES, "<redirdev bus='usb' type='spicevmc'/>", END },
  { "audio back-ends", 250, NULL, DEVICES, "<audio id='{n}' type='none'/>", END },
  { "NUMA cells", 50, NULL, "<vcpu>200</vcpu><cpu><numa>", "<cell id='{zero}' cpus='{zero}' memory='1024'/>",
    "</numa></cpu>" },
  { "PCI bridges", 40, NULL, DEVICES "<controller type='pci' index='0' model='pci-root'/>",
    "<controller type='pci' index='{n}' model='pci-bridge'/>", END },
  { "ports", 50,
    "<domain type='qemu'><name>g</name><memory>65536</memory>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os>",
    DEVICES "<controller type='pci' index='0' model='pcie-root'/>",
    "<controller type='pci' index='{n}' model='pcie-root-port'/>", END },
  { "channels", 250, NULL, DEVICES, "<channel type='unix'><target type='virtio' name='org.x.{n}'/></channel>",
    END },
  { "serial lines", 250, NULL, DEVICES, "<serial type='pty'/>", END },
  { "random generators", 250, NULL, DEVICES,
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", END },
  { "aliases", 250, NULL, DEVICES,
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-{n}'/></rng>", END },
  { "PCI addresses", 200, NULL, DEVICES,
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
    "<address type='pci' bus='{bus}' slot='{slot}'/></rng>",
    END },
  { "USB devices", 250, NULL, DEVICES "<controller type='usb' model='qemu-xhci' ports='15'/>",
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x{hex}'/><product "
    "id='0x1'/></source></hostdev>",
    END },
  { "directories", 250, NULL, DEVICES,
    "<filesystem type='mount'><source dir='/x'/><target dir='t{n}'/></filesystem>", END },
  { "displays", 250, NULL, DEVICES, "<graphics type='vnc' port='{port}'/>", END },
  { "shared memory", 250, NULL, DEVICES, "<shmem name='s{n}'><size unit='M'>4</size></shmem>", END },
  { "leases", 250, NULL, DEVICES, "<lease><lockspace>a</lockspace><key>{n}</key><target path='/x'/></lease>",
    END },
};

/* A document. */

static char *
letters_of (guint number)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (guint rest = number + 1; rest > 0; rest = (rest - 1) / LETTERS)
    g_string_prepend_c (name, (char)('a' + (rest - 1) % LETTERS));
  return g_string_free (g_steal_pointer (&name), FALSE);
}

static void
add_part (GString *text, const char *part, guint number)
{
  g_autofree char *letters = letters_of (number), *count = g_strdup_printf ("%u", number + 1);
  g_autofree char *zero = g_strdup_printf ("%u", number);
  g_autofree char *mac = g_strdup_printf ("52:54:00:00:%02x:%02x", number / 256, number % 256);
  g_autofree char *bus = g_strdup_printf ("%u", number / 31 + 1),
                  *slot = g_strdup_printf ("%u", number % 31 + 1);
  g_autofree char *hex = g_strdup_printf ("%04x", number + 1), *port = g_strdup_printf ("%u", number + 5900);
  const struct {
    const char *token, *value;
  } values[] = { { "{n}", count },   { "{name}", letters }, { "{mac}", mac }, { "{bus}", bus },
                 { "{zero}", zero }, { "{slot}", slot },    { "{hex}", hex }, { "{port}", port } };
  g_autoptr (GString) one = g_string_new (part);

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_string_replace (one, values[i].token, values[i].value, 0);
  g_string_append (text, one->str);
}

static char *
make_document (const Dimension *dimension, guint count)
{
  GString *text = g_string_new (dimension->top != NULL ? dimension->top : TOP);

  g_string_append (text, dimension->before);
  for (guint i = 0; i < count; i++)
    add_part (text, dimension->part, i);
  if (dimension->after != NULL)
    g_string_append (text, dimension->after);
  else {
    for (guint i = 0; i < count; i++)
      g_string_append (text, "</backingStore>");
    g_string_append (text, "</disk>" END);
  }
  g_string_append (text, "</domain>");
  return g_string_free (text, FALSE);
}

/* What is done with it. */

enum { READ, EDIT, WRITE, COPY, COMPARE, NAME, TRANSLATE, ACTS };
static const char *const acts[] = { "reading",   "editing", "writing",    "copying",
                                    "comparing", "naming",  "translating" };

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

static void
translate (const DomainDef *def)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  const RecipeHost host = {
    .run_directory = "/r", .state_directory = "/s", .paused = TRUE, .monitor_fd = -1
  };
  g_autoptr (Recipe) recipe = recipe_new (def, caps, &host, RECIPE_BY_PATH);
  g_auto (GStrv) argv = NULL;

  if (recipe_add_domain (recipe, NULL))
    argv = recipe_to_argv (recipe);
  else
    recipe_check (recipe, NULL, NULL, NULL);
}

static void
count_step (guint64 counted[ACTS], guint act)
{
  counted[act] = steps;
  steps = 0;
}

static void
handle (const Platform *platform, const char *text, guint64 counted[ACTS])
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = NULL, copy = NULL;
  g_autofree char *xml = NULL, *mistakes = NULL, *edited = NULL;

  memset (counted, 0, ACTS * sizeof *counted);
  steps = 0;
  def = domain_def_parse (text, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  mistakes = diagnostics_to_text (diagnostics);
  count_step (counted, READ);
  edited = source_edit (text, "title", "<title>another</title>", NULL);
  count_step (counted, EDIT);
  if (def == NULL)
    return;
  xml = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  count_step (counted, WRITE);
  copy = domain_def_copy (def);
  count_step (counted, COPY);
  domain_abi_check (def, copy, NULL);
  count_step (counted, COMPARE);
  domain_def_assign_aliases (def);
  count_step (counted, NAME);
  translate (def);
  count_step (counted, TRANSLATE);
}

static void
work_grows_as_its_input (G_GNUC_UNUSED void **state)
{
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (GString) fast = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (dimensions); i++) {
    guint64 counted[3][ACTS];

    for (guint size = 0; size < 3; size++) {
      g_autofree char *text = make_document (&dimensions[i], dimensions[i].count << size);

      handle (platform, text, counted[size]);
    }
    for (guint act = 0; act < ACTS; act++) {
      double first = (double)counted[1][act] - (double)counted[0][act];
      double second = (double)counted[2][act] - (double)counted[1][act];

      if (second > FEW_STEPS && second > MOST_GROWTH * first)
        g_string_append_printf (fast, "\n%s of %s: %.0f steps more, then %.0f", acts[act], dimensions[i].name,
                                first, second);
    }
  }
  qemu_platform_free (platform);
  if (fast->len > 0)
    fail_msg ("%s", fast->str);
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (work_grows_as_its_input) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
