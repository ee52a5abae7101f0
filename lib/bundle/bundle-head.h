/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The first file of a machine's archive (bundle.json): whose it is, and every file that follows, in its order
 * with its size. So a reader knows before the first byte of a disk what will come and how much room it takes,
 * and takes nothing else. Pure; any thread.
 */
#define BUNDLE_HEAD_NAME      "bundle.json"
#define BUNDLE_FORMAT         "domaind-bundle"
#define BUNDLE_VERSION        1
#define BUNDLE_HEAD_BYTES_MAX (4 * 1024 * 1024)
#define BUNDLE_FILES_MAX      1024
#define BUNDLE_SMALL_MAX      (64 * 1024 * 1024) /* bytes of what is no image and no memory */

#define BUNDLE_CURRENT_NAME "current" /* of the file that names the current snapshot */

typedef enum {
  BUNDLE_SOURCE, /* the user's document */
  BUNDLE_DOMAIN, /* the completed one */
  BUNDLE_NVRAM,
  BUNDLE_TPM,      /* a file of its state */
  BUNDLE_SNAPSHOT, /* the document of one, or the name of the current one */
  BUNDLE_IMAGE,    /* a disk's, one below it, or a kernel's */
  BUNDLE_MEMORY,   /* a managed save */
  BUNDLE_ROLES
} BundleRole;

typedef struct {
  BundleRole role;
  char *name;     /* in the archive */
  guint64 size;   /* bytes */
  guint64 stored; /* bytes of it that are no holes */
  char *path;     /* where it was on its host: of images and the firmware's variables; NULL: the others */
  char *format;   /* of an image; NULL: raw */
  int backing;    /* which of the files is the image below; -1: none */
} BundleFile;

typedef struct {
  char *name, *uuid; /* the machine's */
  char *creator;     /* "domaind 0.1.0" */
  GPtrArray *files;  /* BundleFile */
} BundleHead;

BundleHead *bundle_head_new (const char *name, const char *uuid, const char *creator);
void bundle_head_free (BundleHead *head);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BundleHead, bundle_head_free)

/* Another file behind those that are there; the head's. */
BundleFile *bundle_head_add (BundleHead *head, BundleRole role, const char *name);
/* The first of that role, or NULL. */
BundleFile *bundle_head_find (const BundleHead *head, BundleRole role);
/* Which file was at @path; -1: none. */
int bundle_head_find_path (const BundleHead *head, const char *path);
/* Bytes of data of all files together. */
guint64 bundle_head_stored (const BundleHead *head);

char *bundle_head_to_json (const BundleHead *head); /* (transfer full) */
/* NULL with VIR_ERR_INVALID_ARG for what is no head, VIR_ERR_NO_SUPPORT for one of a newer version. */
BundleHead *bundle_head_parse (const char *text, gsize length, GError **error);
