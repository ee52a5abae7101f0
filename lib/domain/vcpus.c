/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <vcpus>: each virtual CPU by its number, whether it is on, whether it can be taken out, and in which order
 * they come. What the document leaves out is filled in as libvirt does; from then on the list is whole and in
 * the order of the numbers, so that a number is a place in it.
 */
#include "domain/vcpus.h"

#include "domain/complete-parts.h"

#include <string.h>

#define ALIAS_PREFIX "vcpu"

const FieldTable domain_vcpu_table = {
  sizeof (DomainVcpu),
  (const Field[]){
      FIELD_WITH (DomainVcpu, id, "@id", field_number, NULL, FIELD_REQUIRED),
      FIELD_WITH (DomainVcpu, enabled, "@enabled", field_yes_no, NULL, FIELD_REQUIRED),
      FIELD (DomainVcpu, hotpluggable, "@hotpluggable", field_yes_no, NULL),
      FIELD (DomainVcpu, order, "@order", field_number, NULL),
      FIELD_END,
  },
};

static DomainVcpu *
vcpu_at (const DomainDef *def, guint number)
{
  return g_ptr_array_index (def->vcpu_list, number);
}

static gboolean
is_on (const DomainVcpu *vcpu)
{
  return vcpu->enabled == TRISTATE_YES;
}

guint
domain_vcpus_maximum (const DomainDef *def)
{
  return def->vcpus.set ? (guint)MIN (def->vcpus.value, G_MAXUINT16) : 1;
}

guint
domain_vcpus_online (const DomainDef *def)
{
  guint maximum = domain_vcpus_maximum (def);

  return def->vcpus_current.set ? (guint)MIN (def->vcpus_current.value, maximum) : maximum;
}

gboolean
domain_vcpu_is_online (const DomainDef *def, guint number)
{
  if (number >= domain_vcpus_maximum (def))
    return FALSE;
  return def->vcpu_list != NULL ? is_on (vcpu_at (def, number)) : number < domain_vcpus_online (def);
}

gboolean
domain_vcpu_is_fixed (const DomainDef *def, guint number)
{
  return domain_vcpu_is_online (def, number)
         && (def->vcpu_list == NULL || vcpu_at (def, number)->hotpluggable != TRISTATE_YES);
}

guint
domain_vcpus_fixed (const DomainDef *def)
{
  guint count = 0;

  for (guint number = 0; number < domain_vcpus_maximum (def); number++)
    count += domain_vcpu_is_fixed (def, number) ? 1 : 0;
  return count;
}

static int
compare_order (gconstpointer a, gconstpointer b, gpointer data)
{
  guint left = *(const guint *)a, right = *(const guint *)b;
  const DomainVcpu *first = vcpu_at (data, left), *second = vcpu_at (data, right);

  if (first->order.value != second->order.value)
    return first->order.value < second->order.value ? -1 : 1;
  return left < right ? -1 : 1;
}

GArray *
domain_vcpus_pluggable (const DomainDef *def)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint number = 0; number < domain_vcpus_maximum (def); number++)
    if (domain_vcpu_is_online (def, number) && !domain_vcpu_is_fixed (def, number))
      g_array_append_val (numbers, number);
  g_array_sort_with_data (numbers, compare_order, (gpointer)def);
  return numbers;
}

char *
domain_vcpu_alias (guint number)
{
  return g_strdup_printf (ALIAS_PREFIX "%u", number);
}

gboolean
domain_vcpu_of_alias (const char *alias, guint *ret_number)
{
  guint64 number;

  if (!g_str_has_prefix (alias, ALIAS_PREFIX)
      || !parse_uint (alias + strlen (ALIAS_PREFIX), G_MAXUINT16, &number))
    return FALSE;
  *ret_number = (guint)number;
  return TRUE;
}

/* Changes. */

static void
count_online (DomainDef *def)
{
  guint count = 0;

  for (guint i = 0; i < def->vcpu_list->len; i++)
    count += is_on (vcpu_at (def, i)) ? 1 : 0;
  def->vcpus_current = (Number){ .set = count < def->vcpus.value, .value = count };
}

static DomainVcpu *
vcpu_new (guint number, gboolean on)
{
  DomainVcpu *vcpu = field_new (&domain_vcpu_table);

  vcpu->id = NUMBER (number);
  vcpu->enabled = on ? TRISTATE_YES : TRISTATE_NO;
  vcpu->hotpluggable = on ? TRISTATE_NO : TRISTATE_YES;
  return vcpu;
}

static guint64
last_order (const DomainDef *def)
{
  guint64 last = 0;

  for (guint i = 0; i < def->vcpu_list->len; i++)
    last = MAX (last, is_on (vcpu_at (def, i)) ? vcpu_at (def, i)->order.value : 0);
  return last;
}

/* Fixed ones first, then the devices as they are plugged in. */
static void
give_order (DomainDef *def)
{
  g_autoptr (GArray) pluggable = domain_vcpus_pluggable (def);
  guint order = 0;

  for (guint i = 0; i < def->vcpu_list->len; i++)
    vcpu_at (def, i)->order =
        domain_vcpu_is_fixed (def, i) ? (Number){ .set = TRUE, .value = ++order } : (Number){ 0 };
  for (guint i = 0; i < pluggable->len; i++)
    vcpu_at (def, g_array_index (pluggable, guint, i))->order = NUMBER (++order);
}

void
domain_vcpus_name (DomainDef *def, gboolean ordered)
{
  if (def->vcpu_list == NULL) {
    guint online = domain_vcpus_online (def);
    GPtrArray *list = g_ptr_array_new ();

    for (guint i = 0; i < domain_vcpus_maximum (def); i++)
      g_ptr_array_add (list, vcpu_new (i, i < online));
    def->vcpu_list = list;
  }
  if (ordered)
    give_order (def);
}

void
domain_vcpu_set_online (DomainDef *def, guint number)
{
  DomainVcpu *vcpu = vcpu_at (def, number);
  guint64 last = last_order (def);

  vcpu->enabled = TRISTATE_YES;
  vcpu->hotpluggable = TRISTATE_YES;
  vcpu->order = last > 0 ? NUMBER (last + 1) : (Number){ 0 };
  count_online (def);
}

void
domain_vcpu_set_offline (DomainDef *def, guint number)
{
  DomainVcpu *vcpu = vcpu_at (def, number);

  for (guint i = 0; i < def->vcpu_list->len && vcpu->order.set; i++)
    if (vcpu_at (def, i)->order.value > vcpu->order.value)
      vcpu_at (def, i)->order.value--;
  vcpu->enabled = TRISTATE_NO;
  vcpu->hotpluggable = TRISTATE_YES;
  vcpu->order = (Number){ 0 };
  count_online (def);
}

void
domain_vcpus_forget_order (DomainDef *def)
{
  for (guint i = 0; def->vcpu_list != NULL && i < def->vcpu_list->len; i++)
    vcpu_at (def, i)->order = (Number){ 0 };
}

void
domain_vcpus_set_maximum (DomainDef *def, guint maximum)
{
  guint online = MIN (domain_vcpus_online (def), maximum);

  def->vcpus = NUMBER (maximum);
  def->vcpus_current = (Number){ .set = online < maximum, .value = online };
  if (def->vcpu_list == NULL)
    return;
  while (def->vcpu_list->len > maximum)
    field_free (&domain_vcpu_table, g_ptr_array_steal_index (def->vcpu_list, def->vcpu_list->len - 1));
  while (def->vcpu_list->len < maximum)
    g_ptr_array_add (def->vcpu_list, vcpu_new (def->vcpu_list->len, FALSE));
  count_online (def);
}

void
domain_vcpus_set_count (DomainDef *def, guint count, gboolean hotpluggable)
{
  guint maximum = domain_vcpus_maximum (def), online = domain_vcpus_online (def);

  if (hotpluggable)
    domain_vcpus_name (def, FALSE);
  if (def->vcpu_list == NULL) {
    def->vcpus_current = (Number){ .set = count < maximum, .value = count };
    return;
  }
  for (guint i = 0; i < maximum && online < count; i++)
    if (!is_on (vcpu_at (def, i))) {
      domain_vcpu_set_online (def, i);
      online++;
    }
  for (guint i = maximum; i > 0 && online > count; i--)
    if (is_on (vcpu_at (def, i - 1))) {
      domain_vcpu_set_offline (def, i - 1);
      online--;
    }
}

/* Completion: a whole list, in the order of the numbers. */

static void
complete_one (DomainVcpu *vcpu)
{
  if (vcpu->hotpluggable == TRISTATE_ABSENT)
    vcpu->hotpluggable = is_on (vcpu) ? TRISTATE_NO : TRISTATE_YES;
  if (vcpu->order.value == 0)
    vcpu->order = (Number){ 0 };
}

static gboolean
check_numbers (Completion *completion)
{
  const DomainDef *def = completion->def;
  gboolean good = TRUE;

  for (guint i = 0; i < def->vcpu_list->len; i++) {
    const DomainVcpu *vcpu = vcpu_at (def, i);

    if (vcpu->id.value < domain_vcpus_maximum (def))
      continue;
    completion_error_code (completion, VIR_ERR_XML_ERROR, &vcpu->id, vcpu,
                           "vcpu id '%" G_GUINT64_FORMAT
                           "' is out of range of maximum vcpu count: from 0 to %u",
                           vcpu->id.value, domain_vcpus_maximum (def) - 1);
    good = FALSE;
  }
  return good;
}

void
complete_individual_vcpus (Completion *completion)
{
  DomainDef *def = completion->def;
  guint maximum = domain_vcpus_maximum (def);
  g_autofree DomainVcpu **found = NULL;
  GPtrArray *list = def->vcpu_list;

  if (list == NULL || completion_may_miss (completion, &def->vcpus)
      || completion_may_miss (completion, &def->vcpu_list) || !check_numbers (completion))
    return;
  found = g_new0 (DomainVcpu *, maximum);
  for (guint i = 0; i < list->len; i++) {
    DomainVcpu *vcpu = g_ptr_array_index (list, i);

    if (found[vcpu->id.value] != NULL) /* said twice: the last one counts */
      field_free (&domain_vcpu_table, found[vcpu->id.value]);
    found[vcpu->id.value] = vcpu;
  }
  g_ptr_array_set_size (list, 0);
  for (guint i = 0; i < maximum; i++) {
    if (found[i] == NULL)
      found[i] = vcpu_new (i, FALSE);
    complete_one (found[i]);
    g_ptr_array_add (list, found[i]);
  }
  count_online (def);
}

/* Validation. */

static gboolean
validate_first (Validation *validation, const DomainVcpu *vcpu)
{
  if (!is_on (vcpu))
    validation_error (validation, &vcpu->enabled, vcpu, "vcpu 0 can't be offline");
  else if (vcpu->hotpluggable == TRISTATE_YES)
    validation_error (validation, &vcpu->hotpluggable, vcpu, "vcpu0 can't be hotpluggable");
  else if (vcpu->order.set && vcpu->order.value != 1)
    validation_error (validation, &vcpu->order, vcpu, "vcpu0 must be enabled first: its order is 1");
  else
    return TRUE;
  return FALSE;
}

/* QEMU is started with the fixed ones, which are its first. */
static void
validate_next (Validation *validation, const DomainVcpu *previous, const DomainVcpu *vcpu, gboolean ordered)
{
  if (!is_on (vcpu) && vcpu->hotpluggable == TRISTATE_NO)
    validation_error (validation, &vcpu->hotpluggable, vcpu,
                      "vcpu '%" G_GUINT64_FORMAT "' is both offline and not hotpluggable", vcpu->id.value);
  else if (is_on (vcpu) && vcpu->order.set != ordered)
    validation_error (validation, &vcpu->order, vcpu, "all vcpus must have either set or unset order");
  else if (vcpu->hotpluggable == TRISTATE_NO && previous->hotpluggable == TRISTATE_YES)
    validation_error (validation, &vcpu->hotpluggable, vcpu,
                      "online non-hotpluggable vcpus need to be ordered prior to hotplugable vcpus");
  else if (vcpu->hotpluggable == TRISTATE_NO && previous->order.value > vcpu->order.value)
    validation_error (validation, &vcpu->order, vcpu,
                      "online non-hotpluggable vcpus must be ordered in ascending order");
}

void
validate_individual_vcpus (Validation *validation)
{
  const DomainDef *def = validation->def;

  if (def->vcpu_list == NULL || !validate_first (validation, vcpu_at (def, 0)))
    return;
  for (guint i = 1; i < def->vcpu_list->len; i++)
    validate_next (validation, vcpu_at (def, i - 1), vcpu_at (def, i), vcpu_at (def, 0)->order.set);
}
