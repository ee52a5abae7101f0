/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Texts as dnsmasq reads them in a file of settings. Pure. It splits lines at commas and takes ':', '.', '#'
 * and blanks for its own, unless they stand in double quotes, where '\' makes '"', '\' and some letters into
 * something else.
 */

/* A text of printable characters, quoted where it has to be: one field, whatever is in it. NULL: it has a
 * control character. (transfer full) */
char *dnsmasq_quote (const char *text);
/* The same of a text that has several fields with commas between, of which some may be quoted already: those
 * it has for dnsmasq, and no comment. NULL: the same. (transfer full) */
char *dnsmasq_quote_list (const char *text);

/* A domain name: letters, digits, '-', '_' and dots. */
gboolean dnsmasq_is_domain (const char *text);
/* The name of a host in a line of DHCP's: begins with a letter, is no word or number of dnsmasq's own. */
gboolean dnsmasq_is_host (const char *text);
