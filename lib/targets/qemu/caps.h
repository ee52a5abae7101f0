/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cpu/cpu-features.h"
#include <json-glib/json-glib.h>

/*
 * What one QEMU binary can do, as it said itself over QMP. Immutable and reference counted (atomically).
 * Built from the raw QMP answers (by the probe), and kept on disk as JSON so that a binary is asked once.
 */
typedef struct QemuCaps QemuCaps;

#define QEMU_ASYNC_TEARDOWN_SINCE 8001000 /* QEMU 8.1: another process gives a machine's memory back */

typedef struct {
  const char *name;  /* "pc-q35-7.2" */
  const char *alias; /* "q35" or NULL */
  guint cpu_max;
  gboolean is_default, hotpluggable_cpus, deprecated;
  int acpi;                /* Tristate: absent where QEMU does not say, as before 8.0 */
  const char *default_cpu; /* "qemu64-x86_64-cpu" or NULL */
  const char *ram_id;      /* what its memory is called: "pc.ram" or NULL */
} QemuMachine;

typedef enum { QEMU_ACCEL_TCG, QEMU_ACCEL_KVM, QEMU_ACCEL_COUNT } QemuAccel;

typedef struct {
  const char *name; /* "Skylake-Client" */
  gboolean deprecated;
  gboolean usable[QEMU_ACCEL_COUNT];        /* runs on this host */
  CpuFeatureSet blockers[QEMU_ACCEL_COUNT]; /* what it would need for that */
  gboolean is_described;                    /* QEMU was asked for its features, and answered */
  CpuFeatureSet features;                   /* as QEMU has them without KVM */
} QemuCpuModel;

/* The most a guest's processor can be. */
typedef struct {
  gboolean is_known;
  CpuFeatureSet features, migratable; /* the latter: with what can be taken to another host only */
  const char *vendor;                 /* "AuthenticAMD"; NULL when QEMU did not say */
  guint family, model, stepping;
} QemuHostCpu;

/* AMD's encryption of a guest's memory, as this host's processor has it. */
typedef struct {
  gboolean is_known;
  guint c_bit_position; /* of the address bit that says "encrypted" */
  guint reduced_phys_bits;
} QemuSev;

QemuCaps *qemu_caps_ref (QemuCaps *caps);
void qemu_caps_unref (QemuCaps *caps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QemuCaps, qemu_caps_unref)

/* @answers: an object of command name → its QMP return value, as the probe gathers them:
 * "query-version", "query-target", "query-machines", "qom-list-types", "query-kvm",
 * "query-command-line-options", "query-commands", "device-list-properties" (an object of device → answer),
 * and "tcg" and, where it works, "kvm": objects of "query-cpu-definitions" and "query-cpu-model-expansion"
 * (an object of QemuCpuQuestion.name → answer) as QEMU answers with that accelerator. */
QemuCaps *qemu_caps_from_answers (const char *binary, JsonObject *answers, GError **error);
QemuCaps *qemu_caps_from_json (const char *json, gssize length, GError **error);
char *qemu_caps_to_json (const QemuCaps *caps);
/* What Debian 12's QEMU 7.2 answers, built in: for documents read where no QEMU is installed. */
QemuCaps *qemu_caps_builtin (void);

/* The QMP commands a probe asks, in order; NULL-terminated. */
extern const char *const qemu_caps_commands[];
/* The CPU models whose features a probe asks for, of "query-cpu-model-expansion". */
typedef struct {
  const char *name;  /* what the answer is called */
  const char *type;  /* "static" or "full" */
  const char *model; /* JSON: the argument "model" */
} QemuCpuQuestion;
/* (transfer container) of @ret_count questions; the texts live as long as the program. */
QemuCpuQuestion *qemu_caps_cpu_questions (QemuAccel accel, guint *ret_count);
extern const char *const qemu_accel_names[QEMU_ACCEL_COUNT]; /* "tcg", "kvm" */
/* The devices whose properties a probe asks for; NULL-terminated. */
extern const char *const qemu_caps_devices[];

/*
 * The same emulator, taken to have and to lack more than it says: @added and @lacked are arrays of names in
 * libvirt's spelling (caps-names.c), which are types, "DEVICE.PROPERTY" or names of their own. (transfer
 * full)
 */
QemuCaps *qemu_caps_adjust (QemuCaps *caps, const char *const *added, const char *const *lacked);
/* Is it one of the names libvirt knows? */
gboolean qemu_caps_is_name (const char *name);
/* Was it taken away? Of those names that every emulator has. */
/* NULL: this host has none, or was not asked. Owned by @caps. */
const QemuSev *qemu_caps_sev (const QemuCaps *caps);
gboolean qemu_caps_has_sgx (const QemuCaps *caps);
gboolean qemu_caps_is_lacked (const QemuCaps *caps, const char *name);
/* All the names, sorted; NULL-terminated. */
extern const char *const qemu_capability_names[];

const char *qemu_caps_binary (const QemuCaps *caps);
const char *qemu_caps_arch (const QemuCaps *caps); /* "x86_64" */
guint qemu_caps_version (const QemuCaps *caps);    /* major * 1000000 + minor * 1000 + micro */
gboolean qemu_caps_has_kvm (const QemuCaps *caps); /* QEMU and this host: KVM works */
gboolean qemu_caps_has_type (const QemuCaps *caps, const char *qom_type); /* devices, objects, backends */
gboolean qemu_caps_has_property (const QemuCaps *caps, const char *device, const char *property);
/* As @device: what can be said of its processors, "avx2" and the like. */
#define QEMU_CAPS_CPU_PROPERTIES "cpu"
gboolean qemu_caps_has_option (const QemuCaps *caps, const char *option, const char *parameter);
gboolean qemu_caps_has_command (const QemuCaps *caps, const char *command);
const QemuMachine *qemu_caps_machine (const QemuCaps *caps, const char *name_or_alias);
const QemuMachine *qemu_caps_machines (const QemuCaps *caps, guint *ret_count);
const QemuCpuModel *qemu_caps_cpu_models (const QemuCaps *caps, guint *ret_count);
const QemuCpuModel *
qemu_caps_cpu_model (const QemuCaps *caps, const char *name); /* NULL: not one of its models */
const QemuHostCpu *qemu_caps_host_cpu (const QemuCaps *caps, QemuAccel accel);
/* What of Hyper-V can be shown to guests: libvirt's word for it ("vpindex"). */
gboolean qemu_caps_has_hyperv (const QemuCaps *caps, QemuAccel accel, const char *feature);
/* All there are, in libvirt's order; NULL-terminated. */
extern const char *const qemu_hyperv_features[];
