/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/events.h"
#include "daemon/object/lock.h"
#include "document/document-kind.h"

/*
 * Domains, pools, secrets and all that follows are objects: a document with a name or a UUID that somebody
 * defined, that may run, and that tells of its changes. What they share is written once, in this folder, in
 * daemon/ops/object and in the two wires, and reads the row of the kind; what one kind does alone stays in
 * its own folder. The rows are in daemon/object-kinds.c.
 */
typedef struct Manager Manager;
typedef struct Registry Registry;
typedef struct Object Object;
typedef struct ObjectKind ObjectKind;
typedef struct ChildKind ChildKind;
typedef void (*RegistrySettled) (gpointer data);

/* What every object begins with; a kind's own struct has these members first:
 *   union { Object object; struct { OBJECT_MEMBERS }; };
 * A kind without names has the UUID as its name. */
#define OBJECT_MEMBERS                   \
  const ObjectKind *kind;                \
  Registry *registry;                    \
  Manager *manager;                      \
  char *name, *uuid; /* 36 characters */ \
  gboolean active, persistent;           \
  gboolean autostart, autostart_once;    \
  Lock *lock;

struct Object {
  OBJECT_MEMBERS
};

#define OBJECT_WAITING_MAX 256 /* calls that wait for one object */

struct ObjectKind {
  /* How it is known. */
  char letter;                   /* in shapes: 'S' */
  const char *name;              /* in messages: "storage pool" */
  const char *short_name;        /* in messages about names that are taken: "pool" */
  virErrorNumber missing;        /* VIR_ERR_NO_STORAGE_POOL */
  virErrorDomain origin;         /* VIR_FROM_STORAGE */
  EventFamily family;            /* of its events */
  const char *path_element;      /* of its objects' paths on D-Bus: "storagepool"; NULL: they have none */
  const char *const *interfaces; /* on D-Bus, the first one libvirt-dbus's; NULL: its objects are not there */
  const char *lifecycle_signal;  /* of org.libvirt.Connect: "StoragePoolEvent"; NULL: none */
  gboolean lifecycle_plain;      /* it has no detail on D-Bus */
  guint key;                     /* which member of a handle says who it is: a UUID's bytes, or a text */
  int defined, undefined;        /* its lifecycle events */
  virErrorNumber transient;      /* what is asked of one that has no definition */
  const char *no_autostart; /* what libvirt says, as an internal error, of autostart for such a one; NULL: as
                               of all else */
  const char *no_undefine;  /* the same of undefining one that has none; NULL: as of all else */

  const ChildKind *child; /* its parent is an object: see child.h; NULL: it is one by itself */

  /* Where it is kept. NULL: this kind has no registry of this form. */
  const char *folder;               /* below the configuration and the state: "storage" */
  const char *autostart_folders[2]; /* of links, below the configuration; by StoreAutostart; NULL: none */
  const char *run_folder;           /* of running ones, below the run directory; NULL: "machines" */
  gboolean unnamed;                 /* it has no name but its UUID */
  gboolean lazy; /* the daemon's start knows of what is defined, and each is read when it is needed */
  gboolean name_is_attribute; /* of the root element, not a child */
  const DocumentKind *document;
  gsize size;                        /* of its struct */
  void (*init) (Object *object);     /* or NULL */
  void (*clear) (Object *object);    /* or NULL */
  void (*released) (Object *object); /* its lock is free again, before the next one has it; or NULL */

  /* As it stands in answers. (floating, or the object's own) */
  GVariant *(*handle) (const Object *object); /* NULL: of a child, see child_handle */
  /* For kinds without a registry of this form: by the key of a handle, NULL with @error; and all of them,
   * added to an array of handles. */
  GVariant *(*find_handle) (Manager *manager, const char *key, GError **error);
  void (*list_handles) (Manager *manager, GPtrArray *handles);

  /* The filters of ListAll: those known, and whether the object passes. */
  guint list_flags;
  gboolean (*passes) (const Object *object, guint flags);

  /* What only the host and the other objects can complete (a bridge's free name): names are looked up in a
   * job, and then one is chosen in the definition, which nobody else has yet. Both or none. */
  char **(*look) (gconstpointer def);
  gboolean (*choose) (Registry *registry, const Object *same, gpointer def, const char *const *names,
                      GError **error);
  /* Its definition. @same: the object of the name and UUID, NULL: it would be a new one. */
  gboolean (*check) (Registry *registry, const Object *same, gconstpointer def, GError **error);
  gboolean (*is_kept) (gconstpointer def);                           /* on disk at all; NULL: always */
  void (*define) (Object *object, gpointer def);                     /* takes a reference of its own */
  gboolean (*check_undefine) (const Object *object, GError **error); /* or NULL */
  /* What it has besides its definition (a secret's value); all NULL where there is nothing. Held for a job,
   * by its UUID: @same, or NULL of a new one. In the job it is put on disk with its definition; taken into
   * memory before the definition goes from there; and removed from there, which the kind does again at the
   * next start if it is cut short. */
  gpointer (*hold_rest) (Registry *registry, const char *uuid, Object *same);
  void (*release_rest) (gpointer rest);
  gboolean (*keep_rest) (gpointer rest, GError **error);
  gboolean (*unkeep_rest) (gpointer rest, GError **error);
  gboolean (*erase_rest) (gpointer rest, GError **error);
  /* Files of the daemon's that are this object's alone, below the state directory, perhaps not there: they go
   * to the trash with it. NULL: there are none. */
  GStrv (*state_files) (const Object *object);
  /* What runs follows the definition, in the job, before the disk says so: whole, or it is refused; and back,
   * when it is not on disk after all. Both NULL: nothing runs by it. */
  gboolean (*apply) (const Registry *registry, gpointer def, GError **error);
  void (*undo) (const Registry *registry, gpointer def);
  /* Once all on disk are in the registry; @settled (data) is to be called once, at once or later: until then
   * no client is served. Or NULL. */
  void (*loaded) (Registry *registry, RegistrySettled settled, gpointer data);
};

/* Ends with NULL. */
extern const ObjectKind *const object_kinds[];
const ObjectKind *object_kind_of_letter (char letter);
const ObjectKind *object_kind_of_family (EventFamily family); /* NULL: none of libvirt's */

/* Whether the key is a UUID, and not a text. */
gboolean object_key_is_uuid (const ObjectKind *kind);
/* The text of the key of @handle: a UUID or a text. NULL: its UUID is not 16 bytes. (transfer full) */
char *object_handle_key (const ObjectKind *kind, GVariant *handle);
/* Whether a filter of two flags lets pass what is, or is not, so: neither, or both, let everything pass. */
gboolean object_flag_passes (guint flags, guint yes, guint no, gboolean is);
