/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What machines that run images take of the host, as `docker stats` shows it of containers: from the daemon's
 * statistics, asked for twice, because a share of a processor is what grew between two looks.
 */
#include "cli/run.h"

#include "cli/connection.h"
#include "cli/table.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <unistd.h>

#define INTERVAL    1000 /* ms between two looks */
#define DEVICES_MAX 1024 /* disks or cards of a machine that are summed up */
#define GROUPS                                                                        \
  (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_INTERFACE \
   | VIR_DOMAIN_STATS_BLOCK)
#define CLEAR_SCREEN "\033[H\033[J"

static gboolean no_stream;

/* One look at a machine. */
typedef struct {
  gint64 time;                 /* µs */
  guint64 cpu;                 /* ns, of all its threads */
  guint64 memory, limit;       /* bytes that it has of the host, and what its guest was given */
  guint64 received, sent;      /* bytes */
  guint64 read_bytes, written; /* bytes */
} Sample;

/* "net.0.rx.bytes" and its like, of all there are. */
static guint64
sum_of (GVariant *stats, const char *kind, const char *what)
{
  g_autofree char *count_name = g_strconcat (kind, ".count", NULL);
  guint32 count = 0;
  guint64 sum = 0;

  g_variant_lookup (stats, count_name, "u", &count);
  for (guint i = 0; i < MIN (count, DEVICES_MAX); i++) {
    g_autofree char *name = g_strdup_printf ("%s.%u.%s", kind, i, what);
    guint64 value = 0;

    if (g_variant_lookup (stats, name, "t", &value))
      sum += value;
  }
  return sum;
}

/* FALSE: it does not run, or no more. */
static gboolean
take_sample (CommandLine *line, const char *name, Sample *ret)
{
  g_autofree char *path = connection_find_domain (line->connection, name, NULL);
  g_autoptr (GVariant) stats = NULL;
  guint64 kib = 0;

  *ret = (Sample){ .time = g_get_monotonic_time () };
  if (path == NULL || !run_is_active (line, name))
    return FALSE;
  stats = connection_domain_stats (line->connection, path, GROUPS, NULL);
  if (stats == NULL || !g_variant_lookup (stats, "cpu.time", "t", &ret->cpu))
    return FALSE;
  if (g_variant_lookup (stats, "balloon.rss", "t", &kib))
    ret->memory = kib * 1024;
  if (g_variant_lookup (stats, "balloon.maximum", "t", &kib))
    ret->limit = kib * 1024;
  ret->received = sum_of (stats, "net", "rx.bytes");
  ret->sent = sum_of (stats, "net", "tx.bytes");
  ret->read_bytes = sum_of (stats, "block", "rd.bytes");
  ret->written = sum_of (stats, "block", "wr.bytes");
  return TRUE;
}

static double
percent_of_processor (const Sample *before, const Sample *now)
{
  double nanoseconds = (double)MAX (now->time - before->time, 1) * 1000;

  return now->cpu > before->cpu ? (double)(now->cpu - before->cpu) * 100 / nanoseconds : 0;
}

static void
add_row (Table *table, const char *name, double cpu, const Sample *now)
{
  g_autofree char *memory = g_format_size_full (now->memory, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *limit = g_format_size_full (now->limit, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *received = g_format_size (now->received), *sent = g_format_size (now->sent);
  g_autofree char *bytes_read = g_format_size (now->read_bytes), *written = g_format_size (now->written);
  g_autofree char *share = g_strdup_printf ("%.1f %%", cpu);
  g_autofree char *memories = g_strdup_printf ("%s / %s", memory, limit);
  g_autofree char *network = g_strdup_printf ("%s / %s", received, sent);
  g_autofree char *blocks = g_strdup_printf ("%s / %s", bytes_read, written);

  table_add (table, name, share, memories, network, blocks, NULL);
}

static void
add_json (JsonBuilder *json, const char *name, double cpu, const Sample *now)
{
  const struct {
    const char *name;
    guint64 value;
  } members[] = { { "memory", now->memory },         { "memory_limit", now->limit },
                  { "received", now->received },     { "sent", now->sent },
                  { "block_read", now->read_bytes }, { "block_written", now->written } };

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "name");
  json_builder_add_string_value (json, name);
  json_builder_set_member_name (json, "cpu_percent");
  json_builder_add_double_value (json, cpu);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    json_builder_set_member_name (json, members[i].name);
    json_builder_add_int_value (json, (gint64)MIN (members[i].value, G_MAXINT64));
  }
  json_builder_end_object (json);
}

/* Those that were there both times. @samples: of each name, the last; they become those of now. The number of
 * machines that run. */
static guint
print_once (CommandLine *line, const GPtrArray *names, Sample *samples, gboolean clears)
{
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("CPU"), _ ("Memory / limit"), _ ("Received / sent"),
                                       _ ("Read / written"), NULL);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *text = NULL;
  guint count = 0;

  json_builder_begin_array (json);
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    Sample before = samples[i];
    double cpu;

    if (!take_sample (line, name, &samples[i]))
      continue;
    cpu = before.cpu > 0 ? percent_of_processor (&before, &samples[i]) : 0;
    add_row (table, name, cpu, &samples[i]);
    add_json (json, name, cpu, &samples[i]);
    count++;
  }
  json_builder_end_array (json);
  text = table_to_string (table);
  command_print (line, "%s%s", clears ? CLEAR_SCREEN : "", text);
  command_print_json (line, json_builder_get_root (json));
  fflush (stdout);
  return count;
}

/* All that run, or those that are named. NULL after an error was printed. (transfer full) */
static GPtrArray *
choose_machines (CommandLine *line, const char *cache)
{
  g_autoptr (GPtrArray) names = NULL;

  if (line->argument_count == 0) {
    run_sweep (line, cache);
    return run_machines (cache);
  }
  names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < line->argument_count; i++) {
    if (!run_check_machine (cache, line->arguments[i]))
      return NULL;
    if (!run_is_active (line, line->arguments[i])) {
      command_error (_ ("the machine '%s' does not run"), line->arguments[i]);
      return NULL;
    }
    g_ptr_array_add (names, g_strdup (line->arguments[i]));
  }
  return g_steal_pointer (&names);
}

int
stats_run (CommandLine *line)
{
  gboolean once = no_stream || line->json, clears = !once && isatty (STDOUT_FILENO);
  g_autoptr (GPtrArray) names = NULL;
  g_autofree Sample *samples = NULL;
  g_autofree char *cache = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  cache = run_cache (line);
  names = choose_machines (line, cache);
  if (names == NULL)
    return EXIT_FAILED;
  samples = g_new0 (Sample, names->len);
  for (guint i = 0; i < names->len; i++)
    take_sample (line, g_ptr_array_index (names, i), &samples[i]);
  do {
    if (names->len > 0)
      g_usleep (INTERVAL * G_TIME_SPAN_MILLISECOND);
  } while (print_once (line, names, samples, clears) > 0 && !once);
  return EXIT_OK;
}

const GOptionEntry stats_options[] = {
  { "no-stream", 0, 0, G_OPTION_ARG_NONE, &no_stream, N_ ("Once, and not each second until they end"), NULL },
  G_OPTION_ENTRY_NULL,
};
