/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passt's command line, as the document's forwarded ports and addresses say it. */
#include "daemon/drivers/qemu/passt.h"

#include "domain/device-change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_arguments (const char *parts, const char *expected)
{
  g_autofree char *xml =
      g_strdup_printf ("<interface type='user'><backend type='passt'/>%s</interface>", parts);
  Device *device = device_from_xml (xml, NULL);
  g_auto (GStrv) arguments = passt_arguments ("passt", (const DeviceInterface *)device);
  g_autofree char *text = g_strjoinv (" ", arguments);
  g_autofree char *whole = g_strconcat ("passt --foreground --one-off --fd 3", expected, NULL);

  assert_string_equal (text, whole);
  device_free (device);
}

static void
test_arguments (void **state G_GNUC_UNUSED)
{
  assert_arguments ("", "");
  assert_arguments (
      "<source dev='eth0'/><ip address='10.0.0.5' prefix='24'/><ip address='fd00::5' prefix='64'/>",
      " --interface eth0 --address 10.0.0.5 --netmask 24 --address fd00::5");
  assert_arguments ("<portForward proto='tcp'/>", " --tcp-ports all");
  assert_arguments ("<portForward proto='tcp' address='fd00::1'><range start='22' to='2022'/>"
                    "<range start='1000' end='1050'/><range start='1020' exclude='yes'/></portForward>",
                    " --tcp-ports fd00::1/22:2022,1000-1050,~1020");
  assert_arguments (
      "<portForward proto='udp' address='1.2.3.4' dev='eth0'><range start='5000' end='5020' to='6000'/>"
      "</portForward>",
      " --udp-ports 1.2.3.4%eth0/5000-5020:6000-6020");
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (test_arguments) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
