/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which place a device gets on given buses, and which buses grow for it. */
#include "cmocka-glib.h"

#include "domain/devices/pci-connect.h"
#include "domain/pc/pci-map.h"

#define HOTPLUG_EXPRESS      (PCI_CONNECT_EXPRESS | PCI_CONNECT_HOTPLUG)
#define HOTPLUG_CONVENTIONAL (PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_HOTPLUG)
#define ROOT_PORT            (PCI_CONNECT_ROOT_PORT | PCI_CONNECT_AGGREGATE)

static const PciUser somebody = { NULL, "somebody" };

static PciMap *
map_of (const ControllerModel *models, guint count)
{
  PciMap *map = pci_map_new (FALSE);

  for (guint i = 0; i < count; i++)
    pci_map_set_bus (map, i, models[i]);
  return map;
}
#define MAP_OF(...)                                 \
  map_of ((const ControllerModel[]){ __VA_ARGS__ }, \
          sizeof ((const ControllerModel[]){ __VA_ARGS__ }) / sizeof (ControllerModel))

static void
assert_next (PciMap *map, guint connect, int function, guint bus, guint slot, guint expected_function)
{
  PciPlace place;

  assert_true (pci_map_find (map, connect, function, FALSE, &place));
  assert_int_equal (place.bus, bus);
  assert_int_equal (place.slot, slot);
  assert_int_equal (place.function, expected_function);
  pci_map_take (map, &place, connect, somebody);
}

static void
test_devices_go_where_they_can_be_plugged (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT, PCIE_ROOT_PORT, PCIE_TO_PCI_BRIDGE);
  PciPlace place;

  assert_next (map, HOTPLUG_EXPRESS, PCI_FUNCTION_ANY, 1, 0, 0);
  assert_false (pci_map_find (map, HOTPLUG_EXPRESS, PCI_FUNCTION_ANY, FALSE, &place));
  assert_next (map, HOTPLUG_CONVENTIONAL, PCI_FUNCTION_ANY, 2, 1, 0);
  assert_next (map, HOTPLUG_CONVENTIONAL, PCI_FUNCTION_ANY, 2, 2, 0);
}

static void
test_document_may_choose_worse_places (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT, PCIE_ROOT_PORT, PCIE_SWITCH_UPSTREAM_PORT);

  assert_false (pci_map_accepts (map, 0, HOTPLUG_EXPRESS, FALSE));
  assert_true (pci_map_accepts (map, 0, HOTPLUG_EXPRESS, TRUE));
  assert_false (pci_map_accepts (map, 1, HOTPLUG_CONVENTIONAL, FALSE));
  assert_true (pci_map_accepts (map, 1, HOTPLUG_CONVENTIONAL, TRUE));
  assert_true (pci_map_accepts (map, 1, PCI_CONNECT_BRIDGE, TRUE));
  /* but not ones where it cannot be plugged at all */
  assert_false (pci_map_accepts (map, 1, ROOT_PORT, TRUE));
  assert_false (pci_map_accepts (map, 2, HOTPLUG_EXPRESS, TRUE));
}

static void
test_root_ports_share_slots (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT);

  for (guint i = 0; i < PCI_FUNCTIONS; i++)
    assert_next (map, ROOT_PORT, PCI_FUNCTION_ANY, 0, 1, i);
  assert_next (map, ROOT_PORT, PCI_FUNCTION_ANY, 0, 2, 0);
}

static void
test_slot_of_a_single_device_is_not_shared (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT);

  pci_map_take (map, &(PciPlace){ 0, 1, 0 }, PCI_CONNECT_EXPRESS, somebody);
  assert_next (map, ROOT_PORT, PCI_FUNCTION_ANY, 0, 2, 0);
}

static void
test_wanted_function_decides (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCI_ROOT);
  guint connect = HOTPLUG_CONVENTIONAL | PCI_CONNECT_AGGREGATE;

  assert_next (map, connect, 7, 0, 1, 7);
  assert_next (map, connect, 0, 0, 1, 0);
  assert_next (map, connect, 7, 0, 2, 7);
}

static void
test_express_device_grows_a_port (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT);
  guint bus = 1;

  assert_true (pci_map_grow (map, &bus, HOTPLUG_EXPRESS));
  assert_int_equal (bus, 1);
  assert_int_equal (pci_map_buses (map), 2);
  assert_int_equal (pci_map_model (map, 1), PCIE_ROOT_PORT);
}

static void
test_conventional_device_grows_a_port_and_a_bridge (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT);
  guint bus = 1;

  assert_true (pci_map_grow (map, &bus, HOTPLUG_CONVENTIONAL));
  assert_int_equal (bus, 2);
  assert_int_equal (pci_map_model (map, 1), PCIE_ROOT_PORT);
  assert_int_equal (pci_map_model (map, 2), PCIE_TO_PCI_BRIDGE);

  bus = 3;
  assert_true (pci_map_grow (map, &bus, HOTPLUG_CONVENTIONAL));
  assert_int_equal (bus, 3);
  assert_int_equal (pci_map_model (map, 3), PCI_BRIDGE);
}

static void
test_far_bus_grows_all_before_it (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCI_ROOT);
  guint bus = 3;

  assert_true (pci_map_grow (map, &bus, HOTPLUG_CONVENTIONAL));
  assert_int_equal (pci_map_buses (map), 4);
  for (guint i = 1; i < 4; i++)
    assert_int_equal (pci_map_model (map, i), PCI_BRIDGE);
}

static void
test_nothing_grows_for_what_fits_nowhere (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) conventional = MAP_OF (PCI_ROOT);
  g_autoptr (PciMap) express = MAP_OF (PCIE_ROOT);
  guint bus = 1;

  assert_false (pci_map_grow (conventional, &bus, ROOT_PORT));
  assert_false (pci_map_grow (express, &bus, PCI_CONNECT_DOWNSTREAM_PORT));
  assert_int_equal (pci_map_buses (conventional), 1);
  assert_int_equal (pci_map_buses (express), 1);
}

static void
test_buses_end (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) map = MAP_OF (PCIE_ROOT);
  guint last = PCI_BUSES_MAX - 1, beyond = PCI_BUSES_MAX;

  assert_true (pci_map_grow (map, &last, HOTPLUG_EXPRESS));
  assert_int_equal (pci_map_buses (map), PCI_BUSES_MAX);
  assert_false (pci_map_grow (map, &beyond, HOTPLUG_EXPRESS));
}

static void
test_gaps_are_settled_by_the_root (void **state G_GNUC_UNUSED)
{
  g_autoptr (PciMap) express = MAP_OF (PCIE_ROOT);
  g_autoptr (PciMap) conventional = MAP_OF (PCI_ROOT);

  pci_map_set_bus (express, 2, DMI_TO_PCI_BRIDGE);
  pci_map_settle (express);
  assert_int_equal (pci_map_model (express, 1), PCIE_ROOT_PORT);
  assert_int_equal (pci_map_model (express, 2), DMI_TO_PCI_BRIDGE);

  pci_map_set_bus (conventional, 2, PCI_BRIDGE);
  pci_map_settle (conventional);
  assert_int_equal (pci_map_model (conventional, 1), PCI_BRIDGE);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_devices_go_where_they_can_be_plugged),
    cmocka_unit_test (test_document_may_choose_worse_places),
    cmocka_unit_test (test_root_ports_share_slots),
    cmocka_unit_test (test_slot_of_a_single_device_is_not_shared),
    cmocka_unit_test (test_wanted_function_decides),
    cmocka_unit_test (test_express_device_grows_a_port),
    cmocka_unit_test (test_conventional_device_grows_a_port_and_a_bridge),
    cmocka_unit_test (test_far_bus_grows_all_before_it),
    cmocka_unit_test (test_nothing_grows_for_what_fits_nowhere),
    cmocka_unit_test (test_buses_end),
    cmocka_unit_test (test_gaps_are_settled_by_the_root),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
