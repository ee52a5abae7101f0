/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "base/enum-table.h"
#include "base/scalars.h"
#include "base/xml-document.h"
#include "base/xml-writer.h"

/*
 * The field walker. A table of fields says what the XML of a struct is; reading, writing, freeing, copying
 * and comparing are five walks over it. The order of the table is the order in which libvirt writes.
 *
 * Paths, relative to the struct's element:
 *   "@model"          an attribute            "rate/@bytes"   an attribute of a child
 *   "backend"         a child's text          "."             the element's own text
 *   "alias"           with field_list, field_struct...: the child element(s) of that name
 */
typedef struct Field Field;
typedef struct FieldType FieldType;

typedef struct {
  gboolean set;
  gint64 value;
} SignedNumber;

/* The fields of one struct. A struct is always allocated and freed through its table. */
typedef struct {
  gsize size;
  const Field *fields; /* ends with FIELD_END */
} FieldTable;

/* The field is part of the format only while the enum at @offset (an int) has a value in @values (bits 1 <<
 * v). */
typedef struct {
  gsize offset;
  guint64 values;
} FieldWhen;

typedef enum {
  FIELD_REQUIRED = 1 << 0, /* the format demands it (where its `when` holds and its element is there) */
  FIELD_LIVE = 1 << 1,     /* written only with FIELD_WRITE_LIVE: true only while the machine runs */
  FIELD_SECRET =
      1 << 2, /* written only with FIELD_WRITE_SECURE: passwords; domain_xml_has_secrets knows them by name */
  FIELD_IGNORED = 1 << 3, /* read without complaint, never kept or written: what libvirt itself discards */
  FIELD_EMPTY_IS_NONE = 1 << 6, /* an empty attribute, too, is as good as none to libvirt */
  FIELD_FILLED = 1 << 5,        /* its element may be left out, but not be empty */
  /* The schema demands it, libvirt's reading does not: missed unless the reading is lax. */
  FIELD_EXPECTED = 1 << 7,
  FIELD_NO_ABI = 1 << 4, /* the guest cannot see it: left out by FIELD_COMPARE_ABI */
} FieldFlags;

struct Field {
  const char *path;
  gsize offset;
  const FieldType *type;
  const void *detail; /* field_enum: EnumTable; nested ones: FieldTable; numbers: FieldRange or NULL */
  guint flags;
  FieldWhen when; /* values 0: always */
};

#define FIELD(Struct, member, path_, type_, detail_)                   \
  {                                                                    \
    (path_), G_STRUCT_OFFSET (Struct, member), &(type_), (detail_), 0, \
    {                                                                  \
      0, 0                                                             \
    }                                                                  \
  }
#define FIELD_WITH(Struct, member, path_, type_, detail_, flags_)             \
  {                                                                           \
    (path_), G_STRUCT_OFFSET (Struct, member), &(type_), (detail_), (flags_), \
    {                                                                         \
      0, 0                                                                    \
    }                                                                         \
  }
#define FIELD_WHEN(Struct, member, path_, type_, detail_, selector, values_) \
  {                                                                          \
    (path_), G_STRUCT_OFFSET (Struct, member), &(type_), (detail_), 0,       \
    {                                                                        \
      G_STRUCT_OFFSET (Struct, selector), (values_)                          \
    }                                                                        \
  }
#define FIELD_END           \
  {                         \
    NULL, 0, NULL, NULL, 0, \
    {                       \
      0, 0                  \
    }                       \
  }
#define FIELD_VALUE(v) (G_GUINT64_CONSTANT (1) << (v))

typedef struct {
  guint64 minimum, maximum;
} FieldRange;

/* How a size stands in a document, and in the struct. */
typedef struct {
  guint64 unit;         /* bytes: of a number that has no unit beside it */
  guint64 kept;         /* bytes: what the member counts; it is rounded up */
  const char *written;  /* the unit libvirt writes */
  guint64 written_unit; /* bytes */
} FieldSize;

/* Scalars: C type of the member, detail. */
extern const FieldType field_text;    /* char *: as it stands, "" kept apart from absent */
extern const FieldType field_enum;    /* int, EnumTable */
extern const FieldType field_yes_no;  /* int (Tristate) */
extern const FieldType field_on_off;  /* int (Tristate) */
extern const FieldType field_number;  /* Number, FieldRange or NULL: whole decimal number */
extern const FieldType field_signed;  /* SignedNumber: whole decimal number, may be negative */
extern const FieldType field_hex2;    /* Number, FieldRange: any base, written 0x%02x */
extern const FieldType field_hex4;    /* Number, FieldRange: any base, written 0x%04x */
extern const FieldType field_hex1;    /* Number, FieldRange: any base, written 0x%x */
extern const FieldType field_octal;   /* Number, FieldRange: octal digits, written 0%03o: a file's mode */
extern const FieldType field_uuid;    /* char *: read in any spelling, kept as libvirt prints it */
extern const FieldType field_mac;     /* char *: the same */
extern const FieldType field_cpu_set; /* char *: the same */
extern const FieldType field_flag;    /* gboolean: the element is there (path names an element) */

/* Elements. */
extern const FieldType
    field_struct; /* the struct itself is embedded; FieldTable; absent when it would be empty */
extern const FieldType
    field_optional; /* pointer to the struct, NULL when the element is absent; FieldTable */
extern const FieldType field_open_optional; /* the same; written with an end tag though it be empty */
extern const FieldType field_list;      /* GPtrArray * of pointers to structs, NULL when none; FieldTable */
extern const FieldType field_open_list; /* the same; each is written with an end tag though it be empty */
extern const FieldType field_texts;     /* GPtrArray * of char *: repeated elements' texts */
extern const FieldType field_memory;    /* Number; text with @unit; FieldSize, NULL: in KiB, as most are */
extern const FieldType field_verbatim;  /* char *: the whole element, written in this program's form */
extern const FieldType field_written;   /* the same, and whoever sets it sets it to a text in that form */
extern const FieldType field_foreign;   /* char *: the whole element as it stands, comments and all */
extern const FieldType field_verbatims; /* GPtrArray * of char *: each such element as it stands */

/*
 * Where each field's value stood in the document, keyed by the field's own address: so validation, which
 * sees only structs, can point at an attribute. Lives as long as the reading and checking of one document.
 */
typedef struct SourceMap SourceMap;
SourceMap *source_map_new (void);
void source_map_free (SourceMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SourceMap, source_map_free)
void source_map_add (SourceMap *map, gconstpointer member, Position where);
/* The place of @member, or of @fallback (usually the struct) when the document did not say it; 0:0 if
 * neither. */
Position source_map_find (const SourceMap *map, gconstpointer member, gconstpointer fallback);

/* Values whose refusal has another number and origin in libvirt than a bad value has there mostly. */
typedef struct {
  const char *element;   /* NULL ends the table */
  const char *attribute; /* NULL: the element's text */
  virErrorNumber code;
  virErrorDomain origin;
  /* What libvirt says instead of its general words, or NULL. {value} is the value, {name} the document's
   * name, {service} that attribute of the same element, and so any other. */
  const char *words;
} ValueError;

/*
 * Doubt: the document says something of @object (a member, a struct, or whatever else the reader knows it by)
 * that was not understood. So what the object holds, or lacks, is not what was meant, and nothing that would
 * only follow from it should be said. Reading doubts the member and every struct around it.
 */
void source_map_mark_invalid (SourceMap *map, gconstpointer object);
void source_map_trust (SourceMap *map, gconstpointer object); /* after all */
void source_map_clear (SourceMap *map);                       /* for another reading */
gboolean source_map_is_invalid (const SourceMap *map, gconstpointer object);

/* An element of that name stands where it has no meaning: who misses one should know. */
void source_map_add_stray (SourceMap *map, const char *name);
gboolean source_map_has_stray (const SourceMap *map, const char *name);

/*
 * Names and words that were told to be misspelt, with what was meant. Once all are known they can be put into
 * the document's tree, and a second reading finds what the misspelling hid.
 */
typedef struct Corrections Corrections;
Corrections *corrections_new (void);
void corrections_free (Corrections *corrections);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Corrections, corrections_free)
/* @node: an element or an attribute of the tree. Nothing happens with @corrections NULL. */
void corrections_add_name (Corrections *corrections, xmlNode *node, const char *meant);
void corrections_add_value (Corrections *corrections, xmlNode *node, const char *meant);
/* Change the tree; places stay. FALSE when there was nothing to change. Nothing is left to correct. */
gboolean corrections_apply (Corrections *corrections);

/* What a reading needs: where from, where mistakes go. @lax: unknown names and stray texts are warnings, not
 * errors; an element that should hold a value and is empty is as good as none; numbers as strtoul() reads
 * them.
 * @value_errors may be NULL. */
typedef struct {
  XmlDocument *document;
  Diagnostics *diagnostics;
  SourceMap *map;
  gboolean lax;
  const ValueError *value_errors;
  Corrections *corrections; /* NULL: none are wanted */
} FieldReader;

/*
 * A type of field. Scalars have parse and format and serve attributes and texts alike; types that are whole
 * elements have read and write instead. Devices and other parts may add their own for what no table can say.
 */
struct FieldType {
  gsize size; /* of the member; 0: that of the FieldTable in the field's detail */

  /* Scalars. FALSE leaves the member as it was and says in @ret_accepted (transfer full) what would be
   * accepted. */
  gboolean (*parse) (const Field *field, gpointer member, const char *text, char **ret_accepted);
  char *(*format) (const Field *field,
                   gconstpointer member); /* NULL when the member is absent (transfer full) */
  gboolean strips_space;                  /* parse gets the text without the blanks around it */
  gboolean is_number;                     /* a lax reading takes blanks and a plus sign before it */
  gboolean may_be_empty;                  /* an empty element says something else than none */

  /* Elements. @element is the one the path names; it may come several times only when `repeats`. */
  void (*read) (FieldReader *reader, const Field *field, gpointer member, xmlNode *element);
  /* @name is the last word of the path; the parents of @parent's path are made before the call. */
  void (*write) (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags);
  gboolean (*is_set) (const Field *field, gconstpointer member);
  /* NULL when equal; otherwise the difference. (transfer full) */
  char *(*compare) (const Field *field, gconstpointer a, gconstpointer b, guint flags);
  gboolean repeats;
  const char
      *only_attribute; /* read uses the text and this attribute; the rest of the element is other fields' */

  void (*clear) (const Field *field, gpointer member); /* NULL: plain bytes */
  void (*copy) (const Field *field, gpointer member,
                gconstpointer from); /* NULL: plain bytes; member is zeroed */
};

/* Does the field belong to the format of @object as it stands (its `when`)? */
gboolean field_applies (const Field *field, gconstpointer object);
/* Has the field a value that writing would show? */
gboolean field_is_set (const Field *field, gconstpointer object);
/* Is nothing in the struct set? */
gboolean field_table_is_empty (const FieldTable *table, gconstpointer object);

/* A zeroed struct of the table. Free with field_free. */
gpointer field_new (const FieldTable *table);
/* Read @element into @object (from field_new). Every child and attribute not in the table, every bad value
 * and missing required field goes to the diagnostics, with the nearest known spelling. The place of
 * @element is recorded for @object itself. */
/* Has @element an attribute that was probably meant to be @name? That is told of it then, and not that @name
 * is missing. A lax reader tells nothing of unknown ones: FALSE. */
gboolean field_reader_has_misspelt (const FieldReader *reader, const xmlNode *element, const char *name);
void field_read (FieldReader *reader, const FieldTable *table, gpointer object, xmlNode *element);

typedef enum {
  FIELD_WRITE_LIVE = 1 << 0,
  FIELD_WRITE_SECURE = 1 << 1,
} FieldWriteFlags;
void field_write (const FieldTable *table, gconstpointer object, XmlElement *element, guint flags);

void field_free (const FieldTable *table, gpointer object);  /* NULL is fine */
void field_clear (const FieldTable *table, gpointer object); /* an embedded struct: its contents only */
gpointer field_copy (const FieldTable *table, gconstpointer object);
/* Into an embedded struct, whose old contents are lost (clear it first). Members outside the table are copied
 * as bytes. */
void field_copy_into (const FieldTable *table, gpointer copy, gconstpointer object);

typedef enum {
  FIELD_COMPARE_ABI = 1 << 0, /* only what the guest can see */
} FieldCompareFlags;
/* NULL when equal; otherwise the path of the first difference with both values, for an error's text.
 * (transfer full) */
char *field_compare (const FieldTable *table, gconstpointer a, gconstpointer b, guint flags);
