/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "domain/devices/device.h"
#include "domain/launch-security.h"
#include "domain/platform.h"
#include "domain/policy.h"
#include "domain/qemu-namespace.h"
#include "domain/seclabel.h"
#include "domain/tuning.h"

/*
 * A domain's definition: the whole document as structs. It is built by reading, filled in by completion,
 * and from then on immutable: whoever needs another takes a copy. Reference counted (atomically), so that
 * a job's thread and the main loop can share one.
 */
typedef enum {
  VIRT_TYPE_NONE,
  VIRT_TYPE_QEMU,
  VIRT_TYPE_KVM,
  VIRT_TYPE_KQEMU,
  VIRT_TYPE_XEN,
  VIRT_TYPE_LXC,
  VIRT_TYPE_UML,
  VIRT_TYPE_OPENVZ,
  VIRT_TYPE_TEST,
  VIRT_TYPE_VMWARE,
  VIRT_TYPE_HYPERV,
  VIRT_TYPE_VBOX,
  VIRT_TYPE_PHYP,
  VIRT_TYPE_VZ,
  VIRT_TYPE_BHYVE,
  VIRT_TYPE_HVF,
} VirtType;
typedef enum { OS_TYPE_NONE, OS_TYPE_HVM, OS_TYPE_XEN, OS_TYPE_LINUX, OS_TYPE_XENPVH, OS_TYPE_EXE } OsType;
typedef enum { BOOT_NONE, BOOT_FD, BOOT_CDROM, BOOT_HD, BOOT_NETWORK } BootDevice;
typedef enum {
  ON_EVENT_NONE,
  ON_EVENT_DESTROY,
  ON_EVENT_RESTART,
  ON_EVENT_PRESERVE,
  ON_EVENT_RENAME_RESTART,
  ON_EVENT_COREDUMP_DESTROY,
  ON_EVENT_COREDUMP_RESTART
} OnEvent;
typedef enum { VCPU_PLACEMENT_NONE, VCPU_PLACEMENT_STATIC, VCPU_PLACEMENT_AUTO } VcpuPlacement;
typedef enum {
  ON_LOCK_FAILURE_NONE,
  ON_LOCK_FAILURE_POWEROFF,
  ON_LOCK_FAILURE_RESTART,
  ON_LOCK_FAILURE_PAUSE,
  ON_LOCK_FAILURE_IGNORE
} OnLockFailure;
typedef enum {
  CLOCK_NONE,
  CLOCK_UTC,
  CLOCK_LOCALTIME,
  CLOCK_VARIABLE,
  CLOCK_TIMEZONE,
  CLOCK_ABSOLUTE
} ClockOffset;
typedef enum {
  CPU_MODE_NONE,
  CPU_MODE_CUSTOM,
  CPU_MODE_HOST_MODEL,
  CPU_MODE_HOST_PASSTHROUGH,
  CPU_MODE_MAXIMUM
} CpuMode;

typedef enum { FIRMWARE_NONE, FIRMWARE_BIOS, FIRMWARE_EFI } OsFirmware;
typedef enum { LOADER_TYPE_NONE, LOADER_TYPE_ROM, LOADER_TYPE_PFLASH } LoaderType;

typedef struct {
  int device;
} OsBoot;
typedef enum { OS_FIRMWARE_ENROLLED_KEYS = 1, OS_FIRMWARE_SECURE_BOOT } OsFirmwareFeatureName;
typedef struct {
  int enabled; /* Tristate */
  int name;    /* OsFirmwareFeatureName */
} OsFirmwareFeature;
typedef enum {
  ACPI_TABLE_NONE,
  ACPI_TABLE_RAW,
  ACPI_TABLE_RAWSET,
  ACPI_TABLE_SLIC,
  ACPI_TABLE_MSDM
} AcpiTableType;
typedef struct {
  int type; /* AcpiTableType */
  char *path;
} OsAcpiTable;

typedef enum { SMBIOS_MODE_NONE, SMBIOS_MODE_EMULATE, SMBIOS_MODE_HOST, SMBIOS_MODE_SYSINFO } SmbiosMode;

typedef struct {
  GPtrArray *boots; /* OsBoot */
  int type;         /* OsType */
  char *arch, *machine;
  int firmware;                                         /* OsFirmware: automatic selection asked for */
  GPtrArray *firmware_features;                         /* OsFirmwareFeature */
  char *loader;                                         /* path */
  int loader_readonly, loader_secure, loader_stateless; /* Tristate */
  int loader_type;                                      /* LoaderType */
  char *loader_format;
  char *nvram, *nvram_template, *nvram_template_format, *nvram_format;
  char *nvram_type, *nvram_source; /* <nvram type='block'><source dev=…/></nvram>: the source verbatim */
  char *kernel, *initrd, *cmdline, *shim, *dtb, *root;
  GPtrArray *acpi_tables;      /* OsAcpiTable */
  int bootmenu_enable;         /* Tristate */
  Number bootmenu_timeout;     /* ms */
  int bios_use_serial;         /* Tristate */
  SignedNumber reboot_timeout; /* ms, -1..65535 */
  int smbios_mode;             /* SmbiosMode */
  /* What a container starts; verbatim. */
  char *init, *init_directory, *init_user, *init_group;
  GPtrArray *init_arguments, *init_environment;
} DomainOs;

typedef enum { CPU_MATCH_NONE, CPU_MATCH_MINIMUM, CPU_MATCH_EXACT, CPU_MATCH_STRICT } CpuMatch;
typedef enum { CPU_CHECK_ABSENT, CPU_CHECK_NONE, CPU_CHECK_PARTIAL, CPU_CHECK_FULL } CpuCheck;
typedef enum { CPU_FALLBACK_NONE, CPU_FALLBACK_ALLOW, CPU_FALLBACK_FORBID } CpuFallback;
typedef enum {
  CPU_POLICY_NONE,
  CPU_POLICY_FORCE,
  CPU_POLICY_REQUIRE,
  CPU_POLICY_OPTIONAL,
  CPU_POLICY_DISABLE,
  CPU_POLICY_FORBID
} CpuPolicy;
typedef enum { CPU_CACHE_NONE, CPU_CACHE_EMULATE, CPU_CACHE_PASSTHROUGH, CPU_CACHE_DISABLE } CpuCacheMode;
typedef enum { MAXPHYSADDR_NONE, MAXPHYSADDR_EMULATE, MAXPHYSADDR_PASSTHROUGH } MaxphysaddrMode;

typedef struct {
  int policy;
  char *name;
} CpuFeature; /* CpuPolicy */
typedef struct {
  Number sockets, dies, clusters, cores, threads;
} CpuTopology;

typedef struct {
  int mode;                /* CpuMode */
  int match;               /* CpuMatch */
  int check;               /* CpuCheck */
  int migratable;          /* Tristate, on/off */
  int deprecated_features; /* Tristate, on/off */
  char *model, *vendor_id, *vendor;
  int fallback; /* CpuFallback */
  CpuTopology *topology;
  int cache_mode; /* CpuCacheMode */
  Number cache_level;
  int maxphysaddr_mode; /* MaxphysaddrMode */
  Number maxphysaddr_bits, maxphysaddr_limit;
  GPtrArray *features; /* CpuFeature */
  CpuNuma numa;
} DomainCpu;

typedef enum {
  TIMER_NONE,
  TIMER_PLATFORM,
  TIMER_PIT,
  TIMER_RTC,
  TIMER_HPET,
  TIMER_TSC,
  TIMER_KVMCLOCK,
  TIMER_HYPERVCLOCK,
  TIMER_ARMVTIMER
} TimerName;
typedef enum { TICK_NONE, TICK_DELAY, TICK_CATCHUP, TICK_MERGE, TICK_DISCARD } TickPolicy;
typedef enum { TRACK_NONE, TRACK_BOOT, TRACK_GUEST, TRACK_WALL, TRACK_REALTIME } TimerTrack;
typedef enum { TSC_NONE, TSC_AUTO, TSC_NATIVE, TSC_EMULATE, TSC_PARAVIRT, TSC_SMPSAFE } TscMode;
typedef struct {
  Number threshold, slew, limit;
} TimerCatchup;

typedef struct {
  int name;         /* TimerName */
  int present;      /* Tristate */
  int tickpolicy;   /* TickPolicy */
  int track;        /* TimerTrack: platform and rtc */
  Number frequency; /* Hz: tsc */
  int mode;         /* TscMode */
  TimerCatchup *catchup;
} ClockTimer;

typedef enum { CLOCK_BASIS_NONE, CLOCK_BASIS_UTC, CLOCK_BASIS_LOCALTIME } ClockBasis;
typedef struct {
  int offset;       /* ClockOffset */
  char *adjustment; /* "reset", or seconds */
  int basis;        /* 1 utc 2 localtime */
  char *timezone;
  Number start;      /* seconds since the epoch: offset='absolute' */
  GPtrArray *timers; /* ClockTimer */
} DomainClock;

typedef enum { GIC_NONE, GIC_HOST, GIC_2, GIC_3 } GicVersion;

typedef enum {
  HYPERV_MODE_NONE,
  HYPERV_MODE_CUSTOM,
  HYPERV_MODE_PASSTHROUGH,
  HYPERV_MODE_HOST_MODEL
} HypervMode;

/* Each a Tristate (on/off), absent when the document does not name it. */
typedef struct {
  int mode; /* HypervMode */
  int relaxed, vapic, spinlocks, vpindex, runtime, synic, stimer, stimer_direct, reset, vendor_id,
      frequencies, reenlightenment, tlbflush, tlbflush_direct, tlbflush_extended, ipi, evmcs, avic,
      emsr_bitmap, xmm_input;
  Number spinlocks_retries;
  char *vendor_id_value;
} FeaturesHyperv;

typedef struct {
  int hidden, hint_dedicated, poll_control, pv_ipi, dirty_ring;
  Number dirty_ring_size;
} FeaturesKvm;

typedef enum { IOAPIC_NONE, IOAPIC_QEMU, IOAPIC_KVM } IoapicDriver;

/*
 * <features>. Those with a state are Tristates (on/off); where the format lets the state be left out, an
 * element without it is on, as in libvirt.
 */
typedef struct {
  gboolean acpi, apic, pae, privnet, viridian;
  int apic_eoi;
  int hap, pvspinlock, pmu, vmport, smm, vmcoreinfo, htm, nested_hv, ccf_assist, ras, ps2;
  int async_teardown;       /* Tristate, yes/no */
  int ioapic_driver;        /* IoapicDriver */
  int msrs_unknown;         /* 1 ignore 2 fault */
  int cfpc, sbbc, ibs, aia; /* see domain/features.c */
  Number tcg_tb_cache;      /* KiB */
  Number smm_tseg;          /* KiB */
  int hpt_resizing;         /* see domain/features.c */
  Number hpt_page_size;     /* KiB */
  FeaturesHyperv *hyperv;
  FeaturesKvm *kvm;
  gboolean has_gic;
  int gic;                  /* GicVersion */
  char *capabilities, *xen; /* verbatim */
} DomainFeatures;

typedef struct {
  Number id, thread_pool_min, thread_pool_max;
  Number poll_max, poll_grow, poll_shrink; /* ns; factors */
} DomainIothread;

/* One virtual CPU by its number; see domain/vcpus.h. */
typedef struct {
  Number id;
  int enabled, hotpluggable; /* Tristate, yes/no */
  Number order;              /* from 1; of those that are on */
} DomainVcpu;

/* <keywrap>: may the machine protect its guest's keys of that kind? */
typedef struct {
  int name;  /* 1 aes 2 dea */
  int state; /* Tristate, on/off */
} KeywrapCipher;

/* Parts of libvirt's format that are kept and written back as they stand: domain/verbatim.c. */
typedef struct {
  char *bootloader, *bootloader_arguments, *idmap;
  /* The elements of libvirt's other namespaces. */
  char *lxc_namespace, *xen_commandline, *bhyve_commandline, *vmware_datacenter_path;
} DomainVerbatim;

struct DomainDef {
  int ref_count;   /* atomic */
  int type;        /* VirtType */
  SignedNumber id; /* live only */
  char *name, *uuid, *title, *description;
  GPtrArray *sysinfos;                 /* Sysinfo; domain/sysinfo.h */
  char *genid;                         /* generated when the document has an empty <genid/> */
  char *metadata;                      /* the <metadata> element verbatim; see domain_def_set_metadata */
  Policy *policy;                      /* ours of it, shared by copies; NULL: none */
  Number memory, current_memory;       /* KiB */
  Number max_memory, max_memory_slots; /* KiB; slots for memory devices */
  int memory_dump_core;                /* Tristate, on/off */
  Number vcpus, vcpus_current;
  GPtrArray *vcpu_list; /* DomainVcpu; NULL: the document does not name them */
  int vcpu_placement;   /* VcpuPlacement */
  char *vcpu_cpuset;
  DomainBlkiotune blkiotune;
  DomainMemtune memtune;
  DomainMemoryBacking memory_backing;
  DomainCputune cputune;
  DomainNumatune numatune;
  DomainResource resource;
  GPtrArray *perf_events; /* PerfEvent */
  DomainOs os;
  DomainFeatures features;
  DomainCpu *cpu; /* NULL when not said */
  DomainClock clock;
  int on_poweroff, on_reboot, on_crash; /* OnEvent */
  int on_lockfailure;                   /* OnLockFailure */
  Number iothreads;
  GPtrArray *iothread_ids; /* DomainIothread; NULL: 1 to iothreads */
  DefaultIothread default_iothread;
  GPtrArray *throttle_groups; /* DiskIotune, each with its name; domain/devices/disk.h */
  int pm_suspend_to_mem, pm_suspend_to_disk;
  char *emulator;
  GPtrArray
      *devices; /* Device, all kinds; grouped by kind in device_kinds order once completed, stable inside */
  GHashTable *controllers;         /* by type and index, only while aliases are assigned: pc/alias.c */
  GPtrArray *seclabels;            /* Seclabel; NULL: none */
  LaunchSecurity *launch_security; /* NULL: none */
  DomainQemuNamespace qemu;
  GPtrArray *keywrap; /* KeywrapCipher */
  DomainVerbatim verbatim;
};

extern const FieldTable domain_table;      /* all of DomainDef, the devices too */
extern const DocumentKind domain_document; /* for what all kinds share; it is read by domain_def_parse */

/* The tables of its parts, one file each. */
extern const FieldTable domain_os_table; /* domain/os.c */
extern const FieldTable os_firmware_feature_table;
/* What <firmware> says of a feature: a Tristate. domain/os-firmware.c */
int os_firmware_feature (const DomainOs *os, OsFirmwareFeatureName name);
/* Does it name firmware, or ask for one to be chosen? */
gboolean os_wants_firmware (const DomainOs *os);
void os_set_firmware_feature (DomainOs *os, OsFirmwareFeatureName name, gboolean enabled);
extern const FieldTable domain_features_table; /* domain/features.c */
extern const FieldTable domain_cpu_table;      /* domain/cpu.c */
extern const FieldTable domain_cpu_feature_table;
extern const FieldTable domain_clock_table;    /* domain/clock.c */
extern const FieldTable domain_iothread_table; /* domain/iothreads.c */
extern const FieldTable domain_vcpu_table;     /* domain/vcpus.c */
/* and those of domain/tuning.h */

/* A part of another namespace, kept as it stands; its namespace is declared on the parent, as libvirt does.
 * domain/verbatim.c */
extern const FieldType field_namespaced;

extern const EnumTable virt_types, os_types, os_firmwares;
/* Words that are QEMU's too. */
extern const EnumTable gic_versions, hpt_resizings, mitigations, branch_mitigations, interrupt_architectures;

DomainDef *domain_def_new (void);
DomainDef *domain_def_ref (DomainDef *def);
void domain_def_unref (DomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DomainDef, domain_def_unref)
DomainDef *domain_def_copy (const DomainDef *def); /* a separate one with one reference */
/* Only before @def is shared. @metadata: the element, or NULL; @policy: what policy_read says of it. */
void domain_def_set_metadata (DomainDef *def, const char *metadata, Policy *policy);

typedef enum {
  DOMAIN_READ_LAX = 1 << 0, /* unknown elements and attributes are warnings (the wires without VALIDATE) */
  DOMAIN_READ_NO_SCHEMA = 1 << 1, /* our own completed documents: seen by the schema, in their order */
  /* The document alone is judged, so that the verdict is the same on every host: what the emulator at hand,
   * or the hypervisor, cannot do is for the translation to say. */
  DOMAIN_READ_ANYWHERE = 1 << 3,
  DOMAIN_READ_LIVE = 1 << 2, /* a running machine's state file: ids, aliases, paths, ports stay */
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
/* Can a text written with DOMAIN_WRITE_SECURE differ from one written without? FALSE is certain. */
gboolean domain_xml_has_secrets (const char *xml);

/* Aliases that begin so are the user's own; all others are given at each start. */
#define USER_ALIAS_PREFIX "ua-"

/* Devices of one kind, in order. `break` and `continue` do what they say. */
#define DOMAIN_FOREACH_DEVICE(def, kind_, Type, variable)                                                  \
  for (guint variable##_index = 0, variable##_next = 1;                                                    \
       variable##_next && variable##_index < (def)->devices->len; variable##_index++)                      \
    for (Type *variable = (Type *)g_ptr_array_index ((def)->devices, variable##_index);                    \
         (variable##_next = variable == NULL || ((Device *)variable)->kind != &(kind_), !variable##_next); \
         variable = NULL)
guint domain_def_count_devices (const DomainDef *def, const DeviceKind *kind);
/* Takes @device; keeps devices grouped in the order of device_kinds, last of its kind. */
void domain_def_add_device (DomainDef *def, Device *device);
Device *domain_def_find_alias (const DomainDef *def, const char *alias);

/*
 * The parts of the document that are kept but have no meaning here yet ("cputune", "os/nvram/source",
 * "qemu:commandline"), in the document's order. A target refuses those it cannot honour. (transfer full)
 */
GStrv domain_def_unmodelled (const DomainDef *def);

/* How many I/O threads, the number of each (they stand as in the document), and whether there is one. */
guint domain_count_iothreads (const DomainDef *def);
guint64 domain_iothread_id (const DomainDef *def, guint index);
gboolean domain_has_iothread (const DomainDef *def, guint64 id);
/* One more, and one less with what is said of it elsewhere (its pin and scheduler). domain/iothreads.c */
void domain_add_iothread (DomainDef *def, guint64 id);
void domain_remove_iothread (DomainDef *def, guint64 id);
/* That thread by itself, where they stood as a mere number till now. NULL: there is none. */
DomainIothread *domain_find_iothread (DomainDef *def, guint64 id);

/* The memory of a guest with nodes is the sum of theirs and of the memory devices: set it, after these have
 * changed. A balloon that was not used stays so. */
void domain_def_sum_memory (DomainDef *def);
/* May another process read and write the guest's memory, all of it? */
gboolean domain_def_shares_memory (const DomainDef *def);
gboolean domain_def_is_q35 (const DomainDef *def);
gboolean domain_def_is_i440fx (const DomainDef *def);

/* Give every device the alias libvirt gives it at start; user aliases stay. domain/pc/alias.c */
void domain_def_assign_aliases (DomainDef *def);
/* The same for one device that was plugged in: a number above those that its like have. */
void domain_def_assign_alias (DomainDef *def, Device *device);
