/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of a small change: the lock, the stored definition written aside, QEMU's word, the live definition,
 * the stored one in its place. Each step may find that the domain is no longer what it was, and says so. A
 * full disk is met before the machine has changed.
 */
#include "daemon/ops/domain/domain-change.h"

#include "daemon/domain/definition.h"
#include "daemon/domain/machine.h"
#include "daemon/ops/domain/config-edit.h"

typedef struct {
  ChangeRequest change;
  gboolean live, config;
  ChangeTarget target;
  DriverMachine *machine; /* of another hypervisor */
  ConfigEdit *edit;       /* prepared; the machine changes first */
} ChangeState;

static void
state_free (gpointer data)
{
  ChangeState *state = data;

  if (state->change.free_values != NULL)
    state->change.free_values (state->change.values);
  else
    g_free (state->change.values);
  config_edit_free (state->edit);
  g_clear_pointer (&state->machine, driver_machine_free);
  g_clear_pointer (&state->target.qmp, qmp_unref);
  g_clear_pointer (&state->target.def, domain_def_unref);
  g_free (state);
}

/* (transfer full) */
static DomainDef *
changed_definition (const ChangeState *state, const DomainDef *def, const Machine *machine, GError **error)
{
  g_autoptr (DomainDef) changed = domain_def_copy (def);

  if (!state->change.apply (changed, machine, state->change.values, error))
    return NULL;
  return g_steal_pointer (&changed);
}

static void
config_changed (Call *call, DomainDef *def)
{
  definition_replace (call->domain, def);
  call_answer_nothing (call);
}

/* NULL when the definition cannot be changed so; the call has failed then. */
static ConfigEdit *
edit_of (Call *call, DomainDef *def)
{
  const ChangeState *state = call->user_data;
  GError *error = NULL;
  DomainDef *changed = changed_definition (state, def, NULL, &error);

  if (changed == NULL) {
    call_fail (call, error);
    return NULL;
  }
  return state->change.device_element != NULL
             ? config_edit_of_devices (call, def, changed, state->change.device_element)
             : config_edit_of_elements (call, changed, state->change.elements);
}

static void
change_config (Call *call, DomainDef *def)
{
  ConfigEdit *edit = edit_of (call, def);

  if (edit != NULL)
    config_edit_commit (edit, FALSE, config_changed);
}

static void
commit_config_or_end (Call *call)
{
  ChangeState *state = call->user_data;

  if (state->edit != NULL)
    config_edit_commit (g_steal_pointer (&state->edit), TRUE, config_changed);
  else
    call_answer_nothing (call);
}

static void
commit_live (Call *call, Domain *domain)
{
  const ChangeState *state = call->user_data;
  GError *error = NULL;
  DomainDef *changed = changed_definition (state, domain->machine->def, domain->machine, &error);

  if (changed == NULL) {
    call_fail (call, error);
    return;
  }
  machine_replace_def (domain->machine, changed);
  if (state->change.changed != NULL)
    state->change.changed (domain, state->change.values);
  commit_config_or_end (call);
}

static void
commit_after_wait (Call *call, const GError *error)
{
  Domain *domain;

  if (error != NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  if (domain->machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_FAILED, "domain is no longer running");
  else
    commit_live (call, domain);
}

static void
told (JsonNode *answer G_GNUC_UNUSED, const GError *error, gpointer data)
{
  commit_after_wait (data, error);
}

static gpointer
enact_job (Job *job, gpointer input, GError **error)
{
  ChangeState *state = input;

  return state->change.enact (job, &state->target, state->change.values, error) ? JOB_OK : NULL;
}

static void
enacted (gpointer result G_GNUC_UNUSED, const GError *error, gpointer data)
{
  commit_after_wait (data, error);
}

/* The state is the call's, which is not answered before the job is done. Takes @def. */
static void
begin_enacting (Call *call, Machine *machine, DomainDef *def)
{
  ChangeState *state = call->user_data;

  state->target = (ChangeTarget){
    .qmp = machine->qmp != NULL && !machine->monitor_closed ? qmp_ref (machine->qmp) : NULL,
    .pid = process_pid (machine->process),
    .def = def,
  };
  job_start (state->change.name, enact_job, state, NULL, call->manager->settings->call_timeout, enacted,
             call);
}

static gpointer
drive_job (Job *job, gpointer input, GError **error)
{
  ChangeState *state = input;

  return state->change.drive (state->machine, job, state->change.values, error) ? JOB_OK : NULL;
}

/* Of another hypervisor than QEMU. */
static void
change_driven (Call *call, const Machine *machine)
{
  ChangeState *state = call->user_data;

  state->machine = machine_driver_view (machine);
  job_start (state->change.name, drive_job, state, NULL, call->manager->settings->call_timeout, enacted,
             call);
}

static void
change_live (Call *call, Domain *domain)
{
  const ChangeState *state = call->user_data;
  Machine *machine = domain->machine;
  GError *error = NULL;
  g_autoptr (DomainDef) trial = changed_definition (state, machine->def, machine, &error);
  JsonObject *arguments = NULL;
  const char *command;

  if (trial == NULL) {
    call_fail (call, error);
    return;
  }
  if (machine->driver != NULL && state->change.drive != NULL) {
    change_driven (call, machine);
    return;
  }
  if (state->change.enact != NULL) {
    begin_enacting (call, machine, g_steal_pointer (&trial));
    return;
  }
  command = state->change.command != NULL ? state->change.command (machine, state->change.values, &arguments)
                                          : NULL;
  if (command == NULL) {
    commit_live (call, domain);
  } else if (!domain_check_monitor (domain, &error)) {
    g_clear_pointer (&arguments, json_object_unref);
    call_fail (call, error);
  } else
    qmp_query (machine->qmp, command, arguments, call->manager->settings->call_timeout, told, call);
}

static void
config_prepared (Call *call, ConfigEdit *edit)
{
  ChangeState *state = call->user_data;
  Domain *domain;

  state->edit = edit;
  domain = call_find_domain_again (call);
  if (domain == NULL)
    return;
  if (domain->machine == NULL)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain is not running");
  else
    change_live (call, domain);
}

static void
prepare_config (Call *call, DomainDef *def)
{
  ConfigEdit *edit = edit_of (call, def);

  if (edit != NULL)
    config_edit_prepare (edit, config_prepared);
}

/* What the machine refuses anyway needs no writing. */
static void
change_both (Call *call, Domain *domain)
{
  GError *error = NULL;
  g_autoptr (DomainDef) trial =
      changed_definition (call->user_data, domain->machine->def, domain->machine, &error);

  if (trial == NULL)
    call_fail (call, error);
  else
    call_with_definition (call, DEFINITION_CONFIG, prepare_config);
}

static void
change_begin (Domain *domain, Call *call)
{
  ChangeState *state = call->user_data;
  DefinitionWhich which;

  /* What was true when the call came may not be any more. */
  if (!call_check_affect (call, state->change.affect, &which))
    return;
  state->config = (state->change.affect & VIR_DOMAIN_AFFECT_CONFIG) != 0;
  state->live =
      (state->change.affect & VIR_DOMAIN_AFFECT_LIVE) != 0 || (!state->config && domain_is_active (domain));
  state->config = state->config || !state->live;
  if (state->live && state->config)
    change_both (call, domain);
  else if (state->live)
    change_live (call, domain);
  else
    call_with_definition (call, DEFINITION_CONFIG, change_config);
}

void
domain_change (Call *call, const ChangeRequest *change)
{
  ChangeState *state = g_new0 (ChangeState, 1);
  DefinitionWhich which;

  state->change = *change;
  call->user_data = state;
  call->user_free = state_free;
  if (call_check_affect (call, change->affect, &which))
    domain_lock (call->domain, change->name, call, change_begin);
}
