/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's processor can hide of a guest, as QEMU finds it under KVM: AMD's SEV and Intel's SGX. A
 * binary has the types for them everywhere; only a host that answers can use them.
 */
#include "targets/qemu/caps-private.h"

#define BITS_MAX 64 /* of an address */

static void
take_sev (QemuCaps *caps, JsonObject *said)
{
  if (said == NULL)
    return;
  caps->sev = (QemuSev){ .is_known = TRUE,
                         .c_bit_position = (guint)CLAMP (caps_int_member (said, "cbitpos"), 0, BITS_MAX),
                         .reduced_phys_bits =
                             (guint)CLAMP (caps_int_member (said, "reduced-phys-bits"), 0, BITS_MAX) };
}

void
caps_add_security_answers (QemuCaps *caps, JsonObject *answers)
{
  JsonObject *sgx = caps_object_member (answers, "query-sgx-capabilities");

  take_sev (caps, caps_object_member (answers, "query-sev-capabilities"));
  caps->sgx = sgx != NULL && caps_boolean_member (sgx, "sgx");
}

void
caps_add_security_from_json (QemuCaps *caps, JsonObject *object)
{
  take_sev (caps, caps_object_member (object, "sev"));
  caps->sgx = caps_boolean_member (object, "sgx");
}

void
caps_security_to_json (const QemuCaps *caps, JsonObject *object)
{
  if (caps->sev.is_known) {
    JsonObject *sev = json_object_new ();

    json_object_set_int_member (sev, "cbitpos", caps->sev.c_bit_position);
    json_object_set_int_member (sev, "reduced-phys-bits", caps->sev.reduced_phys_bits);
    json_object_set_object_member (object, "sev", sev);
  }
  if (caps->sgx)
    json_object_set_boolean_member (object, "sgx", TRUE);
}

const QemuSev *
qemu_caps_sev (const QemuCaps *caps)
{
  const QemuCaps *asked = caps->base != NULL ? caps->base : caps;

  return asked->sev.is_known ? &asked->sev : NULL;
}

gboolean
qemu_caps_has_sgx (const QemuCaps *caps)
{
  return caps->base != NULL ? caps->base->sgx : caps->sgx;
}
