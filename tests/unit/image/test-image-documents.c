/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The documents of container images: which manifest is chosen, what a configuration says, what is refused. */
#include "cmocka-glib.h"

#include "base/virt-error.h"
#include "image/image-config.h"
#include "image/image-digest.h"
#include "image/image-manifest.h"

#include <string.h>

#define A          "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B          "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C          "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define TAGGED(digest, tag) \
  "{'digest':'" digest "','annotations':{'org.opencontainers.image.ref.name':'" tag "'}}"
#define FOR(digest, architecture) \
  "{'digest':'" digest "','platform':{'os':'linux','architecture':'" architecture "'}}"

/* Quotes as JSON has them. */
static char *
json (const char *text)
{
  return g_strdelimit (g_strdup (text), "'", '"');
}

typedef struct {
  const char *text, *tag;
  const char *chosen; /* the digest, or the words of the refusal */
} IndexCase;

static void
test_an_index_names_one_manifest (void **state G_GNUC_UNUSED)
{
  static const IndexCase cases[] = {
    { "{'manifests':[{'digest':'" A "'}]}", NULL, A },
    { "{'manifests':[{'digest':'" A "'}]}", "latest",
      "the index names no image with the tag latest for linux on amd64" },
    { "{'manifests':[" TAGGED (A, "1") "," TAGGED (B, "2") "]}", "2", B },
    { "{'manifests':[" TAGGED (A, "1") "," TAGGED (A, "2") "]}", NULL, A }, /* two tags of one */
    { "{'manifests':[" TAGGED (A, "1") "," TAGGED (B, "2") "]}", NULL,
      "the index names 2 images: say which by :TAG behind the name" },
    { "{'manifests':[" FOR (A, "arm64") "," FOR (B, "amd64") "," FOR (C, "unknown") "]}", NULL, B },
    { "{'manifests':[" FOR (A, "arm64") "]}", NULL, "the index names no image for linux on amd64" },
    { "{'manifests':[{'digest':'" A "','mediaType':'" INDEX_TYPE "'}]}", NULL, "index " A },
    { "{'manifests':[]}", NULL, "the index names no image for linux on amd64" },
    { "{}", NULL, "the index names no image for linux on amd64" },
    { "{'manifests':[1,null,'a',[]]}", NULL, "the index names no image for linux on amd64" },
    { "[]", NULL, "the image's index is damaged: it is no JSON object, or too large" },
    { "{'manifests':[{'digest':'sha256:../../../etc/passwd'}]}", NULL,
      "the image has the digest 'sha256:../../../etc/passwd': expected 'sha256:' and 64 hexadecimal digits" },
    { "{'manifests':[{'digest':'md5:aa'}]}", NULL,
      "the image has the digest 'md5:aa': expected 'sha256:' and 64 hexadecimal digits" },
    { "{'manifests':[{'digest':7}]}", NULL, "the index names no image for linux on amd64" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = json (cases[i].text);
    g_autoptr (GError) error = NULL;
    gboolean is_index = FALSE;
    g_autofree char *digest =
        image_index_choose (text, strlen (text), cases[i].tag, "amd64", &is_index, &error);
    g_autofree char *found = digest == NULL ? g_strdup (virt_error_detail (error))
                                            : g_strconcat (is_index ? "index " : "", digest, NULL);

    assert_string_equal (found, cases[i].chosen);
  }
}

/* "CONFIG LAYER..." or the words of the refusal. (transfer full) */
static char *
describe (ImageManifest *manifest, const GError *error)
{
  g_autofree char *layers = manifest != NULL ? g_strjoinv (" ", manifest->layers) : NULL;

  return manifest != NULL ? g_strjoin (" ", manifest->config, *layers != '\0' ? layers : NULL, NULL)
                          : g_strdup (virt_error_detail (error));
}

static void
test_a_manifest_names_config_and_layers (void **state G_GNUC_UNUSED)
{
  static const IndexCase cases[] = {
    { "{'config':{'digest':'" A "'},'layers':[{'digest':'" B "'},{'digest':'" C "'}]}", NULL, A " " B " " C },
    { "{'config':{'digest':'" A "'},'layers':[]}", NULL, A },
    { "{'config':{'digest':'" A "'}}", NULL, "the image's manifest is damaged: it has no list of layers" },
    { "{'config':{'digest':'" A "'},'layers':['x']}", NULL,
      "the image has the digest '': expected 'sha256:' and 64 hexadecimal digits" },
    { "{'layers':[]}", NULL, "the image has the digest '': expected 'sha256:' and 64 hexadecimal digits" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = json (cases[i].text);
    g_autoptr (GError) error = NULL;
    g_autoptr (ImageManifest) manifest = image_manifest_parse (text, strlen (text), &error);
    g_autofree char *found = describe (manifest, error);

    assert_string_equal (found, cases[i].chosen);
  }
}

static void
test_dockers_manifest_names_files (void **state G_GNUC_UNUSED)
{
  static const IndexCase cases[] = {
    { "[{'Config':'c.json','RepoTags':['b:1'],'Layers':['x/layer.tar']}]", NULL, "c.json x/layer.tar" },
    { "[{'Config':'c','RepoTags':['b:1'],'Layers':[]},{'Config':'d','RepoTags':['b:2','b:3'],'Layers':[]}]",
      "b:3", "d" },
    { "[{'Config':'c','RepoTags':null,'Layers':[]},{'Config':'d','Layers':[]}]", NULL,
      "the archive names 2 images: say which by :TAG behind the name" },
    { "[{'Config':'c','RepoTags':['b:1'],'Layers':[]}]", "b:2",
      "the archive names no image with the tag b:2" },
    { "[{'RepoTags':['b:1'],'Layers':[]}]", NULL, "the image's manifest is damaged: a file has no name" },
    { "[{'Config':'c','Layers':[1]}]", NULL, "the image's manifest is damaged: a file has no name" },
    { "7", NULL, "the archive names no image" },
    { "[}", NULL, "the image's manifest.json is damaged: it is no JSON object, or too large" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = json (cases[i].text);
    g_autoptr (GError) error = NULL;
    g_autoptr (ImageManifest) manifest =
        image_manifest_parse_docker (text, strlen (text), cases[i].tag, &error);
    g_autofree char *found = describe (manifest, error);

    assert_string_equal (found, cases[i].chosen);
  }
}

static void
test_a_hundred_thousand_layers_are_refused (void **state G_GNUC_UNUSED)
{
  g_autoptr (GString) text = g_string_new ("{\"config\":{\"digest\":\"" A "\"},\"layers\":[0");
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i < 100000; i++)
    g_string_append (text, ",0");
  g_string_append (text, "]}");
  assert_null (image_manifest_parse (text->str, text->len, &error));
  assert_string_equal (virt_error_detail (error), "the image has 100000 layers: at most 512 are read");
}

typedef struct {
  const char *config, *entrypoint;
  const char *command; /* words */
  const char *program; /* words joined by |, or the words of the refusal */
} ProgramCase;

#define WITH(config) "{'os':'linux','config':" config ",'rootfs':{'diff_ids':['" A "']}}"

static void
test_the_program_is_entrypoint_and_command (void **state G_GNUC_UNUSED)
{
  static const ProgramCase cases[] = {
    { WITH ("{'Cmd':['sh','-l']}"), NULL, "", "sh|-l" },
    { WITH ("{'Cmd':['sh']}"), NULL, "ls /", "ls|/" },
    { WITH ("{'Entrypoint':['/e'],'Cmd':['a']}"), NULL, "", "/e|a" },
    { WITH ("{'Entrypoint':['/e','x'],'Cmd':['a']}"), NULL, "b c", "/e|x|b|c" },
    { WITH ("{'Entrypoint':['/e'],'Cmd':['a']}"), "/f", "", "/f" },
    { WITH ("{'Entrypoint':['/e'],'Cmd':['a']}"), "/f", "b", "/f|b" },
    { WITH ("{'Entrypoint':['/e'],'Cmd':['a']}"), "", "b", "b" },
    { WITH ("{'Entrypoint':null,'Cmd':null}"), NULL, "",
      "the image names no program to run: give a command behind its name" },
    { WITH ("{'Env':['A=1','=2']}"), NULL, "x",
      "the image's configuration has '=2' in 'Env': expected NAME=VALUE" },
    { WITH ("{'Env':['A']}"), NULL, "x", "the image's configuration has 'A' in 'Env': expected NAME=VALUE" },
    { WITH ("{'Cmd':['a',1]}"), NULL, "x",
      "the image's configuration has something in 'Cmd' that is no text, or too long" },
    { WITH ("{'WorkingDir':'../x'}"), NULL, "x",
      "the image's working directory is '../x': expected an absolute path" },
    { "{'os':'windows','rootfs':{}}", NULL, "x", "the image is for 'windows': expected 'linux'" },
    { "{'os':'linux'}", NULL, "x", "the image's configuration is damaged: no object with a 'rootfs'" },
    { "{'os':'linux','rootfs':{'diff_ids':['x']}}", NULL, "x",
      "the image has the digest 'x': expected 'sha256:' and 64 hexadecimal digits" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = json (cases[i].config);
    g_auto (GStrv) command = g_strsplit (cases[i].command, " ", -1);
    g_autoptr (GError) error = NULL;
    g_autoptr (ImageConfig) config = image_config_parse (text, strlen (text), &error);
    g_auto (GStrv) program =
        config != NULL ? image_config_program (config, cases[i].entrypoint, command, &error) : NULL;
    g_autofree char *found =
        program != NULL ? g_strjoinv ("|", program) : g_strdup (virt_error_detail (error));

    assert_string_equal (found, cases[i].program);
  }
}

static void
test_a_sum_is_compared (void **state G_GNUC_UNUSED)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *digest = image_digest_of ("abc", 3);
  g_autoptr (GError) error = NULL;

  g_checksum_update (sum, (const guchar *)"abc", 3);
  assert_true (image_digest_check (digest, sum, "layer 1", &error));
  assert_false (image_digest_check (A, sum, "layer 1", &error));
  assert_string_equal (virt_error_detail (error),
                       "the image's layer 1 is damaged: its SHA-256 is "
                       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, expected "
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_an_index_names_one_manifest),
    cmocka_unit_test (test_a_manifest_names_config_and_layers),
    cmocka_unit_test (test_dockers_manifest_names_files),
    cmocka_unit_test (test_a_hundred_thousand_layers_are_refused),
    cmocka_unit_test (test_the_program_is_entrypoint_and_command),
    cmocka_unit_test (test_a_sum_is_compared),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
