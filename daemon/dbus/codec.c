/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Calls of D-Bus members as calls of operations, and back.
 *
 * For each call two plans are made from types alone: where every RPC argument comes from, and which results
 * make up the answer, with the conversion of each. Values are only looked at afterwards. That makes one piece
 * of code serve the calls and the test that no row of the operations table disagrees with its member.
 */
#include "daemon/dbus/codec.h"

#include "daemon/host/threads.h"

#include <string.h>

#include "daemon/dbus/convert.h"
#include "wire/typed-parameters.h"

typedef enum {
  SOURCE_OBJECT, /* of the path */
  SOURCE_ARGUMENT,
  SOURCE_NUMBER,
  SOURCE_NOTHING,
} Source;

typedef struct {
  Source source;
  guint32 number; /* SOURCE_ARGUMENT: the position; SOURCE_NUMBER: it */
  DbusFromClient convert;
} ArgumentPlan;

typedef struct {
  guint n_results;
  guint positions[DBUS_CODEC_ARGUMENTS_MAX];
  gboolean as_struct; /* the D-Bus answer is one struct of them */
} AnswerPlan;

/* Objects with members of their own: their operations have one as the first argument. */
static gboolean
is_object (const Shape *shape)
{
  const ObjectKind *kind = object_kind_of_letter (shape->letter);

  return kind != NULL && kind->interfaces != NULL;
}

static gboolean
is_descriptor (const GVariantType *type)
{
  return g_variant_type_equal (type, G_VARIANT_TYPE_HANDLE)
         || g_variant_type_equal (type, G_VARIANT_TYPE ("ah"));
}

static const GVariantType *
type_at (const GVariantType *tuple, guint position)
{
  const GVariantType *type = g_variant_type_first (tuple);

  while (type != NULL && position-- > 0)
    type = g_variant_type_next (type);
  return type;
}

static gboolean
plan_fail (GError **error, const Operation *operation, const char *what, guint position)
{
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s: %s %u", operation->name, what, position + 1);
  return FALSE;
}

/* How many the operation's answer can hold, at least 1. */
static guint32
answer_limit (const Operation *operation)
{
  const Shape *out = shape_of (operation->out);

  for (guint i = 0; i < out->n_members; i++)
    if (out->members[i]->kind == SHAPE_ARRAY || out->members[i]->kind == SHAPE_BYTES)
      return out->members[i]->limit;
  return 1;
}

/* One character of OperationDBus.arguments, or a number. */
static void
plan_from_template (const Operation *operation, const char **at, ArgumentPlan *plan)
{
  gsize digits = strspn (*at, "0123456789");

  if (digits > 0 && (*at)[digits] == '!') {
    *plan = (ArgumentPlan){ SOURCE_NUMBER, (guint32)g_ascii_strtoull (*at, NULL, 10), NULL };
    *at += digits;
  } else if (digits > 0) {
    *plan = (ArgumentPlan){ SOURCE_ARGUMENT, (guint32)(**at - '0'), NULL };
  } else if (**at == 'D') {
    *plan = (ArgumentPlan){ SOURCE_OBJECT, 0, NULL };
  } else if (**at == '*') {
    *plan = (ArgumentPlan){ SOURCE_NUMBER, answer_limit (operation), NULL };
  } else {
    *plan = (ArgumentPlan){ SOURCE_NOTHING, 0, NULL };
  }
  if (**at != '\0')
    (*at)++;
}

/* Without a template: the object first, then the D-Bus arguments in order (descriptors travel beside them),
 * then nothing for trailing flags. @next is the next D-Bus argument. */
static void
plan_by_rule (const Operation *operation, const Shape *shape, guint position, const GVariantType *parameters,
              guint *next, ArgumentPlan *plan)
{
  const GVariantType *type;

  if (position == 0 && is_object (shape) && g_strcmp0 (operation->interface, "Connect") != 0) {
    *plan = (ArgumentPlan){ SOURCE_OBJECT, 0, NULL };
    return;
  }
  while ((type = type_at (parameters, *next)) != NULL && is_descriptor (type))
    (*next)++;
  if (type != NULL)
    *plan = (ArgumentPlan){ SOURCE_ARGUMENT, (*next)++, NULL };
  else
    *plan = (ArgumentPlan){ SOURCE_NOTHING, 0, NULL };
}

/* Whether the planned source can be had: a conversion for a D-Bus argument; nothing only for trailing flags,
 * unless the row asked for it. */
static gboolean
plan_conversion (const Operation *operation, const Shape *shape, guint position,
                 const GVariantType *parameters, gboolean by_rule, ArgumentPlan *plan, GError **error)
{
  gboolean last = position + 1 == shape_of (operation->in)->n_members;
  const GVariantType *type;

  switch (plan->source) {
    case SOURCE_OBJECT:
      if (is_object (shape) || (shape->kind == SHAPE_ARRAY && shape->members[0]->letter == 'D'))
        return TRUE;
      return plan_fail (error, operation, "no object is expected as argument", position);
    case SOURCE_ARGUMENT:
      type = type_at (parameters, plan->number);
      plan->convert = type != NULL ? dbus_from_client (shape, type) : NULL;
      return plan->convert != NULL
             || plan_fail (error, operation, "nothing to make of the client's argument", position);
    case SOURCE_NUMBER:
      return shape->kind == SHAPE_INT || shape->kind == SHAPE_UINT
             || plan_fail (error, operation, "no number is expected as argument", position);
    case SOURCE_NOTHING:
      return !by_rule || (last && shape->kind == SHAPE_UINT)
             || plan_fail (error, operation, "the client does not give argument", position);
  }
  return FALSE;
}

static gboolean
plan_arguments (const Operation *operation, const GVariantType *parameters,
                ArgumentPlan plans[DBUS_CODEC_ARGUMENTS_MAX], GError **error)
{
  const Shape *in = shape_of (operation->in);
  const char *template = operation->dbus != NULL ? operation->dbus->arguments : NULL;
  gboolean by_rule = template == NULL;
  guint next = 0;

  if (in->n_members > DBUS_CODEC_ARGUMENTS_MAX)
    return plan_fail (error, operation, "more arguments than", DBUS_CODEC_ARGUMENTS_MAX - 1);
  for (guint i = 0; i < in->n_members; i++) {
    if (by_rule)
      plan_by_rule (operation, in->members[i], i, parameters, &next, &plans[i]);
    else
      plan_from_template (operation, &template, &plans[i]);
    if (!plan_conversion (operation, in->members[i], i, parameters, by_rule, &plans[i], error))
      return FALSE;
  }
  while (by_rule && type_at (parameters, next) != NULL) {
    if (!is_descriptor (type_at (parameters, next)))
      return plan_fail (error, operation, "nothing takes the client's argument", next);
    next++;
  }
  return TRUE;
}

/* 0, "", absent, empty. (floating) */
static GVariant *
nothing_of (const Shape *shape)
{
  switch (shape->kind) {
    case SHAPE_INT:
      return g_variant_new_int32 (0);
    case SHAPE_UINT:
      return g_variant_new_uint32 (0);
    case SHAPE_HYPER:
      return g_variant_new_int64 (0);
    case SHAPE_UHYPER:
      return g_variant_new_uint64 (0);
    case SHAPE_STRING:
      return g_variant_new_string ("");
    case SHAPE_OPTIONAL:
      return g_variant_new_maybe (shape->members[0]->type, NULL);
    default:
      return g_variant_new_array (g_variant_type_element (shape->type), NULL, 0);
  }
}

/* One planned argument. (transfer full) */
static GVariant *
make_argument (const Operation *operation, const Shape *shape, const ArgumentPlan *plan, GVariant *object,
               GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) given = NULL;

  switch (plan->source) {
    case SOURCE_OBJECT:
      g_return_val_if_fail (object != NULL, NULL);
      return shape->kind == SHAPE_ARRAY ? g_variant_ref_sink (g_variant_new_array (NULL, &object, 1))
                                        : g_variant_ref (object);
    case SOURCE_ARGUMENT:
      given = g_variant_get_child_value (parameters, plan->number);
      if (operation->dbus != NULL && operation->dbus->empty_is_absent && shape->kind == SHAPE_OPTIONAL
          && g_variant_get_string (given, NULL)[0] == '\0')
        return g_variant_ref_sink (nothing_of (shape));
      return plan->convert (shape, given, error);
    case SOURCE_NUMBER:
      return g_variant_ref_sink (shape->kind == SHAPE_INT ? g_variant_new_int32 ((gint32)plan->number)
                                                          : g_variant_new_uint32 (plan->number));
    case SOURCE_NOTHING:
      break;
  }
  return g_variant_ref_sink (nothing_of (shape));
}

GVariant *
dbus_codec_arguments (const Operation *operation, GVariant *object, GVariant *parameters, GError **error)
{
  const Shape *in = shape_of (operation->in);
  ArgumentPlan plans[DBUS_CODEC_ARGUMENTS_MAX];
  g_autoptr (GVariant) arguments = NULL;
  GVariantBuilder builder;

  if (!plan_arguments (operation, g_variant_get_type (parameters), plans, error))
    return NULL;
  g_variant_builder_init (&builder, in->type);
  for (guint i = 0; i < in->n_members; i++) {
    g_autoptr (GVariant) argument =
        make_argument (operation, in->members[i], &plans[i], object, parameters, error);
    if (argument == NULL) {
      g_variant_builder_clear (&builder);
      return NULL;
    }
    g_variant_builder_add_value (&builder, argument);
  }
  arguments = g_variant_ref_sink (g_variant_builder_end (&builder));
  return shape_check (in, arguments, error) ? g_steal_pointer (&arguments) : NULL;
}

/* Whether the planned results are, one by one, what @tuple holds. */
static gboolean
results_fit (const Shape *results, const AnswerPlan *plan, const GVariantType *tuple)
{
  if (g_variant_type_n_items (tuple) != plan->n_results)
    return FALSE;
  for (guint i = 0; i < plan->n_results; i++)
    if (dbus_to_client (results->members[plan->positions[i]], type_at (tuple, i)) == NULL)
      return FALSE;
  return TRUE;
}

/* Counts and the like behind a first result that says it all. */
static gboolean
rest_is_counts (const Shape *results)
{
  for (guint i = 1; i < results->n_members; i++)
    if (results->members[i]->kind != SHAPE_INT && results->members[i]->kind != SHAPE_UINT)
      return FALSE;
  return TRUE;
}

static gboolean
plan_answer (const Shape *results, const char *positions, const GVariantType *out, AnswerPlan *plan)
{
  gsize n = g_variant_type_n_items (out);
  const GVariantType *first = g_variant_type_first (out);

  *plan = (AnswerPlan){ 0 };
  if (n == 0 || (n == 1 && is_descriptor (first)))
    return TRUE;
  if (results->n_members > DBUS_CODEC_ARGUMENTS_MAX)
    return FALSE;

  plan->n_results = positions != NULL ? (guint)strlen (positions) : results->n_members;
  for (guint i = 0; i < plan->n_results; i++)
    plan->positions[i] = positions != NULL ? (guint)(positions[i] - '0') : i;
  if (results_fit (results, plan, out))
    return TRUE;
  if (n != 1)
    return FALSE;

  plan->as_struct = g_variant_type_is_tuple (first);
  if (plan->as_struct && results_fit (results, plan, first))
    return TRUE;
  plan->as_struct = FALSE;
  plan->n_results = 1;
  return rest_is_counts (results) && results_fit (results, plan, out);
}

static GVariant *
make_answer (const Shape *shape, GVariant *results, const AnswerPlan *plan, const GVariantType *out,
             GError **error)
{
  const GVariantType *tuple = plan->as_struct ? g_variant_type_first (out) : out;
  GVariantBuilder builder;
  GVariant *answer;

  if (g_variant_type_equal (out, G_VARIANT_TYPE ("(h)")))
    return g_variant_ref_sink (g_variant_new ("(h)", 0)); /* the first that travels with the answer */

  g_variant_builder_init (&builder, tuple);
  for (guint i = 0; i < plan->n_results; i++) {
    const Shape *member = shape->members[plan->positions[i]];
    const GVariantType *type = type_at (tuple, i);
    g_autoptr (GVariant) result = g_variant_get_child_value (results, plan->positions[i]);
    g_autoptr (GVariant) converted = dbus_to_client (member, type) (member, result, type, error);
    if (converted == NULL) {
      g_variant_builder_clear (&builder);
      return NULL;
    }
    g_variant_builder_add_value (&builder, converted);
  }
  answer = g_variant_builder_end (&builder);
  return g_variant_ref_sink (plan->as_struct ? g_variant_new_tuple (&answer, 1) : answer);
}

GVariant *
dbus_codec_answer (const Operation *operation, GVariant *results, const GVariantType *out, GError **error)
{
  const Shape *shape = shape_of (operation->out);
  AnswerPlan plan;

  if (!g_variant_is_of_type (results, shape->type)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "%s answered '%s' where its shape is '%s'",
                    operation->name, g_variant_get_type_string (results), operation->out);
    return NULL;
  }
  if (operation->dbus != NULL && operation->dbus->answer != NULL)
    return g_variant_ref_sink (operation->dbus->answer (results));
  if (!plan_answer (shape, operation->dbus != NULL ? operation->dbus->results : NULL, out, &plan)) {
    plan_fail (error, operation, "the results do not make up answer", 0);
    return NULL;
  }
  return make_answer (shape, results, &plan, out, error);
}

GVariant *
dbus_codec_payload (const char *signature, GVariant *payload, const GVariantType *out, GError **error)
{
  const Shape *shape = shape_of (signature);
  AnswerPlan plan;

  if (!g_variant_is_of_type (payload, shape->type) || !plan_answer (shape, NULL, out, &plan)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "an event holds '%s' where '%s' is expected",
                    g_variant_get_type_string (payload), signature);
    return NULL;
  }
  return make_answer (shape, payload, &plan, out, error);
}

gboolean
dbus_codec_agrees (const Operation *operation, const GVariantType *in, const GVariantType *out,
                   GError **error)
{
  ArgumentPlan arguments[DBUS_CODEC_ARGUMENTS_MAX];
  AnswerPlan answer;

  if (!plan_arguments (operation, in, arguments, error))
    return FALSE;
  if (operation->dbus != NULL && operation->dbus->answer != NULL)
    return TRUE;
  return plan_answer (shape_of (operation->out), operation->dbus != NULL ? operation->dbus->results : NULL,
                      out, &answer)
         || plan_fail (error, operation, "the results do not make up answer", 0);
}

static GVariant *
cpu_map_answer (GVariant *results)
{
  g_autoptr (GVariant) map = NULL;
  const guint8 *bytes;
  gint32 cpus;
  gsize length;

  g_variant_get (results, "(@ayui)", &map, NULL, &cpus);
  bytes = g_variant_get_fixed_array (map, &length, 1);
  return g_variant_new ("(@ab)", dbus_bits_to_client (bytes, length, MIN ((gsize)MAX (cpus, 0), length * 8)));
}

/* A map of the host's processors: as many b as there are. */
static GVariant *
host_map (const guint8 *bytes, gsize length)
{
  return dbus_bits_to_client (bytes, length, MIN ((gsize)host_cpu_count (), length * 8));
}

static GVariant *
emulator_pin_answer (GVariant *results)
{
  g_autoptr (GVariant) map = NULL;
  const guint8 *bytes;
  gsize length;

  g_variant_get (results, "(@ayi)", &map, NULL);
  bytes = g_variant_get_fixed_array (map, &length, 1);
  return g_variant_new ("(@ab)", host_map (bytes, length));
}

static GVariant *
iothreads_answer (GVariant *results)
{
  g_autoptr (GVariant) threads = NULL;
  GVariantBuilder list;
  GVariantIter iter;
  GVariant *map;
  guint32 id;

  g_variant_get (results, "(@a(uay)u)", &threads, NULL);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(uab)"));
  g_variant_iter_init (&iter, threads);
  while (g_variant_iter_loop (&iter, "(u@ay)", &id, &map)) {
    gsize length;
    const guint8 *bytes = g_variant_get_fixed_array (map, &length, 1);

    g_variant_builder_add (&list, "(u@ab)", id, host_map (bytes, length));
  }
  return g_variant_new ("(a(uab))", &list);
}

/* Equal maps, one behind the other. */
static GVariant *
vcpu_pins_answer (GVariant *results)
{
  g_autoptr (GVariant) maps = NULL;
  GVariantBuilder lists;
  const guint8 *bytes;
  gint32 count;
  gsize length;

  g_variant_get (results, "(@ayi)", &maps, &count);
  bytes = g_variant_get_fixed_array (maps, &length, 1);
  length = count > 0 ? length / (gsize)count : 0;
  g_variant_builder_init (&lists, G_VARIANT_TYPE ("aab"));
  for (gint32 i = 0; i < count; i++)
    g_variant_builder_add_value (&lists, host_map (bytes + (gsize)i * length, length));
  return g_variant_new ("(@aab)", g_variant_builder_end (&lists));
}

/* The parameters of the first record. */
static GVariant *
domain_stats_answer (GVariant *results)
{
  g_autoptr (GVariant) records = g_variant_get_child_value (results, 0);
  g_autoptr (GVariant) parameters = NULL;

  if (g_variant_n_children (records) == 0)
    return g_variant_new ("(a{sv})", NULL);
  g_variant_get_child (records, 0, "(@(sayi)@a{sv})", NULL, &parameters);
  return g_variant_new ("(@a{sv})", typed_parameters_wrap (parameters));
}

const OperationDBus dbus_empty_is_absent = { .empty_is_absent = TRUE };
const OperationDBus dbus_network_leases = { .arguments = "D0*1", .empty_is_absent = TRUE };
const OperationDBus dbus_block_job_info = { .results = "1234" };
const OperationDBus dbus_cpu_map = { .arguments = "**0", .answer = cpu_map_answer };
const OperationDBus dbus_vcpu_pins = { .arguments = "D16384!512!0", .answer = vcpu_pins_answer };
const OperationDBus dbus_emulator_pin = { .arguments = "D512!0", .answer = emulator_pin_answer };
const OperationDBus dbus_iothreads = { .answer = iothreads_answer };
const OperationDBus dbus_all_domain_stats = { .arguments = ".01" };
const OperationDBus dbus_domain_stats = { .arguments = "D01", .answer = domain_stats_answer };
