/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/device.h"
#include "model/platform.h"

/*
 * A domain's definition: the whole document as structs. It is built by reading, filled in by completion,
 * and from then on immutable: whoever needs another takes a copy. Reference counted (atomically), so that
 * a job's thread and the main loop can share one.
 */
typedef enum { VIRT_TYPE_NONE, VIRT_TYPE_QEMU, VIRT_TYPE_KVM } VirtType; /* further words of the format are kept as they grow */
typedef enum { OS_TYPE_NONE, OS_TYPE_HVM } OsType;
typedef enum { BOOT_NONE, BOOT_FD, BOOT_CDROM, BOOT_HD, BOOT_NETWORK } BootDevice;
typedef enum { ON_EVENT_NONE, ON_EVENT_DESTROY, ON_EVENT_RESTART, ON_EVENT_PRESERVE, ON_EVENT_RENAME_RESTART,
               ON_EVENT_COREDUMP_DESTROY, ON_EVENT_COREDUMP_RESTART } OnEvent;
typedef enum { CLOCK_NONE, CLOCK_UTC, CLOCK_LOCALTIME, CLOCK_VARIABLE, CLOCK_TIMEZONE, CLOCK_ABSOLUTE } ClockOffset;
typedef enum { CPU_MODE_NONE, CPU_MODE_CUSTOM, CPU_MODE_HOST_MODEL, CPU_MODE_HOST_PASSTHROUGH, CPU_MODE_MAXIMUM } CpuMode;

typedef struct { int device; } OsBoot;

typedef struct {
  int type;              /* OsType */
  char *arch, *machine;
  int firmware;          /* 1 bios, 2 efi: auto-selection asked for */
  char *loader;          /* path */
  int loader_readonly, loader_secure, loader_stateless; /* Tristate */
  int loader_type;       /* 1 rom, 2 pflash */
  char *loader_format;
  char *nvram, *nvram_template, *nvram_format;
  char *kernel, *initrd, *cmdline, *dtb;
  GPtrArray *boots;      /* OsBoot */
  int bootmenu_enable;   /* Tristate */
  Number bootmenu_timeout; /* ms */
  int bios_use_serial;   /* Tristate */
  SignedNumber reboot_timeout; /* ms, -1..65535 */
  char *smbios_mode;
} DomainOs;

typedef struct {
  char *name, *type;
} CpuVendor;

typedef struct { int policy; char *name; } CpuFeature; /* policy: 1 force 2 require 3 optional 4 disable 5 forbid */
typedef struct { Number sockets, dies, clusters, cores, threads; } CpuTopology;

typedef struct {
  int mode;              /* CpuMode */
  int match;             /* 1 minimum 2 exact 3 strict */
  int check;             /* 1 none 2 partial 3 full */
  int migratable;        /* Tristate, on/off */
  char *model, *vendor_id, *vendor;
  int fallback;          /* 1 allow 2 forbid */
  CpuTopology *topology;
  Number maxphysaddr_bits; int maxphysaddr_mode; /* 1 passthrough 2 emulate */
  Number cache_level; int cache_mode; /* 1 emulate 2 passthrough 3 disable */
  GPtrArray *features;   /* CpuFeature */
  char *numa;            /* verbatim until machines with NUMA cells can be run */
} DomainCpu;

typedef struct {
  int name, present, tickpolicy, track, mode; /* see model/clock.c for the words */
  Number frequency;
  char *catchup;         /* verbatim */
} ClockTimer;

typedef struct {
  int offset;            /* ClockOffset */
  char *adjustment;      /* "reset", or seconds */
  int basis;             /* 1 utc 2 localtime */
  char *timezone;
  Number start;
  GPtrArray *timers;     /* ClockTimer */
} DomainClock;

typedef struct {
  int enabled;
} FeatureState;

typedef struct {
  gboolean acpi, apic, pae, privnet, viridian;
  int apic_eoi;          /* Tristate, on/off */
  int hap, pmu, vmport, smm, ioapic_driver, kvm_hidden; /* see model/features.c */
  char *hyperv, *kvm, *smm_tseg; /* verbatim parts not modelled field by field */
} DomainFeatures;

struct DomainDef {
  int ref_count;         /* atomic */
  int type;              /* VirtType */
  SignedNumber id;       /* live only */
  char *name, *uuid, *genid, *title, *description;
  gboolean genid_present;
  char *metadata;        /* the <metadata> element verbatim */
  Number memory, current_memory; /* KiB */
  int memory_dump_core;
  Number vcpus, vcpus_current;
  int vcpu_placement;    /* 1 static 2 auto */
  char *vcpu_cpuset;
  DomainOs os;
  DomainFeatures features;
  gboolean has_features;
  DomainCpu *cpu;        /* NULL when not said */
  DomainClock clock;
  int on_poweroff, on_reboot, on_crash, on_lockfailure;
  Number iothreads;
  int pm_suspend_to_mem, pm_suspend_to_disk;
  char *emulator;
  GPtrArray *devices;    /* Device, all kinds; grouped by kind in device_kinds order once completed, stable inside */
  GPtrArray *verbatims;  /* parts of libvirt's format kept but not modelled, see model/verbatim.c */
};

extern const FieldTable domain_table; /* all of DomainDef but the devices */

DomainDef *domain_def_new (void);
DomainDef *domain_def_ref (DomainDef *def);
void domain_def_unref (DomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DomainDef, domain_def_unref)
DomainDef *domain_def_copy (const DomainDef *def); /* a separate one with one reference */

typedef enum {
  DOMAIN_READ_LAX = 1 << 0,     /* unknown elements and attributes are warnings (the wires without VALIDATE) */
  DOMAIN_READ_NO_SCHEMA = 1 << 1, /* our own completed documents: the schema has seen them before */
  DOMAIN_READ_LIVE = 1 << 2,    /* a running machine's state file: ids and aliases are taken over */
} DomainReadFlags;

/*
 * The whole way in: XML → structs → schema → completion → validation. @platform says what the target and
 * host offer. NULL, with the mistakes in @diagnostics, unless everything is right; warnings may be there
 * in either case. Safe in any thread.
 */
DomainDef *domain_def_parse (const char *text, gssize length, guint flags, const Platform *platform,
                             Diagnostics *diagnostics);

typedef enum {
  DOMAIN_WRITE_LIVE = 1 << 0,   /* id, aliases, and what else is true only while it runs */
  DOMAIN_WRITE_SECURE = 1 << 1, /* passwords too */
} DomainWriteFlags;
/* libvirt's form and order. (transfer full) */
char *domain_def_to_xml (const DomainDef *def, guint flags);

/* Devices of one kind, in order. */
#define DOMAIN_FOREACH_DEVICE(def, kind_, Type, variable)                                              \
  for (guint variable##_index = 0; variable##_index < (def)->devices->len; variable##_index++)         \
    for (Type *variable = (Type *) g_ptr_array_index ((def)->devices, variable##_index);               \
         variable != NULL && ((Device *) variable)->kind == &(kind_); variable = NULL)
guint domain_def_count_devices (const DomainDef *def, const DeviceKind *kind);
/* Takes @device; keeps devices grouped in the order of device_kinds, last of its kind. */
void domain_def_add_device (DomainDef *def, Device *device);
Device *domain_def_find_alias (const DomainDef *def, const char *alias);

gboolean domain_def_is_q35 (const DomainDef *def);
gboolean domain_def_is_i440fx (const DomainDef *def);

/* Give every device the alias libvirt gives it at start; user aliases stay. model/alias.c */
void domain_def_assign_aliases (DomainDef *def);
