/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of disks: what a change keeps, who shares them, and what QEMU is told. */
#include "targets/qemu/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* "total_bytes_sec=5 group_name=g": what is set. */
static void
fill (DiskIotune *tune, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (char **word = words; *word != NULL && **word != '\0'; word++) {
    g_auto (GStrv) pair = g_strsplit (*word, "=", 2);

    for (const Field *field = disk_iotune_table.fields; field->path != NULL; field++) {
      Number *number = disk_iotune_number (tune, field);

      if (!g_str_equal (field->path, pair[0]))
        continue;
      if (number != NULL)
        *number = NUMBER (g_ascii_strtoull (pair[1], NULL, 10));
      else
        tune->group_name = g_strdup (pair[1]);
    }
  }
}

static DiskIotune *
limits (const char *text)
{
  DiskIotune *tune = field_new (&disk_iotune_table);

  fill (tune, text);
  return tune;
}

static void
assert_limits (const DiskIotune *tune, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (const Field *field = disk_iotune_table.fields; field->path != NULL; field++) {
    const Number *number = disk_iotune_number (tune, field);

    if (number != NULL && number->set)
      g_string_append_printf (text, " %s=%" G_GUINT64_FORMAT, field->path, number->value);
    else if (number == NULL && tune->group_name != NULL)
      g_string_append_printf (text, " %s=%s", field->path, tune->group_name);
  }
  assert_string_equal (text->len > 0 ? text->str + 1 : "", expected);
}

static void
test_what_is_not_said_is_kept (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *old, *said, *becomes;
  } cases[] = {
    { "total_bytes_sec=5", "read_iops_sec=7", "total_bytes_sec=5 read_iops_sec=7" },
    { "total_bytes_sec=5", "read_bytes_sec=7", "read_bytes_sec=7" },
    { "read_bytes_sec=5 write_bytes_sec=6", "read_bytes_sec=7", "read_bytes_sec=7" },
    { "total_bytes_sec=5 group_name=g", "total_bytes_sec=0", "total_bytes_sec=0 group_name=g" },
    { "total_iops_sec=5 size_iops_sec=1", "group_name=g", "total_iops_sec=5 size_iops_sec=1 group_name=g" },
    { "total_bytes_sec=5 total_bytes_sec_max=9 total_bytes_sec_max_length=3", "total_bytes_sec_max_length=0",
      "total_bytes_sec=5 total_bytes_sec_max=9 total_bytes_sec_max_length=1" },
    { "read_iops_sec=5 read_iops_sec_max=9 read_iops_sec_max_length=3",
      "read_iops_sec=0 read_iops_sec_max=0 read_iops_sec_max_length=0",
      "read_iops_sec=0 read_iops_sec_max=0 read_iops_sec_max_length=0" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DiskIotune *old = limits (cases[i].old), *said = limits (cases[i].said);

    disk_iotune_merge (said, old);
    assert_limits (said, cases[i].becomes);
    field_free (&disk_iotune_table, said);
    field_free (&disk_iotune_table, old);
  }
}

static void
test_what_cannot_be (void **state G_GNUC_UNUSED)
{
  static const struct {
    const char *said, *problem;
  } cases[] = {
    { "total_iops_sec=5 write_iops_sec=1",
      "invalid argument: total and read/write of iops_sec cannot be set at the same time" },
    { "total_iops_sec=0 write_iops_sec=1", NULL },
    { "read_iops_sec=1000000000000001",
      "argument unsupported: block I/O throttle limit value must be no more than 1000000000000000" },
    { "read_iops_sec_max=4",
      "unsupported configuration: cannot reset 'read_iops_sec' when 'read_iops_sec_max' is set" },
    { "write_bytes_sec=5 write_bytes_sec_max=4",
      "unsupported configuration: value 'write_bytes_sec_max' cannot be smaller than 'write_bytes_sec'" },
    { "write_bytes_sec=5 write_bytes_sec_max=5", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DiskIotune *said = limits (cases[i].said);
    g_autoptr (GError) error = NULL;
    gboolean good = disk_iotune_check (said, &error) && disk_iotune_check_bursts (said, &error);

    assert_int_equal (good, cases[i].problem == NULL);
    if (!good)
      assert_string_equal (error->message, cases[i].problem);
    field_free (&disk_iotune_table, said);
  }
  assert_true (disk_iotune_check_bursts (NULL, NULL));
}

static DeviceDisk *
disk_with (const char *target, int bus, const char *alias, const char *text)
{
  DeviceDisk *disk = (DeviceDisk *)device_new (&disk_kind);

  disk->target = g_strdup (target);
  disk->bus = bus;
  disk->device.alias = g_strdup (alias);
  if (text != NULL)
    disk->iotune = limits (text);
  return disk;
}

static void
test_what_qemu_is_told (void **state G_GNUC_UNUSED)
{
  static const struct {
    int bus;
    const char *alias, *tune, *id, *rest;
  } cases[] = {
    { DISK_BUS_VIRTIO, "virtio-disk0", "total_bytes_sec=5 read_iops_sec=6 group_name=g",
      "/machine/peripheral/virtio-disk0/virtio-backend",
      "\"bps\":5,\"bps_rd\":0,\"bps_wr\":0,\"iops\":0,\"iops_rd\":6,\"iops_wr\":0,\"bps_max\":0,"
      "\"bps_rd_max\":0,\"bps_wr_max\":0,\"iops_max\":0,\"iops_rd_max\":0,\"iops_wr_max\":0,\"iops_size\":0,"
      "\"group\":\"g\"}" },
    { DISK_BUS_USB, "usb-disk0", "write_bytes_sec=5 write_bytes_sec_max=6 write_bytes_sec_max_length=7",
      "/machine/peripheral/usb-disk0/usb-disk0.0/legacy[0]",
      "\"bps\":0,\"bps_rd\":0,\"bps_wr\":5,\"iops\":0,\"iops_rd\":0,\"iops_wr\":0,\"bps_max\":0,"
      "\"bps_rd_max\":0,\"bps_wr_max\":6,\"iops_max\":0,\"iops_rd_max\":0,\"iops_wr_max\":0,\"iops_size\":0,"
      "\"bps_wr_max_length\":7}" },
    { DISK_BUS_SATA, "sata0-0-0", NULL, "sata0-0-0",
      "\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"iops\":0,\"iops_rd\":0,\"iops_wr\":0,\"bps_max\":0,"
      "\"bps_rd_max\":0,\"bps_wr_max\":0,\"iops_max\":0,\"iops_rd_max\":0,\"iops_wr_max\":0,"
      "\"iops_size\":0}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DeviceDisk *disk = disk_with ("sda", cases[i].bus, cases[i].alias, cases[i].tune);
    JsonObject *arguments = qemu_throttle_arguments (disk);
    g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), arguments);
    g_autofree char *json = json_to_string (node, FALSE);
    g_autofree char *expected = g_strdup_printf ("{\"id\":\"%s\",%s", cases[i].id, cases[i].rest);

    assert_string_equal (json, expected);
    json_object_unref (arguments);
    device_free (&disk->device);
  }
}

static void
test_what_qemu_says (void **state G_GNUC_UNUSED)
{
  g_autoptr (JsonNode) node = json_from_string ("{ \"bps\": 5, \"iops_rd\": 6, \"iops\": -1, \"bps_rd\": "
                                                "\"many\", \"group\": \"g\", \"iops_size\": 0 }",
                                                NULL);
  DiskIotune *tune = qemu_throttle_read (json_node_get_object (node));
  DiskIotune *none = qemu_throttle_read (NULL);

  assert_limits (tune, "total_bytes_sec=5 read_iops_sec=6 group_name=g");
  assert_limits (none, "");
  field_free (&disk_iotune_table, tune);
  field_free (&disk_iotune_table, none);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_what_is_not_said_is_kept),
    cmocka_unit_test (test_what_cannot_be),
    cmocka_unit_test (test_what_qemu_is_told),
    cmocka_unit_test (test_what_qemu_says),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
