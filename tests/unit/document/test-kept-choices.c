/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What was chosen for a document, in one that takes its place: as far as that says nothing else.
 */
#include "cmocka-glib.h"
#include "document/kept-choices.h"

/* A machine as somebody wrote it, and what it became. */
#define SOURCE(os, devices)                                                                         \
  "<domain type='qemu'><name>web</name><os><type machine='" os "'>hvm</type></os><devices>" devices \
  "</devices></domain>"
#define DISK "<disk type='file'><source file='/a'/><target dev='vda' bus='virtio'/></disk>"
#define CARD "<interface type='user'><model type='virtio'/></interface>"

static const char completed[] =
    "<domain type='qemu'><name>web</name><uuid>1450ced9-d2fd-4eac-b93e-4c8460f15ec3</uuid>"
    "<os><type machine='pc-q35-7.2'>hvm</type></os><devices>"
    "<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/>"
    "<address type='pci' slot='0x03'/></disk>"
    "<controller type='pci' index='1' model='pcie-root-port'><address type='pci' slot='0x01'/></controller>"
    "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/>"
    "<address type='pci' slot='0x04'/></interface></devices></domain>";

#define UUID       "<uuid>1450ced9-d2fd-4eac-b93e-4c8460f15ec3</uuid>"
#define PORT       "index=\"1\" model=\"pcie-root-port\""
#define MAC        "52:54:00:00:00:01"
#define DISK_PLACE "slot=\"0x03\""
#define CARD_PLACE "slot=\"0x04\""
#define MACHINE    "pc-q35-7.2"

static const struct {
  const char *source;      /* the new document */
  const char *kept[8];     /* what of the choices is in it */
  const char *not_kept[8]; /* and what is not */
} cases[] = {
  { SOURCE ("q35", DISK CARD), { UUID, PORT, MAC, DISK_PLACE, CARD_PLACE, MACHINE }, { NULL } },
  { SOURCE ("q35", CARD DISK), { UUID, PORT, MAC, DISK_PLACE, CARD_PLACE, MACHINE }, { NULL } },
  { SOURCE ("pc", DISK CARD), { UUID }, { MACHINE } },
  { SOURCE ("q35", DISK), { UUID, PORT, DISK_PLACE }, { MAC, CARD_PLACE } },
  { "<domain type='qemu'><name>web</name></domain>", { UUID, PORT }, { MAC, DISK_PLACE } },
  { SOURCE ("q35", "<disk type='file'><source file='/b'/><target dev='vda' bus='sata'/></disk>" CARD),
    { UUID, CARD_PLACE },
    { DISK_PLACE } },
  { SOURCE ("q35", "<interface type='user'><model type='e1000e'/></interface>"), { MAC }, { CARD_PLACE } },
  { SOURCE ("q35", "<interface type='user'><mac address='52:54:00:00:00:99'/></interface>"),
    { "52:54:00:00:00:99" },
    { MAC } },
};

static void
test_choices (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autofree char *text = choices_keep (cases[i].source, SOURCE ("q35", DISK CARD), completed, diagnostics);

    assert_non_null (text);
    for (guint k = 0; cases[i].kept[k] != NULL; k++) {
      if (strstr (text, cases[i].kept[k]) == NULL)
        print_error ("no %s in %s\n", cases[i].kept[k], text);
      assert_non_null (strstr (text, cases[i].kept[k]));
    }
    for (guint k = 0; cases[i].not_kept[k] != NULL; k++) {
      if (strstr (text, cases[i].not_kept[k]) != NULL)
        print_error ("%s in %s\n", cases[i].not_kept[k], text);
      assert_null (strstr (text, cases[i].not_kept[k]));
    }
  }
}

static void
test_mistakes (G_GNUC_UNUSED void **state)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  assert_null (choices_keep ("<domain", SOURCE ("q35", ""), completed, diagnostics));
  assert_true (diagnostics_has_errors (diagnostics));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_choices),
    cmocka_unit_test (test_mistakes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
