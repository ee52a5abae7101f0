/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * Shapes: what a message holds, in the signature alphabet of libvirt's RPC protocol. A signature is a list of
 * types without separators; "-" is the empty list.
 *
 *   i u x t d       32 and 64 bit integers, double             GVariant i u x t d
 *   c y q           char, unsigned char, unsigned short        y y q
 *   s               text of at most SHAPE_STRING_MAX bytes     s
 *   ay{N} ay[N]     at most / exactly N packed bytes           ay
 *   aX{N} X[N]      at most / exactly N times X                aX
 *   mX  (..)        X or nothing; a struct                     mX  (..)
 *   T  P            tagged value; typed parameter (sT)         v of i u x t d b s; {sv}
 *   U D N F S O B I V E K C Z   libvirt's objects, each a struct of its own: see shape.c
 *
 * A whole signature is a struct, so its value is always a GVariant tuple. Shapes are constants of the
 * program, not input: a malformed one is a programming error, reported by shape_parse to the tests that try
 * every one.
 */
#define SHAPE_STRING_MAX     (4 * 1024 * 1024) /* bytes of text; REMOTE_STRING_MAX */
#define SHAPE_VALUE_NAME_MAX 80                /* bytes of a typed parameter's name with its NUL */
#define SHAPE_DEPTH_MAX      24                /* nesting of one signature */

typedef enum {
  SHAPE_INT,      /* i */
  SHAPE_UINT,     /* u */
  SHAPE_HYPER,    /* x */
  SHAPE_UHYPER,   /* t */
  SHAPE_DOUBLE,   /* d */
  SHAPE_CHAR,     /* c: signed on the wire, y as GVariant */
  SHAPE_UCHAR,    /* y */
  SHAPE_USHORT,   /* q */
  SHAPE_STRING,   /* s */
  SHAPE_BYTES,    /* ay{N}, ay[N] */
  SHAPE_ARRAY,    /* aX{N}, X[N] */
  SHAPE_OPTIONAL, /* mX */
  SHAPE_STRUCT,   /* (..) and the objects */
  SHAPE_VALUE,    /* T */
  SHAPE_PARAMETER /* P: name and value, a dictionary entry as GVariant */
} ShapeKind;

typedef struct Shape Shape;
struct Shape {
  ShapeKind kind;
  char letter;     /* 'D', 'U', ...: the alphabet's letter this was written as; 0 otherwise */
  gboolean exact;  /* BYTES, ARRAY: exactly @limit, no count on the wire */
  guint32 limit;   /* STRING, BYTES: bytes; ARRAY: items */
  guint n_members; /* STRUCT: how many; ARRAY and OPTIONAL: 1; others: 0 */
  const Shape **members;
  GVariantType *type; /* of the value */
  gsize wire_minimum; /* the least bytes one takes in XDR */
  gsize alignment;    /* of the value in GVariant's serialisation, and */
  gsize fixed_size;   /* its bytes there; 0 when they differ from one value to the next */
};

/* The shape of @signature, or NULL with @error saying where it is no signature. Shapes are made once and kept
 * for the life of the program. Any thread. */
const Shape *shape_parse (const char *signature, GError **error);
/* The same for a signature that is known to be right: aborts on a wrong one. */
const Shape *shape_of (const char *signature);

/* Whether @value has the shape's type and keeps its limits: lengths, counts, names and types of tagged
 * values. FALSE with VIR_ERR_INVALID_ARG naming the place ("argument 2, item 7") and the limit. */
gboolean shape_check (const Shape *shape, GVariant *value, GError **error);

/* Whether @value may be a tagged value: one of i u x t d b s. */
gboolean shape_is_tagged_type (const GVariantType *type);

/* Where a walk over a value is, for its errors: the position at each level that was entered. */
typedef struct {
  guint depth;
  struct {
    ShapeKind kind; /* of what was entered */
    guint index;
  } levels[SHAPE_DEPTH_MAX];
} ShapePlace;

void shape_place_enter (ShapePlace *place, const Shape *shape);
void shape_place_move (ShapePlace *place, guint index);
void shape_place_leave (ShapePlace *place);
/* "argument 2, item 7, member 1", counted from 1. (transfer full) */
char *shape_place_text (const ShapePlace *place);
