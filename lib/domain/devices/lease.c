/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <lease>: a lock that a lock manager is to hold for the machine, so that it does not run on two hosts.
 * Without a lock manager, which is libvirt's default and all there is here, it is kept and means nothing.
 */

#include "domain/devices/lease.h"

#include "domain/report.h"

static const Field lease_fields[] = {
  FIELD_WITH (DeviceLease, lockspace, "lockspace", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DeviceLease, key, "key", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DeviceLease, path, "target/@path", field_text, NULL, FIELD_NO_ABI),
  FIELD_WITH (DeviceLease, offset, "target/@offset", field_number, NULL, FIELD_NO_ABI),
  FIELD_END,
};

static void
lease_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceLease *lease = (DeviceLease *)device;

  if (lease->offset.value == 0)
    lease->offset.set = FALSE;
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || *text == '\0';
}

static void
lease_validate (Validation *validation, const Device *device)
{
  const DeviceLease *lease = (const DeviceLease *)device;
  const struct {
    const char *what;
    char *const *text;
  } parts[] = { { "<lockspace>", &lease->lockspace },
                { "<key>", &lease->key },
                { "<target path=>", &lease->path } };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (is_empty (*parts[i].text))
      validation_error_code (validation, VIR_ERR_XML_ERROR, parts[i].text, device, "a lease needs a %s",
                             parts[i].what);
}

static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

static gboolean
lease_check_names (const Device *device, const Device *other, DeviceChange change G_GNUC_UNUSED,
                   GError **error)
{
  const DeviceLease *lease = (const DeviceLease *)device, *held = (const DeviceLease *)other;

  if (g_strcmp0 (lease->lockspace, held->lockspace) != 0 || g_strcmp0 (lease->key, held->key) != 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "Lease %s in lockspace %s already exists", lease->key,
                  lease->lockspace != NULL ? lease->lockspace : "");
  return FALSE;
}

static Device *
lease_match (const DomainDef *def, const Device *wanted, GError **error)
{
  const DeviceLease *lease = (const DeviceLease *)wanted;

  DOMAIN_FOREACH_DEVICE (def, lease_kind, DeviceLease, held)
    if (g_strcmp0 (lease->lockspace, held->lockspace) == 0 && g_strcmp0 (lease->key, held->key) == 0)
      return &held->device;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "Lease %s in lockspace %s does not exist", lease->key,
                  lease->lockspace != NULL ? lease->lockspace : "");
  return NULL;
}

const DeviceKind lease_kind = {
  .element = "lease",
  .table = { sizeof (DeviceLease), lease_fields },
  .complete = lease_complete,
  .validate = lease_validate,
  .alias = no_alias,
  .match = lease_match,
  .check_names = lease_check_names,
  .attachable = TRUE,
};
