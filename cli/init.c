/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl init`: a new machine's document, to be kept in git. It is plain and short: what an operating system
 * needs (osinfo.h) and what the words of the command ask for is in it, all else is left to completion. What
 * was chosen, and why, goes to standard error, line by line.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/init-like.h"
#include "cli/osinfo.h"
#include "cli/table.h"
#include "cli/virt-type.h"
#include "config.h"
#include "daemon/drivers/qemu/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static char *os_word, *disk_word, *iso_file, *image_file, *memory_word, *key_word, *user_word, *virt_word,
    *network_word, *output_file, *like_word;
static int cpus;
static gboolean list_systems;

#define STATE_DIRECTORY "/var/lib/domaind"

#define MIB (G_GINT64_CONSTANT (1) << 20)
#define GIB (G_GINT64_CONSTANT (1) << 30)

#define MEMORY_USUAL (2 * GIB) /* where nobody says */
#define DISK_USUAL   (20 * GIB)
#define CPUS_USUAL   2

typedef struct {
  const char *name;
  const OsFacts *os;
  char *arch;
  gint64 memory, disk; /* bytes */
  int cpus;
  gboolean is_session, kvm, windows, efi, secure;
  char *image, *seed, *key; /* paths of its files; the line of an SSH key, or NULL */
  GString *xml;
} Plan;

static void chose (const char *what, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
chose (const char *what, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list values;

  va_start (values, format);
  text = g_strdup_vprintf (format, values);
  va_end (values);
  fprintf (stderr, "%s: %s\n", what, text);
}

static void put (Plan *plan, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A line of the document; every value in it is escaped. */
static void
put (Plan *plan, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list values;

  va_start (values, format);
  text = g_markup_vprintf_escaped (format, values);
  va_end (values);
  g_string_append (plan->xml, text);
  g_string_append_c (plan->xml, '\n');
}

/* Sizes: "40G", "512M", "2T", "4GiB". -1: it is none. */
static gint64
parse_size (const char *word)
{
  static const char letters[] = "KMGT";
  char *end;
  guint64 value = g_ascii_strtoull (word, &end, 10);
  const char *letter;

  if (end == word || value == 0 || value > G_MAXUINT32 || *end == '\0')
    return -1;
  letter = strchr (letters, g_ascii_toupper (*end));
  if (letter == NULL || (end[1] != '\0' && g_ascii_strcasecmp (end + 1, "iB") != 0))
    return -1;
  return (gint64)(value << (10 * (letter - letters + 1)));
}

/* FALSE after an error was printed. */
static gboolean
take_size (const char *option, const char *word, gint64 *ret)
{
  if (word == NULL)
    return TRUE;
  *ret = parse_size (word);
  if (*ret < 0)
    command_error (_ ("--%s: '%s' is no size: expected a number with M, G or T, such as 40G"), option, word);
  return *ret >= 0;
}

/* The document. */

static void
put_policy (Plan *plan)
{
  put (plan, "    <policy xmlns='https://domaind.org/xmlns/policy/1'>");
  put (plan, "      <disk target='%s'>", plan->os->has_driver[OS_DISK] ? "vda" : "sda");
  put (plan, "        <size unit='GiB'>%" G_GINT64_FORMAT "</size>", (plan->disk + GIB - 1) / GIB);
  if (image_file != NULL) {
    g_autofree char *base = g_canonicalize_filename (image_file, NULL);

    put (plan, "        <base file='%s'/>", base);
  }
  put (plan, "      </disk>");
  if (plan->key != NULL) {
    const char *user = user_word != NULL ? user_word : plan->os->cloud_user;

    if (user != NULL)
      put (plan, "      <seed target='sdb' hostName='%s' user='%s'>", plan->name, user);
    else
      put (plan, "      <seed target='sdb' hostName='%s'>", plan->name);
    put (plan, "        <sshKey>%s</sshKey>", plan->key);
    put (plan, "      </seed>");
    chose ("seed", _ ("cloud-init lets that key in%s%s"), user != NULL ? _ (" as user ") : "",
           user != NULL ? user : "");
  }
  put (plan, "    </policy>");
}

static void
put_metadata (Plan *plan)
{
  put (plan, "  <metadata>");
  put (plan, "    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>");
  put (plan, "      <libosinfo:os id='%s'/>", plan->os->id);
  put (plan, "    </libosinfo:libosinfo>");
  put_policy (plan);
  put (plan, "  </metadata>");
}

static void
put_firmware (Plan *plan)
{
  const char *machine = g_str_equal (plan->arch, "x86_64") ? "q35" : "virt";

  put (plan, plan->efi ? "  <os firmware='efi'>" : "  <os>");
  put (plan, "    <type arch='%s' machine='%s'>hvm</type>", plan->arch, machine);
  if (plan->secure) {
    put (plan, "    <firmware>");
    put (plan, "      <feature enabled='yes' name='secure-boot'/>");
    put (plan, "      <feature enabled='yes' name='enrolled-keys'/>");
    put (plan, "    </firmware>");
  }
  put (plan, "  </os>");
  if (plan->os->needs_efi)
    chose (_ ("firmware"), _ ("UEFI: %s starts with no other"), plan->os->title);
  else
    chose (_ ("firmware"),
           plan->efi ? _ ("UEFI: %s starts with it") : _ ("BIOS: nothing else is known of %s"),
           plan->os->title);
  if (plan->secure)
    chose (_ ("firmware"), _ ("Secure Boot with the vendor's keys: %s asks for it"), plan->os->title);
}

static void
put_features (Plan *plan)
{
  gboolean is_pc = g_str_equal (plan->arch, "x86_64");

  put (plan, "  <features>");
  put (plan, "    <acpi/>");
  if (is_pc)
    put (plan, "    <apic/>");
  if (plan->windows && plan->kvm) {
    put (plan, "    <hyperv mode='custom'>");
    put (plan, "      <relaxed state='on'/>");
    put (plan, "      <vapic state='on'/>");
    put (plan, "      <spinlocks state='on' retries='8191'/>");
    put (plan, "    </hyperv>");
  }
  if (plan->secure)
    put (plan, "    <smm state='on'/>");
  put (plan, "  </features>");
  put (plan, "  <cpu mode='%s'/>", plan->kvm ? "host-passthrough" : "maximum");
  if (!plan->windows) {
    put (plan, "  <clock offset='utc'/>");
    return;
  }
  put (plan, "  <clock offset='localtime'>");
  put (plan, "    <timer name='rtc' tickpolicy='catchup'/>");
  put (plan, "    <timer name='pit' tickpolicy='delay'/>");
  put (plan, "    <timer name='hpet' present='no'/>");
  if (plan->kvm)
    put (plan, "    <timer name='hypervclock' present='yes'/>");
  put (plan, "  </clock>");
  chose (_ ("clock"), _ ("local time, and Hyper-V's enlightenments where KVM has them: it is Windows"));
}

static void
put_disks (Plan *plan)
{
  gboolean virtio = plan->os->has_driver[OS_DISK];

  put (plan, "    <disk type='file' device='disk'>");
  put (plan, "      <driver name='qemu' type='qcow2' discard='unmap'/>");
  put (plan, "      <source file='%s'/>", plan->image);
  put (plan, "      <target dev='%s' bus='%s'/>", virtio ? "vda" : "sda", virtio ? "virtio" : "sata");
  put (plan, "      <boot order='1'/>");
  put (plan, "    </disk>");
  chose (_ ("disk"),
         virtio ? _ ("virtio, as it has a driver: %s") : _ ("SATA, as it has no driver for virtio: %s"),
         plan->image);
  if (iso_file != NULL) {
    g_autofree char *iso = g_canonicalize_filename (iso_file, NULL);

    put (plan, "    <disk type='file' device='cdrom'>");
    put (plan, "      <driver name='qemu' type='raw'/>");
    put (plan, "      <source file='%s'/>", iso);
    put (plan, "      <target dev='%s' bus='sata'/>", virtio ? "sda" : "sdc");
    put (plan, "      <readonly/>");
    put (plan, "      <boot order='2'/>");
    put (plan, "    </disk>");
    chose (_ ("boot"), _ ("the disk, and the CD-ROM while the disk is empty"));
  }
  if (plan->key != NULL) {
    put (plan, "    <disk type='file' device='cdrom'>");
    put (plan, "      <driver name='qemu' type='raw'/>");
    put (plan, "      <source file='%s'/>", plan->seed);
    put (plan, "      <target dev='sdb' bus='sata'/>");
    put (plan, "      <readonly/>");
    put (plan, "    </disk>");
  }
}

static const char *
network_model (const Plan *plan)
{
  if (plan->os->has_driver[OS_NETWORK])
    return "virtio";
  return plan->os->has_driver[OS_E1000E] || plan->windows ? "e1000e" : "e1000";
}

static void
put_network (Plan *plan)
{
  g_autofree char *passt = NULL;

  if (plan->is_session && network_word == NULL) {
    put (plan, "    <interface type='user'>");
    passt = g_find_program_in_path ("passt");
    chose (_ ("network"), _ ("the user's own, as a session's daemon has no rights on bridges"));
  } else {
    const char *network = network_word != NULL ? network_word : "default";

    put (plan, "    <interface type='network'>");
    put (plan, "      <source network='%s'/>", network);
    chose (_ ("network"), _ ("'%s' (domctl net-list); --network takes another"), network);
  }
  put (plan, "      <model type='%s'/>", network_model (plan));
  if (passt != NULL)
    put (plan, "      <backend type='passt'/>");
  put (plan, "    </interface>");
}

static void
put_devices (Plan *plan)
{
  const gboolean *has = plan->os->has_driver;

  put (plan, "  <devices>");
  put_disks (plan);
  put (plan, "    <controller type='usb' model='qemu-xhci'/>");
  put_network (plan);
  put (plan, "    <console type='pty'/>");
  put (plan, "    <channel type='unix'>");
  put (plan, "      <target type='virtio' name='org.qemu.guest_agent.0'/>");
  put (plan, "    </channel>");
  put (plan, "    <input type='tablet' bus='usb'/>");
  if (plan->secure) {
    put (plan, "    <tpm model='tpm-crb'>");
    put (plan, "      <backend type='emulator' version='2.0'/>");
    put (plan, "    </tpm>");
    chose ("TPM", _ ("2.0, emulated: %s asks for it"), plan->os->title);
  }
  put (plan, "    <graphics type='vnc'/>");
  put (plan, "    <video>");
  put (plan, "      <model type='%s'/>", has[OS_VIDEO] ? "virtio" : "vga");
  put (plan, "    </video>");
  put (plan, "    <memballoon model='%s'/>", has[OS_BALLOON] ? "virtio" : "none");
  if (has[OS_RNG]) {
    put (plan, "    <rng model='virtio'>");
    put (plan, "      <backend model='random'>/dev/urandom</backend>");
    put (plan, "    </rng>");
  }
  put (plan, "  </devices>");
  chose (
      _ ("devices"),
      _ ("network card %s, video %s, balloon %s, random numbers %s; a channel for the guest's agent, and a "
         "tablet, so that the pointer is where it is"),
      network_model (plan), has[OS_VIDEO] ? "virtio" : "vga", has[OS_BALLOON] ? "virtio" : "none",
      has[OS_RNG] ? "virtio" : "none");
}

static void
put_document (Plan *plan)
{
  put (plan, "<domain type='%s'>", plan->kvm ? "kvm" : "qemu");
  put (plan, "  <name>%s</name>", plan->name);
  put_metadata (plan);
  put (plan, "  <memory unit='MiB'>%" G_GINT64_FORMAT "</memory>", plan->memory / MIB);
  put (plan, "  <vcpu>%d</vcpu>", plan->cpus);
  put_firmware (plan);
  put_features (plan);
  put_devices (plan);
  put (plan, "</domain>");
}

/* The choices that come before. */

static char *
read_key (GError **error)
{
  g_autofree char *text = NULL;

  if (g_str_has_prefix (key_word, "ssh-") || g_str_has_prefix (key_word, "ecdsa-")
      || strchr (key_word, ' ') != NULL)
    return g_strdup (key_word);
  if (!g_file_get_contents (key_word, &text, NULL, error))
    return NULL;
  text[strcspn (text, "\n")] = '\0';
  if (strstr (text, "PRIVATE KEY") != NULL || *text == '\0') {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("'%s' is no public key: its name mostly ends with .pub"), key_word);
    return NULL;
  }
  return g_steal_pointer (&text);
}

static char *
images_directory (const Plan *plan)
{
  return plan->is_session ? g_build_filename (g_get_user_state_dir (), "domaind", "images", NULL)
                          : g_build_filename (STATE_DIRECTORY, "images", NULL);
}

static gboolean
choose_virtualization (Plan *plan)
{
  if (!virt_type_choose (virt_word, &plan->kvm))
    return FALSE;
  if (virt_word == NULL)
    chose (_ ("type"), plan->kvm
                           ? _ ("KVM, as this host has it")
                           : _ ("emulation, which is slow: this host has no /dev/kvm that you may use"));
  return TRUE;
}

static gboolean
choose_sizes (Plan *plan)
{
  const OsFacts *os = plan->os;

  plan->memory = os->memory > 0 ? MAX (os->memory, GIB) : MEMORY_USUAL;
  plan->disk = os->storage > 0 ? MAX (os->storage, DISK_USUAL) : DISK_USUAL;
  plan->cpus = cpus > 0 ? cpus : MAX (os->cpus, CPUS_USUAL);
  if (!take_size ("memory", memory_word, &plan->memory) || !take_size ("disk", disk_word, &plan->disk))
    return FALSE;
  chose (_ ("sizes"), _ ("%" PRId64 " MiB of memory, %d processors, a disk of %" PRId64 " GiB"),
         plan->memory / MIB, plan->cpus, plan->disk / GIB);
  return TRUE;
}

static gboolean
make_plan (Plan *plan)
{
  g_autofree char *directory = images_directory (plan), *file = g_strconcat (plan->name, ".qcow2", NULL);
  g_autofree char *seed = g_strconcat (plan->name, "-seed.iso", NULL);
  g_autoptr (GError) error = NULL;

  if (key_word != NULL && (plan->key = read_key (&error)) == NULL) {
    command_error ("%s", error->message);
    return FALSE;
  }
  plan->windows = g_strcmp0 (plan->os->family, "winnt") == 0;
  plan->efi = plan->os->has_efi || !g_str_equal (plan->arch, "x86_64");
  plan->secure = plan->windows && plan->os->needs_efi;
  plan->image = g_build_filename (directory, file, NULL);
  plan->seed = g_build_filename (directory, seed, NULL);
  return choose_virtualization (plan) && choose_sizes (plan);
}

static int
write_out (CommandLine *line, const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonObject *object;
  JsonNode *node;

  if (output_file == NULL)
    command_print (line, "%s", text);
  else if (g_file_test (output_file, G_FILE_TEST_EXISTS))
    return command_error (_ ("'%s' is there already"), output_file);
  else if (!g_file_set_contents (output_file, text, -1, &error))
    return command_error ("%s", error->message);
  object = json_object_new ();
  node = json_node_init_object (json_node_alloc (), object);
  json_object_set_string_member (object, "document", text);
  json_object_unref (object);
  command_print_json (line, node);
  return EXIT_OK;
}

static gboolean
is_session (const CommandLine *line)
{
  const char *which = line->connect != NULL ? connection_parse (line->connect) : NULL;

  return which != NULL ? g_str_equal (which, "session") : geteuid () != 0;
}

static int
run_for_os (CommandLine *line)
{
  struct utsname host;
  g_autofree char *note = NULL;
  g_autoptr (OsFacts) os = NULL;
  g_autoptr (GError) error = NULL;
  Plan plan = { .name = line->arguments[0], .is_session = is_session (line), .xml = g_string_new (NULL) };
  int status = EXIT_FAILED;

  plan.arch = g_strdup (uname (&host) == 0 ? host.machine : "x86_64");
  os = os_facts_find (os_word, plan.arch, &note, &error);
  if (os == NULL) {
    command_error ("%s", error->message);
  } else {
    plan.os = os;
    chose (os->name, "%s", note != NULL ? note : os->title);
    if (make_plan (&plan)) {
      put_document (&plan);
      status = write_out (line, plan.xml->str);
    }
  }
  g_string_free (plan.xml, TRUE);
  g_free (plan.arch);
  g_free (plan.image);
  g_free (plan.seed);
  g_free (plan.key);
  return status;
}

static int
run_like (CommandLine *line)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *path = NULL, *old = NULL, *text = NULL;
  const char *source;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, like_word, &error);
  if (path != NULL)
    old = connection_domain_name (line->connection, path, &error);
  if (old != NULL)
    answer = connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "GetSource", NULL, &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(&s)", &source);
  text = init_like (source, old, line->arguments[0], notes);
  for (guint i = 0; i < notes->len; i++)
    fprintf (stderr, "%s\n", (const char *)g_ptr_array_index (notes, i));
  return write_out (line, text);
}

static int
run_list (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = os_facts_list (&error);
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("Operating system"), NULL);
  g_autofree char *text = NULL;
  JsonObject *object;
  JsonNode *node;

  if (all == NULL)
    return command_error ("%s", error->message);
  object = json_object_new ();
  node = json_node_init_object (json_node_alloc (), object);
  for (guint i = 0; i < all->len; i++) {
    const OsFacts *os = g_ptr_array_index (all, i);

    table_add (table, os->name, os->title, NULL);
    json_object_set_string_member (object, os->name, os->title);
  }
  json_object_unref (object);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, node);
  return EXIT_OK;
}

static int
init_run (CommandLine *line)
{
  if (list_systems)
    return run_list (line);
  if (line->argument_count == 0)
    return command_usage_error (line, _ ("too few arguments: expected %s"), "NEW-NAME");
  if (strchr (line->arguments[0], '/') != NULL || *line->arguments[0] == '\0')
    return command_usage_error (line, _ ("'%s' is no name of a machine"), line->arguments[0]);
  if ((os_word != NULL) == (like_word != NULL))
    return command_usage_error (line, _ ("expected --os or --like: what the machine is for"));
  return os_word != NULL ? run_for_os (line) : run_like (line);
}

static const GOptionEntry init_options[] = {
  { "os", 0, 0, G_OPTION_ARG_STRING, &os_word, N_ ("The operating system it is for, as --list names it"),
    N_ ("OS") },
  { "like", 0, 0, G_OPTION_ARG_STRING, &like_word, N_ ("Take the document of another machine"),
    N_ ("DOMAIN") },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list_systems, N_ ("Name the operating systems"), NULL },
  { "memory", 0, 0, G_OPTION_ARG_STRING, &memory_word, N_ ("Its memory: 4G"), N_ ("SIZE") },
  { "cpus", 0, 0, G_OPTION_ARG_INT, &cpus, N_ ("Its processors"), N_ ("NUMBER") },
  { "disk", 0, 0, G_OPTION_ARG_STRING, &disk_word, N_ ("The size of its disk: 40G"), N_ ("SIZE") },
  { "iso", 0, 0, G_OPTION_ARG_FILENAME, &iso_file, N_ ("Install from this CD image"), N_ ("FILE") },
  { "image", 0, 0, G_OPTION_ARG_FILENAME, &image_file, N_ ("Begin its disk with this cloud image"),
    N_ ("FILE") },
  { "ssh-key", 0, 0, G_OPTION_ARG_STRING, &key_word, N_ ("Let this public key in by cloud-init"),
    N_ ("KEY") },
  { "user", 0, 0, G_OPTION_ARG_STRING, &user_word, N_ ("As this user"), N_ ("USER") },
  { "network", 0, 0, G_OPTION_ARG_STRING, &network_word, N_ ("Its virtual network"), N_ ("NETWORK") },
  { "virt-type", 0, 0, G_OPTION_ARG_STRING, &virt_word, N_ ("kvm or qemu"), N_ ("TYPE") },
  { "write", 0, 0, G_OPTION_ARG_FILENAME, &output_file, N_ ("Write the document into this new file"),
    N_ ("FILE") },
  G_OPTION_ENTRY_NULL,
};

const Command init_commands[] = {
  { "init", "[NEW-NAME]", N_ ("Write the document of a new machine for an operating system"), 0, 1,
    init_options, init_run },
  { NULL },
};
