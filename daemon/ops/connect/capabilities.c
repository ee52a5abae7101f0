/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions that the emulator's capabilities answer. They may have to be probed first, which takes a while:
 * so each goes through a job.
 */
#include "daemon/call/shared-answer.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/host/host-cpu.h"
#include "daemon/ops/ops.h"

#include <sys/utsname.h>

typedef struct {
  Call *call;
  CapsCache *cache;
  char *emulator, *arch;
  void (*then) (Call *call, QemuCaps *caps);
} CapsRequest;

static void
caps_request_free (gpointer data)
{
  CapsRequest *request = data;

  g_free (request->emulator);
  g_free (request->arch);
  g_free (request);
}

static gpointer
get_caps (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  CapsRequest *request = input;

  if (request->arch != NULL && !architecture_is_known (request->arch)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "unknown architecture: %s", request->arch);
    return NULL;
  }
  if (request->emulator == NULL)
    request->emulator = qemu_find_emulator (request->arch);
  if (request->emulator == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "unable to find any emulator to serve '%s' architecture", request->arch);
    return NULL;
  }
  host_cpu_get (); /* the first time takes a moment, and the main loop will want it */
  return caps_cache_get (request->cache, request->emulator, error);
}

static void
got_caps (gpointer result, const GError *error, gpointer data)
{
  CapsRequest *request = data;
  g_autoptr (QemuCaps) caps = result;

  if (caps == NULL)
    call_fail (request->call, g_error_copy (error));
  else
    request->then (request->call, caps);
}

void
call_with_caps (Call *call, const char *emulator, const char *arch, void (*then) (Call *call, QemuCaps *caps))
{
  CapsRequest *request = g_new0 (CapsRequest, 1);
  struct utsname host = { 0 };

  uname (&host);
  request->call = call;
  request->cache = call->manager->caps;
  request->then = then;
  request->arch = g_strdup (arch != NULL || emulator != NULL ? arch : host.machine);
  if (emulator == NULL && arch == NULL)
    emulator = call->manager->settings->emulator;
  request->emulator = g_strdup (emulator);
  job_start ("capabilities", get_caps, request, caps_request_free, 0, got_caps, request);
}

/* What the host's own document is made of: every emulator whose machines can be run here. */
typedef struct {
  CapsCache *cache;
  char *own; /* the emulator the settings name for the host's architecture, or NULL */
} HostRequest;

static void
host_request_free (gpointer data)
{
  HostRequest *request = data;

  g_free (request->own);
  g_free (request);
}

/* In the order in which libvirt lists them. One that cannot be asked is left out, but for the host's own. */
static GPtrArray *
get_all_caps (const HostRequest *request, GError **error)
{
  static const char *const architectures[] = { "armv7l",  "aarch64", "i686",  "loongarch64", "ppc64",
                                               "ppc64le", "riscv64", "s390x", "x86_64" };
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)qemu_caps_unref);
  struct utsname host = { 0 };

  uname (&host);
  host_cpu_get (); /* the first time takes a moment, and the main loop will want it */
  for (guint i = 0; i < G_N_ELEMENTS (architectures); i++) {
    gboolean is_own = g_str_equal (architectures[i], host.machine);
    g_autofree char *path =
        is_own && request->own != NULL ? g_strdup (request->own) : qemu_find_emulator (architectures[i]);
    QemuCaps *caps;

    if (path == NULL)
      continue;
    caps = caps_cache_get (request->cache, path, is_own ? error : NULL);
    if (caps != NULL)
      g_ptr_array_add (all, caps);
    else if (is_own)
      return NULL;
  }
  if (all->len > 0)
    return g_steal_pointer (&all);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "unable to find any emulator to serve '%s' architecture",
                  host.machine);
  return NULL;
}

static GVariant *
make_host_capabilities (G_GNUC_UNUSED const Call *call, gpointer request, GError **error)
{
  g_autoptr (GPtrArray) all = get_all_caps (request, error);
  g_autofree char *xml = all != NULL ? host_capabilities_xml (all) : NULL;

  return xml != NULL ? g_variant_new ("(s)", xml) : NULL;
}

void
op_connect_get_capabilities (Call *call)
{
  HostRequest *request = g_new0 (HostRequest, 1);

  request->cache = call->manager->caps;
  request->own = g_strdup (call->manager->settings->emulator);
  call_make_shared (call, "capabilities", "capabilities", make_host_capabilities, request, host_request_free);
}

static GVariant *
make_domain_capabilities (const Call *call, gpointer caps, GError **error)
{
  g_autofree char *xml = domain_capabilities_xml (
      caps, call_maybe_string (call, 1), call_maybe_string (call, 2), call_maybe_string (call, 3), error);

  return xml != NULL ? g_variant_new ("(s)", xml) : NULL;
}

static void
caps_free (gpointer data)
{
  qemu_caps_unref (data);
}

/* The facts of the host and its firmware are read from files: in a job as well. */
static void
answer_domain_capabilities (Call *call, QemuCaps *caps)
{
  g_autofree char *arguments = g_variant_print (call->arguments, FALSE);
  g_autofree char *key = g_strconcat ("domain capabilities ", qemu_caps_binary (caps), " ", arguments, NULL);

  call_make_shared (call, key, "capabilities", make_domain_capabilities, qemu_caps_ref (caps), caps_free);
}

void
op_connect_get_domain_capabilities (Call *call)
{
  if (call_check_flags (call, call_uint (call, 4), 0))
    call_with_caps (call, call_maybe_string (call, 0), call_maybe_string (call, 1),
                    answer_domain_capabilities);
}

static void
answer_max_vcpus (Call *call, QemuCaps *caps)
{
  const char *type = call_maybe_string (call, 0);
  const QemuMachine *machine = caps_machine_or_default (caps, NULL);

  if (type != NULL && g_ascii_strcasecmp (type, "qemu") != 0
      && (g_ascii_strcasecmp (type, "kvm") != 0 || !qemu_caps_has_kvm (caps)))
    call_fail_with (call, VIR_ERR_INVALID_ARG, "unknown type '%s'", type);
  else
    call_answer (call, g_variant_new ("(i)", machine != NULL ? (int)machine->cpu_max : 1));
}

void
op_connect_get_max_vcpus (Call *call)
{
  call_with_caps (call, NULL, NULL, answer_max_vcpus);
}
