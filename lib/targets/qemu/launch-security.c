/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <launchSecurity> as an object of QEMU's that the machine is told of. The certificate and the session of a
 * guest's owner go to QEMU as files; the rest are the object's properties.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/launch-security.h"

#define OBJECT_ID "lsec0"

static const char *
type_name (const LaunchSecurity *security)
{
  return enum_table_name (&launch_security_types, security->type);
}

static gboolean
refuse (Recipe *recipe, const LaunchSecurity *security)
{
  return recipe_refuse (recipe, NULL, "<launchSecurity>",
                        "'%s' launch security is not supported with this QEMU binary on this host",
                        type_name (security));
}

static const char *
object_type (const LaunchSecurity *security)
{
  return security->type == LAUNCH_SECURITY_SEV       ? "sev-guest"
         : security->type == LAUNCH_SECURITY_SEV_SNP ? "sev-snp-guest"
                                                     : "s390-pv-guest";
}

static Number
said_or (const Number *said, guint of_host)
{
  return said->set ? *said : NUMBER (of_host);
}

static void
add_sev_details (Recipe *recipe, const LaunchSecurity *security, JsonObject *properties)
{
  props_add (properties, "policy", "N", &security->sev_policy, "dh-cert-file", "?s",
             security->owner_certificate != NULL
                 ? recipe_content (recipe, "dh_cert.base64", security->owner_certificate)
                 : NULL,
             "session-file", "?s",
             security->session != NULL ? recipe_content (recipe, "session.base64", security->session) : NULL,
             "kernel-hashes", "T", security->kernel_hashes, NULL);
}

static void
add_snp_details (const LaunchSecurity *security, JsonObject *properties)
{
  int vcek_disabled = security->vcek == TRISTATE_YES  ? TRISTATE_NO
                      : security->vcek == TRISTATE_NO ? TRISTATE_YES
                                                      : TRISTATE_ABSENT;

  props_add (properties, "kernel-hashes", "T", security->kernel_hashes, "author-key-enabled", "T",
             security->author_key, "vcek-disabled", "T", vcek_disabled, "policy", "N", &security->snp_policy,
             "guest-visible-workarounds", "?s", security->visible_workarounds, "id-block", "?s",
             security->id_block, "id-auth", "?s", security->id_authentication, "host-data", "?s",
             security->host_data, NULL);
}

gboolean
recipe_add_launch_security (Recipe *recipe, GError **error G_GNUC_UNUSED)
{
  const LaunchSecurity *security = recipe_def (recipe)->launch_security;
  const QemuSev *sev = qemu_caps_sev (recipe_caps (recipe));
  JsonObject *properties;

  if (security == NULL)
    return TRUE;
  if (!qemu_caps_has_type (recipe_caps (recipe), object_type (security))
      || (security->type != LAUNCH_SECURITY_S390_PV && sev == NULL))
    return refuse (recipe, security);
  properties = props ("qom-type", "s", object_type (security), "id", "s", OBJECT_ID, NULL);
  if (security->type != LAUNCH_SECURITY_S390_PV) {
    Number position = said_or (&security->c_bit_position, sev->c_bit_position);
    Number bits = said_or (&security->reduced_phys_bits, sev->reduced_phys_bits);

    props_add (properties, "cbitpos", "N", &position, "reduced-phys-bits", "N", &bits, NULL);
  }
  if (security->type == LAUNCH_SECURITY_SEV)
    add_sev_details (recipe, security, properties);
  else if (security->type == LAUNCH_SECURITY_SEV_SNP)
    add_snp_details (security, properties);
  recipe_step (recipe, STEP_OBJECT, properties);
  return TRUE;
}

void
launch_security_machine_options (const Recipe *recipe, GString *options)
{
  if (recipe_def (recipe)->launch_security != NULL)
    g_string_append (options, ",confidential-guest-support=" OBJECT_ID);
}
