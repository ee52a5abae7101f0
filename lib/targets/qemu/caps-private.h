/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/caps.h"

/* What caps.c and caps-cpu.c share. */
#define CAPS_MAX_ITEMS 20000 /* elements of any one list; QEMU 7.2's longest, its types, has 615 */
#define CAPS_MAX_NAME  256   /* bytes of any one name */

struct QemuCaps {
  gatomicrefcount ref_count;
  GStringChunk *strings;
  const char *binary, *arch;
  guint version;
  gboolean kvm;
  QemuSev sev; /* only where the host has it */
  gboolean sgx;
  GArray *machines;              /* QemuMachine */
  GHashTable *machine_by_name;   /* name or alias → index + 1 */
  GArray *cpu_models;            /* QemuCpuModel */
  GHashTable *cpu_model_by_name; /* name → index + 1 */
  QemuHostCpu host_cpus[QEMU_ACCEL_COUNT];
  GHashTable *types, *commands;     /* sets */
  GHashTable *options, *properties; /* option or device → set of its parameters or properties */
  /* What a document adds to and takes from those of @base, whose maps the others are; NULL: nothing. */
  QemuCaps *base;
  GHashTable *added, *lacked; /* names of capabilities, owned */
};

/* A member of the right type, or nothing. */
const char *caps_string_member (JsonObject *object, const char *name);
gint64 caps_int_member (JsonObject *object, const char *name);
gboolean caps_boolean_member (JsonObject *object, const char *name);
JsonObject *caps_object_member (JsonObject *object, const char *name);
JsonArray *caps_array_of_node (JsonNode *node);
const char *caps_keep (QemuCaps *caps, const char *text);

/* A new, empty set of that name. */
GHashTable *caps_new_set (QemuCaps *caps, GHashTable *sets, const char *name);

/* caps-security.c: the same of what the host's processor hides. */
void caps_add_security_answers (QemuCaps *caps, JsonObject *answers);
void caps_add_security_from_json (QemuCaps *caps, JsonObject *object);
void caps_security_to_json (const QemuCaps *caps, JsonObject *object);

/* From the answers of a probe; from and to the compact JSON. */
void caps_add_cpu_answers (QemuCaps *caps, JsonObject *answers);
void caps_add_cpus_from_json (QemuCaps *caps, JsonObject *object);
void caps_cpus_to_json (const QemuCaps *caps, JsonObject *object);
