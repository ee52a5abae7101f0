/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where the helpers beside a machine listen, in the directory where its hypervisor has its sockets: the
 * config names them, and whoever starts the machine starts the helpers there. @alias: the device's.
 * (transfer full)
 */
char *helper_socket_virtiofs (const char *run_directory, const char *alias);
char *helper_socket_tpm (const char *run_directory, const char *alias);
