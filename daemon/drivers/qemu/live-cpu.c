/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What processor a machine gets. QEMU leaves out what the host or its emulator lacks and adds some of its
 * own, so what the guest has is known only by asking; it is written into the running machine's document, so
 * that a saved machine is given the same again.
 *
 * QEMU tells whole words of CPUID at once, which is two questions instead of three hundred. Features that are
 * bits of other registers have to be asked one by one, and are only where the guest has such a register.
 *
 * The questions are a tenth of the time of a small machine's start, and the same emulator answers them alike
 * for every machine with the same words about its processor. So answers are kept, but never one of a QEMU
 * that has read a saved state: what a hostile state made of it must not be told of other machines.
 */
#include "daemon/drivers/qemu/live-cpu.h"

#include "daemon/host/host-cpu.h"
#include "targets/qemu/cpu-guest.h"

#include <string.h>

#define FIRST_CPU      "/machine/unattached/device[0]"
#define WORDS_MAX      256                 /* entries of one answer; QEMU 7.2 has 18 */
#define REGISTER_WORDS "arch-capabilities" /* the feature of having the registers that hold the others */
#define ANSWERS_MAX    64                  /* kept; each is half a kilobyte */

/* What a QEMU said of its processor. */
typedef struct {
  QemuCaps *caps; /* the emulator as it was probed: another probe is another emulator */
  CpuFeatureSet enabled, filtered;
} Answer;

static GMutex answers_lock;
static GHashTable *answers; /* words about the processor → Answer; locked */

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  qemu_caps_unref (answer->caps);
  g_free (answer);
}

gboolean
live_choose_cpu (DomainDef *def, const QemuCaps *caps, GError **error)
{
  CpuGuest guest = { .caps = caps,
                     .accel = def->type == VIRT_TYPE_KVM ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG,
                     .physical = &host_cpu_get ()->data };

  return def->cpu == NULL || cpu_resolve (&guest, def->cpu, error);
}

/* A property of the first virtual CPU. */
static QmpQuestion *
send (Qmp *qmp, Job *job, const char *property, GError **error)
{
  JsonObject *arguments = json_object_new ();

  json_object_set_string_member (arguments, "path", FIRST_CPU);
  json_object_set_string_member (arguments, "property", property);
  return qmp_send (qmp, job, "qom-get", arguments, error);
}

/* NULL with @error set. (transfer full) */
static JsonNode *
ask (Qmp *qmp, Job *job, const char *property, GError **error)
{
  QmpQuestion *question = send (qmp, job, property, error);

  return question != NULL ? qmp_await (qmp, job, question, error) : NULL;
}

/* Two of them at once: each wait is for QEMU, for the main loop and for us. FALSE with @error set. */
static gboolean
ask_both (Qmp *qmp, Job *job, const char *one, const char *other, JsonNode **ret_one, JsonNode **ret_other,
          GError **error)
{
  QmpQuestion *first = send (qmp, job, one, error);
  QmpQuestion *second = first != NULL ? send (qmp, job, other, error) : NULL;

  if (first != NULL)
    *ret_one = qmp_await (qmp, job, first, second != NULL ? error : NULL);
  if (second != NULL)
    *ret_other = qmp_await (qmp, job, second, *ret_one != NULL ? error : NULL);
  return *ret_one != NULL && *ret_other != NULL;
}

static CpuRegister
register_of (const char *name)
{
  static const char *const names[] = { "EAX", "EBX", "ECX", "EDX" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (name, names[i]) == 0)
      return i;
  return G_MAXINT;
}

/* { "cpuid-input-eax": 7, "cpuid-input-ecx": 0, "cpuid-register": "EBX", "features": 563 } */
static void
read_word (JsonObject *object, CpuFeatureSet *set)
{
  gint64 leaf = -1, subleaf = 0, bits = 0;
  CpuRegister result = register_of (untrusted_text (object, "cpuid-register"));

  untrusted_number (object, "cpuid-input-eax", &leaf);
  untrusted_number (object, "cpuid-input-ecx", &subleaf);
  untrusted_number (object, "features", &bits);
  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    if (cpu_words[i].kind == CPU_WORD_CPUID && cpu_words[i].leaf == leaf && cpu_words[i].subleaf == subleaf
        && cpu_words[i].result == result)
      set->words[i] = (guint32)bits;
}

/* FALSE: it is not what was asked for, and nothing is known. */
static gboolean
read_words (JsonNode *answer, CpuFeatureSet *ret)
{
  JsonArray *array = untrusted_list_of (answer);

  if (array == NULL || json_array_get_length (array) == 0 || json_array_get_length (array) > WORDS_MAX)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (array); i++)
    read_word (untrusted_object_of (json_array_get_element (array, i)), ret);
  cpu_feature_set_keep_named (ret);
  return TRUE;
}

/* A feature this QEMU does not know is one the guest does not have. */
static gboolean
ask_registers (Qmp *qmp, Job *job, CpuFeatureSet *enabled, GError **error)
{
  for (guint i = 0; i < CPU_FEATURE_COUNT; i++) {
    g_autoptr (JsonNode) answer = NULL;
    g_autoptr (GError) refusal = NULL;

    if (cpu_words[i / 32].kind != CPU_WORD_MSR || cpu_feature_name (i) == NULL)
      continue;
    answer = ask (qmp, job, cpu_feature_qemu_name (cpu_feature_name (i)), &refusal);
    if (answer == NULL && !job_check (job, error))
      return FALSE;
    if (answer != NULL && json_node_get_value_type (answer) == G_TYPE_BOOLEAN
        && json_node_get_boolean (answer))
      cpu_feature_set_add (enabled, i);
  }
  return TRUE;
}

/* The words of @argv that decide what processor the guest gets. NULL: others may as well. (transfer full) */
static char *
words_about_cpu (const char *const *argv)
{
  static const char *const deciding[] = { "-cpu", "-machine", "-accel", "-smp", "-global", NULL };
  static const char *const anything[] = { "-set", "-readconfig", NULL };
  g_autoptr (GString) words = g_string_new (NULL);

  for (guint i = 0; argv[i] != NULL && argv[i + 1] != NULL; i++) {
    if (g_strv_contains (anything, argv[i]))
      return NULL;
    if (g_strv_contains (deciding, argv[i]))
      g_string_append_printf (words, "%s %s\n", argv[i], argv[i + 1]);
  }
  return g_string_free (g_steal_pointer (&words), FALSE);
}

static gboolean
find_answer (const QemuCaps *caps, const char *words, CpuFeatureSet *ret_enabled, CpuFeatureSet *ret_filtered)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&answers_lock);
  const Answer *answer = answers != NULL ? g_hash_table_lookup (answers, words) : NULL;

  if (answer == NULL || answer->caps != caps)
    return FALSE;
  *ret_enabled = answer->enabled;
  *ret_filtered = answer->filtered;
  return TRUE;
}

static void
keep_answer (QemuCaps *caps, const char *words, const CpuFeatureSet *enabled, const CpuFeatureSet *filtered)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&answers_lock);
  Answer *answer = g_new0 (Answer, 1);

  *answer = (Answer){ qemu_caps_ref (caps), *enabled, *filtered };
  if (answers == NULL)
    answers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, answer_free);
  if (g_hash_table_size (answers) >= ANSWERS_MAX)
    g_hash_table_remove_all (answers);
  g_hash_table_replace (answers, g_strdup (words), answer);
}

/* FALSE with @error set, or without one: this QEMU does not say. */
static gboolean
ask_cpu (Qmp *qmp, Job *job, CpuFeatureSet *enabled, CpuFeatureSet *filtered, GError **error)
{
  g_autoptr (JsonNode) words = NULL, missing = NULL;

  if (!ask_both (qmp, job, "feature-words", "filtered-features", &words, &missing, error)
      || !read_words (words, enabled) || !read_words (missing, filtered))
    return FALSE;
  return !cpu_feature_set_has (enabled, (guint)cpu_feature_find (REGISTER_WORDS))
         || ask_registers (qmp, job, enabled, error);
}

gboolean
live_ask_cpu (DomainDef *def, QemuCaps *caps, const char *const *argv, Qmp *qmp, Job *job, GError **error)
{
  g_autofree char *words = argv != NULL ? words_about_cpu (argv) : NULL;
  g_autoptr (GError) problem = NULL;
  CpuFeatureSet enabled = { 0 }, filtered = { 0 };

  if (!cpu_is_named (def->cpu) || cpu_model_find (def->cpu->model) == NULL)
    return TRUE;
  if (words != NULL && find_answer (caps, words, &enabled, &filtered))
    return cpu_update_live (caps, def->cpu, &enabled, &filtered, error);
  if (!ask_cpu (qmp, job, &enabled, &filtered, &problem)) {
    if (problem == NULL)
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (words != NULL)
    keep_answer (caps, words, &enabled, &filtered);
  return cpu_update_live (caps, def->cpu, &enabled, &filtered, error);
}
