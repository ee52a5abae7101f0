/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two tables: which capabilities go with which flag on which side, and which parameters are given a number.
 * Every capability of the table is set, to off where it is not wanted, as QEMU keeps what an earlier
 * migration has set.
 */
#include "daemon/drivers/qemu/migration-settings.h"

#include "targets/qemu/recipe.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define MEBIBYTE         ((guint64)1024 * 1024)
#define CAPABILITIES_MAX 256 /* read of one answer */
#define TLS_OBJECT       "objmigrate_tls0"
#define USERFAULTFD_FILE "/proc/sys/vm/unprivileged_userfaultfd"
#define ALWAYS           G_MAXUINT64

typedef struct {
  const char *name;
  guint sides;
  guint64 flag;      /* ALWAYS, or one of VIR_MIGRATE_* */
  guint compression; /* or one of these */
  gboolean if_there; /* a QEMU without it does without it */
} Capability;

#define BOTH (MIGRATION_SOURCE | MIGRATION_TARGET)

static const Capability capabilities[] = {
  { "events", BOTH, ALWAYS, 0, TRUE },
  { "pause-before-switchover", MIGRATION_SOURCE, ALWAYS, 0, TRUE },
  { "late-block-activate", MIGRATION_TARGET, ALWAYS, 0, TRUE },
  { "return-path", BOTH, ALWAYS, 0, TRUE },
  { "auto-converge", MIGRATION_SOURCE, VIR_MIGRATE_AUTO_CONVERGE, 0, FALSE },
  { "postcopy-ram", BOTH, VIR_MIGRATE_POSTCOPY, 0, FALSE },
  { "multifd", BOTH, VIR_MIGRATE_PARALLEL, 0, FALSE },
  { "zero-copy-send", MIGRATION_SOURCE, VIR_MIGRATE_ZEROCOPY, 0, FALSE },
  { "xbzrle", BOTH, 0, MIGRATION_XBZRLE, FALSE },
};

void
migration_settings_init (MigrationSettings *settings)
{
  *settings = (MigrationSettings){ .zlib_level = -1, .zstd_level = -1 };
}

void
migration_settings_clear (MigrationSettings *settings)
{
  g_clear_pointer (&settings->tls_directory, g_free);
  g_clear_pointer (&settings->tls_host, g_free);
}

void
migration_settings_copy (MigrationSettings *to, const MigrationSettings *from)
{
  *to = *from;
  to->tls_directory = g_strdup (from->tls_directory);
  to->tls_host = g_strdup (from->tls_host);
}

GPtrArray *
migration_capabilities (Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-migrate-capabilities", NULL, error);
  JsonArray *list = answer != NULL ? untrusted_list_of (answer) : NULL;
  GPtrArray *names;

  if (answer == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), CAPABILITIES_MAX); i++) {
    const char *name = untrusted_text (untrusted_object_of (json_array_get_element (list, i)), "capability");

    if (name != NULL)
      g_ptr_array_add (names, g_strdup (name));
  }
  return names;
}

static gboolean
is_wanted (const Capability *capability, const MigrationSettings *settings, MigrationSide side)
{
  return (capability->sides & side) != 0
         && (capability->flag == ALWAYS || (capability->flag & settings->flags) != 0
             || (capability->compression & settings->compression) != 0);
}

/* A QEMU without rights of its own waits for pages of its memory only where the host lets anyone. */
static void
explain_postcopy (GError **error)
{
  g_autofree char *allowed = NULL;

  if (g_file_get_contents (USERFAULTFD_FILE, &allowed, NULL, NULL) && *allowed == '0')
    virt_error_prefix (
        error, "post-copy needs the sysctl vm.unprivileged_userfaultfd=1 on this host, which has 0: ");
}

static gboolean
set_capabilities (const MigrationSettings *settings, MigrationSide side, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (GPtrArray) there = migration_capabilities (qmp, job, error);
  g_autoptr (JsonArray) list = json_array_new ();

  if (there == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (capabilities); i++) {
    const Capability *capability = &capabilities[i];
    gboolean wanted = is_wanted (capability, settings, side);

    if (g_ptr_array_find_with_equal_func (there, capability->name, g_str_equal, NULL)) {
      json_array_add_object_element (list,
                                     props ("capability", "s", capability->name, "state", "b", wanted, NULL));
    } else if (wanted && !capability->if_there) {
      virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                      "Migration option '%s' is not supported by QEMU binary", capability->name);
      return FALSE;
    }
  }
  if (qmp_run (qmp, job, "migrate-set-capabilities",
               props ("capabilities", "a", g_steal_pointer (&list), NULL), error))
    return TRUE;
  if (side == MIGRATION_TARGET && (settings->flags & VIR_MIGRATE_POSTCOPY) != 0)
    explain_postcopy (error);
  return FALSE;
}

/* In bytes a second; G_MAXINT64 without a limit. */
static guint64
in_bytes (guint64 mebibytes)
{
  return mebibytes == 0 || mebibytes >= MIGRATION_BANDWIDTH_MAX ? (guint64)G_MAXINT64 : mebibytes * MEBIBYTE;
}

static void
add_number (JsonObject *parameters, const char *name, guint64 value)
{
  if (value != 0)
    json_object_set_int_member (parameters, name, (gint64)value);
}

static void
add_parallel (JsonObject *parameters, const MigrationSettings *settings)
{
  add_number (parameters, "multifd-channels", settings->channels);
  json_object_set_string_member (parameters, "multifd-compression",
                                 settings->compression & MIGRATION_ZLIB   ? "zlib"
                                 : settings->compression & MIGRATION_ZSTD ? "zstd"
                                                                          : "none");
  if (settings->zlib_level >= 0)
    json_object_set_int_member (parameters, "multifd-zlib-level", settings->zlib_level);
  if (settings->zstd_level >= 0)
    json_object_set_int_member (parameters, "multifd-zstd-level", settings->zstd_level);
}

static gboolean
set_parameters (const MigrationSettings *settings, MigrationSide side, Qmp *qmp, Job *job, GError **error)
{
  JsonObject *parameters = json_object_new ();
  gboolean encrypted = (settings->flags & VIR_MIGRATE_TLS) != 0;

  if (side == MIGRATION_SOURCE) {
    json_object_set_int_member (parameters, "max-bandwidth", (gint64)in_bytes (settings->bandwidth));
    if (settings->postcopy_bandwidth != 0)
      json_object_set_int_member (parameters, "max-postcopy-bandwidth",
                                  (gint64)in_bytes (settings->postcopy_bandwidth));
    if (settings->switchover_bandwidth != 0)
      json_object_set_int_member (parameters, "avail-switchover-bandwidth",
                                  (gint64)in_bytes (settings->switchover_bandwidth));
    add_number (parameters, "cpu-throttle-initial", settings->throttle_initial);
    add_number (parameters, "cpu-throttle-increment", settings->throttle_increment);
  }
  add_number (parameters, "xbzrle-cache-size", settings->xbzrle_cache);
  if (settings->flags & VIR_MIGRATE_PARALLEL)
    add_parallel (parameters, settings);
  json_object_set_string_member (parameters, "tls-creds", encrypted ? TLS_OBJECT : "");
  json_object_set_string_member (
      parameters, "tls-hostname",
      encrypted && side == MIGRATION_SOURCE && settings->tls_host != NULL ? settings->tls_host : "");
  return qmp_run (qmp, job, "migrate-set-parameters", parameters, error);
}

/* The certificates, read by QEMU itself. What an earlier migration has left is read anew. */
static gboolean
add_credentials (const MigrationSettings *settings, MigrationSide side, Qmp *qmp, Job *job, GError **error)
{
  if (!(settings->flags & VIR_MIGRATE_TLS))
    return TRUE;
  qmp_run (qmp, job, "object-del", props ("id", "s", TLS_OBJECT, NULL), NULL);
  return qmp_run (qmp, job, "object-add",
                  props ("qom-type", "s", "tls-creds-x509", "id", "s", TLS_OBJECT, "dir", "s",
                         settings->tls_directory, "endpoint", "s",
                         side == MIGRATION_SOURCE ? "client" : "server", "verify-peer", "b", TRUE, NULL),
                  error);
}

gboolean
migration_settings_apply (const MigrationSettings *settings, MigrationSide side, Qmp *qmp, Job *job,
                          GError **error)
{
  return set_capabilities (settings, side, qmp, job, error)
         && add_credentials (settings, side, qmp, job, error)
         && set_parameters (settings, side, qmp, job, error);
}
