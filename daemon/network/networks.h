/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/network/network-run.h"
#include "daemon/object/registry.h"

/*
 * Virtual networks and what is known of each: main loop only. What touches the host is a job that has the
 * network's lock; what it made is committed here.
 */
typedef struct Network Network;

extern const ObjectKind network_kind, network_port_kind;

struct Network {
  union {
    Object object;
    struct {
      OBJECT_MEMBERS
    };
  };
  NetworkDef *def;       /* active: what runs; otherwise what is defined; NULL until it is defined */
  NetworkDef *next;      /* of an active and persistent one: what is defined; NULL otherwise */
  NetworkStatus *status; /* NULL unless it is active */
  NetworkWatch *watch;   /* the same */
  GPtrArray *ports;      /* NetworkPortDef: of machines, in the order in which they were made */
  NetworkParts broken;   /* to be mended once its lock is free */
  gboolean starting;     /* a job makes it: its names and addresses are taken */
};

/* NULL with VIR_ERR_NO_NETWORK in libvirt's words. */
Network *network_find_name (Manager *manager, const char *name, GError **error);
Network *network_find_uuid (Manager *manager, const char *uuid, GError **error);
/* All, ordered by name. (transfer container) */
GPtrArray *network_list (Manager *manager);
/* What is defined; NULL of a transient one. (borrowed) */
NetworkDef *network_config (const Network *network);
/* FALSE and VIR_ERR_OPERATION_INVALID, in libvirt's words, unless it is active. */
gboolean network_check_active (const Network *network, GError **error);
gboolean network_check_inactive (const Network *network, GError **error);
/* May @def run as it is? VIR_ERR_OPERATION_FAILED or _INVALID in libvirt's words. @ret_network: the network
 * of that name and UUID, or NULL. */
gboolean
networks_check_create (Manager *manager, const NetworkDef *def, Network **ret_network, GError **error);
/* Takes @def. Neither active nor persistent yet. */
Network *network_add (Manager *manager, NetworkDef *def);

/* The bridge's name, where @def needs one: free among all networks and @links, the host's. FALSE when there
 * are too many. @def is nobody else's yet. */
gboolean networks_choose_bridge (Registry *registry, const Object *same, NetworkDef *def,
                                 const char *const *links, GError **error);
/* The names of the host's links, for the same; asks the kernel. (transfer full) */
char **networks_host_links (gconstpointer def);

/* What a job about it needs. @def: what is to be true. (transfer full) */
NetworkInput *network_input_new (const Network *network, NetworkDef *def);
/* The live definition with how many use it and each of its interfaces. (transfer full) */
NetworkDef *network_counted (const Network *network);

/* It runs now, or no longer: told of. Takes @status. One that is transient and stops, or cannot start, is
 * forgotten (and freed). */
void network_started (Network *network, NetworkStatus *status);
void network_stopped (Network *network);
void network_start_failed (Network *network);
/* Another live definition, and what runs of it (takes both; @status NULL: as it was). */
void network_commit_live (Network *network, NetworkDef *def, NetworkStatus *status);
/* Another stored definition, which is on disk. Takes it. */
void network_commit_config (Network *network, NetworkDef *def);

/* Ports. NULL with VIR_ERR_NO_NETWORK_PORT in libvirt's words. (borrowed) */
NetworkPortDef *network_find_port (const Network *network, const char *uuid, GError **error);
GVariant *network_port_value (const Network *network, const NetworkPortDef *port); /* ((say)ay) (floating) */
/* Takes @port, replacing the one of its UUID. */
void network_put_port (Network *network, NetworkPortDef *port);
void network_drop_port (Network *network, const char *uuid);
/* Machines that use the interface of that name; of a PCI address "0000:03:10.1". */
guint network_count_users (const Network *network, const char *dev);

/* network-load.c, the kind's. */
void networks_loaded (Registry *registry, RegistrySettled settled, gpointer data);

/*
 * network-life.c. Each has the network's lock when it begins (the call's, or without a call the network's
 * own) and answers the call with @answer (NULL: nothing).
 */
void network_start (Network *network, Call *call, GVariant *answer);
void network_destroy (Network *network, Call *call);
/* Without a call, when the lock is free; nothing happens otherwise. @done (may be NULL) is called in any
 * case.
 */
void network_start_alone (Network *network, void (*done) (gpointer data), gpointer data);
/* Found in the run directory: takes it up again, or forgets it. */
void network_adopt_alone (Network *network, void (*done) (gpointer data), gpointer data);
/* What a watch said is broken is mended, once the lock is free. */
void network_mend (Network *network, NetworkParts parts);
