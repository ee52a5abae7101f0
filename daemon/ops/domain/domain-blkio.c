/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine's part of the host's disks, as typed parameters: a weight, and for single disks lists such as
 * "/dev/sda,1000,/dev/sdb,500". A list changes the disks it names and leaves the others.
 */
#include "daemon/host/limits.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/domain-tuning.h"
#include "daemon/ops/domain/parameters.h"

#define AFFECT      (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
#define DEVICES_MAX 256 /* disks that one list may name */

typedef struct {
  const char *name;
  BlkioLimit limit;
  gsize offset; /* in BlkioDevice, of a Number */
  guint64 maximum;
} DeviceParameter;

static const DeviceParameter device_parameters[] = {
  { VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, BLKIO_DEVICE_WEIGHT, G_STRUCT_OFFSET (BlkioDevice, weight), G_MAXUINT32 },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, BLKIO_READ_IOPS, G_STRUCT_OFFSET (BlkioDevice, read_iops),
    G_MAXUINT32 },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, BLKIO_WRITE_IOPS, G_STRUCT_OFFSET (BlkioDevice, write_iops),
    G_MAXUINT32 },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, BLKIO_READ_BYTES, G_STRUCT_OFFSET (BlkioDevice, read_bytes),
    G_MAXUINT64 },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, BLKIO_WRITE_BYTES, G_STRUCT_OFFSET (BlkioDevice, write_bytes),
    G_MAXUINT64 },
};

static const CallParameter known[] = {
  { VIR_DOMAIN_BLKIO_WEIGHT, 'u' },
  { VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, 's' },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, 's' },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, 's' },
  { VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, 's' },
  { VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, 's' },
  { NULL, 0 },
};

static Number *
member_of (BlkioDevice *device, const DeviceParameter *parameter)
{
  return (Number *)((char *)device + parameter->offset);
}

/* Reading. */

static char *
list_devices (const DomainBlkiotune *tune, const DeviceParameter *parameter)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; tune->devices != NULL && i < tune->devices->len; i++) {
    BlkioDevice *device = g_ptr_array_index (tune->devices, i);
    const Number *value = member_of (device, parameter);

    if (value->value != 0)
      g_string_append_printf (text, "%s%s,%" G_GUINT64_FORMAT, text->len > 0 ? "," : "", device->path,
                              value->value);
  }
  return g_strdup (text->str);
}

static void
answer_blkio (Call *call, const DomainBlkiotune *tune, guint64 weight)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&list, "{sv}", VIR_DOMAIN_BLKIO_WEIGHT, g_variant_new_uint32 ((guint32)weight));
  for (guint i = 0; i < G_N_ELEMENTS (device_parameters); i++)
    g_variant_builder_add (&list, "{sv}", device_parameters[i].name,
                           g_variant_new_take_string (list_devices (tune, &device_parameters[i])));
  call_answer_parameters (call, g_variant_builder_end (&list), call_int (call, 1), TRUE);
}

static void
answer_config (Call *call, DomainDef *def)
{
  answer_blkio (call, &def->blkiotune, def->blkiotune.weight.value);
}

static void
answer_live (Call *call, DomainDef *def)
{
  g_autoptr (Cgroup) cgroup = call_machine_cgroup (call, CGROUP_BLKIO);

  if (cgroup != NULL)
    answer_blkio (call, &def->blkiotune, limits_get_weight (cgroup));
}

void
op_domain_get_blkio_parameters (Call *call)
{
  call_live_or_config (call, call_uint (call, 2), AFFECT | VIR_TYPED_PARAM_STRING_OKAY, answer_live,
                       answer_config);
}

/* Setting. */

/* The @words of a list "PATH,VALUE,...": pairs, every value a number. */
static gboolean
check_list (const DeviceParameter *parameter, const char *text, GStrv words, GError **error)
{
  guint count = g_strv_length (words);
  guint64 ignored;

  if (count % 2 != 0 || count > 2 * DEVICES_MAX) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "unable to parse blkio device '%s' '%s'", parameter->name,
                    text);
    return FALSE;
  }
  for (guint i = 0; i < count; i += 2)
    if (!parse_uint (words[i + 1], parameter->maximum, &ignored)) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "invalid value '%s' for parameter '%s' of device '%s'",
                      words[i + 1], parameter->name, words[i]);
      return FALSE;
    }
  return TRUE;
}

/* NULL and @error for what is no list; NULL alone when the parameter is not among @values. (transfer full) */
static GStrv
read_list (gconstpointer values, const DeviceParameter *parameter, GError **error)
{
  const char *text;
  g_auto (GStrv) words = NULL;

  if (!g_variant_lookup ((GVariant *)values, parameter->name, "&s", &text))
    return NULL;
  words = g_strsplit (text, ",", -1);
  return check_list (parameter, text, words, error) ? g_steal_pointer (&words) : NULL;
}

static BlkioDevice *
ensure_device (DomainBlkiotune *tune, const char *path)
{
  BlkioDevice *device;

  if (tune->devices == NULL)
    tune->devices = g_ptr_array_new ();
  for (guint i = 0; i < tune->devices->len; i++) {
    device = g_ptr_array_index (tune->devices, i);
    if (g_str_equal (device->path, path))
      return device;
  }
  device = field_new (&blkio_device_table);
  device->path = g_strdup (path);
  g_ptr_array_add (tune->devices, device);
  return device;
}

static void
forget_unlimited (GPtrArray *devices)
{
  for (guint i = devices != NULL ? devices->len : 0; i > 0; i--) {
    BlkioDevice *device = g_ptr_array_index (devices, i - 1);
    gboolean limited = FALSE;

    for (guint j = 0; j < G_N_ELEMENTS (device_parameters); j++)
      limited = limited || member_of (device, &device_parameters[j])->set;
    if (limited)
      continue;
    g_ptr_array_remove_index (devices, i - 1);
    field_free (&blkio_device_table, device);
  }
}

static gboolean
apply_list (DomainBlkiotune *tune, const DeviceParameter *parameter, gconstpointer values, GError **error)
{
  GError *problem = NULL;
  g_auto (GStrv) words = read_list (values, parameter, &problem);

  if (problem != NULL) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  for (guint i = 0; words != NULL && words[i] != NULL; i += 2) {
    guint64 value = g_ascii_strtoull (words[i + 1], NULL, 10);

    *member_of (ensure_device (tune, words[i]), parameter) = (Number){ value != 0, value };
  }
  return TRUE;
}

static gboolean
check_machine (const Machine *machine, GError **error)
{
  g_autoptr (Cgroup) cgroup = cgroup_find (machine->def->uuid, process_pid (machine->process));

  return cgroup_check (cgroup, CGROUP_BLKIO, error);
}

static gboolean
apply_blkio (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  guint32 weight;

  if (machine != NULL && !check_machine (machine, error))
    return FALSE;
  if (g_variant_lookup ((GVariant *)values, VIR_DOMAIN_BLKIO_WEIGHT, "u", &weight))
    def->blkiotune.weight = (Number){ weight != 0, weight };
  for (guint i = 0; i < G_N_ELEMENTS (device_parameters); i++)
    if (!apply_list (&def->blkiotune, &device_parameters[i], values, error))
      return FALSE;
  forget_unlimited (def->blkiotune.devices);
  return TRUE;
}

static gboolean
enact_list (const Cgroup *cgroup, const DeviceParameter *parameter, gconstpointer values, GError **error)
{
  g_auto (GStrv) words = read_list (values, parameter, NULL); /* it has been checked */

  for (guint i = 0; words != NULL && words[i] != NULL; i += 2)
    if (!limits_set_device (cgroup, parameter->limit, words[i], g_ascii_strtoull (words[i + 1], NULL, 10),
                            error))
      return FALSE;
  return TRUE;
}

static gboolean
enact_blkio (G_GNUC_UNUSED Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  g_autoptr (Cgroup) cgroup = cgroup_find (target->def->uuid, target->pid);
  guint32 weight;

  if (!cgroup_check (cgroup, CGROUP_BLKIO, error))
    return FALSE;
  if (g_variant_lookup ((GVariant *)values, VIR_DOMAIN_BLKIO_WEIGHT, "u", &weight)
      && !limits_set_weight (cgroup, weight, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (device_parameters); i++)
    if (!enact_list (cgroup, &device_parameters[i], values, error))
      return FALSE;
  return TRUE;
}

void
op_domain_set_blkio_parameters (Call *call)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 1);
  guint flags = call_uint (call, 2);
  const ChangeRequest change = {
    .name = "blkio",
    .affect = flags,
    .apply = apply_blkio,
    .values = list,
    .free_values = (GDestroyNotify)g_variant_unref,
    .enact = enact_blkio,
    .elements = { "blkiotune" },
  };

  if (!call_check_flags (call, flags, AFFECT) || !call_check_parameters (call, list, known))
    return;
  g_variant_ref (list);
  domain_change (call, &change);
}
