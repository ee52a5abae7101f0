/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bandwidth of an interface as typed parameters. A definition keeps whatever is said; of a running
 * machine it is changed where the host's end of the interface is a link, and a user-mode one has none; the
 * port of a card on a network has the same rates, and its share of the network's bandwidth by them.
 */
#include "daemon/domain/machine.h"
#include "daemon/host/traffic.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/domain/network-card-ports.h"
#include "daemon/ops/ops.h"

#include "domain/devices/interface.h"

#include <string.h>

#define AFFECT (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* In libvirt's order. */
static const struct {
  const char *name;
  gboolean inbound;
  gsize offset;     /* of a Number in InterfaceRate */
  gboolean decides; /* given as 0 it takes the direction's limits away */
} parameters[] = {
  { VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, TRUE, G_STRUCT_OFFSET (InterfaceRate, average), TRUE },
  { VIR_DOMAIN_BANDWIDTH_IN_PEAK, TRUE, G_STRUCT_OFFSET (InterfaceRate, peak), FALSE },
  { VIR_DOMAIN_BANDWIDTH_IN_BURST, TRUE, G_STRUCT_OFFSET (InterfaceRate, burst), FALSE },
  { VIR_DOMAIN_BANDWIDTH_IN_FLOOR, TRUE, G_STRUCT_OFFSET (InterfaceRate, floor), TRUE },
  { VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, FALSE, G_STRUCT_OFFSET (InterfaceRate, average), TRUE },
  { VIR_DOMAIN_BANDWIDTH_OUT_PEAK, FALSE, G_STRUCT_OFFSET (InterfaceRate, peak), FALSE },
  { VIR_DOMAIN_BANDWIDTH_OUT_BURST, FALSE, G_STRUCT_OFFSET (InterfaceRate, burst), FALSE },
};

typedef struct {
  Manager *manager;
  InterfaceRate inbound, outbound;
  gboolean inbound_said, outbound_said;
  char device[]; /* as the client names it */
} BandwidthChange;

static Number *
number_of (const InterfaceRate *rate, guint parameter)
{
  return (Number *)((char *)rate + parameters[parameter].offset);
}

static gboolean
take_parameter (BandwidthChange *change, const char *name, GVariant *value, GError **error)
{
  guint i = 0;
  Number *number;

  while (i < G_N_ELEMENTS (parameters) && !g_str_equal (parameters[i].name, name))
    i++;
  if (i == G_N_ELEMENTS (parameters)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "parameter '%s' not supported", name);
    return FALSE;
  }
  number = number_of (parameters[i].inbound ? &change->inbound : &change->outbound, i);
  if (number->set || !g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    number->set ? "parameter '%s' occurs multiple times"
                                : "invalid type for parameter '%s', expected uint",
                    name);
    return FALSE;
  }
  *number = NUMBER (g_variant_get_uint32 (value));
  if (parameters[i].decides && parameters[i].inbound)
    change->inbound_said = TRUE;
  else if (parameters[i].decides)
    change->outbound_said = TRUE;
  return TRUE;
}

static gboolean
take_parameters (BandwidthChange *change, GVariant *list, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;

    if (!take_parameter (change, name, held, error))
      return FALSE;
  }
  return TRUE;
}

/* A direction is changed as a whole; without an average or a floor it has no limits. */
static void
set_rate (InterfaceRate **rate, const InterfaceRate *said, gboolean is_given)
{
  gboolean limited = said->average.value != 0 || said->floor.value != 0;

  if (!limited && !is_given)
    return;
  field_free (&interface_rate_table, *rate);
  *rate = NULL;
  if (!limited)
    return;
  *rate = field_copy (&interface_rate_table, said);
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
    if (number_of (*rate, i)->value == 0)
      number_of (*rate, i)->set = FALSE;
}

/* Its end on the host is a link that we have made, or know by name. */
static gboolean
can_be_limited (const DeviceInterface *interface)
{
  return interface->target_dev != NULL
         && (interface_has_tap (interface) || interface->type == INTERFACE_DIRECT);
}

static gboolean
limit_link (Job *job, const ChangeTarget *target, gconstpointer values, GError **error)
{
  const BandwidthChange *change = values;
  const DeviceInterface *interface = domain_def_find_interface (target->def, change->device);
  g_autoptr (NetworkPortDef) was = NULL, undone = NULL;

  if (interface->portid != NULL) {
    was = network_card_port_change_rates (job, change->manager, interface->network, interface->portid,
                                          interface->inbound, interface->outbound, error);
    if (was == NULL)
      return FALSE;
  }
  if (traffic_set (interface->target_dev, interface->inbound, interface->outbound, error))
    return TRUE;
  if (was != NULL)
    undone = network_card_port_change_rates (job, change->manager, interface->network, interface->portid,
                                             was->inbound, was->outbound, NULL);
  return FALSE;
}

static gboolean
apply_bandwidth (DomainDef *def, const Machine *machine, gconstpointer values, GError **error)
{
  const BandwidthChange *change = values;
  DeviceInterface *interface = domain_def_find_interface (def, change->device);

  if (interface == NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", change->device);
    return FALSE;
  }
  if (machine != NULL && !can_be_limited (interface)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "setting bandwidth on interfaces of type '%s' is not implemented yet",
                    enum_table_name (&interface_types, interface->type));
    return FALSE;
  }
  set_rate (&interface->inbound, &change->inbound, change->inbound_said);
  set_rate (&interface->outbound, &change->outbound, change->outbound_said);
  return TRUE;
}

void
op_domain_set_interface_parameters (Call *call)
{
  g_autoptr (GVariant) list = g_variant_get_child_value (call->arguments, 2);
  const char *device = call_string (call, 1);
  guint flags = call_uint (call, 3);
  BandwidthChange *values;
  GError *error = NULL;
  ChangeRequest change = {
    .name = "interface-parameters",
    .affect = flags & AFFECT,
    .apply = apply_bandwidth,
    .enact = limit_link,
    .device_element = "bandwidth",
  };

  if (!call_check_flags (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY))
    return;
  change.values = values = g_malloc0 (sizeof (BandwidthChange) + strlen (device) + 1);
  values->manager = call->manager;
  strcpy (values->device, device);
  if (take_parameters (values, list, &error)) {
    domain_change (call, &change);
  } else {
    g_free (values);
    call_fail (call, error);
  }
}

static void
answer_bandwidth (Call *call, DomainDef *def)
{
  static const InterfaceRate none;
  const char *device = call_string (call, 1);
  const DeviceInterface *interface = domain_def_find_interface (def, device);
  int room = call_int (call, 2);
  GVariantBuilder list;

  if (interface == NULL) {
    call_fail_with (call, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", device);
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (int i = 0; i < (int)G_N_ELEMENTS (parameters) && i < room; i++) {
    const InterfaceRate *rate = parameters[i].inbound ? interface->inbound : interface->outbound;

    g_variant_builder_add (
        &list, "{sv}", parameters[i].name,
        g_variant_new_uint32 ((guint32)number_of (rate != NULL ? rate : &none, (guint)i)->value));
  }
  call_answer (call, g_variant_new ("(a{sv}i)", &list,
                                    room == 0 ? (int)G_N_ELEMENTS (parameters)
                                              : MIN (room, (int)G_N_ELEMENTS (parameters))));
}

void
op_domain_get_interface_parameters (Call *call)
{
  guint flags = call_uint (call, 3);
  DefinitionWhich which;

  if (!call_check_flags (call, flags, AFFECT | VIR_TYPED_PARAM_STRING_OKAY)
      || !call_check_affect (call, flags & AFFECT, &which))
    return;
  if ((flags & AFFECT) == AFFECT)
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
  else
    call_with_definition (call, which, answer_bandwidth);
}
