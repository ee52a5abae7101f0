/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/xml-words.h"

/* What a question names of an emulator; each may be NULL: the caps' own architecture, the default machine,
 * and kvm where it works, else qemu. FALSE with VIR_ERR_INVALID_ARG when the emulator has no such thing. */
gboolean qemu_caps_choose (const QemuCaps *caps, const char *arch, const char *machine, const char *virt_type,
                           const QemuMachine **ret_machine, gboolean *ret_kvm, GError **error);

/* <cpu> of the document of virConnectGetDomainCapabilities. */
void domain_capabilities_add_cpu (XmlElement *root, const QemuCaps *caps, gboolean kvm);
