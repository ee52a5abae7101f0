/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parameters of a migration: one table says what each is and where it goes. What cannot be is refused
 * here, by name, before anything is begun.
 */
#include "daemon/ops/domain/migrate-arguments.h"

#include "daemon/host/node.h"
#include "wire/typed-parameters.h"

#include <string.h>

#define PARAMETERS_MAX 64
#define CHANNELS_MAX   255
#define PERCENT_MAX    99

#define KNOWN_FLAGS                                                                                        \
  (VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_PERSIST_DEST             \
   | VIR_MIGRATE_UNDEFINE_SOURCE | VIR_MIGRATE_PAUSED | VIR_MIGRATE_NON_SHARED_DISK                        \
   | VIR_MIGRATE_NON_SHARED_INC | VIR_MIGRATE_CHANGE_PROTECTION | VIR_MIGRATE_UNSAFE | VIR_MIGRATE_OFFLINE \
   | VIR_MIGRATE_COMPRESSED | VIR_MIGRATE_ABORT_ON_ERROR | VIR_MIGRATE_AUTO_CONVERGE                       \
   | VIR_MIGRATE_RDMA_PIN_ALL | VIR_MIGRATE_POSTCOPY | VIR_MIGRATE_TLS | VIR_MIGRATE_PARALLEL              \
   | VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES | VIR_MIGRATE_POSTCOPY_RESUME | VIR_MIGRATE_ZEROCOPY)

/* What newer headers than Debian 12's know. */
#define PARAM_DETECT_ZEROES "migrate_disks_detect_zeroes"
#define PARAM_SWITCHOVER    "bandwidth.availswitchover"
#define PARAM_ZLIB_LEVEL    "compression.zlib.level"
#define PARAM_ZSTD_LEVEL    "compression.zstd.level"

typedef struct {
  const char *name;
  char type; /* s, i, t as libvirt's have it; S: may come more than once */
  gsize offset;
  guint64 most; /* of numbers */
} Parameter;

#define AT(member) G_STRUCT_OFFSET (MigrateArguments, member)

static const Parameter table[] = {
  { VIR_MIGRATE_PARAM_URI, 's', AT (uri), 0 },
  { VIR_MIGRATE_PARAM_DEST_NAME, 's', AT (name), 0 },
  { VIR_MIGRATE_PARAM_DEST_XML, 's', AT (document), 0 },
  { VIR_MIGRATE_PARAM_PERSIST_XML, 's', AT (persistent), 0 },
  { VIR_MIGRATE_PARAM_LISTEN_ADDRESS, 's', AT (listen), 0 },
  { VIR_MIGRATE_PARAM_DISKS_URI, 's', AT (disks_uri), 0 },
  { VIR_MIGRATE_PARAM_TLS_DESTINATION, 's', AT (settings.tls_host), 0 },
  { VIR_MIGRATE_PARAM_DISKS_PORT, 'i', AT (disks_port), G_MAXUINT16 },
  { VIR_MIGRATE_PARAM_BANDWIDTH, 't', AT (settings.bandwidth), MIGRATION_BANDWIDTH_MAX },
  { VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY, 't', AT (settings.postcopy_bandwidth), MIGRATION_BANDWIDTH_MAX },
  { PARAM_SWITCHOVER, 't', AT (settings.switchover_bandwidth), MIGRATION_BANDWIDTH_MAX },
  { VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE, 't', AT (settings.xbzrle_cache), G_MAXINT64 },
  { VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL, 'i', AT (settings.throttle_initial), PERCENT_MAX },
  { VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT, 'i', AT (settings.throttle_increment), PERCENT_MAX },
  { VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, 'i', AT (settings.channels), CHANNELS_MAX },
  { PARAM_ZLIB_LEVEL, 'i', AT (settings.zlib_level), 9 },
  { PARAM_ZSTD_LEVEL, 'i', AT (settings.zstd_level), 20 },
};

/* Taken into account by others: the display that clients are sent on to, and what QEMU has no more. */
static const char *const passed_over[] = { VIR_MIGRATE_PARAM_GRAPHICS_URI, PARAM_DETECT_ZEROES, NULL };

static const struct {
  const char *name;
  MigrationCompression method;
} methods[] = {
  { "xbzrle", MIGRATION_XBZRLE },
  { "zlib", MIGRATION_ZLIB },
  { "zstd", MIGRATION_ZSTD },
};

void
migrate_arguments_clear (MigrateArguments *arguments)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].type == 's')
      g_clear_pointer (&G_STRUCT_MEMBER (char *, arguments, table[i].offset), g_free);
  g_clear_pointer (&arguments->disks, g_strfreev);
  g_clear_pointer (&arguments->peer, g_free);
  migration_settings_clear (&arguments->settings);
}

static gboolean
invalid (GError **error, const char *name, const char *words)
{
  virt_error_set (error, VIR_ERR_INVALID_ARG, "invalid type or value of parameter '%s': %s", name, words);
  return FALSE;
}

static gboolean
take_number (MigrateArguments *arguments, const Parameter *parameter, GVariant *value, GError **error)
{
  gint64 number = -1;

  if (parameter->type == 'i' && g_variant_is_of_type (value, G_VARIANT_TYPE_INT32))
    number = g_variant_get_int32 (value);
  else if (parameter->type == 't' && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64)
           && g_variant_get_uint64 (value) <= G_MAXINT64)
    number = (gint64)g_variant_get_uint64 (value);
  else
    return invalid (error, parameter->name,
                    parameter->type == 'i' ? "an int is wanted" : "a ullong is wanted");
  if (number < 0 || (guint64)number > parameter->most) {
    g_autofree char *words = g_strdup_printf ("from 0 to %" G_GUINT64_FORMAT " is accepted", parameter->most);

    return invalid (error, parameter->name, words);
  }
  if (parameter->type == 't')
    G_STRUCT_MEMBER (guint64, arguments, parameter->offset) = (guint64)number;
  else
    G_STRUCT_MEMBER (guint, arguments, parameter->offset) = (guint)number;
  return TRUE;
}

static gboolean
take_compression (MigrateArguments *arguments, const char *word, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_str_equal (methods[i].name, word)) {
      if (arguments->settings.compression & methods[i].method) {
        virt_error_set (error, VIR_ERR_INVALID_ARG, "Compression method '%s' is specified twice", word);
        return FALSE;
      }
      arguments->settings.compression |= methods[i].method;
      return TRUE;
    }
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "Unsupported compression method '%s'; accepted are xbzrle, and zlib and zstd with parallel "
                  "connections",
                  word);
  return FALSE;
}

static gboolean
take_one (MigrateArguments *arguments, GStrvBuilder *disks, const char *name, GVariant *value, GError **error)
{
  gboolean is_text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING);

  if (g_str_equal (name, VIR_MIGRATE_PARAM_MIGRATE_DISKS) && is_text) {
    g_strv_builder_add (disks, g_variant_get_string (value, NULL));
    return TRUE;
  }
  if (g_str_equal (name, VIR_MIGRATE_PARAM_COMPRESSION) && is_text)
    return take_compression (arguments, g_variant_get_string (value, NULL), error);
  if (g_strv_contains (passed_over, name))
    return is_text || invalid (error, name, "a string is wanted");
  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    char **place = &G_STRUCT_MEMBER (char *, arguments, table[i].offset);

    if (!g_str_equal (table[i].name, name))
      continue;
    if (table[i].type != 's')
      return take_number (arguments, &table[i], value, error);
    if (!is_text)
      return invalid (error, name, "a string is wanted");
    if (*place != NULL)
      return invalid (error, name, "it comes twice");
    *place = g_variant_dup_string (value, NULL);
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported", name);
  return FALSE;
}

/* What does not go together, or cannot be; in libvirt's words where it has them. */
static gboolean
check (MigrateArguments *arguments, GError **error)
{
  guint64 flags = arguments->flags;
  guint parallel_only = MIGRATION_ZLIB | MIGRATION_ZSTD;
  const struct {
    gboolean is;
    virErrorNumber code;
    const char *words;
  } rules[] = {
    { flags & VIR_MIGRATE_TUNNELLED, VIR_ERR_ARGUMENT_UNSUPPORTED,
      "tunnelled migration is not supported: use TLS (VIR_MIGRATE_TLS), or a socket that is forwarded" },
    { flags & VIR_MIGRATE_POSTCOPY_RESUME, VIR_ERR_ARGUMENT_UNSUPPORTED,
      "a failed post-copy migration cannot be resumed" },
    { flags & VIR_MIGRATE_RDMA_PIN_ALL, VIR_ERR_ARGUMENT_UNSUPPORTED, "RDMA migration is not supported" },
    { (flags & VIR_MIGRATE_NON_SHARED_DISK) && (flags & VIR_MIGRATE_NON_SHARED_INC), VIR_ERR_INVALID_ARG,
      "Flags 'VIR_MIGRATE_NON_SHARED_DISK' and 'VIR_MIGRATE_NON_SHARED_INC' are mutually exclusive" },
    { (flags & VIR_MIGRATE_OFFLINE) && (flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)),
      VIR_ERR_OPERATION_INVALID, "offline migration cannot handle non-shared storage" },
    { (flags & VIR_MIGRATE_OFFLINE) && !(flags & VIR_MIGRATE_PERSIST_DEST), VIR_ERR_OPERATION_INVALID,
      "offline migration must be specified with the persistent flag set" },
    { (flags & VIR_MIGRATE_ZEROCOPY) && !(flags & VIR_MIGRATE_PARALLEL), VIR_ERR_ARGUMENT_UNSUPPORTED,
      "zero-copy is only available for parallel migration" },
    { (flags & VIR_MIGRATE_POSTCOPY) && (flags & VIR_MIGRATE_PARALLEL), VIR_ERR_ARGUMENT_UNSUPPORTED,
      "post-copy migration over parallel connections is not supported" },
    { arguments->settings.channels != 0 && !(flags & VIR_MIGRATE_PARALLEL), VIR_ERR_INVALID_ARG,
      "Turn parallel migration on to tune it" },
    { (arguments->settings.throttle_initial != 0 || arguments->settings.throttle_increment != 0)
          && !(flags & VIR_MIGRATE_AUTO_CONVERGE),
      VIR_ERR_INVALID_ARG, "Turn auto convergence on to tune it" },
    { arguments->settings.xbzrle_cache != 0 && !(arguments->settings.compression & MIGRATION_XBZRLE),
      VIR_ERR_INVALID_ARG, "Turn xbzrle compression on to tune it" },
    { (arguments->settings.compression & parallel_only) && !(flags & VIR_MIGRATE_PARALLEL),
      VIR_ERR_ARGUMENT_UNSUPPORTED, "compression methods 'zlib' and 'zstd' are for parallel migration only" },
    { (arguments->settings.compression & MIGRATION_XBZRLE) && (flags & VIR_MIGRATE_PARALLEL),
      VIR_ERR_ARGUMENT_UNSUPPORTED, "Compression method 'xbzrle' isn't supported with parallel migration" },
    { (arguments->settings.compression & parallel_only) == parallel_only, VIR_ERR_INVALID_ARG,
      "only one compression method could be specified with parallel compression" },
    { arguments->settings.tls_host != NULL && !(flags & VIR_MIGRATE_TLS), VIR_ERR_INVALID_ARG,
      "the certificate's host is for migrations with TLS (VIR_MIGRATE_TLS)" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].is) {
      virt_error_set (error, rules[i].code, "%s", rules[i].words);
      return FALSE;
    }
  return TRUE;
}

static gboolean
complete (MigrateArguments *arguments, guint64 flags, const Settings *settings, GError **error)
{
  if (flags & ~(guint64)KNOWN_FLAGS) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "unsupported flags (0x%" G_GINT64_MODIFIER "x) in function %s",
                    flags & ~(guint64)KNOWN_FLAGS, "virDomainMigrate3");
    return FALSE;
  }
  arguments->flags = arguments->settings.flags = flags;
  arguments->settings.tls_directory = g_strdup (settings->migration_tls_directory);
  if ((flags & VIR_MIGRATE_COMPRESSED) && arguments->settings.compression == 0)
    arguments->settings.compression = MIGRATION_XBZRLE;
  return check (arguments, error);
}

gboolean
migrate_arguments_read (MigrateArguments *ret, GVariant *parameters, guint64 flags, const Settings *settings,
                        GError **error)
{
  g_autoptr (GStrvBuilder) disks = g_strv_builder_new ();
  GVariantIter iter;
  const char *name;
  GVariant *value;

  migration_settings_init (&ret->settings);
  if (!typed_parameters_check (parameters, PARAMETERS_MAX, error))
    return FALSE;
  g_variant_iter_init (&iter, parameters);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    if (!take_one (ret, disks, name, value, error)) {
      g_variant_unref (value);
      return FALSE;
    }
  ret->disks = g_strv_builder_end (disks);
  if (ret->disks[0] == NULL)
    g_clear_pointer (&ret->disks, g_strfreev);
  return complete (ret, flags, settings, error);
}

gboolean
migrate_arguments_read_plain (MigrateArguments *ret, const char *name, const char *uri, const char *document,
                              guint64 flags, guint64 bandwidth, const Settings *settings, GError **error)
{
  migration_settings_init (&ret->settings);
  ret->name = g_strdup (name);
  ret->uri = g_strdup (uri);
  ret->document = g_strdup (document);
  if (bandwidth > MIGRATION_BANDWIDTH_MAX) {
    virt_error_set (error, VIR_ERR_OVERFLOW, "bandwidth must be less than %" G_GUINT64_FORMAT,
                    MIGRATION_BANDWIDTH_MAX);
    return FALSE;
  }
  ret->settings.bandwidth = bandwidth;
  return complete (ret, flags, settings, error);
}

/* Those the target makes use of as well. */
GVariant *
migrate_arguments_write (const MigrateArguments *arguments, const char *document)
{
  GVariantBuilder list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sv}"));

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    const Parameter *parameter = &table[i];
    const void *place = G_STRUCT_MEMBER_P (arguments, parameter->offset);

    if (g_str_equal (parameter->name, VIR_MIGRATE_PARAM_DEST_XML)) {
      if (document != NULL)
        g_variant_builder_add (&list, "{sv}", parameter->name, g_variant_new_string (document));
    } else if (parameter->type == 's') {
      if (*(char *const *)place != NULL)
        g_variant_builder_add (&list, "{sv}", parameter->name, g_variant_new_string (*(char *const *)place));
    } else if (parameter->type == 't') {
      if (*(const guint64 *)place != 0)
        g_variant_builder_add (&list, "{sv}", parameter->name,
                               g_variant_new_uint64 (*(const guint64 *)place));
    } else if (*(const gint *)place > 0)
      g_variant_builder_add (&list, "{sv}", parameter->name, g_variant_new_int32 (*(const gint *)place));
  }
  for (guint i = 0; arguments->disks != NULL && arguments->disks[i] != NULL; i++)
    g_variant_builder_add (&list, "{sv}", VIR_MIGRATE_PARAM_MIGRATE_DISKS,
                           g_variant_new_string (arguments->disks[i]));
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (arguments->settings.compression & methods[i].method)
      g_variant_builder_add (&list, "{sv}", VIR_MIGRATE_PARAM_COMPRESSION,
                             g_variant_new_string (methods[i].name));
  return g_variant_builder_end (&list);
}

/* Cookies. */

MigrationCookie *
migrate_cookie_of_value (GVariant *bytes, GError **error)
{
  gsize length = 0;
  const char *text = g_variant_get_fixed_array (bytes, &length, 1);

  return length > 0 ? migration_cookie_parse (text, length, error) : NULL;
}

char *
migrate_host_uuid (const Settings *settings)
{
  return *settings->host_uuid != '\0' ? g_strdup (settings->host_uuid) : node_uuid ();
}

MigrationCookie *
migrate_cookie_new (const Settings *settings, const char *name, const char *uuid)
{
  MigrationCookie *cookie = migration_cookie_new ();

  cookie->name = g_strdup (name);
  cookie->uuid = g_strdup (uuid);
  cookie->host_name = node_hostname ();
  cookie->host_uuid = migrate_host_uuid (settings);
  return cookie;
}

/* With its NUL, as libvirt has it. */
GVariant *
migrate_cookie_value (const MigrationCookie *cookie)
{
  g_autofree char *text = cookie != NULL ? migration_cookie_to_xml (cookie) : NULL;

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, text != NULL ? strlen (text) + 1 : 0, 1);
}
