/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Errors in libvirt's numbers and words. Each number has two texts in libvirt: one that stands alone and
 * one with a place for the detail. Clients show the second and some match its beginning, so the table
 * below is part of the interface and its wording is libvirt's, down to the capital letters. Numbers that
 * libvirt itself keeps only for history are here too: the table answers for every number a client knows.
 */
#include "base/virt-error.h"

#include <stdarg.h>

#define ORIGIN_BY_CODE -1

typedef struct {
  int origin; /* virErrorDomain, or ORIGIN_BY_CODE */
} VirtErrorPrivate;

static void
virt_error_private_init (VirtErrorPrivate *private)
{
  private->origin = ORIGIN_BY_CODE;
}

static void
virt_error_private_copy (const VirtErrorPrivate *from, VirtErrorPrivate *to)
{
  *to = *from;
}

static void
virt_error_private_clear (G_GNUC_UNUSED VirtErrorPrivate *private)
{
}

G_DEFINE_EXTENDED_ERROR (VirtError, virt_error)

typedef struct {
  const char *alone;  /* when there is no detail */
  const char *detail; /* with one %s */
} ErrorText;

#define COLON(text)   \
  {                   \
    text, text ": %s" \
  }
#define WITH(text, more) \
  {                      \
    text, text more      \
  }

static const ErrorText error_texts[] = {
  [VIR_ERR_INTERNAL_ERROR] = COLON ("internal error"),
  [VIR_ERR_NO_MEMORY] = COLON ("out of memory"),
  [VIR_ERR_NO_SUPPORT] = COLON ("this function is not supported by the connection driver"),
  [VIR_ERR_UNKNOWN_HOST] = WITH ("unknown host", " %s"),
  [VIR_ERR_NO_CONNECT] = WITH ("no connection driver available", " for %s"),
  [VIR_ERR_INVALID_CONN] = WITH ("invalid connection pointer in", " %s"),
  [VIR_ERR_INVALID_DOMAIN] = WITH ("invalid domain pointer in", " %s"),
  [VIR_ERR_INVALID_ARG] = COLON ("invalid argument"),
  [VIR_ERR_OPERATION_FAILED] = COLON ("operation failed"),
  [VIR_ERR_GET_FAILED] = COLON ("GET operation failed"),
  [VIR_ERR_POST_FAILED] = COLON ("POST operation failed"),
  [VIR_ERR_HTTP_ERROR] = WITH ("got unknown HTTP error code", " %s"),
  [VIR_ERR_SEXPR_SERIAL] = COLON ("failed to serialize S-Expr"),
  [VIR_ERR_NO_XEN] = WITH ("could not use Xen hypervisor entry", " %s"),
  [VIR_ERR_XEN_CALL] = WITH ("failed Xen syscall", " %s"),
  [VIR_ERR_OS_TYPE] = WITH ("unknown OS type", " %s"),
  [VIR_ERR_NO_KERNEL] = COLON ("missing kernel information"),
  [VIR_ERR_NO_ROOT] = WITH ("missing root device information", " in %s"),
  [VIR_ERR_NO_SOURCE] = WITH ("missing source information for device", " %s"),
  [VIR_ERR_NO_TARGET] = WITH ("missing target information for device", " %s"),
  [VIR_ERR_NO_NAME] = WITH ("missing name information", " in %s"),
  [VIR_ERR_NO_OS] = WITH ("missing operating system information", " for %s"),
  [VIR_ERR_NO_DEVICE] = { "missing devices information", "missing devices information for %s" },
  [VIR_ERR_NO_XENSTORE] = WITH ("could not connect to Xen Store", " %s"),
  [VIR_ERR_DRIVER_FULL] = WITH ("too many drivers registered", " in %s"),
  [VIR_ERR_CALL_FAILED] = COLON ("library call failed"),
  [VIR_ERR_XML_ERROR] = { "XML description is invalid or not well formed", "XML error: %s" },
  [VIR_ERR_DOM_EXIST] = { "this domain exists already", "domain %s exists already" },
  [VIR_ERR_OPERATION_DENIED] = { "operation forbidden for read only access", "operation forbidden: %s" },
  [VIR_ERR_OPEN_FAILED] = WITH ("failed to open configuration file", " %s"),
  [VIR_ERR_READ_FAILED] = WITH ("failed to read configuration file", " %s"),
  [VIR_ERR_PARSE_FAILED] = WITH ("failed to parse configuration file", " %s"),
  [VIR_ERR_CONF_SYNTAX] = COLON ("configuration file syntax error"),
  [VIR_ERR_WRITE_FAILED] = COLON ("failed to write configuration file"),
  [VIR_ERR_XML_DETAIL] = { "parser error", "%s" },
  [VIR_ERR_INVALID_NETWORK] = WITH ("invalid network pointer in", " %s"),
  [VIR_ERR_NETWORK_EXIST] = { "this network exists already", "network %s exists already" },
  [VIR_ERR_SYSTEM_ERROR] = { "system call error", "%s" },
  [VIR_ERR_RPC] = { "RPC error", "%s" },
  [VIR_ERR_GNUTLS_ERROR] = { "GNUTLS call error", "%s" },
  [VIR_WAR_NO_NETWORK] = COLON ("Failed to find the network"),
  [VIR_ERR_NO_DOMAIN] = COLON ("Domain not found"),
  [VIR_ERR_NO_NETWORK] = COLON ("Network not found"),
  [VIR_ERR_INVALID_MAC] = COLON ("invalid MAC address"),
  [VIR_ERR_AUTH_FAILED] = COLON ("authentication failed"),
  [VIR_ERR_INVALID_STORAGE_POOL] = WITH ("invalid storage pool pointer in", " %s"),
  [VIR_ERR_INVALID_STORAGE_VOL] = WITH ("invalid storage volume pointer in", " %s"),
  [VIR_WAR_NO_STORAGE] = COLON ("Failed to find a storage driver"),
  [VIR_ERR_NO_STORAGE_POOL] = COLON ("Storage pool not found"),
  [VIR_ERR_NO_STORAGE_VOL] = COLON ("Storage volume not found"),
  [VIR_WAR_NO_NODE] = COLON ("Failed to find a node driver"),
  [VIR_ERR_INVALID_NODE_DEVICE] = { "invalid node device pointer", "invalid node device pointer in %s" },
  [VIR_ERR_NO_NODE_DEVICE] = COLON ("Node device not found"),
  [VIR_ERR_NO_SECURITY_MODEL] = COLON ("Security model not found"),
  [VIR_ERR_OPERATION_INVALID] = COLON ("Requested operation is not valid"),
  [VIR_WAR_NO_INTERFACE] = COLON ("Failed to find the interface"),
  [VIR_ERR_NO_INTERFACE] = COLON ("Interface not found"),
  [VIR_ERR_INVALID_INTERFACE] = WITH ("invalid interface pointer in", " %s"),
  [VIR_ERR_MULTIPLE_INTERFACES] = COLON ("multiple matching interfaces found"),
  [VIR_WAR_NO_NWFILTER] = COLON ("Failed to start the nwfilter driver"),
  [VIR_ERR_INVALID_NWFILTER] = COLON ("Invalid network filter"),
  [VIR_ERR_NO_NWFILTER] = COLON ("Network filter not found"),
  [VIR_ERR_BUILD_FIREWALL] = COLON ("Error while building firewall"),
  [VIR_WAR_NO_SECRET] = COLON ("Failed to find a secret storage driver"),
  [VIR_ERR_INVALID_SECRET] = COLON ("Invalid secret"),
  [VIR_ERR_NO_SECRET] = COLON ("Secret not found"),
  [VIR_ERR_CONFIG_UNSUPPORTED] = COLON ("unsupported configuration"),
  [VIR_ERR_OPERATION_TIMEOUT] = COLON ("Timed out during operation"),
  [VIR_ERR_MIGRATE_PERSIST_FAILED] = COLON ("Failed to make domain persistent after migration"),
  [VIR_ERR_HOOK_SCRIPT_FAILED] = COLON ("Hook script execution failed"),
  [VIR_ERR_INVALID_DOMAIN_SNAPSHOT] = COLON ("Invalid domain snapshot"),
  [VIR_ERR_NO_DOMAIN_SNAPSHOT] = COLON ("Domain snapshot not found"),
  [VIR_ERR_INVALID_STREAM] = { "invalid stream pointer", "invalid stream pointer in %s" },
  [VIR_ERR_ARGUMENT_UNSUPPORTED] = COLON ("argument unsupported"),
  [VIR_ERR_STORAGE_PROBE_FAILED] = COLON ("Storage pool probe failed"),
  [VIR_ERR_STORAGE_POOL_BUILT] = COLON ("Storage pool already built"),
  [VIR_ERR_SNAPSHOT_REVERT_RISKY] = COLON ("revert requires force"),
  [VIR_ERR_OPERATION_ABORTED] = COLON ("operation aborted"),
  [VIR_ERR_AUTH_CANCELLED] = COLON ("authentication cancelled"),
  [111] = COLON ("metadata not found"), /* VIR_ERR_NO_NETWORK_METADATA, libvirt 9.7 */
  [VIR_ERR_NO_DOMAIN_METADATA] = COLON ("metadata not found"),
  [VIR_ERR_MIGRATE_UNSAFE] = COLON ("Unsafe migration"),
  [VIR_ERR_OVERFLOW] = COLON ("numerical overflow"),
  [VIR_ERR_BLOCK_COPY_ACTIVE] = COLON ("block copy still active"),
  [VIR_ERR_OPERATION_UNSUPPORTED] = COLON ("Operation not supported"),
  [VIR_ERR_SSH] = COLON ("SSH transport error"),
  [VIR_ERR_AGENT_UNRESPONSIVE] = COLON ("Guest agent is not responding"),
  [VIR_ERR_RESOURCE_BUSY] = COLON ("resource busy"),
  [VIR_ERR_ACCESS_DENIED] = COLON ("access denied"),
  [VIR_ERR_DBUS_SERVICE] = COLON ("error from service"),
  [VIR_ERR_STORAGE_VOL_EXIST] = { "this storage volume exists already", "storage volume %s exists already" },
  [VIR_ERR_CPU_INCOMPATIBLE] = COLON ("the CPU is incompatible with host CPU"),
  [VIR_ERR_XML_INVALID_SCHEMA] = COLON ("XML document failed to validate against schema"),
  [VIR_ERR_MIGRATE_FINISH_OK] = COLON ("migration successfully aborted"),
  [VIR_ERR_AUTH_UNAVAILABLE] = COLON ("authentication unavailable"),
  [VIR_ERR_NO_SERVER] = COLON ("Server not found"),
  [VIR_ERR_NO_CLIENT] = COLON ("Client not found"),
  [VIR_ERR_AGENT_UNSYNCED] = COLON ("guest agent replied with wrong id to guest-sync command"),
  [VIR_ERR_LIBSSH] = COLON ("libssh transport error"),
  [VIR_ERR_DEVICE_MISSING] = COLON ("device not found"),
  [VIR_ERR_INVALID_NWFILTER_BINDING] = COLON ("Invalid network filter binding"),
  [VIR_ERR_NO_NWFILTER_BINDING] = COLON ("Network filter binding not found"),
  [VIR_ERR_INVALID_DOMAIN_CHECKPOINT] = COLON ("Invalid domain checkpoint"),
  [VIR_ERR_NO_DOMAIN_CHECKPOINT] = COLON ("Domain checkpoint not found"),
  [VIR_ERR_NO_DOMAIN_BACKUP] = COLON ("Domain backup job id not found"),
  [VIR_ERR_INVALID_NETWORK_PORT] = COLON ("Invalid network port pointer"),
  [VIR_ERR_NETWORK_PORT_EXIST] = { "this network port exists already", "network port %s exists already" },
  [VIR_ERR_NO_NETWORK_PORT] = COLON ("network port not found"),
  [VIR_ERR_NO_HOSTNAME] = COLON ("no hostname found"),
  [VIR_ERR_CHECKPOINT_INCONSISTENT] = COLON ("checkpoint inconsistent"),
  [VIR_ERR_MULTIPLE_DOMAINS] = COLON ("multiple matching domains found"),
};

static const ErrorText *
error_text (virErrorNumber code)
{
  if ((guint)code >= G_N_ELEMENTS (error_texts) || error_texts[code].detail == NULL)
    return NULL;
  return &error_texts[code];
}

const char *
virt_error_format (virErrorNumber code)
{
  const ErrorText *text = error_text (code);

  return text != NULL ? text->detail : NULL;
}

static char *
fill_in (const char *format, const char *detail)
{
  const char *place = strstr (format, "%s");

  return g_strdup_printf ("%.*s%s%s", (int)(place - format), format, detail, place + strlen ("%s"));
}

/* How long libvirt's words at the beginning of @message are; 0: other words are there. */
static gsize
words_before (const char *format, const char *message)
{
  const char *place = format != NULL ? strstr (format, "%s") : NULL;
  gsize length = place != NULL ? (gsize)(place - format) : 0;

  return length > 0 && place[strlen ("%s")] == '\0' && strncmp (message, format, length) == 0 ? length : 0;
}

static char *
message_of (virErrorNumber code, const char *detail)
{
  const ErrorText *text = error_text (code);

  if (text == NULL)
    return g_strdup (detail);
  detail += words_before (text->detail, detail); /* another error's message with the same words */
  return detail[0] == '\0' ? g_strdup (text->alone) : fill_in (text->detail, detail);
}

/* Takes @message. */
static void
set_message (GError **error, int origin, virErrorNumber code, char *message)
{
  g_autofree char *owned G_GNUC_UNUSED = message;

  if (error == NULL)
    return;
  g_set_error_literal (error, VIRT_ERROR, (int)code, message);
  virt_error_get_private (*error)->origin = origin;
}

void
virt_error_set (GError **error, virErrorNumber code, const char *format, ...)
{
  g_autofree char *detail = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  set_message (error, ORIGIN_BY_CODE, code, message_of (code, detail));
}

void
virt_error_set_from (GError **error, virErrorDomain origin, virErrorNumber code, const char *format, ...)
{
  g_autofree char *detail = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  set_message (error, (int)origin, code, message_of (code, detail));
}

void
virt_error_set_plain (GError **error, virErrorDomain origin, virErrorNumber code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_message (error, (int)origin, code, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

int
virt_error_origin (const GError *error)
{
  return error != NULL && error->domain == VIRT_ERROR ? virt_error_get_private (error)->origin
                                                      : ORIGIN_BY_CODE;
}

virErrorNumber
virt_error_code (const GError *error)
{
  if (error == NULL)
    return VIR_ERR_OK;
  return error->domain == VIRT_ERROR ? (virErrorNumber)error->code : VIR_ERR_INTERNAL_ERROR;
}

const char *
virt_error_detail (const GError *error)
{
  return error->message + words_before (virt_error_format (virt_error_code (error)), error->message);
}

void
virt_error_prefix (GError **error, const char *format, ...)
{
  g_autofree char *old = NULL, *words = NULL;
  const char *detail;
  va_list arguments;

  if (error == NULL || *error == NULL)
    return;
  va_start (arguments, format);
  words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  detail = virt_error_detail (*error);
  old = (*error)->message;
  (*error)->message = g_strdup_printf ("%.*s%s%s", (int)(detail - old), old, words, detail);
}

/* The length of "FILE:LINE:COLUMN" at the beginning of a line, behind which ": " stands; 0: there is none. */
static gsize
place_before (const char *line)
{
  static GRegex *place;
  g_autoptr (GMatchInfo) match = NULL;
  int end = 0;

  if (g_once_init_enter (&place))
    g_once_init_leave (&place, g_regex_new ("^[^\n]*?:[0-9]+:[0-9]+(?=: )", 0, 0, NULL));
  return g_regex_match (place, line, 0, &match) && g_match_info_fetch_pos (match, 0, NULL, &end) ? (gsize)end
                                                                                                 : 0;
}

GError *
virt_error_places_behind (const GError *error)
{
  const char *detail = virt_error_detail (error);
  g_autoptr (GString) text = g_string_new_len (error->message, detail - error->message);
  g_auto (GStrv) lines = g_strsplit (detail, "\n", -1);
  GError *changed = g_error_copy (error);

  for (guint i = 0; lines[i] != NULL; i++) {
    gsize length = place_before (lines[i]);

    g_string_append (text, i > 0 ? "\n" : "");
    if (length > 0)
      g_string_append_printf (text, "%s (%.*s)", lines[i] + length + strlen (": "), (int)length, lines[i]);
    else
      g_string_append (text, lines[i]);
  }
  g_free (changed->message);
  changed->message = g_string_free (g_steal_pointer (&text), FALSE);
  return changed;
}
