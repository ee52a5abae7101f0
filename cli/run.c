/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl run`: a container image as a machine by one word. The image is fetched and unpacked if it was not,
 * a kernel and its initrd are found, the machine's own files are made, and the daemon is given a document
 * like any other. From then on this is the terminal of the image's program, and its exit status is ours.
 */
#include "cli/run.h"

#include "base/scalars.h"
#include "cli/connection.h"
#include "cli/guest-session.h"
#include "cli/run-machine.h"
#include "cli/virt-type.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOOT_PATIENCE  120000 /* ms until the machine says something: emulated, on a host that is busy */
#define END_PATIENCE   20     /* s in which a machine whose program has ended switches itself off */
#define NAME_TRIES     16
#define MEMORY_MINIMUM (G_GUINT64_CONSTANT (64) << 20)
#define SHORT_NAME_MAX 40

static gboolean remove_after, interactive, with_terminal, detached, pull, print_only;
static char *name_word, *memory_word, *directory_word, *user_word, *entrypoint_word, *kernel_word,
    *network_word, *virt_word;
static char **port_words, **volume_words, **environment_words;

/* "docker.io/library/busybox:1.36" → "busybox". (transfer full) */
static char *
short_name (const char *reference)
{
  g_autofree char *base = g_path_get_basename (reference);
  char *end = strpbrk (base, ":@");

  if (end != NULL)
    *end = '\0';
  if (g_str_has_suffix (base, ".tar"))
    base[strlen (base) - strlen (".tar")] = '\0';
  g_strcanon (base, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
  return g_strndup (g_ascii_isalnum (base[0]) ? base : "image", SHORT_NAME_MAX);
}

/* One that neither the daemon nor our directory has. (transfer full) */
static char *
choose_name (CommandLine *line, const char *cache, const char *reference)
{
  g_autofree char *base = short_name (reference);

  for (guint i = 0; i < NAME_TRIES; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%04x", base, g_random_int_range (0, 0x10000));
    g_autofree char *place = g_build_filename (cache, "machines", name, NULL);
    g_autofree char *path = connection_find_domain (line->connection, name, NULL);

    if (path == NULL && !g_file_test (place, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&name);
  }
  return g_strdup (base);
}

static gboolean
check_name (const char *name)
{
  if (name == NULL
      || (g_ascii_isalnum (name[0])
          && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.") == strlen (name)))
    return TRUE;
  command_error (
      _ ("--name: '%s' is no name for a machine: expected letters, digits and -_. behind the first"), name);
  return FALSE;
}

/* "512M", "2G"; a number alone is of bytes, as other runners of images have it. */
static gboolean
take_memory (guint64 *ret)
{
  static const char letters[] = "kmgt";
  char *end;
  const char *letter;

  *ret = RUN_MEMORY;
  if (memory_word == NULL)
    return TRUE;
  *ret = g_ascii_strtoull (memory_word, &end, 10);
  letter = *end != '\0' ? strchr (letters, g_ascii_tolower (*end)) : NULL;
  if (g_ascii_isdigit (*memory_word) && *ret < G_MAXUINT32
      && (*end == '\0' || (letter != NULL && end[1] == '\0'))) {
    *ret <<= letter != NULL ? 10 * (letter - letters + 1) : 0;
    if (*ret >= MEMORY_MINIMUM)
      return TRUE;
  }
  command_error (_ ("--memory: '%s' is no size: expected at least 64M, in K, M, G or T"), memory_word);
  return FALSE;
}

/* The plan. */

static int
stop_signal (const char *word)
{
  static const struct {
    const char *name;
    int number;
  } names[] = {
    { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "KILL", SIGKILL },   { "USR1", SIGUSR1 },
    { "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "PWR", SIGPWR },   { "WINCH", SIGWINCH },
  };
  const char *name = g_str_has_prefix (word, "SIG") ? word + 3 : word;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_str_equal (names[i].name, name))
      return names[i].number;
  }
  if (g_str_equal (word, "SIGRTMIN+3")) /* systemd's own, in the image's numbers */
    return 37;
  return (int)CLAMP (g_ascii_strtoll (word, NULL, 10), 0, 64);
}

/* The image's environment, then what was said: NAME=VALUE, or NAME for ours. */
static void
plan_environment (GString *plan, const ImageConfig *config)
{
  for (guint i = 0; config->environment[i] != NULL; i++)
    guest_plan_add (plan, "env", config->environment[i]);
  for (guint i = 0; environment_words != NULL && environment_words[i] != NULL; i++) {
    const char *word = environment_words[i];
    const char *ours = strchr (word, '=') == NULL ? g_getenv (word) : NULL;
    g_autofree char *with_value = ours != NULL ? g_strdup_printf ("%s=%s", word, ours) : NULL;

    if (with_value != NULL || strchr (word, '=') != NULL)
      guest_plan_add (plan, "env", with_value != NULL ? with_value : word);
  }
}

static GString *
make_plan (const char *name, const ImageConfig *config, char **command, GError **error)
{
  g_auto (GStrv) program = image_config_program (config, entrypoint_word, command, error);
  const char *directory = directory_word != NULL ? directory_word : config->directory;
  const char *user = user_word != NULL ? user_word : config->user;
  int stop = config->stop_signal != NULL ? stop_signal (config->stop_signal) : 0;
  GString *plan;

  if (program == NULL)
    return NULL;
  plan = guest_plan_new ();
  for (guint i = 0; program[i] != NULL; i++)
    guest_plan_add (plan, "arg", program[i]);
  plan_environment (plan, config);
  if (directory != NULL)
    guest_plan_add (plan, "dir", directory);
  if (user != NULL)
    guest_plan_add (plan, "user", user);
  guest_plan_add (plan, "hostname", name);
  if (interactive)
    guest_plan_add (plan, "stdin", "1");
  if (with_terminal)
    guest_plan_add (plan, "tty", "1");
  if (!detached)
    guest_plan_add (plan, "wait", "1");
  if (stop > 0) {
    g_autofree char *number = g_strdup_printf ("%d", stop);

    guest_plan_add (plan, "stop", number);
  }
  return plan;
}

/* The machine. */

static gboolean
start (CommandLine *line, const char *document, GError **error)
{
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) started = NULL;
  const char *path;

  if (remove_after)
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "DomainCreateXML",
                              g_variant_new ("(su)", document, VIR_DOMAIN_START_VALIDATE), error);
  else
    answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "DomainDefineXMLFlags",
                              g_variant_new ("(su)", document, VIR_DOMAIN_DEFINE_VALIDATE), error);
  if (answer == NULL || remove_after)
    return answer != NULL;
  g_variant_get (answer, "(&o)", &path);
  started =
      connection_call (line->connection, path, DOMAIN_INTERFACE, "Create", g_variant_new ("(u)", 0), error);
  return started != NULL;
}

/* The program's exit status when it has ended, RUN_FAILED when the machine did without it, 0 when it was
 * left. */
static int
talk (CommandLine *line, const char *cache, const char *name, gboolean *ret_left)
{
  const GuestSession session = { .input = interactive, .terminal = with_terminal, .patience = BOOT_PATIENCE };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = run_find (line, name);
  int port, status = RUN_FAILED;
  GuestEnd end;

  if (path == NULL)
    return RUN_FAILED;
  port = connection_call_for_fd (line->connection, path, OWN_DOMAIN_INTERFACE, "OpenChannel",
                                 g_variant_new ("(su)", GUEST_MAIN_PORT, 0), &error);
  if (port < 0) {
    command_error ("%s", error->message);
    return RUN_FAILED;
  }
  end = guest_session_run (&session, port, &status);
  close (port);
  *ret_left = end == GUEST_LEFT;
  if (end == GUEST_LEFT)
    return EXIT_OK;
  if (end == GUEST_ENDED) {
    run_await_end (line, name, END_PATIENCE);
    return status;
  }
  status = run_machine_status (cache, name);
  if (status >= 0)
    return status;
  command_error (_ ("the machine '%s' ended, or said nothing, before the image's program did"), name);
  return RUN_FAILED;
}

static int
run_started (CommandLine *line, const char *cache, const RunMachine *machine)
{
  gboolean left = FALSE;
  int status;

  if (detached) {
    command_done (line, machine->name, "%s", machine->name);
    return EXIT_OK;
  }
  status = talk (line, cache, machine->name, &left);
  if (remove_after && !left)
    run_remove (line, cache, machine->name);
  return status;
}

static gboolean
prepare (CommandLine *line, const char *cache, RunMachine *machine, GError **error)
{
  machine->directory = g_build_filename (cache, "machines", machine->name, NULL);
  machine->plan = make_plan (machine->name, machine->image->config, line->arguments + 1, error);
  machine->ports = port_words;
  machine->volumes = volume_words;
  machine->network = network_word;
  machine->is_session = connection_is_session (line->connection);
  return machine->plan != NULL;
}

static int
run_machine (CommandLine *line, const char *cache, RunMachine *machine)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *document = NULL;

  if (!prepare (line, cache, machine, &error)
      || (document = run_machine_document (machine, &error)) == NULL) {
    command_error ("%s", error->message);
    return RUN_FAILED;
  }
  if (print_only) {
    command_print (line, "%s", document);
    return EXIT_OK;
  }
  if (!run_machine_make_files (machine, &error)) {
    command_error ("%s", error->message);
    return RUN_FAILED;
  }
  if (!start (line, document, &error)) {
    command_error (_ ("Failed to start the machine '%s'"), machine->name);
    command_document_error (NULL, error->message);
    run_remove (line, cache, machine->name);
    return RUN_FAILED;
  }
  if (remove_after) { /* only now: what has the mark and does not run is taken away by whoever comes by */
    g_autofree char *mark = run_machine_file (cache, machine->name, "ephemeral");

    g_file_set_contents (mark, "", 0, NULL);
  }
  return run_started (line, cache, machine);
}

static int
run_run (CommandLine *line)
{
  g_autoptr (RunMachine) machine = g_new0 (RunMachine, 1);
  g_autoptr (CachedImage) image = NULL;
  g_autoptr (GuestKernel) kernel = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *cache = NULL;

  if (!check_name (name_word) || !take_memory (&machine->memory)
      || !virt_type_choose (virt_word, &machine->kvm))
    return RUN_FAILED;
  if (with_terminal && interactive && !isatty (STDIN_FILENO)) {
    command_error (_ ("-t: standard input is no terminal"));
    return RUN_FAILED;
  }
  if (command_connect (line) == NULL)
    return RUN_FAILED;
  cache = run_cache (line);
  run_sweep (line, cache);
  image = image_cache_get (cache, line->arguments[0], pull, &error);
  kernel = image != NULL ? guest_kernel_get (kernel_word, cache, &error) : NULL;
  if (kernel == NULL) {
    command_error ("%s", error->message);
    return RUN_FAILED;
  }
  machine->reference = line->arguments[0];
  machine->image = image;
  machine->kernel = kernel;
  machine->name = name_word != NULL ? g_strdup (name_word) : choose_name (line, cache, machine->reference);
  return run_machine (line, cache, machine);
}

static const GOptionEntry run_options[] = {
  { "rm", 0, 0, G_OPTION_ARG_NONE, &remove_after, N_ ("Remove the machine and its files when it has ended"),
    NULL },
  { "interactive", 'i', 0, G_OPTION_ARG_NONE, &interactive, N_ ("Standard input is the program's"), NULL },
  { "tty", 't', 0, G_OPTION_ARG_NONE, &with_terminal,
    N_ ("Give the program a terminal; Ctrl-] leaves it alone"), NULL },
  { "detach", 'd', 0, G_OPTION_ARG_NONE, &detached, N_ ("Leave it running and print its name"), NULL },
  { "name", 0, 0, G_OPTION_ARG_STRING, &name_word, N_ ("The machine's name; else one is made of the image's"),
    N_ ("NAME") },
  { "memory", 'm', 0, G_OPTION_ARG_STRING, &memory_word, N_ ("The machine's memory (512M)"), N_ ("SIZE") },
  { "virt-type", 0, 0, G_OPTION_ARG_STRING, &virt_word, N_ ("kvm or qemu"), N_ ("TYPE") },
  { "publish", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &port_words,
    N_ ("Forward a port of the host's: [ADDRESS:]HOST:GUEST[/udp]"), N_ ("PORTS") },
  { "network", 0, 0, G_OPTION_ARG_STRING, &network_word,
    N_ ("'none', or a network of the daemon's, instead of the host's by passt"), N_ ("NETWORK") },
  { "volume", 'v', 0, G_OPTION_ARG_STRING_ARRAY, &volume_words,
    N_ ("Mount a directory of the host's: DIR:DIR[:ro]"), N_ ("VOLUME") },
  { "env", 'e', 0, G_OPTION_ARG_STRING_ARRAY, &environment_words,
    N_ ("A variable of the environment; without a value, domctl's own"), N_ ("NAME[=VALUE]") },
  { "workdir", 'w', 0, G_OPTION_ARG_STRING, &directory_word, N_ ("The program's working directory"),
    N_ ("DIR") },
  { "user", 'u', 0, G_OPTION_ARG_STRING, &user_word, N_ ("Whom the program runs as, by name or number"),
    N_ ("USER[:GROUP]") },
  { "entrypoint", 0, 0, G_OPTION_ARG_STRING, &entrypoint_word,
    N_ ("The program, instead of the image's entrypoint"), N_ ("PROGRAM") },
  { "kernel", 0, 0, G_OPTION_ARG_STRING, &kernel_word,
    N_ ("The machine's Linux kernel; else this host's newest"), N_ ("FILE") },
  { "pull", 0, 0, G_OPTION_ARG_NONE, &pull, N_ ("Ask the registry again, even when the image is here"),
    NULL },
  { "print", 0, 0, G_OPTION_ARG_NONE, &print_only, N_ ("Print the machine's document and make nothing"),
    NULL },
  G_OPTION_ENTRY_NULL,
};

const Command run_commands[] = {
  { "run", "IMAGE [COMMAND [ARGUMENT...]]", N_ ("Run a container image as a machine"), 1, G_MAXUINT,
    run_options, run_run, .usage = RUN_FAILED, .words_follow = TRUE },
  { NULL },
};
