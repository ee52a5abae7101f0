/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What QEMU counts of a machine's disks: asked for from the main loop, by two questions at once, and kept
 * with its age for when the guest is silent. Another hypervisor is asked in a job, by its driver. The machine
 * may end, or its domain be gone, before the answers come.
 */
#include "daemon/domain/machine.h"

/* Two questions, one answer. */
typedef struct {
  Manager *manager;
  char *uuid;
  guint pending;
  gboolean silent;
  JsonNode *statistics, *disks;
  void (*then) (Machine *machine, gpointer data);
  gpointer data;
} DiskQuestion;

static void
disk_answer (DiskQuestion *question, JsonNode **ret, JsonNode *answer)
{
  Domain *domain;
  Machine *machine;

  if (answer != NULL)
    *ret = json_node_ref (answer);
  question->silent = question->silent || answer == NULL;
  if (--question->pending > 0)
    return;
  domain = manager_find_uuid (question->manager, question->uuid, NULL);
  machine = domain != NULL ? domain->machine : NULL;
  if (machine != NULL)
    machine->silent = question->silent;
  if (machine != NULL && !question->silent) {
    g_clear_pointer (&machine->statistics, json_node_unref);
    g_clear_pointer (&machine->disks, json_node_unref);
    machine->statistics = g_steal_pointer (&question->statistics);
    machine->disks = g_steal_pointer (&question->disks);
    machine->statistics_at = g_get_monotonic_time ();
  }
  question->then (machine, question->data);
  g_clear_pointer (&question->statistics, json_node_unref);
  g_clear_pointer (&question->disks, json_node_unref);
  g_free (question->uuid);
  g_free (question);
}

static void
statistics_answered (JsonNode *answer, G_GNUC_UNUSED const GError *error, gpointer data)
{
  DiskQuestion *question = data;

  disk_answer (question, &question->statistics, answer);
}

static void
disks_answered (JsonNode *answer, G_GNUC_UNUSED const GError *error, gpointer data)
{
  DiskQuestion *question = data;

  disk_answer (question, &question->disks, answer);
}

/* Of another hypervisor. */
typedef struct {
  Manager *manager;
  char *uuid;
  int id;
  DriverMachine *machine;
  void (*then) (Machine *machine, gpointer data);
  gpointer data;
} DriverQuestion;

static void
driver_question_free (gpointer data)
{
  DriverQuestion *question = data;

  driver_machine_free (question->machine);
  g_free (question->uuid);
  g_free (question);
}

static gpointer
count_disks (Job *job, gpointer input, GError **error)
{
  const DriverQuestion *question = input;
  g_autoptr (GHashTable) counters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return question->machine->driver->count_disks (question->machine, job, counters, error)
             ? g_steal_pointer (&counters)
             : NULL;
}

static void
disks_counted (gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  const DriverQuestion *question = data;
  Machine *machine = manager_find_machine (question->manager, question->uuid, question->id);

  if (machine != NULL)
    machine->silent = result == NULL;
  if (machine != NULL && result != NULL) {
    g_clear_pointer (&machine->driver_counters, g_hash_table_unref);
    machine->driver_counters = g_hash_table_ref (result);
    machine->statistics_at = g_get_monotonic_time ();
  }
  question->then (machine, question->data);
  g_clear_pointer ((GHashTable **)&result, g_hash_table_unref);
}

static void
ask_driver (Machine *machine, guint seconds, void (*then) (Machine *machine, gpointer data), gpointer data)
{
  DriverQuestion *question = g_new0 (DriverQuestion, 1);

  *question = (DriverQuestion){ .manager = machine->domain->manager,
                                .uuid = g_strdup (machine->domain->uuid),
                                .id = machine->domain->id,
                                .machine = machine_driver_view (machine),
                                .then = then,
                                .data = data };
  job_start ("statistics", count_disks, question, driver_question_free, seconds, disks_counted, question);
}

void
machine_ask_disks (Machine *machine, guint seconds, void (*then) (Machine *machine, gpointer data),
                   gpointer data)
{
  DiskQuestion *question;

  if (machine->driver != NULL && machine->driver->count_disks != NULL) {
    ask_driver (machine, seconds, then, data);
    return;
  }
  if (machine->qmp == NULL || machine->monitor_closed) {
    machine->silent = TRUE;
    then (machine, data);
    return;
  }
  question = g_new0 (DiskQuestion, 1);
  question->manager = machine->domain->manager;
  question->uuid = g_strdup (machine->domain->uuid);
  question->pending = 2;
  question->then = then;
  question->data = data;
  qmp_query (machine->qmp, "query-blockstats", NULL, seconds, statistics_answered, question);
  qmp_query (machine->qmp, "query-block", NULL, seconds, disks_answered, question);
}
