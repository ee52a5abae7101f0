/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The last file of a machine's archive (manifest.json): size and SHA-256 of all before it. An archive without
 * one has been cut short. A signature of it, which may follow, is one of the whole archive. Pure; any thread.
 */
#define BUNDLE_MANIFEST_NAME      "manifest.json"
#define BUNDLE_SIGNATURE_NAME     "manifest.json.sig"
#define BUNDLE_MANIFEST_FORMAT    "domaind-manifest"
#define BUNDLE_MANIFEST_VERSION   1
#define BUNDLE_MANIFEST_BYTES_MAX (4 * 1024 * 1024)
#define BUNDLE_SIGNATURE_MAX      (64 * 1024)

typedef struct BundleManifest BundleManifest;

BundleManifest *bundle_manifest_new (void);
void bundle_manifest_free (BundleManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BundleManifest, bundle_manifest_free)

/* @sum: 64 hexadecimal digits; @sparse: it is that of a file with holes, as bundle-sum.h has it. */
void bundle_manifest_add (BundleManifest *manifest, const char *name, guint64 size, gboolean sparse,
                          const char *sum);
char *bundle_manifest_to_json (const BundleManifest *manifest); /* (transfer full) */
/* NULL with VIR_ERR_INVALID_ARG, or VIR_ERR_NO_SUPPORT for a newer one. */
BundleManifest *bundle_manifest_parse (const char *text, gsize length, GError **error);
/* What was @found in the archive is what it says: FALSE with VIR_ERR_OPERATION_FAILED that names the file. */
gboolean bundle_manifest_check (const BundleManifest *said, const BundleManifest *found, GError **error);
