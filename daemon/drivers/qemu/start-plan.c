/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a start decides before it makes anything. The steps are a table, as two walk them: the start, which
 * ends at the first that fails, and the check, which is to say everything that stands in a start's way. So
 * the check has no opinion of its own that could differ from what the start then does.
 */
#include "daemon/drivers/qemu/start-plan.h"

#include "base/scalars.h"
#include "daemon/drivers/qemu/free-arguments.h"
#include "daemon/drivers/qemu/live-cpu.h"
#include "daemon/drivers/qemu/missing-disks.h"
#include "daemon/drivers/qemu/monitor-socket.h"
#include "daemon/drivers/qemu/policy-images.h"
#include "daemon/drivers/qemu/seclabels.h"
#include "daemon/host/dmi.h"
#include "daemon/host/host-clock.h"
#include "daemon/host/node.h"
#include "daemon/host/tap.h"

#include <string.h>

/* Choose. */

static gboolean
find_emulator (StartPlan *plan, GError **error)
{
  const DomainDef *def = plan->request->def;

  plan->emulator = def->emulator != NULL ? g_strdup (def->emulator) : qemu_find_emulator (def->os.arch);
  if (plan->emulator == NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "no emulator for architecture '%s' is installed (package %s)",
                    def->os.arch != NULL ? def->os.arch : "unknown", qemu_emulator_package (def->os.arch));
  return plan->emulator != NULL;
}

/* A machine that the daemon has lost sight of, as its state was damaged, is not started beside itself. */
static gboolean
check_alone (StartPlan *plan, GError **error)
{
  if (!monitor_socket_is_held (plan->run_directory))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "a process of domain '%s' that the daemon does not know of still runs and listens on "
                  "'%s/" MONITOR_SOCKET "': end it before the domain is started",
                  plan->request->def->name, plan->run_directory);
  return FALSE;
}

static gboolean
check_labels (StartPlan *plan, GError **error)
{
  return seclabels_check (plan->request->def, plan->request->settings, error);
}

static gboolean
choose_account (StartPlan *plan, GError **error)
{
  plan->account = seclabels_account (plan->request->def, plan->request->settings, plan->account_key,
                                     plan->request->id, error);
  return plan->account != NULL;
}

static gboolean
ask_emulator (StartPlan *plan, GError **error)
{
  plan->caps = caps_cache_get (plan->request->caps, plan->emulator, error);
  return plan->caps != NULL;
}

/* Those of the account, and of the devices it is given. */
static void
choose_groups (StartPlan *plan)
{
  guint count = plan->account->group_count;

  memcpy (plan->groups, plan->account->groups, count * sizeof *plan->groups);
  if (plan->def->type == VIRT_TYPE_KVM && account_device_group ("/dev/kvm", &plan->groups[count]))
    count++;
  if (plan->render_node != NULL && account_device_group (plan->render_node, &plan->groups[count]))
    count++;
  plan->group_count = count;
}

/* The definition that becomes the live one. Never fails. */
static gboolean
copy_definition (StartPlan *plan, G_GNUC_UNUSED GError **error)
{
  const StartRequest *request = plan->request;

  live_values_init (&plan->live, plan->qemu_directory, request->settings->host_directory, &plan->files);
  plan->live.problems = g_ptr_array_new_with_free_func (live_problem_free);
  plan->live.keeps_all = request->is_check;
  plan->live.restoring = start_request_goes_on (request);
  plan->def = domain_def_copy (request->def);
  if (plan->def->emulator == NULL)
    plan->def->emulator = g_strdup (plan->emulator);
  seclabels_show (plan->def, request->settings, plan->account);
  plan->render_node = live_wants_render_node (plan->def) ? node_render_node () : NULL;
  choose_groups (plan);
  if (plan->def->os.smbios_mode == SMBIOS_MODE_HOST)
    plan->smbios = dmi_read (NULL);
  return TRUE;
}

static gboolean
check_kvm (StartPlan *plan, GError **error)
{
  g_autofree char *problem = NULL;

  if (plan->def->type == VIRT_TYPE_KVM && (problem = node_kvm_problem ()) == NULL)
    problem = account_device_problem (plan->account, "/dev/kvm");
  if (problem != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "KVM cannot be used on this host, and domain '%s' is of type 'kvm': %s; type 'qemu' runs "
                    "here, by emulation",
                    plan->def->name, problem);
  return problem == NULL;
}

static gboolean
check_render_node (StartPlan *plan, GError **error)
{
  g_autofree char *problem =
      plan->render_node != NULL ? account_device_problem (plan->account, plan->render_node) : NULL;

  if (problem != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "3D acceleration of domain '%s' needs a render node: %s", plan->def->name, problem);
  return problem == NULL;
}

static gboolean
check_arguments (StartPlan *plan, GError **error)
{
  return free_arguments_check (plan->def, plan->account, plan->groups, &plan->group_count, START_MAX_GROUPS,
                               error);
}

static gboolean
choose_cpu (StartPlan *plan, GError **error)
{
  return live_choose_cpu (plan->def, plan->caps, error);
}

static gboolean
choose_devices (StartPlan *plan, GError **error)
{
  domain_def_assign_aliases (plan->def); /* clients are told them */
  plan->missing = missing_disks_leave_out (plan->def, start_request_goes_on (plan->request));
  return live_choose (plan->def, plan->request->id, &plan->live, error) && job_check (plan->job, error);
}

const StartStep start_steps[] = {
  { "emulator", find_emulator, TRUE },
  { "process", check_alone, FALSE },
  { "labels", check_labels, FALSE },
  { "account", choose_account, TRUE },
  { "emulator", ask_emulator, TRUE },
  { "definition", copy_definition, TRUE },
  { "kvm", check_kvm, FALSE },
  { "3d", check_render_node, FALSE },
  { "arguments", check_arguments, FALSE },
  { "cpu", choose_cpu, FALSE },
  { "images", policy_images_make, FALSE },
  { "devices", choose_devices, TRUE },
  { NULL, NULL, FALSE },
};

gboolean
start_plan_choose (StartPlan *plan, GError **error)
{
  for (const StartStep *step = start_steps; step->name != NULL; step++)
    if (!step->run (plan, error))
      return FALSE;
  return TRUE;
}

/* Translate. */

static const ImageInfo *
find_image (gpointer data, const char *path)
{
  const StartPlan *plan = data;

  return g_hash_table_lookup (plan->live.images, path);
}

static gboolean
qemu_can_read (gpointer data, const char *path)
{
  return account_can_read (((const StartPlan *)data)->account, path);
}

/* Everything that cannot be made, with its place in the user's document. */
static gboolean
check_recipe (const StartPlan *plan, GError **error)
{
  const StartRequest *request = plan->request;
  g_autofree char *path = request->document == NULL && !request->transient
                              ? store_source_path (request->store, request->def->name)
                              : NULL;
  g_autofree char *stored =
      path != NULL ? store_load_source (request->store, request->def->name, NULL) : NULL;

  return recipe_check (plan->recipe, request->document != NULL ? request->document : stored, path, error);
}

static const LiveProblem *
live_problem (const StartPlan *plan, guint index)
{
  return g_ptr_array_index (plan->live.problems, index);
}

/* A snapshot inside of the disks is loaded by a QEMU that has begun. */
static gboolean
waits_for_state (const StartRequest *request)
{
  return request->incoming != NULL || (request->restore != NULL && request->restore->image != NULL);
}

static void
begin_recipe (StartPlan *plan)
{
  const Settings *settings = plan->request->settings;

  plan->host = (RecipeHost){
    .run_directory = plan->qemu_directory,
    .state_directory = settings->state_directory,
    .render_node = plan->render_node,
    .sandbox = settings->sandbox,
    .paused = TRUE,
    .monitor_fd = START_MONITOR_FD,
    .incoming = waits_for_state (plan->request) ? "defer" : NULL,
    .image = find_image,
    .image_data = plan,
    .can_read = qemu_can_read,
    .can_read_data = plan,
    .now = g_get_real_time () / G_USEC_PER_SEC,
    .vhost_net = vhost_net_is_there (NULL),
    .host_directory = settings->host_directory,
    .smbios = plan->smbios,
    .clock_khz = host_clock_khz (plan->def),
  };
  plan->recipe = recipe_new (plan->def, plan->caps, &plan->host, RECIPE_BY_DESCRIPTOR);
}

static void
add_live_problems (StartPlan *plan)
{
  for (guint i = 0; i < plan->live.problems->len; i++)
    recipe_add_problem (plan->recipe, live_problem (plan, i)->device,
                        g_error_copy (live_problem (plan, i)->error));
}

gboolean
start_plan_make_recipe (StartPlan *plan)
{
  begin_recipe (plan);
  /* First, as what follows from them is told behind. */
  add_live_problems (plan);
  return recipe_add_domain (plan->recipe, NULL) && plan->live.problems->len == 0;
}

gboolean
start_plan_translate (StartPlan *plan, GError **error)
{
  begin_recipe (plan);
  if (!recipe_add_domain (plan->recipe, NULL) || plan->live.problems->len > 1) {
    add_live_problems (plan);
    return check_recipe (plan, error);
  }
  if (plan->live.problems->len == 0)
    return TRUE;
  g_propagate_error (error, g_error_copy (live_problem (plan, 0)->error));
  return FALSE;
}

/* The whole. */

/* A check takes an account of its own, as the machine may be started meanwhile and keep its one. (transfer
 * full) */
static char *
account_key (const StartRequest *request)
{
  char key[UUID_TEXT];
  guint8 bytes[UUID_BYTES];

  if (!request->is_check)
    return g_strdup (request->def->uuid);
  uuid_generate (bytes);
  uuid_format (bytes, key);
  return g_strdup (key);
}

void
start_plan_init (StartPlan *plan, const StartRequest *request, Job *job)
{
  plan->request = request;
  plan->job = job;
  plan->uuid = request->def->uuid;
  plan->account_key = account_key (request);
  plan->run_directory = store_run_directory (request->store, plan->uuid);
  plan->qemu_directory = g_build_filename (plan->run_directory, START_QEMU_DIRECTORY, NULL);
  files_init (&plan->files);
}

void
start_plan_release (const StartPlan *plan)
{
  if (plan->account != NULL)
    account_release (plan->account_key);
}

void
start_plan_clear (StartPlan *plan)
{
  recipe_free (plan->recipe); /* before the definition it speaks of */
  files_clear (&plan->files);
  live_values_clear (&plan->live);
  g_clear_pointer (&plan->missing, g_ptr_array_unref);
  g_clear_pointer (&plan->def, domain_def_unref);
  g_clear_pointer (&plan->caps, qemu_caps_unref);
  account_free (plan->account);
  sysinfo_free (plan->smbios);
  g_free (plan->account_key);
  g_free (plan->emulator);
  g_free (plan->run_directory);
  g_free (plan->qemu_directory);
  g_free (plan->render_node);
}
