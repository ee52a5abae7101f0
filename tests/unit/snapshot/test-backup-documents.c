/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents of backups and checkpoints as libvirt 11.3 completes them beside a domain, and what it refuses.
 */
#include "snapshot/backup-complete.h"
#include "snapshot/checkpoint-complete.h"

#include "cmocka-glib.h"
#include "model-platform.h"

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

static const char domain_xml[] =
    "<domain type='qemu'><name>a</name><uuid>" UUID "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'/>"
    "<target dev='vda' bus='virtio'/></disk>"
    "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/b'/>"
    "<target dev='vdb' bus='virtio'/></disk>"
    "<disk type='file' device='cdrom'><source file='/c.iso'/><target dev='sda' bus='sata'/><readonly/></disk>"
    "<disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/></disk>"
    "</devices></domain>";

static DomainDef *
domain (void)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  DomainDef *def = domain_def_parse (domain_xml, -1, 0, &test_platform, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  assert_string_equal (mistakes, "");
  return def;
}

/* The completed document, or "error: ...". */
static char *
complete_backup (const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain ();
  BackupDef *backup = document_read (&backup_document, text, -1, 0, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);
  g_autoptr (GError) error = NULL;
  char *xml;

  assert_string_equal (mistakes, "");
  xml = backup_complete (backup, def, "7", &error)
            ? document_to_xml (&backup_document, backup, FIELD_WRITE_LIVE)
            : g_strconcat ("error: ", error->message, NULL);
  document_unref (&backup_document, backup);
  return xml;
}

#define REST                                                                                      \
  "    <disk name='vdb' backup='no'/>\n    <disk name='sda' backup='no'/>\n    <disk name='sdb' " \
  "backup='no'/>\n"

static void
test_backups (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *completed;
  } rows[] = {
    { "<domainbackup><disks><disk name='vda'/></disks></domainbackup>",
      "<domainbackup mode='push'>\n  <disks>\n    <disk name='vda' backup='yes' type='file' "
      "backupmode='full'>\n"
      "      <driver type='qcow2'/>\n      <target file='/a.qcow2.7'/>\n    </disk>\n" REST
      "  </disks>\n</domainbackup>\n" },
    { "<domainbackup><incremental>c</incremental><disks><disk name='vdb' type='block' backupmode='full'>"
      "<target dev='/dev/c'/><driver type='raw'/></disk><disk name='vda' type='file'><target "
      "file='/x'/></disk>"
      "</disks></domainbackup>",
      "<domainbackup mode='push'>\n  <incremental>c</incremental>\n  <disks>\n"
      "    <disk name='vdb' backup='yes' type='block' backupmode='full'>\n      <driver type='raw'/>\n"
      "      <target dev='/dev/c'/>\n    </disk>\n"
      "    <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='c'>\n"
      "      <driver type='qcow2'/>\n      <target file='/x'/>\n    </disk>\n"
      "    <disk name='sda' backup='no'/>\n    <disk name='sdb' backup='no'/>\n  "
      "</disks>\n</domainbackup>\n" },
    { "<domainbackup mode='pull'><incremental>c</incremental><server name='localhost' port='10809' "
      "tls='yes'/>"
      "<disks><disk name='vda'/></disks></domainbackup>",
      "<domainbackup mode='pull'>\n  <incremental>c</incremental>\n"
      "  <server transport='tcp' tls='yes' name='localhost' port='10809'/>\n  <disks>\n"
      "    <disk name='vda' backup='yes' type='file' backupmode='incremental' incremental='c' "
      "exportname='vda' "
      "exportbitmap='backup-vda'>\n      <driver type='qcow2'/>\n      <scratch file='/a.qcow2.7'/>\n"
      "    </disk>\n" REST "  </disks>\n</domainbackup>\n" },
    { "<domainbackup/>", "error: unsupported configuration: refusing to generate file name for disk 'vdb'" },
    { "<domainbackup><disks><disk name='vda' backup='no'/></disks></domainbackup>",
      "error: unsupported configuration: no disks selected for backup" },
    { "<domainbackup><disks><disk name='vda'/><disk name='vda'/></disks></domainbackup>",
      "error: unsupported configuration: disk 'vda' specified twice" },
    { "<domainbackup><disks><disk name='vdz'/></disks></domainbackup>",
      "error: unsupported configuration: no disk named 'vdz'" },
    { "<domainbackup><disks><disk name='sdb'/></disks></domainbackup>",
      "error: unsupported configuration: disk 'sdb' has no media" },
    { "<domainbackup><disks><disk name='vda' backupmode='incremental'/></disks></domainbackup>",
      "error: unsupported configuration: 'incremental' backup mode of disk 'vda' requires setting "
      "'incremental' field for disk or backup" },
    { "<domainbackup mode='pull'><server name='localhost'/></domainbackup>",
      "error: Operation not supported: <domainbackup> must specify TCP port for now" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *completed = complete_backup (rows[i].given);

    assert_string_equal (completed, rows[i].completed);
  }
}

/* The disks of the completed document: "vda=bitmap:n vdb=no ...", or "error: ...". */
static char *
complete_checkpoint (const char *disks)
{
  g_autofree char *text = g_strdup_printf ("<domaincheckpoint><name>n</name>%s</domaincheckpoint>", disks);
  g_autoptr (DomainDef) def = domain ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) result = g_string_new (NULL);
  CheckpointDef *checkpoint = checkpoint_read (text, &error);

  assert_null (error);
  if (!checkpoint_complete (checkpoint, def, 5, &error)
      || !checkpoint_check_formats (checkpoint, def, &error))
    g_string_printf (result, "error: %s", error->message);
  for (guint i = 0; error == NULL && i < checkpoint->disks->len; i++) {
    const CheckpointDisk *disk = g_ptr_array_index (checkpoint->disks, i);

    g_string_append_printf (result, "%s=%s%s ", disk->name,
                            disk->checkpoint == CHECKPOINT_BITMAP ? "bitmap:" : "no",
                            disk->bitmap != NULL ? disk->bitmap : "");
  }
  document_unref (&checkpoint_document, checkpoint);
  return g_string_free (g_steal_pointer (&result), FALSE);
}

static void
test_checkpoints (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *completed;
  } rows[] = {
    { "<disks><disk name='/a.qcow2'/></disks>", "vda=bitmap:n vdb=no sda=no sdb=no " },
    { "<disks><disk name='vda' checkpoint='no'/></disks>", "vda=no vdb=no sda=no sdb=no " },
    { "", "error: unsupported configuration: checkpoint for disk vdb unsupported for storage type raw" },
    { "<disks><disk name='vda'/><disk name='/a.qcow2'/></disks>",
      "error: unsupported configuration: disk 'vda' specified twice" },
    { "<disks><disk name='sda'/></disks>",
      "error: unsupported configuration: disk 'sda' is empty or readonly" },
    { "<disks><disk name='vdz'/></disks>", "error: unsupported configuration: no disk named 'vdz'" },
    { "<disks><disk name='vda' bitmap='m'/></disks>",
      "error: unsupported configuration: bitmap for disk 'vda' must match checkpoint name 'n'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *completed = complete_checkpoint (rows[i].given);

    assert_string_equal (completed, rows[i].completed);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_backups),
    cmocka_unit_test (test_checkpoints),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
