/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frequency of the processor's time stamp counter. QEMU gives an emulated processor the host's own
 * counter, so a guest that is told another frequency has a clock that is fast or slow by as much. The kernel
 * tells nobody what it found out, and not every processor says it: it is counted against the kernel's clock,
 * the same way the kernel did.
 */
#include "daemon/host/host-clock.h"

#include "domain/machines/machine-kind.h"

#include <time.h>

#define MEASURE_USEC \
  20000                 /* the error is that of reading two clocks at once, some hundred ns, in this time */
#define READINGS      8 /* of which the one that was not interrupted is taken */
#define NSEC_PER_MSEC 1000000u
#define NSEC_PER_SEC  1000000000
/* Measuring it again gives the same: a tenth of a MHz is less than clocks of quartz differ by. */
#define ROUND_KHZ 100u

#if defined(__x86_64__) || defined(__i386__)

typedef struct {
  gint64 time; /* ns */
  guint64 count;
} Reading;

static gint64
clock_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* Both at the same moment, as nearly as can be. */
static Reading
read_both (void)
{
  Reading best = { 0, 0 };
  gint64 shortest = G_MAXINT64;

  for (guint i = 0; i < READINGS; i++) {
    gint64 before = clock_now ();
    guint64 count = __builtin_ia32_rdtsc ();
    gint64 after = clock_now ();

    if (after - before >= shortest)
      continue;
    shortest = after - before;
    best = (Reading){ before + shortest / 2, count };
  }
  return best;
}

static guint
measure (void)
{
  Reading from = read_both (), to;
  guint64 khz;

  g_usleep (MEASURE_USEC);
  to = read_both ();
  if (to.time <= from.time || to.count <= from.count)
    return 0;
  khz = (to.count - from.count) * NSEC_PER_MSEC / (guint64)(to.time - from.time);
  return (guint)((khz + ROUND_KHZ / 2) / ROUND_KHZ * ROUND_KHZ);
}

#else

static guint
measure (void)
{
  return 0;
}

#endif

static gpointer
measure_once (gpointer data G_GNUC_UNUSED)
{
  return GUINT_TO_POINTER (measure ());
}

guint
host_clock_khz (const DomainDef *def)
{
  static GOnce once = G_ONCE_INIT;

  if (def->type != VIRT_TYPE_QEMU || !machine_kind_of (def)->needs_tsc_frequency)
    return 0;
  return GPOINTER_TO_UINT (g_once (&once, measure_once, NULL));
}
