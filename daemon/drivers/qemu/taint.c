/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Taints are read off the live definition, which outlives the daemon; only what clients do to the monitor is
 * remembered elsewhere.
 */
#include "daemon/drivers/qemu/taint.h"

static const Taint custom_argv = { "custom-argv", "custom configuration parameters specified" };
static const Taint monitor = { "custom-monitor", "custom monitor control commands issued" };
static const Taint high_privileges = { "high-privileges", "running with undesirable elevated privileges" };
static const Taint host_cpu = { "host-cpu", "potentially unsafe use of host CPU passthrough" };
static const Taint hypervisor_feature = { "custom-hypervisor-feature",
                                          "hypervisor feature autodetection override" };
static const Taint custom_device = { "custom-device", "custom device configuration" };

/* Shown by seclabels_show. */
static gboolean
runs_as_root (const DomainDef *def)
{
  const Seclabel *seclabel = domain_def_seclabel (def, SECLABEL_MODEL_DAC);

  return seclabel != NULL && seclabel->label != NULL
         && (g_str_has_prefix (seclabel->label, "+0:") || g_str_has_prefix (seclabel->label, "0:")
             || g_str_has_prefix (seclabel->label, "root:"));
}

GPtrArray *
taint_list (const DomainDef *def, gboolean custom_monitor)
{
  const DomainQemuNamespace *said = &def->qemu;
  const struct {
    gboolean is;
    const Taint *taint;
  } rows[] = {
    { said->arguments != NULL || said->environment != NULL, &custom_argv },
    { custom_monitor, &monitor },
    { runs_as_root (def), &high_privileges },
    { def->cpu != NULL && def->cpu->mode == CPU_MODE_HOST_PASSTHROUGH, &host_cpu },
    { said->added != NULL || said->lacked != NULL, &hypervisor_feature },
    { said->overrides != NULL, &custom_device },
  };
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].is)
      g_ptr_array_add (list, (gpointer)rows[i].taint);
  return list;
}

void
taint_warn (const DomainDef *def, int id)
{
  g_autoptr (GPtrArray) list = taint_list (def, FALSE);

  for (guint i = 0; i < list->len; i++)
    g_warning ("Domain id=%d name='%s' uuid=%s is tainted: %s", id, def->name, def->uuid,
               ((const Taint *)g_ptr_array_index (list, i))->name);
}
