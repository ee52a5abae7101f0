/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * virsh's words for states and their reasons, indexed by libvirt's numbers. They are translated, as virsh
 * translates them: scripts that read them run under LANG=C.
 */

#include "cli/states.h"
#include "cli/i18n.h"

#include <glib.h>
#include <libvirt/libvirt.h>

#define STATES      (VIR_DOMAIN_PMSUSPENDED + 1)
#define REASONS_MAX 16

static const char *const states[STATES] = {
  [VIR_DOMAIN_NOSTATE] = N_ ("no state"),     [VIR_DOMAIN_RUNNING] = N_ ("running"),
  [VIR_DOMAIN_BLOCKED] = N_ ("idle"),         [VIR_DOMAIN_PAUSED] = N_ ("paused"),
  [VIR_DOMAIN_SHUTDOWN] = N_ ("in shutdown"), [VIR_DOMAIN_SHUTOFF] = N_ ("shut off"),
  [VIR_DOMAIN_CRASHED] = N_ ("crashed"),      [VIR_DOMAIN_PMSUSPENDED] = N_ ("pmsuspended"),
};

static const char *const reasons[STATES][REASONS_MAX] = {
  [VIR_DOMAIN_RUNNING] = { N_ ("unknown"), N_ ("booted"), N_ ("migrated"), N_ ("restored"),
                           N_ ("from snapshot"), N_ ("unpaused"), N_ ("migration canceled"),
                           N_ ("save canceled"), N_ ("event wakeup"), N_ ("crashed"), N_ ("post-copy"),
                           N_ ("post-copy failed") },
  [VIR_DOMAIN_PAUSED] = { N_ ("unknown"), N_ ("user"), N_ ("migrating"), N_ ("saving"), N_ ("dumping"),
                          N_ ("I/O error"), N_ ("watchdog"), N_ ("from snapshot"), N_ ("shutting down"),
                          N_ ("creating snapshot"), N_ ("crashed"), N_ ("starting up"), N_ ("post-copy"),
                          N_ ("post-copy failed"), N_ ("api error") },
  [VIR_DOMAIN_SHUTDOWN] = { N_ ("unknown"), N_ ("user") },
  [VIR_DOMAIN_SHUTOFF] = { N_ ("unknown"), N_ ("shutdown"), N_ ("destroyed"), N_ ("crashed"), N_ ("migrated"),
                           N_ ("saved"), N_ ("failed"), N_ ("from snapshot"), N_ ("daemon") },
  [VIR_DOMAIN_CRASHED] = { N_ ("unknown"), N_ ("panicked") },
};

static const char *const vcpu_states[] = { N_ ("offline"), N_ ("running"), N_ ("blocked") };

const char *
state_name (int state)
{
  if (state < 0 || state >= STATES)
    state = VIR_DOMAIN_NOSTATE;
  return _ (states[state]);
}

const char *
state_reason (int state, int reason)
{
  const char *word = NULL;

  if (state >= 0 && state < STATES && reason >= 0 && reason < REASONS_MAX)
    word = reasons[state][reason];
  return _ (word != NULL ? word : "unknown");
}

const char *
vcpu_state_name (int state)
{
  return state >= 0 && state < (int)G_N_ELEMENTS (vcpu_states) ? _ (vcpu_states[state]) : _ ("no state");
}
