/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * How a D-Bus member differs from its operation's RPC shape, where the common rules of codec.c do not reach.
 * The rules already cover: the object taken from the object's path, a missing last `u` (flags) that is 0,
 * numbers of another width or sign, s for an optional string or a UUID, b for an int, a list of b for a CPU
 * map, an object path for an object, a struct around several results, a result's count left out, D-Bus's
 * form of typed parameters.
 *
 * In an operations row:   DBUS_ARGUMENTS ("D*0")
 *
 * Interfaces in rows: "Connect" and "Domain" are org.libvirt's; one with a dot is the full name. A property
 * is read by the row whose member is its name, and set by the row whose member is its name and '='.
 */
typedef struct OperationDBus {
  /*
   * Where each RPC argument comes from, one character each; NULL: by the rules.
   *
   *     D       the object of the path (domain, storage pool or volume), or a list of just that domain
   *     0 .. 9  the D-Bus argument of that position
   *     *       as many as the answer can hold: its first list's limit (need_results, nparams, maxerrors)
   *     123!    that number: one or more digits and '!'
   *     .       nothing: 0, "", absent, an empty list
   */
  const char *arguments;
  /* Which results, by position ("1234"), make up the D-Bus answer. NULL: by the rules. */
  const char *results;
  /* An empty string stands for an absent optional one. libvirt-dbus hands it on as it is; this is for the
   * members where that could only ever fail. */
  gboolean empty_is_absent;
  /* What is beyond positions: makes the D-Bus answer (a tuple) of the operation's. (floating) */
  GVariant *(*answer) (GVariant *results);
} OperationDBus;

#define DBUS_ARGUMENTS(arguments_) (&(const OperationDBus){ .arguments = (arguments_) })

/* GetMetadata, SetMetadata, Connect.GetDomainCapabilities. */
extern const OperationDBus dbus_empty_is_absent;
/* Network.GetDHCPLeases: no MAC address means all. */
extern const OperationDBus dbus_network_leases;
/* GetBlockJobInfo: without "found". */
extern const OperationDBus dbus_block_job_info;
/* Connect.NodeGetCPUMap: as many b as there are CPUs. */
extern const OperationDBus dbus_cpu_map;
/* GetVcpuPinInfo, GetEmulatorPinInfo, GetIOThreadInfo: maps of as many b as the host has CPUs. */
extern const OperationDBus dbus_vcpu_pins, dbus_emulator_pin, dbus_iothreads;
/* Connect.GetAllDomainStats: no list of domains means all. */
extern const OperationDBus dbus_all_domain_stats;
/* Domain.GetStats: just this one, its record without the name. */
extern const OperationDBus dbus_domain_stats;
