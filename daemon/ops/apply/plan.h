/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"
#include "daemon/ops/apply/apply-kind.h"
#include "document/difference.h"
#include "domain/domain-def.h"
#include "storage/storage-volume.h"

/*
 * What applying a set of documents would do, object by object. It is made in a job from the documents and
 * from what there is of each object at that moment; nothing is touched. Immutable once made, but for what
 * the applying notes in it.
 */
#define PLAN_DOCUMENTS_MAX 16384
#define PLAN_BYTES_MAX     (64 * 1024 * 1024) /* of all documents together */
#define PLAN_MISTAKES_MAX  (512 * 1024)       /* bytes told of what is wrong with them */

typedef enum {
  PLAN_PRUNE = 1 << 0,   /* what carries the label and is not in the documents is removed */
  PLAN_RESTART = 1 << 1, /* running machines take what changes with their next start at once */
  PLAN_WAIT = 1 << 2,    /* an apply alone: it is over when the machines that run are ready */
} PlanFlags;

typedef enum { PLAN_KEEP, PLAN_CREATE, PLAN_CHANGE, PLAN_REMOVE } PlanAction;
typedef enum { PLAN_LEAVE, PLAN_START, PLAN_STOP, PLAN_RESTART_IT } PlanRun;

/* An object as it was when the plan began: by the main loop, for the job. */
typedef struct {
  const ApplyKind *row;
  char *name, *uuid;
  gboolean active, persistent, autostart;
  DomainDef *live;          /* of a running machine */
  Store *store;             /* NULL: of a volume */
  StorageVolumeDef *volume; /* as its pool last saw it; NULL: it is none. Its name is "POOL/VOLUME" */
} PlanObject;

typedef struct {
  char *shown; /* its file as the client named it, for messages */
  char *file;  /* absolute */
  char *text;
} PlanDocument;

typedef struct {
  GPtrArray *documents;       /* PlanDocument */
  GPtrArray *objects;         /* PlanObject */
  Store *stores[APPLY_KINDS]; /* of each row of apply_kinds */
  char *source;               /* label; NULL: none */
  guint flags;                /* PlanFlags */
  const Platform *platform;
} PlanInput;

typedef struct {
  const ApplyKind *row;
  char *name, *uuid; /* UUID: of what there is, or of the new definition; of a kind that chooses it when it is
                        defined, NULL until then */
  const PlanDocument *document; /* NULL: of what is removed */
  Store *store;
  char *completing; /* what is completed in place of @text; NULL: the same */
  PlanAction action;
  PlanRun run;
  int autostart;           /* TRUE, FALSE, or -1: as it is */
  gboolean rewrites;       /* the document says the same in other words: kept, and no change */
  gboolean moved;          /* the document is in another file: noted, and no change */
  gboolean relabels;       /* it carries another label than it will */
  char *label, *label_was; /* NULL: none */
  gboolean active;
  GPtrArray *differences;   /* Difference; NULL: none */
  DomainDef *was, *def;     /* of machines that are made or changed */
  char *completed;          /* of @def */
  char *pool;               /* of a volume, whose name is "POOL/VOLUME" */
  StorageVolumeDef *volume; /* the same: what the document says */
  Policy *policy;           /* of machines; NULL: none */
  char *sum; /* of what there was, so that a plan knows whether the world has moved; NULL: nothing */
} PlanItem;

typedef struct {
  const PlanInput *input;
  GPtrArray *items;   /* PlanItem, in the order of their files */
  GPtrArray *ignored; /* char *: files that are no document of a kind that is applied, each with the reason */
  guint changes;      /* items of which something would be done */
} Plan;

PlanInput *plan_input_new (void);
void plan_input_free (PlanInput *input);
void plan_free (Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plan, plan_free)

/* In a job. NULL with every mistake of every document in @error, as FILE:LINE:COLUMN lines. */
Plan *plan_make (const PlanInput *input, GError **error);
/* Would anything be done with it? */
gboolean plan_item_changes (const PlanItem *item);
/* Has it a difference that only a start brings? */
gboolean plan_item_waits (const PlanItem *item);
/* Is it a machine? */
gboolean plan_item_is_machine (const PlanItem *item);
/* Is it a volume? It has no definition, no label and no state. */
gboolean plan_item_is_volume (const PlanItem *item);
/* The machines of the plan that start before @item where they start too: PlanItem, borrowed. @by_name: char *
 * to PlanItem, of all machines. (transfer container) */
GPtrArray *plan_predecessors (const PlanItem *item, GHashTable *by_name);
/* All machines of @plan by their names. (transfer full) */
GHashTable *plan_machines (const Plan *plan);

/* plan-report.c: the whole as JSON, and what says that two plans are of the same documents and world. */
char *plan_to_json (const Plan *plan);
char *plan_digest (const Plan *plan);
