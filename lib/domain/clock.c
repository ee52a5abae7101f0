/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <clock>: what the guest's clock starts from and how its timers behave. Which attributes belong to it
 * depends on the offset and on each timer's name; the table says so, completion gives the rest the values
 * libvirt gives them.
 */

#include "domain/complete-parts.h"

#include "domain/machines/machine-kind.h"

static const EnumTable clock_offsets = { "clock offset",
                                         { NULL, "utc", "localtime", "variable", "timezone", "absolute" } };
static const EnumTable clock_bases = { "clock basis", { NULL, "utc", "localtime" } };
static const EnumTable timer_names = {
  "timer", { NULL, "platform", "pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock", "armvtimer" }
};
static const EnumTable tick_policies = { "timer tick policy",
                                         { NULL, "delay", "catchup", "merge", "discard" } };
static const EnumTable timer_tracks = { "timer track", { NULL, "boot", "guest", "wall", "realtime" } };
static const EnumTable tsc_modes = { "TSC mode",
                                     { NULL, "auto", "native", "emulate", "paravirt", "smpsafe" } };

static const FieldTable catchup_table = {
  sizeof (TimerCatchup),
  (const Field[]){
      FIELD (TimerCatchup, threshold, "@threshold", field_number, NULL),
      FIELD (TimerCatchup, slew, "@slew", field_number, NULL),
      FIELD (TimerCatchup, limit, "@limit", field_number, NULL),
      FIELD_END,
  },
};

static const FieldTable timer_table = {
  sizeof (ClockTimer),
  (const Field[]){
      FIELD_WITH (ClockTimer, name, "@name", field_enum, &timer_names, FIELD_REQUIRED),
      FIELD (ClockTimer, present, "@present", field_yes_no, NULL),
      FIELD (ClockTimer, tickpolicy, "@tickpolicy", field_enum, &tick_policies),
      FIELD_WHEN (ClockTimer, track, "@track", field_enum, &timer_tracks, name,
                  FIELD_VALUE (TIMER_PLATFORM) | FIELD_VALUE (TIMER_RTC)),
      FIELD_WHEN (ClockTimer, frequency, "@frequency", field_number, NULL, name, FIELD_VALUE (TIMER_TSC)),
      FIELD_WHEN (ClockTimer, mode, "@mode", field_enum, &tsc_modes, name, FIELD_VALUE (TIMER_TSC)),
      FIELD_WHEN (ClockTimer, catchup, "catchup", field_optional, &catchup_table, tickpolicy,
                  FIELD_VALUE (TICK_CATCHUP)),
      FIELD_END,
  },
};

static gboolean
is_seconds (const char *text)
{
  guint64 value;

  if (text[0] == '-' || text[0] == '+')
    text++;
  return parse_uint (text, G_MAXINT64, &value);
}

static gboolean
adjustment_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  if (!g_str_equal (text, "reset") && !is_seconds (text)) {
    *ret_accepted = g_strdup ("expected 'reset' or a number of seconds, which may be negative");
    return FALSE;
  }
  return field_text.parse (field, member, text, ret_accepted);
}

static char *
adjustment_format (const Field *field, gconstpointer member)
{
  return field_text.format (field, member);
}

static void
adjustment_clear (const Field *field, gpointer member)
{
  field_text.clear (field, member);
}

static void
adjustment_copy (const Field *field, gpointer member, gconstpointer from)
{
  field_text.copy (field, member, from);
}

static const FieldType field_adjustment = {
  .size = sizeof (char *),
  .parse = adjustment_parse,
  .format = adjustment_format,
  .clear = adjustment_clear,
  .copy = adjustment_copy,
};

static const Field clock_fields[] = {
  FIELD_WITH (DomainClock, offset, "@offset", field_enum, &clock_offsets, FIELD_EMPTY_IS_NONE),
  FIELD_WHEN (DomainClock, adjustment, "@adjustment", field_adjustment, NULL, offset,
              FIELD_VALUE (CLOCK_NONE) | FIELD_VALUE (CLOCK_UTC) | FIELD_VALUE (CLOCK_LOCALTIME)
                  | FIELD_VALUE (CLOCK_VARIABLE)),
  FIELD_WHEN (DomainClock, basis, "@basis", field_enum, &clock_bases, offset, FIELD_VALUE (CLOCK_VARIABLE)),
  FIELD_WHEN (DomainClock, timezone, "@timezone", field_text, NULL, offset, FIELD_VALUE (CLOCK_TIMEZONE)),
  FIELD_WHEN (DomainClock, start, "@start", field_number, NULL, offset, FIELD_VALUE (CLOCK_ABSOLUTE)),
  FIELD (DomainClock, timers, "timer", field_list, &timer_table),
  FIELD_END,
};

const FieldTable domain_clock_table = { sizeof (DomainClock), clock_fields };

/* A clock that stands some seconds beside UTC or the host's time is kept in libvirt's one form for that. */
static void
complete_adjustment (DomainClock *clock)
{
  if (clock->offset == CLOCK_VARIABLE) {
    if (clock->adjustment == NULL || g_str_equal (clock->adjustment, "reset")) {
      g_free (clock->adjustment);
      clock->adjustment = g_strdup ("0");
    }
    if (clock->basis == CLOCK_BASIS_NONE)
      clock->basis = CLOCK_BASIS_UTC;
  } else if (clock->adjustment != NULL && is_seconds (clock->adjustment)) {
    clock->basis = clock->offset == CLOCK_LOCALTIME ? CLOCK_BASIS_LOCALTIME : CLOCK_BASIS_UTC;
    clock->offset = CLOCK_VARIABLE;
  }
}

void
complete_clock (Completion *completion)
{
  DomainClock *clock = &completion->def->clock;

  if (clock->offset == CLOCK_NONE)
    clock->offset = CLOCK_UTC;
  complete_adjustment (clock);
}

/* Which of them a machine can have, by its processor and who runs it. */
static gboolean
has_timer (const DomainDef *def, const ClockTimer *timer)
{
  const MachineKind *machine = machine_kind_of (def);

  switch (timer->name) {
    case TIMER_TSC:
    case TIMER_KVMCLOCK:
    case TIMER_HYPERVCLOCK:
      return machine->is_x86 || timer->present != TRISTATE_YES;
    case TIMER_ARMVTIMER:
      return machine->has_gic && def->type == VIRT_TYPE_KVM;
    default:
      return TRUE;
  }
}

static void
validate_timer_name (Validation *validation, const ClockTimer *timer)
{
  const DomainDef *def = validation->def;

  if (timer->name == TIMER_PLATFORM)
    validation_error (validation, &timer->name, timer, "unsupported timer type (name) 'platform'");
  if (!has_timer (def, timer) && !validation_may_miss (validation, &def->os.machine))
    validation_error (validation, &timer->name, timer,
                      "Configuring the '%s' timer is not supported for virtType=%s arch=%s machine=%s guests",
                      enum_table_name (&timer_names, timer->name), enum_table_name (&virt_types, def->type),
                      def->os.arch != NULL ? def->os.arch : "x86_64",
                      def->os.machine != NULL ? def->os.machine : "");
}

static void
validate_timer (Validation *validation, const ClockTimer *timer)
{
  if (validation->def->type == VIRT_TYPE_QEMU || validation->def->type == VIRT_TYPE_KVM)
    validate_timer_name (validation, timer);
  if (timer->name == TIMER_RTC && timer->track == TRACK_BOOT)
    validation_error (validation, &timer->track, timer,
                      "unsupported rtc timer track 'boot': expected 'guest' or 'wall'");
  if (timer->name == TIMER_RTC && (timer->tickpolicy == TICK_MERGE || timer->tickpolicy == TICK_DISCARD))
    validation_error (validation, &timer->tickpolicy, timer,
                      "unsupported rtc timer tickpolicy '%s': expected 'delay' or 'catchup'",
                      enum_table_name (&tick_policies, timer->tickpolicy));
  if (timer->name == TIMER_PIT && timer->tickpolicy == TICK_MERGE)
    validation_error (validation, &timer->tickpolicy, timer,
                      "unsupported pit timer tickpolicy 'merge': expected 'delay', 'catchup' or 'discard'");
}

void
validate_clock (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainClock *clock = &def->clock;

  if (clock->offset == CLOCK_TIMEZONE && clock->timezone == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &clock->offset, clock,
                           "missing 'timezone' attribute for clock with offset='timezone'");
  if (clock->offset == CLOCK_ABSOLUTE && !clock->start.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &clock->offset, clock,
                           "missing 'start' attribute for clock with offset='absolute'");
  if ((def->pm_suspend_to_mem != TRISTATE_ABSENT || def->pm_suspend_to_disk != TRISTATE_ABSENT)
      && (def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM)
      && !machine_kind_of (def)->has_power_states && !validation_may_miss (validation, &def->os.machine))
    validation_error (validation, &def->pm_suspend_to_mem, def, "setting ACPI S3/S4 not supported");
  for (guint i = 0; clock->timers != NULL && i < clock->timers->len; i++)
    validate_timer (validation, g_ptr_array_index (clock->timers, i));
}
