/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * The one table of operations. A row says the operation's name and shape on each wire, who may call it and
 * the function that does it; codecs of the two wires do the rest. GVariant, in the RPC procedure's shape, is
 * the value between wires and operations. No operation is written twice: where a second RPC procedure or
 * D-Bus member is the same thing with fewer arguments, it is a row of its own with the same function.
 *
 * Shapes are libvirt-rpc's signature alphabet (lib/wire/shape.h): D domain, T typed value, P typed
 * parameter...
 */
typedef enum {                 /* what a client must be allowed; read-only clients have CONNECT and READ */
               ACCESS_NONE,    /* before a connection is open; never in a D-Bus row */
               ACCESS_CONNECT, /* everybody who may connect */
               ACCESS_READ,
               ACCESS_WRITE, /* changes a definition or a guest */
               ACCESS_START,
               ACCESS_STOP,
               ACCESS_SECURE,
               ACCESS_HOST,
} Access;

struct Operation {
  int program;      /* 0 remote, 1 qemu; -1: not an RPC procedure */
  int procedure;    /* number in remote_protocol; 0: only on D-Bus */
  const char *name; /* "DOMAIN_CREATE_WITH_FLAGS": the RPC procedure's name, or the D-Bus member's where there
                       is none */
  const char *in, *out;  /* RPC shapes; "-" when empty */
  const char *interface; /* "Connect", "Domain": org.libvirt.*; ours in full, "org.domaind1.Domain"; NULL: not
                            on D-Bus */
  const char *member;    /* a method's or property's name; "Autostart=" sets that property */
  Access access;
  void (*function) (Call *call); /* NULL: known, not there yet: answered with VIR_ERR_NO_SUPPORT by name */
  /* How the D-Bus member's arguments and answer differ, where the common rules of dbus/codec.c do not reach.
   * NULL mostly. */
  const struct OperationDBus *dbus;
  /* A secret's value goes in or out: the bytes of arguments and answer are cleared with the call. */
  gboolean sensitive;
};

extern const Operation operations[]; /* ends with name NULL */
const Operation *operation_by_procedure (int program, int procedure);
const Operation *operation_by_member (const char *interface, const char *member);

/* The way every decoded call goes: access, domain lookup, function. Takes @call. */
void operation_dispatch (Call *call);
/* access.c: NULL when allowed. */
GError *access_check (const Operation *operation, const Client *client, GVariant *arguments);

/* The object that the call's first argument names, into call->object, or the child and its parent into
 * call->child and call->object: also after a wait, in which it may have gone. Answers the call and gives
 * FALSE when there is none. Nothing to do for the kinds without a registry. */
gboolean operation_find_object (Call *call);
