/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CPU models of one QEMU binary. QEMU says them itself: which there are, which of them run here with each
 * accelerator and what the others lack, the features of each, and the most a guest can have. A model's
 * features are asked without KVM, which changes some of them for reasons of its own.
 */
#include "cpu/cpu-models.h"
#include "targets/qemu/caps-private.h"

#include <string.h>

#define CPU_MAX_FEATURES 20000  /* bytes of a list of names; all there are need 2,000 */
#define CPU_MAX_NUMBER   0xffff /* of a family, model or stepping */

const char *const qemu_accel_names[QEMU_ACCEL_COUNT] = { "tcg", "kvm" };

#define HOST_CPU   "host-cpu"
#define MIGRATABLE "migratable-host-cpu"
#define HYPERV     "hyperv"

const char *const qemu_hyperv_features[] = {
  "relaxed",   "vapic",       "spinlocks",       "vpindex",  "runtime", "synic", "stimer", "reset",
  "vendor_id", "frequencies", "reenlightenment", "tlbflush", "ipi",     "evmcs", "avic",   NULL
};

QemuCpuQuestion *
qemu_caps_cpu_questions (QemuAccel accel, guint *ret_count)
{
  static const QemuCpuQuestion kvm[] = {
    { HOST_CPU, "static", "{\"name\":\"host\",\"props\":{\"migratable\":false}}" },
    { MIGRATABLE, "static", "{\"name\":\"host\"}" },
    { HYPERV, "full", "{\"name\":\"host\",\"props\":{\"hv-passthrough\":true}}" },
  };
  static const QemuCpuQuestion tcg[] = {
    { HOST_CPU, "static", "{\"name\":\"max\"}" },
    { HYPERV, "full", "{\"name\":\"max\",\"props\":{\"hv-passthrough\":true}}" },
  };
  GArray *questions = g_array_new (FALSE, FALSE, sizeof (QemuCpuQuestion));

  if (accel == QEMU_ACCEL_KVM)
    g_array_append_vals (questions, kvm, G_N_ELEMENTS (kvm));
  else
    g_array_append_vals (questions, tcg, G_N_ELEMENTS (tcg));
  for (const CpuModelFact *fact = cpu_model_facts; accel == QEMU_ACCEL_TCG && fact->name != NULL; fact++) {
    g_autofree char *model = g_strdup_printf ("{\"name\":\"%s\"}", fact->name);
    QemuCpuQuestion question = { fact->name, "static", g_intern_string (model) };

    if (fact->like == NULL)
      g_array_append_val (questions, question);
  }
  *ret_count = questions->len;
  return (QemuCpuQuestion *)(gpointer)g_array_free (questions, FALSE);
}

const QemuCpuModel *
qemu_caps_cpu_models (const QemuCaps *caps, guint *ret_count)
{
  *ret_count = caps->cpu_models->len;
  return (const QemuCpuModel *)(gpointer)caps->cpu_models->data;
}

static QemuCpuModel *
find (const QemuCaps *caps, const char *name)
{
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (caps->cpu_model_by_name, name));

  return index > 0 ? &g_array_index (caps->cpu_models, QemuCpuModel, index - 1) : NULL;
}

const QemuCpuModel *
qemu_caps_cpu_model (const QemuCaps *caps, const char *name)
{
  return find (caps, name);
}

const QemuHostCpu *
qemu_caps_host_cpu (const QemuCaps *caps, QemuAccel accel)
{
  return &caps->host_cpus[accel];
}

/* The model of that name, added when it is new. The pointer is good until the next is added. */
static QemuCpuModel *
ensure (QemuCaps *caps, const char *name)
{
  QemuCpuModel model = { .name = caps_keep (caps, name) };
  QemuCpuModel *found = find (caps, name);

  if (found != NULL)
    return found;
  g_array_append_val (caps->cpu_models, model);
  g_hash_table_insert (caps->cpu_model_by_name, (gpointer)model.name,
                       GUINT_TO_POINTER (caps->cpu_models->len));
  return &g_array_index (caps->cpu_models, QemuCpuModel, caps->cpu_models->len - 1);
}

static void
add_feature (CpuFeatureSet *set, const char *name)
{
  int index = name != NULL ? cpu_feature_find (name) : -1;

  if (index >= 0)
    cpu_feature_set_add (set, (guint)index);
}

static void
add_definitions (QemuCaps *caps, QemuAccel accel, JsonArray *array)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);
    JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    const char *name = object != NULL ? caps_string_member (object, "name") : NULL;
    JsonArray *missing =
        name != NULL ? caps_array_of_node (json_object_get_member (object, "unavailable-features")) : NULL;
    QemuCpuModel *model;

    if (name == NULL)
      continue;
    model = ensure (caps, name);
    model->deprecated |= caps_boolean_member (object, "deprecated");
    model->usable[accel] = missing != NULL && json_array_get_length (missing) == 0;
    for (guint k = 0; missing != NULL && k < json_array_get_length (missing); k++) {
      JsonNode *feature = json_array_get_element (missing, k);

      if (json_node_get_value_type (feature) == G_TYPE_STRING)
        add_feature (&model->blockers[accel], json_node_get_string (feature));
    }
  }
}

/* { "model": { "name": "base", "props": { "vme": true, ... } } }; NULL when it is not that. */
static JsonObject *
properties_of (JsonObject *expansions, const char *name)
{
  JsonObject *answer = expansions != NULL ? caps_object_member (expansions, name) : NULL;
  JsonObject *model = answer != NULL ? caps_object_member (answer, "model") : NULL;
  JsonObject *properties = model != NULL ? caps_object_member (model, "props") : NULL;

  return properties != NULL && json_object_get_size (properties) <= CAPS_MAX_ITEMS ? properties : NULL;
}

static void
add_properties (CpuFeatureSet *set, JsonObject *properties)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, properties);
  while (json_object_iter_next (&iter, &name, &node))
    if (json_node_get_value_type (node) == G_TYPE_BOOLEAN && json_node_get_boolean (node))
      add_feature (set, name);
}

/* What can be switched on and off, by QEMU's names. */
static void
add_property_names (QemuCaps *caps, JsonObject *properties)
{
  GHashTable *set = caps_new_set (caps, caps->properties, QEMU_CAPS_CPU_PROPERTIES);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, properties);
  while (json_object_iter_next (&iter, &name, &node))
    if (json_node_get_value_type (node) == G_TYPE_BOOLEAN && strlen (name) <= CAPS_MAX_NAME)
      g_hash_table_add (set, (gpointer)caps_keep (caps, name));
}

static guint
number (JsonObject *object, const char *name)
{
  return (guint)CLAMP (caps_int_member (object, name), 0, CPU_MAX_NUMBER);
}

static void
read_signature (QemuCaps *caps, QemuHostCpu *cpu, JsonObject *object)
{
  cpu->is_known = TRUE;
  cpu->vendor = caps_keep (caps, caps_string_member (object, "vendor"));
  cpu->family = number (object, "family");
  cpu->model = number (object, "model");
  cpu->stepping = number (object, "stepping");
}

static void
add_host_cpu (QemuCaps *caps, QemuAccel accel, JsonObject *expansions)
{
  JsonObject *all = properties_of (expansions, HOST_CPU),
             *migratable = properties_of (expansions, MIGRATABLE);
  QemuHostCpu *cpu = &caps->host_cpus[accel];

  gboolean is_x86 = g_strcmp0 (caps->arch, "x86_64") == 0 || g_strcmp0 (caps->arch, "i386") == 0;

  if (all == NULL || !is_x86)
    return;
  read_signature (caps, cpu, all);
  add_properties (&cpu->features, all);
  if (accel == QEMU_ACCEL_TCG)
    add_property_names (caps, all);
  add_properties (&cpu->migratable, migratable != NULL ? migratable : all);
}

static char *
hyperv_set (QemuAccel accel)
{
  return g_strconcat (HYPERV "-", qemu_accel_names[accel], NULL);
}

gboolean
qemu_caps_has_hyperv (const QemuCaps *caps, QemuAccel accel, const char *feature)
{
  g_autofree char *set = hyperv_set (accel);

  return qemu_caps_has_property (caps, set, feature);
}

/* Asked for all there is: a switch that is on then, or a value that can be given. */
static void
add_hyperv (QemuCaps *caps, QemuAccel accel, JsonObject *properties)
{
  g_autofree char *name = hyperv_set (accel);
  GHashTable *set = caps_new_set (caps, caps->properties, name);

  for (guint i = 0; qemu_hyperv_features[i] != NULL; i++) {
    g_autofree char *property = g_strconcat ("hv-", qemu_hyperv_features[i], NULL);
    JsonNode *node = json_object_get_member (properties, g_strdelimit (property, "_", '-'));

    if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
        && (json_node_get_value_type (node) != G_TYPE_BOOLEAN || json_node_get_boolean (node)))
      g_hash_table_add (set, (gpointer)qemu_hyperv_features[i]);
  }
}

void
caps_add_cpu_answers (QemuCaps *caps, JsonObject *answers)
{
  for (guint accel = 0; accel < QEMU_ACCEL_COUNT; accel++) {
    JsonObject *part = caps_object_member (answers, qemu_accel_names[accel]);
    JsonObject *expansions = part != NULL ? caps_object_member (part, "query-cpu-model-expansion") : NULL;
    JsonObject *hyperv;

    if (part == NULL)
      continue;
    add_definitions (caps, accel,
                     caps_array_of_node (json_object_get_member (part, "query-cpu-definitions")));
    add_host_cpu (caps, accel, expansions);
    hyperv = properties_of (expansions, HYPERV);
    if (hyperv != NULL)
      add_hyperv (caps, accel, hyperv);
    for (const CpuModelFact *fact = cpu_model_facts; accel == QEMU_ACCEL_TCG && fact->name != NULL; fact++) {
      JsonObject *properties = properties_of (expansions, fact->name);
      QemuCpuModel *model = find (caps, fact->name);

      if (properties == NULL || model == NULL)
        continue;
      add_properties (&model->features, properties);
      model->is_described = TRUE;
    }
  }
}

/* Features are kept as one text: a list of their names. */
static void
read_features (CpuFeatureSet *set, JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  const char *text =
      node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;

  if (text != NULL && strlen (text) <= CPU_MAX_FEATURES)
    cpu_feature_set_apply (set, text);
}

static void
write_features (JsonObject *object, const char *name, const CpuFeatureSet *set)
{
  g_autofree char *names = cpu_feature_set_names (set, " ");

  if (*names != '\0')
    json_object_set_string_member (object, name, names);
}

static void
read_model (QemuCaps *caps, JsonObject *object)
{
  const char *name = caps_string_member (object, "name");
  QemuCpuModel *model;

  if (name == NULL)
    return;
  model = ensure (caps, name);
  model->deprecated = caps_boolean_member (object, "deprecated");
  model->is_described = json_object_has_member (object, "features");
  read_features (&model->features, object, "features");
  for (guint accel = 0; accel < QEMU_ACCEL_COUNT; accel++) {
    JsonObject *part = caps_object_member (object, qemu_accel_names[accel]);

    if (part == NULL)
      continue;
    model->usable[accel] = caps_boolean_member (part, "usable");
    read_features (&model->blockers[accel], part, "blockers");
  }
}

static JsonObject *
model_to_json (const QemuCaps *caps, const QemuCpuModel *model)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", model->name);
  if (model->deprecated)
    json_object_set_boolean_member (object, "deprecated", TRUE);
  if (model->is_described)
    write_features (object, "features", &model->features);
  for (guint accel = 0; accel < QEMU_ACCEL_COUNT; accel++) {
    JsonObject *part;

    if (!caps->host_cpus[accel].is_known && !model->usable[accel]
        && cpu_feature_set_is_empty (&model->blockers[accel]))
      continue;
    part = json_object_new ();
    if (model->usable[accel])
      json_object_set_boolean_member (part, "usable", TRUE);
    write_features (part, "blockers", &model->blockers[accel]);
    json_object_set_object_member (object, qemu_accel_names[accel], part);
  }
  return object;
}

void
caps_add_cpus_from_json (QemuCaps *caps, JsonObject *object)
{
  JsonArray *models = caps_array_of_node (json_object_get_member (object, "cpu-models"));
  JsonObject *hosts = caps_object_member (object, "host-cpus");

  for (guint i = 0; models != NULL && i < json_array_get_length (models); i++) {
    JsonNode *node = json_array_get_element (models, i);

    if (JSON_NODE_HOLDS_OBJECT (node))
      read_model (caps, json_node_get_object (node));
  }
  for (guint accel = 0; hosts != NULL && accel < QEMU_ACCEL_COUNT; accel++) {
    JsonObject *part = caps_object_member (hosts, qemu_accel_names[accel]);

    if (part == NULL)
      continue;
    read_signature (caps, &caps->host_cpus[accel], part);
    read_features (&caps->host_cpus[accel].features, part, "features");
    read_features (&caps->host_cpus[accel].migratable, part, "migratable");
  }
}

void
caps_cpus_to_json (const QemuCaps *caps, JsonObject *object)
{
  JsonArray *models = json_array_new ();
  JsonObject *hosts = json_object_new ();

  for (guint i = 0; i < caps->cpu_models->len; i++)
    json_array_add_object_element (models,
                                   model_to_json (caps, &g_array_index (caps->cpu_models, QemuCpuModel, i)));
  json_object_set_array_member (object, "cpu-models", models);
  for (guint accel = 0; accel < QEMU_ACCEL_COUNT; accel++) {
    const QemuHostCpu *cpu = &caps->host_cpus[accel];
    JsonObject *part;

    if (!cpu->is_known)
      continue;
    part = json_object_new ();
    if (cpu->vendor != NULL)
      json_object_set_string_member (part, "vendor", cpu->vendor);
    json_object_set_int_member (part, "family", cpu->family);
    json_object_set_int_member (part, "model", cpu->model);
    json_object_set_int_member (part, "stepping", cpu->stepping);
    write_features (part, "features", &cpu->features);
    write_features (part, "migratable", &cpu->migratable);
    json_object_set_object_member (hosts, qemu_accel_names[accel], part);
  }
  json_object_set_object_member (object, "host-cpus", hosts);
}
