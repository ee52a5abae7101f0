/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <launchSecurity>: a guest whose memory its host cannot read. What stands in it goes to the processor's own
 * firmware and means nothing here; that the host can do it at all is the target's business.
 */

#include "domain/launch-security.h"

#include "domain/complete-parts.h"

const EnumTable launch_security_types = { "launch security type", { NULL, "sev", "sev-snp", "s390-pv" } };

static const FieldRange uint32s = { 0, G_MAXUINT32 };

static gboolean
policy_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return field_hex1.parse (field, member, text, ret_accepted);
}

static char *
policy_format (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const Number *policy = member;

  return policy->set ? g_strdup_printf ("0x%08" G_GINT64_MODIFIER "x", policy->value) : NULL;
}

/* sev-snp's is of 64 bits, and libvirt writes eight digits at least. */
static const FieldType field_snp_policy = {
  .size = sizeof (Number), .parse = policy_parse, .format = policy_format, .strips_space = TRUE
};

#define SEV FIELD_VALUE (LAUNCH_SECURITY_SEV)
#define SNP FIELD_VALUE (LAUNCH_SECURITY_SEV_SNP)
#define OF(values, member, path, field_type, detail) \
  FIELD_WHEN (LaunchSecurity, member, path, field_type, detail, type, values)

static const Field launch_security_fields[] = {
  FIELD_WITH (LaunchSecurity, type, "@type", field_enum, &launch_security_types, FIELD_REQUIRED),
  OF (SEV | SNP, kernel_hashes, "@kernelHashes", field_yes_no, NULL),
  OF (SNP, author_key, "@authorKey", field_yes_no, NULL),
  OF (SNP, vcek, "@vcek", field_yes_no, NULL),
  OF (SEV | SNP, c_bit_position, "cbitpos", field_number, &uint32s),
  OF (SEV | SNP, reduced_phys_bits, "reducedPhysBits", field_number, &uint32s),
  OF (SEV, sev_policy, "policy", field_hex4, &uint32s),
  OF (SNP, snp_policy, "policy", field_snp_policy, NULL),
  { "handle", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } }, /* of a machine that ran */
  OF (SEV, owner_certificate, "dhCert", field_text, NULL),
  OF (SEV, session, "session", field_text, NULL),
  OF (SNP, visible_workarounds, "guestVisibleWorkarounds", field_text, NULL),
  OF (SNP, id_block, "idBlock", field_text, NULL),
  OF (SNP, id_authentication, "idAuth", field_text, NULL),
  OF (SNP, host_data, "hostData", field_text, NULL),
  FIELD_END,
};

const FieldTable launch_security_table = { sizeof (LaunchSecurity), launch_security_fields };

void
validate_launch_security (Validation *validation)
{
  const LaunchSecurity *security = validation->def->launch_security;

  if (security == NULL)
    return;
  if ((security->type == LAUNCH_SECURITY_SEV && !security->sev_policy.set)
      || (security->type == LAUNCH_SECURITY_SEV_SNP && !security->snp_policy.set))
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, &security->type, security,
        "failed to get launch security policy: <launchSecurity type='%s'> needs a <policy>",
        enum_table_name (&launch_security_types, security->type));
}
