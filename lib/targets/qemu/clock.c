/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <clock> and its timers, and <pm>: the real-time clock is an option of its own, the others are properties of
 * the CPU, the machine or a device.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/machines/machine-kind.h"

#include <stdlib.h>
#include <string.h>

static const ClockTimer *
find_timer (const Recipe *recipe, TimerName name)
{
  const GPtrArray *timers = recipe_def (recipe)->clock.timers;

  for (guint i = 0; timers != NULL && i < timers->len; i++) {
    const ClockTimer *timer = g_ptr_array_index (timers, i);

    if (timer->name == (int)name)
      return timer;
  }
  return NULL;
}

static char *
date_text (gint64 seconds)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (seconds);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%S") : NULL;
}

/* Seconds that the host's local time is then. */
static gint64
ahead_of_utc (gint64 now)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_local (now);

  return date != NULL ? g_date_time_get_utc_offset (date) / G_USEC_PER_SEC : 0;
}

/* The "base=" of -rtc; NULL with @error set. (transfer full) */
static char *
clock_base (Recipe *recipe, const DomainClock *clock, GError **error)
{
  char *end = NULL;
  gint64 adjustment;
  char *base;

  switch (clock->offset) {
    case CLOCK_LOCALTIME:
      return g_strdup ("localtime");
    case CLOCK_TIMEZONE:
      recipe_environment (recipe, "TZ", clock->timezone != NULL ? clock->timezone : "UTC");
      return g_strdup ("localtime");
    case CLOCK_VARIABLE:
      adjustment = clock->adjustment != NULL ? g_ascii_strtoll (clock->adjustment, &end, 10) : 0;
      base = date_text (
          recipe_host (recipe)->now + CLAMP (adjustment, G_MININT32, G_MAXINT32)
          + (clock->basis == CLOCK_BASIS_LOCALTIME ? ahead_of_utc (recipe_host (recipe)->now) : 0));
      break;
    case CLOCK_ABSOLUTE:
      base = date_text (clock->start.value <= G_MAXINT64 ? (gint64)clock->start.value : G_MAXINT64);
      break;
    default:
      return g_strdup ("utc");
  }
  if (base == NULL)
    qemu_unsupported (NULL, error, "the clock's start is no date");
  return base;
}

static gboolean
add_rtc (Recipe *recipe, GError **error)
{
  const ClockTimer *timer = find_timer (recipe, TIMER_RTC);
  g_autofree char *base = clock_base (recipe, &recipe_def (recipe)->clock, error);
  gboolean fine = base != NULL;
  g_autoptr (GString) text = NULL;

  text = g_string_new (NULL);
  g_string_append_printf (text, "base=%s", base != NULL ? base : "");
  if (timer != NULL) {
    if (timer->track == TRACK_BOOT || timer->track == TRACK_REALTIME)
      fine = recipe_refuse (recipe, NULL, "<clock><timer name='rtc'>track=",
                            "the rtc timer's track 'boot' and 'realtime' are not supported by QEMU; "
                            "'guest' and 'wall' are");
    if (timer->track == TRACK_GUEST)
      g_string_append (text, ",clock=vm");
    else if (timer->track == TRACK_WALL)
      g_string_append (text, ",clock=host");
    if (timer->tickpolicy == TICK_CATCHUP)
      g_string_append (text, ",driftfix=slew");
    else if (timer->tickpolicy == TICK_MERGE || timer->tickpolicy == TICK_DISCARD)
      fine = recipe_refuse (
          recipe, NULL, "<clock><timer name='rtc'>tickpolicy=",
          "the rtc timer's tickpolicy 'merge' and 'discard' are not supported by QEMU; 'delay' and "
          "'catchup' are");
  }
  recipe_option (recipe, "-rtc", "%s", text->str);
  return fine;
}

static gboolean
add_pit (Recipe *recipe)
{
  const ClockTimer *timer = find_timer (recipe, TIMER_PIT);

  if (timer == NULL || !qemu_caps_has_type (recipe_caps (recipe), "kvm-pit"))
    return TRUE;
  if (timer->tickpolicy == TICK_MERGE)
    return recipe_refuse (recipe, NULL, "<clock><timer name='pit'>tickpolicy=",
                          "the pit timer's tickpolicy 'merge' is not supported by QEMU");
  if (timer->tickpolicy == TICK_NONE || timer->tickpolicy == TICK_DELAY)
    recipe_option (recipe, "-global", "kvm-pit.lost_tick_policy=delay");
  else if (timer->tickpolicy == TICK_DISCARD)
    recipe_option (recipe, "-global", "kvm-pit.lost_tick_policy=discard");
  return TRUE;
}

static void
add_power_management (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  MachineChipset chipset = machine_kind_of (def)->chipset;
  const char *device = chipset == CHIPSET_Q35 ? "ICH9-LPC" : "PIIX4_PM";

  if (chipset == CHIPSET_NONE)
    return;
  if (def->pm_suspend_to_mem != TRISTATE_ABSENT)
    recipe_option (recipe, "-global", "%s.disable_s3=%d", device, def->pm_suspend_to_mem == TRISTATE_NO);
  if (def->pm_suspend_to_disk != TRISTATE_ABSENT)
    recipe_option (recipe, "-global", "%s.disable_s4=%d", device, def->pm_suspend_to_disk == TRISTATE_NO);
}

gboolean
recipe_add_clock (Recipe *recipe, GError **error)
{
  gboolean fine = add_rtc (recipe, error);

  fine = add_pit (recipe) && fine;
  add_power_management (recipe);
  return fine;
}

void
clock_machine_options (const Recipe *recipe, GString *options)
{
  const ClockTimer *timer = find_timer (recipe, TIMER_HPET);
  const MachineKind *machine = machine_kind_of (recipe_def (recipe));

  if (timer != NULL && timer->present != TRISTATE_ABSENT && machine->is_x86 && !machine->is_bare)
    g_string_append_printf (options, ",hpet=%s", timer->present == TRISTATE_YES ? "on" : "off");
}

void
clock_cpu_options (const Recipe *recipe, GString *options)
{
  const ClockTimer *kvmclock = find_timer (recipe, TIMER_KVMCLOCK);
  const ClockTimer *hyperv = find_timer (recipe, TIMER_HYPERVCLOCK);
  const ClockTimer *tsc = find_timer (recipe, TIMER_TSC);

  if (kvmclock != NULL && kvmclock->present != TRISTATE_ABSENT)
    g_string_append_printf (options, ",kvmclock=%s", kvmclock->present == TRISTATE_YES ? "on" : "off");
  if (hyperv != NULL && hyperv->present == TRISTATE_YES)
    g_string_append (options, ",hv-time=on");
  if (tsc != NULL && tsc->frequency.set)
    g_string_append_printf (options, ",tsc-frequency=%" G_GUINT64_FORMAT, tsc->frequency.value);
}
