/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The texts that a seed without files says to cloud-init: what stands in them, and that nothing which is put
 * into them becomes a line or a key of its own.
 */

#include "cmocka-glib.h"
#include "domain/seed-text.h"

#define UUID "87291af1-1366-410c-bb6e-fbc6f66ff7ae"

static const struct {
  const char *user;
  const char *keys[3];
  const char *text;
} user_datas[] = {
  { NULL, { NULL }, "#cloud-config\n" },
  { NULL,
    { "ssh-ed25519 AAAA me@laptop", NULL },
    "#cloud-config\n"
    "ssh_authorized_keys:\n"
    "  - \"ssh-ed25519 AAAA me@laptop\"\n" },
  { "admin",
    { "ssh-rsa A", "ssh-rsa B", NULL },
    "#cloud-config\n"
    "users:\n"
    "  - name: \"admin\"\n"
    "    lock_passwd: true\n"
    "    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n"
    "    shell: \"/bin/bash\"\n"
    "    ssh_authorized_keys:\n"
    "      - \"ssh-rsa A\"\n"
    "      - \"ssh-rsa B\"\n" },
  { "a\"\nruncmd: [\"x\"]",
    { NULL },
    "#cloud-config\n"
    "users:\n"
    "  - name: \"a\\\"\\u000aruncmd: [\\\"x\\\"]\"\n"
    "    lock_passwd: true\n"
    "    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n"
    "    shell: \"/bin/bash\"\n" },
};

static void
test_user_data (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (user_datas); i++) {
    g_autoptr (GPtrArray) keys = g_ptr_array_new ();
    PolicySeed seed = { .user = (char *)user_datas[i].user };
    g_autofree char *text = NULL;

    for (guint k = 0; user_datas[i].keys[k] != NULL; k++)
      g_ptr_array_add (keys, (char *)user_datas[i].keys[k]);
    if (keys->len > 0)
      seed.ssh_keys = keys;
    text = seed_user_data (&seed);
    assert_string_equal (text, user_datas[i].text);
  }
}

static const struct {
  const char *host_name, *written;
} host_names[] = {
  { NULL, "\"web\"" },
  { "www", "\"www\"" },
  { "yes", "\"yes\"" }, /* no boolean */
  { "a\\b", "\"a\\\\b\"" },
  { "a\r\nb\tc", "\"a\\u000d\\u000ab\\u0009c\"" },
  { "a\xc2\x85"
    "b\xe2\x80\xa8"
    "c\xe2\x80\xa9"
    "d\x7f",
    "\"a\\u0085b\\u2028c\\u2029d\\u007f\"" },
  { "b\xc3\xbc"
    "cher",
    "\"b\xc3\xbc"
    "cher\"" },
};

static void
test_meta_data (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (host_names); i++) {
    const PolicySeed seed = { .host_name = (char *)host_names[i].host_name };
    g_autofree char *text = seed_meta_data (&seed, "web", UUID);
    g_autofree char *wanted =
        g_strdup_printf ("instance-id: \"" UUID "\"\nlocal-hostname: %s\n", host_names[i].written);

    assert_string_equal (text, wanted);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_user_data),
    cmocka_unit_test (test_meta_data),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
