/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Record what a QEMU binary can do, as the built-in capabilities are kept:
 *
 *   build/tests/record-capabilities /usr/bin/qemu-system-x86_64 > tests/golden/capabilities/qemu-7.2.json
 *
 * Asked under TCG: the recording is to say something of the binary and nothing of the host it was made on.
 */
#include "daemon/drivers/qemu/probe.h"

#include <stdio.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (QemuCaps) caps = argc == 2 ? qemu_probe (argv[1], FALSE, &error) : NULL;
  g_autofree char *json = NULL;

  if (caps == NULL) {
    fprintf (stderr, "%s\n", error != NULL ? error->message : "usage: record-capabilities EMULATOR");
    return 1;
  }
  json = qemu_caps_to_json (caps);
  puts (json);
  return 0;
}
