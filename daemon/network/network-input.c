/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a job about a network gets is the job's own, or shared by reference: the main loop may change what it
 * likes meanwhile. */
#include "daemon/network/network-input.h"

void
network_input_free (NetworkInput *input)
{
  if (input == NULL)
    return;
  g_free (input->directory);
  g_clear_pointer (&input->def, network_def_unref);
  g_clear_pointer (&input->status, network_status_unref);
  g_clear_pointer (&input->ports, g_ptr_array_unref);
  g_clear_pointer (&input->others, g_ptr_array_unref);
  g_free (input);
}
