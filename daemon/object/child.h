/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/object.h"

/*
 * Kinds whose parent is an object: a domain's snapshots and checkpoints. A child is known by a name that no
 * other child of the same owner has, has no UUID and no life of its own, and follows another child or none,
 * so that those of one owner are trees. A kind of them is an ObjectKind with a ChildKind; the owner's struct
 * has a ChildTree for each. What is said of them (lists, filters, parents, the current one) is
 * daemon/ops/object/object-children.c's, the same for all kinds; child-store.h is what is on disk.
 *
 * Main loop only; definitions are immutable and shared by reference. A walk over thousands costs no more than
 * a step for each, and needs no depth.
 */
typedef struct Child Child;
typedef struct ChildTree ChildTree;

struct ChildKind {
  const ObjectKind *owner; /* the kind of object they belong to */
  gsize tree;              /* offset, in the owner's struct, of its ChildTree * */
  gsize before;       /* offset, in a definition, of the name of the one it follows: char *; NULL: none */
  gsize created;      /* the same, of a Number: seconds since 1970 */
  const char *folder; /* below the state directory; in it a directory for each owner's UUID */
  /* The flags of its lists: all that are known, and those that say what is meant here. 0: there is none. */
  guint list_flags;
  guint roots; /* of an owner's list: those that follow none; of a child's: all that follow it */
  guint leaves, no_leaves;
  gboolean (*passes) (const Child *child, guint flags); /* the kind's own filters */
  /* What a crash cut short, at a start, before any client is served. All NULL: nothing can be. Is there
   * anything of that owner? And it is ended, of an owner that does not run; both in a job, with nothing in
   * memory yet. */
  gboolean (*is_unfinished) (Manager *manager, const char *uuid);
  void (*finish) (Manager *manager, const char *uuid, const char *name);
  /* The same of an owner that runs: main loop; it is a job's, and has the owner's lock before others have it.
   */
  void (*finish_running) (Object *owner);
};

struct Child {
  ChildTree *tree;
  char *name;
  gpointer def;           /* of the kind's document */
  Child *before;          /* the one it follows; NULL: none */
  Child *first, *last;    /* of those that follow it */
  Child *previous, *next; /* beside it, in the order in which they came */
};

struct ChildTree {
  const ObjectKind *kind;
  Object *owner;
  GHashTable *by_name; /* char * → Child (owned) */
  Child *first, *last; /* of those that follow none */
  Child *current;      /* the one that what is done next follows; NULL: none */
  GHashTable *lists;   /* what was last told of them, until one changes: object-children.c's; NULL: nothing */
};

ChildTree *child_tree_new (const ObjectKind *kind, Object *owner);
void child_tree_free (ChildTree *tree); /* NULL is fine */
/* That of @kind in @owner, whose kind is the one of its row. */
ChildTree *child_tree_of (const ObjectKind *kind, const Object *owner);
guint child_tree_count (const ChildTree *tree);

/* NULL with the kind's error, in libvirt's words. */
Child *child_find (const ChildTree *tree, const char *name, GError **error);
/* As it stands in answers: its name and its owner. (floating) */
GVariant *child_handle (const Child *child);
/* What it is called on D-Bus and by manager_find_handle: "UUID/NAME". (transfer full) */
char *child_key (const ObjectKind *kind, GVariant *handle);

/* The next after @child of those below @top (NULL: of all), parents before what follows them, NULL after the
 * last. @child NULL: the first. */
Child *child_next (const ChildTree *tree, const Child *top, const Child *child);
/* Is @child @other, or does it follow it, with others between or not? */
gboolean child_is_below (const Child *child, const Child *other);
/* May a definition called @name, which may be there already, say that it follows @before (NULL: none)? FALSE
 * with @error, in libvirt's words: it would follow itself, by others or not, or @before is not there. */
gboolean
child_tree_check_parent (const ChildTree *tree, const char *name, const char *before, GError **error);

/* A definition that is on disk now: a new child, or another definition of the one of its name, after the one
 * that the definition says it follows; where that is not there, after none. References @def. */
Child *child_tree_put (ChildTree *tree, gpointer def);
/* All of an owner at once: (gpointer) definitions, referenced, in any order; of those that follow each other
 * in a circle, or what is not there, the first found follows none, and is said in the log. */
void child_tree_fill (ChildTree *tree, const GPtrArray *defs, const char *current);
/* Of all that is on disk again: none is left. */
void child_tree_clear (ChildTree *tree);
/* Gone from disk. Those that followed it follow what it followed, and have definitions that say so; if it was
 * the current one, that is what it followed. */
void child_tree_remove (Child *child);
/* A definition like @def after another one, or none. (transfer full) */
gpointer child_def_after (const ObjectKind *kind, gconstpointer def, const char *before);
/* The name in a definition. (borrowed) */
const char *child_def_before (const ObjectKind *kind, gconstpointer def);
