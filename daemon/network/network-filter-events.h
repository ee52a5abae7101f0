/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * News of the packet filter: our table was deleted, as by "nft flush ruleset" when a service of the host
 * starts. Main loop only. Where the kernel does not tell, there is no news.
 */
typedef struct NetworkFilterEvents NetworkFilterEvents;
typedef void (*NetworkFilterFlushed) (void *data);

NetworkFilterEvents *network_filter_events_new (NetworkFilterFlushed flushed, void *data);
void network_filter_events_free (NetworkFilterEvents *events);
