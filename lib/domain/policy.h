/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/*
 * What a document in git says beyond libvirt's format: the element <policy> of the namespace below, inside of
 * <metadata>. It is about the host and never about the guest: whether the machine should run, when it starts
 * and when others may count on it, what follows its end, which of its images are made when they are missing.
 * man/domaind-policy.5.rst has the words. Pure; immutable once read, shared by reference, any thread.
 *
 * Times are whole seconds. A Number that is not set was not said: the functions below say what is meant then.
 * Names of files stand as the document has them: relative ones are in the directory of the document.
 */
#define POLICY_NAMESPACE "https://domaind.org/xmlns/policy/1"
#define POLICY_PREFIX    "domaind"

#define POLICY_SECONDS_MAX (7 * 24 * 60 * 60) /* of any time in a policy */
#define POLICY_NAMES_MAX   256                /* machines after which one starts; labels; ports; ssh keys */

typedef enum {
  POLICY_STATE_UNSET, /* as POLICY_STATE_AS_IS */
  POLICY_STATE_RUNNING,
  POLICY_STATE_STOPPED,
  POLICY_STATE_AS_IS,
} PolicyState;

typedef enum {
  RESTART_UNSET, /* as RESTART_NO */
  RESTART_NO,
  RESTART_ON_FAILURE, /* its process failed or was killed, its guest panicked: never a shutdown or destroy */
  RESTART_ALWAYS,     /* whatever ended it but a client's destroy or shutdown */
} RestartWhen;

typedef enum {
  SHUTDOWN_ACTION_UNSET, /* as the setting on-host-shutdown says */
  SHUTDOWN_ACTION_SHUTDOWN,
  SHUTDOWN_ACTION_SAVE,
  SHUTDOWN_ACTION_LEAVE,
} ShutdownAction;

/* <label name= value=>: the user's own, for selecting. */
typedef struct {
  char *name, *value; /* value may be NULL */
} PolicyLabel;

/* <start>: who comes first where several start together. */
typedef struct {
  Number delay;        /* after the last of those before it is ready */
  GPtrArray *after;    /* char *: machines; where they start too. NULL: none */
  GPtrArray *requires; /* char *: machines that are started first, and whose failure is its own. NULL: none */
} PolicyStart;

/* A port that takes connections over TCP. */
typedef struct {
  Number number;
  char *address; /* NULL: the first that the machine is known to have */
} PolicyPort;

/* <ready>: when those after it may start. All that is named must be true; nothing named: it runs. */
typedef struct {
  Number timeout;
  gboolean agent;     /* its guest agent answers */
  gboolean address;   /* an address of it is known */
  GPtrArray *ports;   /* PolicyPort. NULL: none */
  GPtrArray *console; /* char *: texts its first serial console writes, each within a line. NULL: none */
} PolicyReady;

/* <restart>: what follows its end. */
typedef struct {
  int when;             /* RestartWhen */
  Number delay;         /* before the first restart; doubled with each further one ... */
  Number maximum_delay; /* ... up to this */
  Number limit;         /* restarts ... */
  Number interval;      /* ... within this time; then it stays as it is */
} PolicyRestart;

/* <shutdown>: what becomes of it when the host shuts down. */
typedef struct {
  int action;     /* ShutdownAction */
  Number timeout; /* then it is ended */
} PolicyShutdown;

/* <disk>: an image to make where a disk of the document has none. */
typedef struct {
  char *target;      /* the disk's <target dev>; it has a file for its source */
  int format;        /* index in policy_disk_formats; 0: that of the disk's driver */
  Number size;       /* bytes; not set: the base's */
  char *base;        /* file; NULL: an empty image */
  char *base_format; /* NULL: looked up in the base, which nothing but this document names */
  char *base_sha256; /* 64 hexadecimal digits in small letters, or NULL */
  int base_copy;     /* Tristate: yes: a copy; otherwise the base is the image's backing file */
} PolicyDisk;

/* <seed>: a NoCloud image for cloud-init, made where a disk of the document has its source. Either files, or
 * a user with keys. */
typedef struct {
  char *target;                                 /* the disk's <target dev>; it has a file for its source */
  char *user_data, *meta_data, *network_config; /* files; NULL: none */
  char *host_name;                              /* NULL: the machine's name */
  char *user;                                   /* NULL: the image's own default user */
  GPtrArray *ssh_keys;                          /* char *: lines of authorized_keys. NULL: none */
} PolicySeed;

typedef struct {
  int ref_count;     /* atomic */
  int state;         /* PolicyState */
  char *source;      /* the label of the source it is applied from; NULL: what the apply says */
  GPtrArray *labels; /* PolicyLabel. NULL: none */
  PolicyStart start;
  PolicyReady ready;
  PolicyRestart restart;
  PolicyShutdown shutdown;
  GPtrArray *disks; /* PolicyDisk. NULL: none */
  GPtrArray *seeds; /* PolicySeed. NULL: none */
} Policy;

extern const FieldTable policy_table;
extern const EnumTable policy_states, policy_restarts, policy_shutdowns, policy_disk_formats;

/* The <policy> of a <metadata> element @metadata (text; NULL: none). *@ret_policy is NULL where it has none.
 * FALSE with every mistake in @error. */
gboolean policy_read (const char *metadata, Policy **ret_policy, GError **error);
/* The same from the tree of a document whose root is @root, mistakes with their places there. NULL: none. */
Policy *policy_read_document (FieldReader *reader, xmlNode *root);
Policy *policy_ref (Policy *policy);
void policy_unref (Policy *policy); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Policy, policy_unref)

/* What is meant where the document does not say it; @policy may be NULL. */
PolicyState policy_state (const Policy *policy);
guint policy_start_delay (const Policy *policy);        /* 0 */
guint policy_ready_timeout (const Policy *policy);      /* 300 */
gboolean policy_waits_ready (const Policy *policy);     /* does <ready> name anything? */
RestartWhen policy_restart_when (const Policy *policy); /* no */
guint
policy_restart_delay (const Policy *policy, guint restarts); /* before the next, after so many; 1, ... */
guint policy_restart_limit (const Policy *policy);           /* 5 */
/* Can it not start without the machine of that name? */
gboolean policy_requires (const Policy *policy, const char *name);
guint policy_restart_interval (const Policy *policy); /* 600 */
