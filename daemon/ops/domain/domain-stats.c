/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics of many domains in one answer, under libvirt's names. All guests are asked at once and have a
 * short time; what one does not say in time is answered from what it last said, with its age beside it.
 */
#include "daemon/domain/domain-kind.h"
#include "daemon/domain/machine.h"
#include "daemon/ops/domain/counters.h"
#include "daemon/ops/domain/dirty-rate.h"
#include "daemon/ops/domain/memory-statistics.h"
#include "daemon/ops/domain/stats-disks.h"
#include "daemon/ops/ops.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"
#include "domain/vcpus.h"
#include "wire/shape.h"
#include "wire/xdr.h"

#include <string.h>

#define LOOK_SECONDS  10              /* for the images of machines that do not run */
#define STATS_SECONDS 2               /* a running guest has to answer */
#define ANSWER_MAX    XDR_MESSAGE_MAX /* bytes of all records: more fits no message */
#define STATS_KNOWN                                                                                       \
  (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU \
   | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_IOTHREAD                      \
   | VIR_DOMAIN_STATS_DIRTYRATE)
#define LIST_FLAGS                                                                              \
  (VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE        \
   | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT \
   | VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED       \
   | VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF | VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER)
#define STATS_FLAGS                                                                                  \
  (LIST_FLAGS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING \
   | VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)

/* One answer being gathered. */
typedef struct {
  Call *call;
  guint groups;
  guint pending;     /* readings and questions under way */
  GPtrArray *slots;  /* Slot, one for each domain */
  GPtrArray *named;  /* Slot, in the order of the answer: a domain may be named more than once */
  gboolean backing;  /* the images below the disks' too */
  gboolean looked;   /* at the images of machines that do not run */
  GHashTable *sizes; /* what was seen: path → ImageSizes; NULL: nothing */
} Gathering;

/* What QEMU is asked beside its disks. */
enum { ABOUT_BALLOON, ABOUT_IOTHREADS, ABOUT_DIRTY_RATE, QUESTIONS };

typedef struct {
  Gathering *gathering;
  char *uuid;
  DomainDef *def;
  JsonNode *answers[QUESTIONS]; /* QEMU's; NULL: it was not asked, or did not answer */
  GVariant *record;             /* what is answered of it */
} Slot;

static void
slot_free (gpointer data)
{
  Slot *slot = data;

  g_free (slot->uuid);
  g_clear_pointer (&slot->def, domain_def_unref);
  for (guint i = 0; i < QUESTIONS; i++)
    g_clear_pointer (&slot->answers[i], json_node_unref);
  g_clear_pointer (&slot->record, g_variant_unref);
  g_free (slot);
}

#define add      stats_add
#define UINT(n)  g_variant_new_uint32 (n)
#define ULONG(n) g_variant_new_uint64 (n)

static void
add_cpu (GVariantBuilder *list, const Domain *domain)
{
  guint64 time, user, system, resident, success, fail;

  if (domain->machine == NULL || !process_usage (domain->machine->process, &time, &user, &system, &resident))
    return;
  stats_add (list, ULONG (time), "cpu.time");
  stats_add (list, ULONG (user), "cpu.user");
  stats_add (list, ULONG (system), "cpu.system");
  stats_add (list, UINT (0), "cpu.cache.monitor.count"); /* no machine's use of caches is watched */
  halt_poll_times (domain->machine->process, &success, &fail);
  stats_add (list, ULONG (success), "cpu.haltpoll.success.time");
  stats_add (list, ULONG (fail), "cpu.haltpoll.fail.time");
}

static void
add_memory_statistic (G_GNUC_UNUSED int tag, const char *name, guint64 value, gpointer data)
{
  stats_add (data, ULONG (value), "balloon.%s", name);
}

static void
add_balloon (GVariantBuilder *list, const Domain *domain, const DomainDef *def, JsonNode *answer)
{
  guint64 time, user, system, resident;

  stats_add (list, ULONG (domain_memory_now (domain, def)), "balloon.current");
  stats_add (list, ULONG (def->memory.value), "balloon.maximum");
  memory_statistics_each (answer, add_memory_statistic, list);
  if (domain->machine != NULL && process_usage (domain->machine->process, &time, &user, &system, &resident))
    stats_add (list, ULONG (resident), "balloon.rss");
}

static void
add_vcpus (GVariantBuilder *list, const Domain *domain, const DomainDef *def)
{
  g_autoptr (GArray) times = domain->machine != NULL ? vcpu_times (domain->machine->process) : NULL;

  stats_add (list, UINT (domain_vcpus_online (def)), "vcpu.current");
  stats_add (list, UINT (domain_vcpus_maximum (def)), "vcpu.maximum");
  for (guint i = 0; times != NULL && i < times->len; i++) {
    const VcpuTime *vcpu = &g_array_index (times, VcpuTime, i);

    stats_add (list, g_variant_new_int32 (VIR_VCPU_RUNNING), "vcpu.%u.state", vcpu->number);
    stats_add (list, ULONG (vcpu->time), "vcpu.%u.time", vcpu->number);
    stats_add (list, ULONG (vcpu->wait), "vcpu.%u.wait", vcpu->number);
    stats_add (list, ULONG (vcpu->delay), "vcpu.%u.delay", vcpu->number);
  }
}

static void
add_interfaces (GVariantBuilder *list, const Domain *domain, const DomainDef *def)
{
  static const char *const names[] = { "bytes", "pkts", "errs", "drop" };
  InterfaceCounters counters;
  guint number = 0;

  if (domain->machine == NULL)
    return;
  stats_add (list, UINT (domain_def_count_devices (def, &interface_kind)), "net.count");
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    guint index = number++;

    if (interface->target_dev == NULL)
      continue;
    stats_add (list, g_variant_new_string (interface->target_dev), "net.%u.name", index);
    if (!interface_counters (interface, &counters))
      continue;
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
      stats_add (list, ULONG (counters.received[i]), "net.%u.rx.%s", index, names[i]);
      stats_add (list, ULONG (counters.sent[i]), "net.%u.tx.%s", index, names[i]);
    }
  }
}

static void
add_state (GVariantBuilder *list, const Domain *domain, guint groups)
{
  if (groups & VIR_DOMAIN_STATS_STATE) {
    stats_add (list, g_variant_new_int32 ((int)domain->state), "state.state");
    stats_add (list, g_variant_new_int32 (domain->reason), "state.reason");
  }
}

/* { "id": "iothread1", "poll-max-ns": 32768, "poll-grow": 0, "poll-shrink": 0, ... }, untrusted. */
static void
add_iothread (GVariantBuilder *list, JsonObject *thread, GHashTable *known)
{
  static const char *const members[] = { "poll-max-ns", "poll-grow", "poll-shrink" };
  const char *name = untrusted_text (thread, "id");
  guint64 id;

  if (name == NULL || !g_str_has_prefix (name, "iothread")
      || !parse_uint (name + strlen ("iothread"), G_MAXUINT32, &id)
      || !g_hash_table_remove (known, GUINT_TO_POINTER ((guint)id)))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    guint64 value = untrusted_count (thread, members[i]);

    stats_add (list, i == 0 ? ULONG (value) : UINT ((guint)MIN (value, G_MAXUINT32)), "iothread.%u.%s",
               (guint)id, members[i]);
  }
}

static void
add_iothreads (GVariantBuilder *list, const DomainDef *def, JsonNode *answer)
{
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL); /* the machine's that are not told of yet */
  JsonArray *threads = untrusted_list_of (answer);

  for (guint i = 0; i < domain_count_iothreads (def); i++)
    g_hash_table_add (known, GUINT_TO_POINTER ((guint)domain_iothread_id (def, i)));
  if (g_hash_table_size (known) == 0)
    return; /* as libvirt leaves it out */
  stats_add (list, UINT (g_hash_table_size (known)), "iothread.count");
  for (guint i = 0; threads != NULL && i < json_array_get_length (threads); i++)
    add_iothread (list, untrusted_object_of (json_array_get_element (threads, i)), known);
}

static void
add_summary (GVariantBuilder *list, const DefinitionSummary *summary, guint groups, GHashTable *sizes)
{
  if (groups & VIR_DOMAIN_STATS_BALLOON) {
    stats_add (list, ULONG (summary->current_memory), "balloon.current");
    stats_add (list, ULONG (summary->memory), "balloon.maximum");
  }
  if (groups & VIR_DOMAIN_STATS_VCPU) {
    stats_add (list, UINT (summary->vcpus), "vcpu.current");
    stats_add (list, UINT (summary->vcpus_maximum), "vcpu.maximum");
  }
  if (groups & VIR_DOMAIN_STATS_BLOCK)
    stats_add_images (list, summary, sizes);
}

static gboolean
has_sizes (const DefinitionSummary *summary, GHashTable *sizes)
{
  for (guint i = 0; sizes != NULL && i < summary->disks->len; i++) {
    const char *path = g_array_index (summary->disks, SummaryDisk, i).path;

    if (path != NULL && g_hash_table_contains (sizes, path))
      return TRUE;
  }
  return FALSE;
}

/* A machine that does not run: its record is made of the summary, no document is read, and while nothing
 * changes it is the same the next time, unless it has images, which others may change. (borrowed) */
static GVariant *
inactive_record (Domain *domain, guint groups, GHashTable *sizes)
{
  DefinitionSummary *summary = domain->summary;
  GVariantBuilder list;

  if (has_sizes (summary, sizes))
    g_clear_pointer (&summary->record, g_variant_unref);
  if (summary->record != NULL && summary->record_groups == groups
      && summary->record_state == (int)domain->state && summary->record_reason == domain->reason)
    return summary->record;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  add_state (&list, domain, groups);
  add_summary (&list, summary, groups, sizes);
  g_clear_pointer (&summary->record, g_variant_unref);
  summary->record = g_variant_ref_sink (g_variant_new ("(@(sayi)a{sv})", call_domain_value (domain), &list));
  g_variant_get_data (summary->record); /* in one piece */
  summary->record_groups = groups;
  summary->record_state = (int)domain->state;
  summary->record_reason = domain->reason;
  return summary->record;
}

static void
make_record (Domain *domain, Slot *slot)
{
  const DomainDef *def = slot->def;
  const Gathering *gathering = slot->gathering;
  guint groups = gathering->groups;
  GVariantBuilder list;

  if (!domain_is_active (domain) && domain->summary != NULL) {
    slot->record = g_variant_ref (inactive_record (domain, groups, gathering->sizes));
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  add_state (&list, domain, groups);
  if (groups & VIR_DOMAIN_STATS_CPU_TOTAL)
    add_cpu (&list, domain);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_BALLOON))
    add_balloon (&list, domain, def, slot->answers[ABOUT_BALLOON]);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_VCPU))
    add_vcpus (&list, domain, def);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_INTERFACE))
    add_interfaces (&list, domain, def);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_BLOCK))
    stats_add_disks (&list, domain->machine, def, gathering->backing);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_IOTHREAD) && domain_is_active (domain)
      && domain_count_iothreads (def) > 0)
    add_iothreads (&list, def, slot->answers[ABOUT_IOTHREADS]);
  if (def != NULL && (groups & VIR_DOMAIN_STATS_DIRTYRATE) && slot->answers[ABOUT_DIRTY_RATE] != NULL)
    dirty_rate_add (&list, slot->answers[ABOUT_DIRTY_RATE], domain_vcpus_maximum (def));
  slot->record = g_variant_ref_sink (g_variant_new ("(@(sayi)a{sv})", call_domain_value (domain), &list));
}

static void one_less (Gathering *gathering);

static void
sizes_there (gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  Gathering *gathering = data;

  gathering->sizes = result;
  one_less (gathering);
}

/* FALSE: there are none to look at. */
static gboolean
look_at_images (Gathering *gathering)
{
  g_autoptr (GHashTable) formats = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  gathering->looked = TRUE;
  for (guint i = 0; (gathering->groups & VIR_DOMAIN_STATS_BLOCK) && i < gathering->slots->len; i++) {
    const Slot *slot = g_ptr_array_index (gathering->slots, i);
    const Domain *domain = manager_find_uuid (gathering->call->manager, slot->uuid, NULL);

    if (domain == NULL || domain_is_active (domain) || domain->summary == NULL)
      continue;
    for (guint j = 0; j < domain->summary->disks->len; j++) {
      const SummaryDisk *disk = &g_array_index (domain->summary->disks, SummaryDisk, j);

      if (disk->path != NULL)
        g_hash_table_replace (formats, g_strdup (disk->path), g_strdup (disk->format));
    }
  }
  if (g_hash_table_size (formats) == 0)
    return FALSE;
  gathering->pending = 1;
  job_start ("image-sizes", stats_sizes_job, g_steal_pointer (&formats), (GDestroyNotify)g_hash_table_unref,
             LOOK_SECONDS, sizes_there, gathering);
  return TRUE;
}

/* The last of what was waited for is there: answer. */
static void
one_less (Gathering *gathering)
{
  Manager *manager = gathering->call->manager;
  GVariantBuilder records;
  gsize bytes = 0;

  if (--gathering->pending > 0 || (!gathering->looked && look_at_images (gathering)))
    return;
  g_variant_builder_init (&records, G_VARIANT_TYPE ("a((sayi)a{sv})"));
  for (guint i = 0; i < gathering->slots->len; i++) {
    Slot *slot = g_ptr_array_index (gathering->slots, i);
    Domain *domain = manager_find_uuid (manager, slot->uuid, NULL);

    if (domain != NULL)
      make_record (domain, slot);
  }
  for (guint i = 0; i < gathering->named->len && bytes <= ANSWER_MAX; i++) {
    const Slot *slot = g_ptr_array_index (gathering->named, i);

    if (slot->record == NULL)
      continue;
    bytes += g_variant_get_size (slot->record);
    g_variant_builder_add_value (&records, slot->record);
  }
  if (bytes <= ANSWER_MAX) {
    call_answer (gathering->call, g_variant_new ("(a((sayi)a{sv}))", &records));
  } else {
    g_variant_builder_clear (&records);
    call_fail_plain (gathering->call, VIR_FROM_RPC, VIR_ERR_RPC,
                     "the statistics of %u domains are more than %d bytes: ask for fewer at once",
                     gathering->named->len, ANSWER_MAX);
  }
  g_ptr_array_unref (gathering->named);
  g_ptr_array_unref (gathering->slots);
  g_clear_pointer (&gathering->sizes, g_hash_table_unref);
  g_free (gathering);
}

static void
definition_there (G_GNUC_UNUSED Domain *domain, DomainDef *def, G_GNUC_UNUSED const GError *error,
                  gpointer data)
{
  Slot *slot = data;

  slot->def = def != NULL ? domain_def_ref (def) : NULL;
  one_less (slot->gathering);
}

static void
disks_answered (G_GNUC_UNUSED Machine *machine, gpointer data)
{
  one_less (data);
}

/* The machine may have no such device: then there is nothing to ask. */
static JsonObject *
about_balloon (const Machine *machine)
{
  const DeviceMemballoon *balloon = find_balloon (machine->def);

  return balloon != NULL ? balloon_property (balloon, "guest-stats") : NULL;
}

static JsonObject *
about_iothreads (const Machine *machine)
{
  return domain_count_iothreads (machine->def) > 0 ? json_object_new () : NULL;
}

static JsonObject *
about_dirty_rate (G_GNUC_UNUSED const Machine *machine)
{
  return json_object_new ();
}

static const struct {
  guint group;
  const char *command;
  JsonObject *(*arguments) (const Machine *machine); /* NULL: not to be asked */
} questions[QUESTIONS] = {
  [ABOUT_BALLOON] = { VIR_DOMAIN_STATS_BALLOON, "qom-get", about_balloon },
  [ABOUT_IOTHREADS] = { VIR_DOMAIN_STATS_IOTHREAD, "query-iothreads", about_iothreads },
  [ABOUT_DIRTY_RATE] = { VIR_DOMAIN_STATS_DIRTYRATE, "query-dirty-rate", about_dirty_rate },
};

typedef struct {
  Slot *slot;
  guint question;
} Asked;

static void
told (JsonNode *answer, G_GNUC_UNUSED const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;

  asked->slot->answers[asked->question] = answer != NULL ? json_node_ref (answer) : NULL;
  one_less (asked->slot->gathering);
}

static void
ask (Slot *slot, const Machine *machine)
{
  if (machine == NULL || machine->qmp == NULL || machine->monitor_closed)
    return;
  for (guint i = 0; i < QUESTIONS; i++) {
    JsonObject *arguments =
        slot->gathering->groups & questions[i].group ? questions[i].arguments (machine) : NULL;
    Asked *asked;

    if (arguments == NULL)
      continue;
    asked = g_new0 (Asked, 1);
    *asked = (Asked){ slot, i };
    slot->gathering->pending++;
    qmp_query (machine->qmp, questions[i].command, arguments, STATS_SECONDS, told, asked);
  }
}

static Slot *
gather (Gathering *gathering, Domain *domain, gboolean wait)
{
  Slot *slot = g_new0 (Slot, 1);

  slot->gathering = gathering;
  slot->uuid = g_strdup (domain->uuid);
  g_ptr_array_add (gathering->slots, slot);
  if ((domain_is_active (domain) || domain->summary == NULL)
      && (gathering->groups & ~(guint)(VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL))) {
    gathering->pending++;
    definition_request (domain, DEFINITION_CURRENT, definition_there, slot);
  }
  if ((gathering->groups & VIR_DOMAIN_STATS_BLOCK) && domain->machine != NULL && wait) {
    gathering->pending++;
    machine_ask_disks (domain->machine, STATS_SECONDS, disks_answered, gathering);
  }
  if (wait)
    ask (slot, domain->machine);
  return slot;
}

/* What is wanted of each domain is asked for once, however often the client names it. */
static void
gather_all (Gathering *gathering, const GPtrArray *domains, gboolean wait)
{
  g_autoptr (GHashTable) slots = g_hash_table_new (NULL, NULL); /* Domain → Slot */

  for (guint i = 0; i < domains->len; i++) {
    Domain *domain = g_ptr_array_index (domains, i);
    Slot *slot = g_hash_table_lookup (slots, domain);

    if (slot == NULL) {
      slot = gather (gathering, domain, wait);
      g_hash_table_insert (slots, domain, slot);
    }
    g_ptr_array_add (gathering->named, slot);
  }
}

/* The domains of the list, or all that pass the filter. FALSE: the call was failed. */
static gboolean
choose (Call *call, guint flags, GPtrArray *domains)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 0);
  g_autoptr (GPtrArray) all = NULL;
  GVariantIter iter;
  const char *name;
  GVariant *bytes;

  if (g_variant_n_children (list) == 0) {
    all = manager_list (call->manager);
    for (guint i = 0; i < all->len; i++)
      if (domain_kind.passes (g_ptr_array_index (all, i), flags & LIST_FLAGS))
        g_ptr_array_add (domains, g_ptr_array_index (all, i));
    return TRUE;
  }
  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "(&s@ayi)", &name, &bytes, NULL)) {
    gsize length;
    const guint8 *uuid = g_variant_get_fixed_array (bytes, &length, 1);
    char text[UUID_TEXT] = "";
    Domain *domain;

    if (length == UUID_BYTES)
      uuid_format (uuid, text);
    domain = manager_find_uuid (call->manager, text, NULL);
    if (domain == NULL) {
      g_variant_unref (bytes);
      call_fail_with (call, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s' (%s)", text, name);
      return FALSE;
    }
    if (domain_kind.passes (&domain->object, flags & LIST_FLAGS))
      g_ptr_array_add (domains, domain);
  }
  return TRUE;
}

void
op_connect_get_all_domain_stats (Call *call)
{
  guint groups = call_uint (call, 1), flags = call_uint (call, 2);
  g_autoptr (GPtrArray) domains = g_ptr_array_new ();
  Gathering *gathering;

  if (!call_check_flags (call, flags, STATS_FLAGS))
    return;
  if ((flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) && (groups & ~(guint)STATS_KNOWN)) {
    call_fail_with (call, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "Stats types bits 0x%x are not supported by this daemon or QEMU",
                    groups & ~(guint)STATS_KNOWN);
    return;
  }
  if (!choose (call, flags, domains))
    return;
  gathering = g_new0 (Gathering, 1);
  gathering->call = call;
  gathering->groups = groups != 0 ? groups & STATS_KNOWN : STATS_KNOWN;
  gathering->slots = g_ptr_array_new_with_free_func (slot_free);
  gathering->backing = (flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING) != 0;
  gathering->pending = 1; /* until all are asked */
  gathering->named = g_ptr_array_new ();
  gather_all (gathering, domains, !(flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT));
  one_less (gathering);
}
