/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libnftables keeps state that is the process's (its scanner, its tables of names), so all calls share a
 * lock. A context a call, not one for all: it holds a socket of the network namespace it was made in and a
 * cache of rules that others change, and making one costs a fraction of a millisecond. What it says goes into
 * memory that we bound, because a host's rules are as many as its people like.
 */
#include "daemon/host/firewall.h"

#include "base/untrusted-json.h"
#include "base/virt-error.h"

#include <errno.h>
#include <linux/capability.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_REASON 4096 /* bytes of what nft says of a mistake */

typedef struct nft_ctx NftContext;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NftContext, nft_ctx_free)

/* Memory with a limit, behind a FILE. */
typedef struct {
  GString *text;
  gsize limit;
  gboolean full;
} Sink;

static GMutex firewall_lock;

static ssize_t
sink_write (void *cookie, const char *bytes, size_t length)
{
  Sink *sink = cookie;

  if (length > sink->limit - sink->text->len)
    sink->full = TRUE;
  else
    g_string_append_len (sink->text, bytes, (gssize)length);
  return (ssize_t)length;
}

static FILE *
sink_open (Sink *sink)
{
  return fopencookie (sink, "w", (cookie_io_functions_t){ .write = sink_write });
}

/* What is told apart in nft's words: the errors of the kernel that a person can do something about. */
static const struct {
  int number;
  virErrorNumber code;
  const char *advice;
} causes[] = {
  { EPERM, VIR_ERR_OPERATION_DENIED, "the daemon needs CAP_NET_ADMIN to change packet filters" },
  { EACCES, VIR_ERR_OPERATION_DENIED, "the daemon needs CAP_NET_ADMIN to change packet filters" },
  { EOPNOTSUPP, VIR_ERR_CONFIG_UNSUPPORTED, "the kernel lacks this part of nf_tables" },
  { EPROTONOSUPPORT, VIR_ERR_CONFIG_UNSUPPORTED, "the kernel has no nf_tables (module nf_tables)" },
  { EPROTO, VIR_ERR_CONFIG_UNSUPPORTED,
    "the kernel lacks connection tracking in bridges (module nf_conntrack_bridge)" },
  { EAFNOSUPPORT, VIR_ERR_CONFIG_UNSUPPORTED, "the kernel has no nf_tables for this family" },
  { ENOBUFS, VIR_ERR_OPERATION_FAILED, "too much at once for the kernel's netlink buffers" },
  { ENOMEM, VIR_ERR_NO_MEMORY, "the kernel has no memory for it" },
};

/* @said: all that nft wrote of its mistakes. The first line is the cause; the lines below it mark its place
 * in a text that there is not. */
static void
set_error (GError **error, const char *what, const char *said)
{
  g_autofree char *line = g_strndup (said, strcspn (said, "\n"));
  const char *reason = strstr (line, "Error: ");

  reason = reason != NULL ? reason + strlen ("Error: ") : line;
  for (guint i = 0; i < G_N_ELEMENTS (causes); i++)
    if (g_str_has_suffix (reason, g_strerror (causes[i].number))) {
      virt_error_set (error, causes[i].code, "cannot %s: %s: %s", what, reason, causes[i].advice);
      return;
    }
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot %s: %s", what,
                  *reason != '\0' ? reason : "nftables does not say why");
}

/* Asked before the library is: where it may not, it writes so to the process's standard error, which is the
 * terminal of whoever started a session's daemon. */
static gboolean
may_change_packet_filters (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

  return syscall (SYS_capget, &header, sets) == 0
         && (sets[CAP_TO_INDEX (CAP_NET_ADMIN)].effective & CAP_TO_MASK (CAP_NET_ADMIN)) != 0;
}

/* Run @text. FALSE with what nft said of it in @said, which is this text's alone. */
static gboolean
run (const char *text, Sink *output, Sink *said)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&firewall_lock);
  g_autoptr (NftContext) context = nft_ctx_new (NFT_CTX_DEFAULT);
  FILE *output_file = sink_open (output), *said_file = sink_open (said);
  gboolean permitted = may_change_packet_filters (), done = FALSE;

  if (!permitted)
    g_string_append (said->text, g_strerror (EPERM));
  if (permitted && context != NULL && output_file != NULL && said_file != NULL) {
    nft_ctx_output_set_flags (context, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE
                                           | NFT_CTX_OUTPUT_NUMERIC_PRIO | NFT_CTX_OUTPUT_NUMERIC_PROTO);
    nft_ctx_set_output (context, output_file);
    nft_ctx_set_error (context, said_file);
    done = nft_run_cmd_from_buffer (context, text) == 0;
  }
  if (output_file != NULL)
    fclose (output_file);
  if (said_file != NULL)
    fclose (said_file);
  return done;
}

JsonObject *
firewall_command (const char *verb, const char *noun, JsonObject *object)
{
  JsonObject *command = json_object_new (), *inner = json_object_new ();

  json_object_set_object_member (inner, noun, object);
  json_object_set_object_member (command, verb, inner);
  return command;
}

gboolean
firewall_apply (JsonArray *commands, GError **error)
{
  g_autoptr (JsonObject) request = json_object_new ();
  g_autoptr (GString) output = g_string_new (NULL), said = g_string_new (NULL);
  Sink output_sink = { output, 0, FALSE }, said_sink = { said, MAX_REASON, FALSE };
  g_autofree char *text = NULL;

  if (json_array_get_length (commands) == 0)
    return TRUE;
  json_object_set_array_member (request, "nftables", json_array_ref (commands));
  text = json_object_text (request);
  if (run (text, &output_sink, &said_sink))
    return TRUE;
  set_error (error, "change the packet filter", said->str);
  return FALSE;
}

/* @listed: the "nftables" of nft's answer to @command. *ret_missing, when not NULL: there is none of it. */
static JsonArray *
list (const char *command, gboolean *ret_missing, GError **error)
{
  g_autoptr (GString) output = g_string_new (NULL), said = g_string_new (NULL);
  Sink output_sink = { output, FIREWALL_MAX_LISTING, FALSE }, said_sink = { said, MAX_REASON, FALSE };
  g_autoptr (JsonObject) answer = NULL;
  JsonArray *objects;

  if (!run (command, &output_sink, &said_sink)) {
    if (ret_missing != NULL && strstr (said->str, g_strerror (ENOENT)) != NULL)
      *ret_missing = TRUE;
    else
      set_error (error, "read the packet filter", said->str);
    return NULL;
  }
  if (output_sink.full) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot read the packet filter: it has more than %d bytes of rules",
                    FIREWALL_MAX_LISTING);
    return NULL;
  }
  answer = untrusted_json_object_of (output->str, output->len, FIREWALL_MAX_VALUES);
  objects = answer != NULL ? untrusted_list (answer, "nftables") : NULL;
  if (objects == NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot read the packet filter: nftables' answer is no list");
  return objects != NULL ? json_array_ref (objects) : NULL;
}

gboolean
firewall_list_table (const char *family, const char *table, JsonArray **ret_objects, GError **error)
{
  g_autofree char *command = g_strdup_printf (
      "{\"nftables\":[{\"list\":{\"table\":{\"family\":\"%s\",\"name\":\"%s\"}}}]}", family, table);
  gboolean missing = FALSE;
  JsonArray *objects = list (command, &missing, error);

  if (objects == NULL && !missing)
    return FALSE;
  *ret_objects = objects;
  return TRUE;
}

gboolean
firewall_list_all (JsonArray **ret_objects, GError **error)
{
  JsonArray *objects = list ("{\"nftables\":[{\"list\":{\"ruleset\":null}}]}", NULL, error);

  if (objects == NULL)
    return FALSE;
  *ret_objects = objects;
  return TRUE;
}
