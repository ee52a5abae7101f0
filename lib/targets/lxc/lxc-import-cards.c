/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network cards of LXC's config: those of 2.x follow one another, each begun by lxc.network.type; those
 * of 3.x have a number. Which keys a card has is known when all are read; only then it becomes an element.
 */
#include "targets/lxc/lxc-import.h"

#include "base/scalars.h"

#include <string.h>

#define CARDS_MAX 256

static LxcCard *
card_new (LxcImport *import, guint64 index, Position where)
{
  LxcCard *card;

  if (import->cards->len >= CARDS_MAX) {
    diagnostics_error (import->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "there are more than %d cards",
                       CARDS_MAX);
    return g_ptr_array_index (import->cards, 0);
  }
  card = g_new0 (LxcCard, 1);
  card->keys = g_hash_table_new (g_str_hash, g_str_equal);
  card->ips = g_ptr_array_new ();
  card->index = index;
  card->where = where;
  g_ptr_array_add (import->cards, card);
  return card;
}

void
lxc_card_free (gpointer data)
{
  LxcCard *card = data;

  g_hash_table_unref (card->keys);
  g_ptr_array_unref (card->ips);
  g_free (card);
}

static LxcCard *
find_card (LxcImport *import, guint64 index, Position where)
{
  for (guint i = 0; i < import->cards->len; i++) {
    LxcCard *card = g_ptr_array_index (import->cards, i);

    if (card->index == index)
      return card;
  }
  return card_new (import, index, where);
}

/* An empty address takes those before it away. */
static void
add_to_card (LxcCard *card, const char *key, ImportLine *line)
{
  gboolean is_address = g_str_equal (key, "ipv4.address") || g_str_equal (key, "ipv6.address")
                        || g_str_equal (key, "ipv4") || g_str_equal (key, "ipv6");

  if (is_address && line->value[0] == '\0')
    g_ptr_array_set_size (card->ips, 0);
  else if (is_address)
    g_ptr_array_add (card->ips, line);
  else
    g_hash_table_insert (card->keys, (gpointer)key, line);
}

void
lxc_import_card_key (LxcImport *import, ImportLine *line)
{
  const char *number = line->key + strlen ("lxc.net."), *key = strchr (number, '.');
  g_autofree char *index_text = key != NULL ? g_strndup (number, (gsize)(key - number)) : NULL;
  guint64 index;

  if (index_text == NULL || !parse_uint (index_text, G_MAXINT32, &index))
    diagnostics_error (import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
                       "'%s' is no key of a card: expected one such as 'lxc.net.0.type'", line->key);
  else
    add_to_card (find_card (import, index, line->where), key + 1, line);
}

void
lxc_import_old_card_key (LxcImport *import, ImportLine *line)
{
  const char *key = line->key + strlen ("lxc.network.");

  if (g_str_equal (key, "type") || import->cards->len == 0)
    card_new (import, import->cards->len, line->where);
  add_to_card (g_ptr_array_index (import->cards, import->cards->len - 1), key, line);
}

static const char *
find_value (const LxcCard *card, const char *key)
{
  const ImportLine *line = g_hash_table_lookup (card->keys, key);

  return line != NULL && line->value[0] != '\0' ? line->value : NULL;
}

static void
add_addresses (const LxcCard *card, XmlElement *element)
{
  const char *const gateways[] = { "ipv4.gateway", "ipv6.gateway" }, *const families[] = { "ipv4", "ipv6" };

  for (guint i = 0; i < card->ips->len; i++) {
    const ImportLine *line = g_ptr_array_index (card->ips, i);
    g_auto (GStrv) words = g_strsplit_set (line->value, " \t", 2); /* a broadcast address may follow */
    const char *slash = strchr (words[0], '/');
    g_autofree char *address =
        slash != NULL ? g_strndup (words[0], (gsize)(slash - words[0])) : g_strdup (words[0]);

    import_add (element, "ip", "address", address, "family", strchr (address, ':') != NULL ? "ipv6" : "ipv4",
                "prefix", slash != NULL ? slash + 1 : NULL, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (gateways); i++) {
    const char *gateway = find_value (card, gateways[i]);

    if (gateway != NULL && strpbrk (gateway, ".:") != NULL)
      import_add (element, "route", "family", families[i], "address", i == 0 ? "0.0.0.0" : "::", "prefix",
                  "0", "gateway", gateway, NULL);
  }
}

/* "macvlan" and "veth"; of "vlan" the host's interface of that number moves into the container. */
static void
add_host_card (const LxcCard *card, const char *type, XmlElement *devices)
{
  const char *link = find_value (card, "link"), *vlan = find_value (card, "vlan.id");
  g_autofree char *name = NULL;
  XmlElement *hostdev = import_add (devices, "hostdev", "mode", "capabilities", "type", "net", NULL);

  if (g_str_equal (type, "vlan"))
    name = g_strdup_printf ("%s.%s", link != NULL ? link : "eth0", vlan != NULL ? vlan : "1");
  else
    name = g_strdup (link != NULL ? link : "eth0");
  import_add_text (xml_element_add (hostdev, "source"), "interface", "%s", name);
}

static void
add_virtual_card (const LxcImport *import, const LxcCard *card, const char *type, XmlElement *devices)
{
  gboolean is_macvlan = g_str_equal (type, "macvlan");
  const char *link = find_value (card, "link"), *flags = find_value (card, "flags");
  const ImportLine *mac = g_hash_table_lookup (card->keys, "hwaddr");
  const char *pair = find_value (card, "veth.pair"), *mode = find_value (card, "macvlan.mode");
  guint8 bytes[MAC_BYTES];
  XmlElement *interface = import_add (devices, "interface", "type",
                                      is_macvlan     ? "direct"
                                      : link != NULL ? "bridge"
                                                     : "ethernet",
                                      NULL);

  if (mac != NULL && mac_parse (mac->value, bytes))
    import_add (interface, "mac", "address", mac->value, NULL);
  else if (mac != NULL && strchr (mac->value, 'x') == NULL) /* with 'x' LXC makes it up */
    MISTAKE (import, mac, "'%s' is no MAC address", mac->value);
  if (is_macvlan)
    import_add (interface, "source", "dev", link != NULL ? link : "eth0", "mode",
                mode != NULL ? mode : "private", NULL);
  else if (link != NULL)
    import_add (interface, "source", "bridge", link, NULL);
  if (pair != NULL)
    import_add (interface, "target", "dev", pair, NULL);
  if (find_value (card, "name") != NULL)
    import_add (interface, "guest", "dev", find_value (card, "name"), NULL);
  if (flags == NULL)
    import_add (interface, "link", "state", "down", NULL);
  if (find_value (card, "mtu") != NULL)
    import_add (interface, "mtu", "size", find_value (card, "mtu"), NULL);
  add_addresses (card, interface);
}

/* What its other keys are: nothing of them is passed over. */
static void
warn_of_keys (const LxcImport *import, const LxcCard *card)
{
  static const char *const known[] = { "type",    "link",         "hwaddr",       "name",
                                       "flags",   "mtu",          "veth.pair",    "macvlan.mode",
                                       "vlan.id", "ipv4.gateway", "ipv6.gateway", NULL };
  GHashTableIter iter;
  gpointer key, line;

  g_hash_table_iter_init (&iter, card->keys);
  while (g_hash_table_iter_next (&iter, &key, &line))
    if (!g_strv_contains (known, key))
      lxc_import_warn_lost (import, line);
}

void
lxc_import_add_card (const LxcImport *import, const LxcCard *card, XmlElement *devices)
{
  const ImportLine *line = g_hash_table_lookup (card->keys, "type");
  const char *type = line != NULL ? line->value : NULL;

  warn_of_keys (import, card);
  if (type == NULL)
    diagnostics_error (import->diagnostics, card->where, VIR_ERR_CONFIG_UNSUPPORTED, "the card has no type");
  else if (g_str_equal (type, "veth") || g_str_equal (type, "macvlan"))
    add_virtual_card (import, card, type, devices);
  else if (g_str_equal (type, "phys") || g_str_equal (type, "vlan"))
    add_host_card (card, type, devices);
  else if (!g_str_equal (type, "empty") && !g_str_equal (type, "none"))
    MISTAKE (import, line,
             "'%s' is no card of the format: expected 'veth', 'macvlan', 'vlan', 'phys', 'empty' or 'none'",
             type);
}

gboolean
lxc_import_has_own_network (const LxcImport *import)
{
  for (guint i = 0; i < import->cards->len; i++)
    if (g_strcmp0 (find_value (g_ptr_array_index (import->cards, i), "type"), "none") == 0)
      return FALSE;
  return TRUE;
}
