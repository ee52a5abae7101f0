/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A check is a start that only looks. It walks the start's own steps (start-plan.h) and goes on where one
 * fails; then a table of looks at what a start would open, make and run, each by the code that does it. What
 * no code of ours decides, the kernel's and QEMU's refusals, is asked of the kernel. A new check is a row and
 * its function.
 */
#include "daemon/drivers/qemu/start-check.h"

#include "daemon/core/blocking.h"
#include "daemon/drivers/qemu/host-devices.h"
#include "daemon/drivers/qemu/interface-check.h"
#include "daemon/drivers/qemu/listening.h"
#include "daemon/drivers/qemu/machine-pr-helper.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/drivers/qemu/machine-virtiofs.h"
#include "daemon/drivers/qemu/memory-files.h"
#include "daemon/drivers/qemu/start-plan.h"
#include "daemon/host/image-lock.h"
#include "daemon/host/kvm-advice.h"
#include "daemon/host/memory-room.h"
#include "daemon/host/ports.h"
#include "daemon/host/tap.h"
#include "domain/devices/chardev.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "targets/helper-sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define KIB    1024
#define NO_KVM "KVM cannot be used on this host"

typedef struct {
  StartPlan plan;
  GPtrArray *findings;
} StartCheck;

/* Findings. */

static void
finding_free (gpointer data)
{
  CheckFinding *finding = data;

  g_free (finding->check);
  g_free (finding->what);
  g_free (finding->cure);
  g_free (finding);
}

GPtrArray *
check_findings_new (void)
{
  return g_ptr_array_new_with_free_func (finding_free);
}

/* Takes @what and @cure. */
static void
add (GPtrArray *findings, const char *check, CheckSeverity severity, Position where, char *what, char *cure)
{
  CheckFinding *finding = g_new0 (CheckFinding, 1);

  *finding = (CheckFinding){ g_strdup (check), severity, where, what, cure };
  if (findings->len < CHECK_FINDINGS_MAX)
    g_ptr_array_add (findings, finding);
  else
    finding_free (finding);
}

void
check_add_error (GPtrArray *findings, const char *check, const GError *error)
{
  add (findings, check, CHECK_ERROR, (Position){ 0, 0 }, g_strdup (virt_error_detail (error)),
       check_cure (error->message));
}

void
check_add (GPtrArray *findings, const char *check, CheckSeverity severity, const char *cure,
           const char *format, ...)
{
  va_list values;
  char *what;

  va_start (values, format);
  what = g_strdup_vprintf (format, values);
  va_end (values);
  add (findings, check, severity, (Position){ 0, 0 }, what, g_strdup (cure));
}

/* "...(domain):3:12: MESSAGE" */
#define PLACED "^(?:.*?: )?(?:\\([a-z]+\\)|/.*?):([0-9]+):([0-9]+): (?:error: )?(.*)$"

void
check_add_document (GPtrArray *findings, const GError *error)
{
  g_autoptr (GRegex) placed = g_regex_new (PLACED, 0, 0, NULL);
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", CHECK_FINDINGS_MAX);

  for (guint i = 0; lines[i] != NULL; i++) {
    g_autoptr (GMatchInfo) match = NULL;
    Position where = { 0, 0 };
    char *what;

    if (*lines[i] == '\0')
      continue;
    if (g_regex_match (placed, lines[i], 0, &match)) {
      g_autofree char *line = g_match_info_fetch (match, 1), *column = g_match_info_fetch (match, 2);

      where =
          (Position){ (guint)g_ascii_strtoull (line, NULL, 10), (guint)g_ascii_strtoull (column, NULL, 10) };
      what = g_match_info_fetch (match, 3);
    } else {
      what = g_strdup (lines[i]);
    }
    add (findings, "document", CHECK_ERROR, where, what, check_cure (lines[i]));
  }
}

gboolean
check_mentions (const GPtrArray *findings, const char *path)
{
  g_autofree char *quoted = g_strdup_printf ("'%s'", path);

  for (guint i = 0; i < findings->len; i++)
    if (strstr (((const CheckFinding *)g_ptr_array_index (findings, i))->what, quoted) != NULL)
      return TRUE;
  return FALSE;
}

/* Clears @error; NULL: nothing is wrong. */
static void
note (StartCheck *check, const char *name, GError **error)
{
  if (*error != NULL)
    check_add_error (check->findings, name, *error);
  g_clear_error (error);
}

/* The rows. */

/* For one that nothing could be chosen for, what stands first is why; the rest of that place only follows. */
static gboolean
is_consequence (const StartCheck *check, const Diagnostics *diagnostics, guint index)
{
  const Diagnostic *problem = diagnostics_get (diagnostics, index);

  return index > 0 && problem->where.line > 0 && check->plan.live.problems->len > 0
         && position_compare (problem->where, diagnostics_get (diagnostics, index - 1)->where) == 0;
}

/* That there is no KVM the step has told, and why. */
static gboolean
is_known_of_kvm (const StartCheck *check, const char *message)
{
  if (!g_str_has_prefix (message, NO_KVM))
    return FALSE;
  for (guint i = 0; i < check->findings->len; i++)
    if (g_str_has_prefix (((const CheckFinding *)g_ptr_array_index (check->findings, i))->what, NO_KVM))
      return TRUE;
  return FALSE;
}

/* What the document becomes, and what of it cannot be made. */
static void
look_at_recipe (StartCheck *check, const char *name)
{
  StartPlan *plan = &check->plan;
  const StartRequest *request = plan->request;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autofree char *stored = request->document == NULL && !request->transient
                                ? store_load_source (request->store, request->def->name, NULL)
                                : NULL;

  start_plan_make_recipe (plan);
  recipe_report_problems (plan->recipe, request->document != NULL ? request->document : stored, diagnostics);
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *problem = diagnostics_get (diagnostics, i);

    if (is_consequence (check, diagnostics, i) || is_known_of_kvm (check, problem->message))
      continue;
    add (check->findings, name, CHECK_ERROR, problem->where, g_strdup (problem->message),
         check_cure (problem->message));
  }
  for (const char *const *warning = recipe_warnings (plan->recipe); *warning != NULL; warning++)
    check_add (check->findings, name, CHECK_WARNING, NULL, "%s", *warning);
}

static void
look_at_files (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  for (guint i = 0; i < recipe_file_count (plan->recipe); i++) {
    const RecipeFile *file = recipe_get_file (plan->recipe, i);
    g_autoptr (GError) error = NULL;

    if (!check_mentions (check->findings, file->path) && !file_check (file, &error))
      note (check, name, &error);
  }
}

typedef struct {
  char *path;
  gboolean writes, shares;
} LockQuestion;

static void
lock_question_free (gpointer data)
{
  LockQuestion *question = data;

  g_free (question->path);
  g_free (question);
}

static gpointer
ask_lock (gpointer data, G_GNUC_UNUSED GError **error)
{
  const LockQuestion *question = data;

  return GINT_TO_POINTER (image_is_locked (question->path, question->writes, question->shares));
}

/* In QEMU's own words, by which the machine that has it is found. */
static void
look_at_locks (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  for (guint i = 0; i < recipe_file_count (plan->recipe); i++) {
    const RecipeFile *file = recipe_get_file (plan->recipe, i);
    const DeviceDisk *disk = file->device != NULL && file->device->kind == &disk_kind && !file->made
                                     && !file->passed && file->content == NULL
                                 ? (const DeviceDisk *)file->device
                                 : NULL;
    g_autofree char *whose = disk != NULL ? device_describe (file->device) : NULL;
    LockQuestion *question;

    if (disk == NULL || check_mentions (check->findings, file->path))
      continue;
    question = g_new0 (LockQuestion, 1);
    *question = (LockQuestion){ g_strdup (file->path), file->writable, disk->shareable };
    if (blocking_run (ask_lock, question, lock_question_free, NULL, NULL) != NULL)
      check_add (check->findings, name, CHECK_ERROR, NULL,
                 "%s: Failed to get \"%s\" lock: Is another process using the image [%s]?", whose,
                 file->writable ? "write" : "consistent read", file->path);
  }
}

static void
look_at_host_devices (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  for (guint i = 0; i < plan->def->devices->len; i++) {
    g_autoptr (GError) error = NULL;

    if (!host_device_check (plan->request->settings, plan->def, g_ptr_array_index (plan->def->devices, i),
                            &error))
      note (check, name, &error);
  }
}

static void
look_at_interfaces (StartCheck *check, const char *name)
{
  DOMAIN_FOREACH_DEVICE (check->plan.def, interface_kind, DeviceInterface, interface) {
    g_autoptr (GError) error = NULL;

    /* Its network was asked for already. */
    if (interface->type == INTERFACE_NETWORK && interface->bridge == NULL)
      continue;
    if (interface_check_document (interface, &error))
      interface_check_host (interface, &error);
    note (check, name, &error);
  }
}

/* Where a helper would listen. Takes @path. */
static void
look_at_length (StartCheck *check, const char *name, char *path)
{
  const struct sockaddr_un address;

  if (strlen (path) >= sizeof address.sun_path)
    check_add (check->findings, name, CHECK_ERROR,
               "a shorter run directory in domaind.conf, or a shorter --root",
               "UNIX socket path '%s' too long", path);
  g_free (path);
}

static void
look_at_helpers_sockets (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  DOMAIN_FOREACH_DEVICE (plan->def, tpm_kind, const DeviceTpm, tpm) {
    if (tpm->type == TPM_EMULATOR)
      look_at_length (check, name, helper_socket_tpm (plan->qemu_directory, tpm->device.alias));
  }
  DOMAIN_FOREACH_DEVICE (plan->def, filesystem_kind, const DeviceFilesystem, filesystem) {
    if (virtiofs_is_needed (filesystem))
      look_at_length (check, name, helper_socket_virtiofs (plan->qemu_directory, filesystem->device.alias));
  }
  if (domain_def_wants_pr_helper (plan->def))
    look_at_length (check, name, recipe_pr_helper_socket (plan->qemu_directory));
}

static void
look_at_sockets (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  look_at_helpers_sockets (check, name);

  for (guint i = 0; i < plan->def->devices->len; i++) {
    g_autoptr (GError) error = NULL;

    if (!listening_check (g_ptr_array_index (plan->def->devices, i), plan->qemu_directory, &error))
      note (check, name, &error);
  }
}

static void
look_at_port (StartCheck *check, const char *name, const Device *device, const char *address, gint64 port)
{
  g_autofree char *problem = NULL, *whose = device_describe (device), *cure = NULL;

  if (port <= 0 || port > PORTS_LAST || ports_can_listen (address, (guint)port, &problem))
    return;
  cure = g_strdup_printf ("ss -ltnp 'sport = :%" G_GINT64_FORMAT "' shows who has it; autoport='yes' takes a "
                          "free one",
                          port);
  check_add (check->findings, name, CHECK_ERROR, device->kind == &graphics_kind ? cure : NULL,
             "%s: port %" G_GINT64_FORMAT " on %s cannot be listened on: %s", whose, port,
             address != NULL ? address : "every address", problem);
}

/* Those that were chosen are free; those that the document says may not be. */
static void
look_at_ports (StartCheck *check, const char *name)
{
  const DomainDef *asked = check->plan.request->def;

  for (guint i = 0; i < asked->devices->len; i++) {
    Device *device = g_ptr_array_index (asked->devices, i);
    const Chardev *chardev = device->kind->chardev != NULL ? device->kind->chardev (device) : NULL;
    const ChardevSource *source = chardev != NULL && chardev->type == CHARDEV_TCP
                                      ? chardev_source_for_mode (chardev, CHARDEV_MODE_BIND)
                                      : NULL;

    if (source != NULL && source->service != NULL)
      look_at_port (check, name, device, source->host, g_ascii_strtoll (source->service, NULL, 10));
  }
  DOMAIN_FOREACH_DEVICE (asked, graphics_kind, DeviceGraphics, graphics) {
    const GraphicsListen *listen = graphics_first_listen (graphics);
    const char *address = listen != NULL && listen->type == LISTEN_ADDRESS ? listen->address : NULL;

    if (graphics->type != GRAPHICS_VNC && graphics->type != GRAPHICS_SPICE)
      continue;
    if (listen != NULL && (listen->type == LISTEN_SOCKET || listen->type == LISTEN_NONE))
      continue;
    if (graphics->autoport != TRISTATE_YES)
      look_at_port (check, name, &graphics->device, address != NULL ? address : "127.0.0.1",
                    graphics->port.value);
    look_at_port (check, name, &graphics->device, address, graphics->websocket.value);
    look_at_port (check, name, &graphics->device, address, graphics->tls_port.value);
  }
}

static void
look_at_secret (StartCheck *check, const char *name, const char *uuid, int type, const char *usage)
{
  const SecretSource *secrets = &check->plan.request->secrets;
  g_autoptr (SecretValue) value = NULL;
  g_autoptr (GError) error = NULL;

  if (secrets->fetch != NULL)
    value = secrets->fetch (secrets->data, check->plan.job, uuid, type, usage, &error);
  note (check, name, &error);
}

static void
look_at_secrets (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  for (guint i = 0; i < recipe_file_count (plan->recipe); i++) {
    const RecipeFile *file = recipe_get_file (plan->recipe, i);

    if (file->is_secret && file->secret_text == NULL)
      look_at_secret (check, name, file->secret_uuid, file->secret_type, file->secret_usage);
  }
  DOMAIN_FOREACH_DEVICE (plan->def, tpm_kind, const DeviceTpm, tpm) {
    if (tpm->type == TPM_EMULATOR && tpm->secret != NULL)
      look_at_secret (check, name, tpm->secret, VIR_SECRET_USAGE_TYPE_NONE, NULL);
  }
}

/* KiB of huge pages by their size, from what QEMU is to be told: { "hugetlb": true, "hugetlbsize": 2097152,
 * "size": ... }. Size 0: the host's usual ones. */
static GHashTable *
wanted_hugepages (const Recipe *recipe)
{
  GHashTable *wanted = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);

  for (guint i = 0; i < recipe_step_count (recipe); i++) {
    const Step *step = recipe_get_step (recipe, i);
    guint64 size, *sum;

    if (step->kind != STEP_OBJECT || !json_object_has_member (step->properties, "hugetlb")
        || !json_object_get_boolean_member (step->properties, "hugetlb"))
      continue;
    size = (guint64)json_object_get_int_member_with_default (step->properties, "hugetlbsize", 0) / KIB;
    sum = g_hash_table_lookup (wanted, &size);
    if (sum == NULL) {
      sum = g_new0 (guint64, 1);
      g_hash_table_insert (wanted, g_memdup2 (&size, sizeof size), sum);
    }
    *sum += (guint64)json_object_get_int_member_with_default (step->properties, "size", 0) / KIB;
  }
  return wanted;
}

static void
look_at_hugepages (StartCheck *check, const char *name, guint64 size, guint64 wanted)
{
  guint64 left = 0, pages;
  g_autofree char *cure = NULL;

  if (!hugepages_left (&size, &left)) {
    check_add (check->findings, name, CHECK_ERROR,
               "domctl capabilities shows the sizes there are; 1 GiB pages need a kernel option "
               "(hugepagesz=1G)",
               "the host has no huge pages of %" G_GUINT64_FORMAT " KiB", size);
    return;
  }
  pages = (wanted + size - 1) / size;
  if (pages <= left)
    return;
  cure = g_strdup_printf ("echo %" G_GUINT64_FORMAT " > /sys/kernel/mm/hugepages/hugepages-%" G_GUINT64_FORMAT
                          "kB/nr_hugepages (%" G_GUINT64_FORMAT " more than there are now)",
                          pages, size, pages - left);
  check_add (check->findings, name, CHECK_ERROR, cure,
             "%" G_GUINT64_FORMAT " huge pages of %" G_GUINT64_FORMAT
             " KiB are needed, and %" G_GUINT64_FORMAT " are free",
             pages, size, left);
}

static void
look_at_memory (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;
  g_autoptr (GHashTable) huge = wanted_hugepages (plan->recipe);
  guint64 wanted = plan->def->memory.value, left = 0;
  MemoryRoom room;
  GHashTableIter iter;
  gpointer size, sum;

  g_hash_table_iter_init (&iter, huge);
  while (g_hash_table_iter_next (&iter, &size, &sum)) {
    look_at_hugepages (check, "hugepages", *(guint64 *)size, *(guint64 *)sum);
    wanted -= MIN (wanted, *(guint64 *)sum);
  }
  room = memory_room_here (wanted, &left);
  if (room == MEMORY_REFUSED)
    check_add (check->findings, name, CHECK_ERROR, "give it less <memory>, or the host more swap",
               "%" G_GUINT64_FORMAT " MiB of memory are wanted, and the kernel grants %" G_GUINT64_FORMAT
               " MiB",
               wanted / KIB, left / KIB);
  else if (room == MEMORY_IS_SHORT)
    check_add (check->findings, name, CHECK_WARNING, "domctl list --state-running names what else has some",
               "%" G_GUINT64_FORMAT " MiB of memory are wanted, and %" G_GUINT64_FORMAT
               " MiB are free: it starts, and the kernel ends something once they are used",
               wanted / KIB, left / KIB);
}

static void
look_at_memory_files (StartCheck *check, const char *name)
{
  const StartPlan *plan = &check->plan;

  for (guint i = 0; i < recipe_memory_file_count (plan->recipe); i++) {
    g_autoptr (GError) error = NULL;

    if (!memory_file_check (recipe_get_memory_file (plan->recipe, i), plan->request->settings, plan->account,
                            &error))
      note (check, name, &error);
  }
}

static void
look_at_tpm (StartCheck *check, const char *name)
{
  DOMAIN_FOREACH_DEVICE (check->plan.def, tpm_kind, const DeviceTpm, tpm) {
    g_autoptr (GError) error = NULL;

    if (!tpm_check (tpm, &error))
      note (check, name, &error);
  }
}

static void
look_at_filesystems (StartCheck *check, const char *name)
{
  DOMAIN_FOREACH_DEVICE (check->plan.def, filesystem_kind, const DeviceFilesystem, filesystem) {
    g_autoptr (GError) error = NULL;

    if (!virtiofs_check (filesystem, &error))
      note (check, name, &error);
  }
}

static void
look_at_reservations (StartCheck *check, const char *name)
{
  g_autoptr (GError) error = NULL;

  if (!pr_helper_check (check->plan.def, &error))
    note (check, name, &error);
}

/* Without it the machine runs, slower. */
static void
look_at_modules (StartCheck *check, const char *name)
{
  const DomainDef *def = check->plan.def;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, const DeviceInterface, interface) {
    if (interface_has_tap (interface) && interface_uses_vhost (def, interface, TRUE)
        && !vhost_net_is_there (interface->backend_vhost)) {
      check_add (check->findings, name, CHECK_WARNING, "modprobe vhost_net",
                 "interface %s: " VHOST_NET_DEVICE " is not there, so QEMU moves its packets, and not the "
                 "kernel",
                 interface->mac);
      return;
    }
  }
}

static const struct {
  const char *name;
  void (*look) (StartCheck *check, const char *name);
} rows[] = {
  { "document", look_at_recipe },
  { "files", look_at_files },
  { "image-lock", look_at_locks },
  { "host-device", look_at_host_devices },
  { "interface", look_at_interfaces },
  { "socket", look_at_sockets },
  { "port", look_at_ports },
  { "secret", look_at_secrets },
  { "memory", look_at_memory },
  { "memory-file", look_at_memory_files },
  { "tpm", look_at_tpm },
  { "filesystem", look_at_filesystems },
  { "reservations", look_at_reservations },
  { "module", look_at_modules },
};

/* Why there is no KVM is known to more than the words of the refusal. */
static void
add_step_problem (StartCheck *check, const StartStep *step, const GError *error)
{
  const Account *account = check->plan.account;
  g_autofree char *cure = NULL;

  if (!g_str_equal (step->name, "kvm")) {
    check_add_error (check->findings, step->name, error);
    return;
  }
  cure = kvm_advice_here (account->name != NULL ? account->name : g_get_user_name ());
  check_add (check->findings, step->name, CHECK_ERROR, cure, "%s", virt_error_detail (error));
}

/* FALSE: one that all others need has failed. */
static gboolean
walk_steps (StartCheck *check)
{
  for (const StartStep *step = start_steps; step->name != NULL; step++) {
    g_autoptr (GError) error = NULL;

    if (step->run (&check->plan, &error))
      continue;
    add_step_problem (check, step, error);
    if (step->is_needed)
      return FALSE;
  }
  return TRUE;
}

void
start_check (Job *job, const StartRequest *request, GPtrArray *findings)
{
  StartCheck check = { .findings = findings };

  start_plan_init (&check.plan, request, job);
  if (walk_steps (&check))
    for (guint i = 0; i < G_N_ELEMENTS (rows) && job_check (job, NULL); i++)
      rows[i].look (&check, rows[i].name);
  start_plan_release (&check.plan);
  start_plan_clear (&check.plan);
}
