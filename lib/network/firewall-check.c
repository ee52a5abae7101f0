/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rules of others are not run here, only looked at: a chain at the hook whose policy, or whose last rule
 * without a condition, stops packets, in a table in which no accepting rule names the bridge. That is what is
 * wrong on nearly every host where a network "does not work"; the cure is one line, in the place its owner
 * keeps for such lines where there is one (Docker's DOCKER-USER, firewalld's zones).
 */
#include "network/firewall-check.h"

#include "base/untrusted-json.h"
#include "network/network-firewall.h"

#include <string.h>

#define FIREWALLD_TABLE "firewalld"
#define DOCKER_CHAIN    "DOCKER-USER"

void
firewall_finding_free (FirewallFinding *finding)
{
  if (finding == NULL)
    return;
  g_free (finding->what);
  g_free (finding->cure);
  g_free (finding);
}

/* What a network needs at a hook of the kernel. */
typedef struct {
  const char *hook;
  const char *what;           /* that is stopped */
  const char *const *matches; /* of nft rules that would let it pass; %s: the bridge */
} Need;

static const char *const forward_matches[] = { "iifname \"%s\" accept", "oifname \"%s\" accept", NULL };
static const char *const input_matches[] = { "iifname \"%s\" udp dport { 53, 67, 547 } accept",
                                             "iifname \"%s\" tcp dport 53 accept", NULL };
static const Need needs[] = {
  { "forward", "what is forwarded", forward_matches },
  { "input", "what machines ask the host for (DHCP, DNS)", input_matches },
};

static JsonObject *
object_at (JsonArray *objects, guint number, const char *kind)
{
  return untrusted_object (untrusted_object_of (json_array_get_element (objects, number)), kind);
}

static gboolean
is_in_table (JsonObject *object, JsonObject *chain)
{
  return object != NULL
         && g_strcmp0 (untrusted_text (object, "family"), untrusted_text (chain, "family")) == 0
         && g_strcmp0 (untrusted_text (object, "table"), untrusted_text (chain, "table")) == 0;
}

/* Has the rule nothing but a verdict of stopping (and a counter or a log)? */
static gboolean
stops_everything (JsonObject *rule)
{
  JsonArray *statements = untrusted_list (rule, "expr");
  gboolean stops = FALSE;

  for (guint i = 0; statements != NULL && i < json_array_get_length (statements); i++) {
    JsonObject *statement = untrusted_object_of (json_array_get_element (statements, i));

    if (statement == NULL || json_object_has_member (statement, "match"))
      return FALSE;
    stops =
        stops || json_object_has_member (statement, "drop") || json_object_has_member (statement, "reject");
  }
  return stops;
}

static gboolean
accepts_link (JsonObject *rule, const char *bridge)
{
  JsonArray *statements = untrusted_list (rule, "expr");
  gboolean names = FALSE, accepts = FALSE;

  for (guint i = 0; statements != NULL && i < json_array_get_length (statements); i++) {
    JsonObject *statement = untrusted_object_of (json_array_get_element (statements, i));
    JsonObject *match = statement != NULL ? untrusted_object (statement, "match") : NULL;

    names = names || (match != NULL && g_strcmp0 (untrusted_text (match, "right"), bridge) == 0);
    accepts =
        accepts
        || (statement != NULL
            && (json_object_has_member (statement, "accept") || json_object_has_member (statement, "jump")
                || json_object_has_member (statement, "goto")));
  }
  return names && accepts;
}

typedef struct {
  gboolean stops_at_end, names_bridge, has_docker;
} Table;

static Table
look_at_table (JsonArray *objects, JsonObject *chain, const char *bridge)
{
  Table table = { FALSE, FALSE, FALSE };

  for (guint i = 0; i < json_array_get_length (objects); i++) {
    JsonObject *rule = object_at (objects, i, "rule"), *other = object_at (objects, i, "chain");

    if (is_in_table (other, chain) && g_strcmp0 (untrusted_text (other, "name"), DOCKER_CHAIN) == 0)
      table.has_docker = TRUE;
    if (!is_in_table (rule, chain))
      continue;
    table.names_bridge = table.names_bridge || accepts_link (rule, bridge);
    if (g_strcmp0 (untrusted_text (rule, "chain"), untrusted_text (chain, "name")) == 0)
      table.stops_at_end = stops_everything (rule);
  }
  return table;
}

/* A name of somebody else's that is put into a line for a shell. */
static gboolean
is_word (const char *text)
{
  return text != NULL && *text != '\0'
         && text[strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] == '\0';
}

static char *
cure_of (const Need *need, JsonObject *chain, const Table *table, const NetworkDef *def)
{
  const char *family = untrusted_text (chain, "family"), *name = untrusted_text (chain, "table");
  gboolean is_docker = table->has_docker && strcmp (need->hook, "forward") == 0;
  const char *place = is_docker ? DOCKER_CHAIN : untrusted_text (chain, "name");
  GString *cure = g_string_new (NULL);

  if (g_strcmp0 (name, FIREWALLD_TABLE) == 0) {
    g_string_printf (
        cure, "firewall-cmd --permanent --zone=%s --change-interface=%s && firewall-cmd --reload",
        def->bridge_zone != NULL && is_word (def->bridge_zone) ? def->bridge_zone : "trusted", def->bridge);
    return g_string_free (cure, FALSE);
  }
  for (guint i = 0; need->matches[i] != NULL; i++) {
    g_autofree char *chosen = g_strdup (need->matches[i]);
    char *mark = strstr (chosen, "%s");

    *mark = '\0';
    g_string_append_printf (cure, "%snft 'insert rule %s %s %s %s%s%s'", i > 0 ? " && " : "", family, name,
                            place, chosen, def->bridge, mark + 2);
  }
  return g_string_free (cure, FALSE);
}

static void
check_chain (JsonArray *objects, JsonObject *chain, const Need *need, const NetworkDef *def,
             GPtrArray *findings)
{
  const char *family = untrusted_text (chain, "family"), *name = untrusted_text (chain, "name");
  const char *table_name = untrusted_text (chain, "table");
  gboolean drops = g_strcmp0 (untrusted_text (chain, "policy"), "drop") == 0;
  FirewallFinding *finding;
  Table table;

  if (!is_word (family) || !is_word (name) || !is_word (table_name)
      || g_strcmp0 (untrusted_text (chain, "hook"), need->hook) != 0 || strcmp (family, "bridge") == 0
      || g_strcmp0 (table_name, NETWORK_FIREWALL_TABLE) == 0 || findings->len >= FIREWALL_FINDINGS_MAX)
    return;
  table = look_at_table (objects, chain, def->bridge);
  if ((!drops && !table.stops_at_end) || table.names_bridge)
    return;
  finding = g_new0 (FirewallFinding, 1);
  finding->what = g_strdup_printf ("the table '%s %s' %s %s by %s (chain '%s'), also of bridge '%s'", family,
                                   table_name, drops ? "drops" : "stops", need->what,
                                   drops ? "policy" : "its last rule", name, def->bridge);
  finding->cure = cure_of (need, chain, &table, def);
  g_ptr_array_add (findings, finding);
}

GPtrArray *
firewall_check (JsonArray *objects, const NetworkDef *def)
{
  GPtrArray *findings = g_ptr_array_new_with_free_func ((GDestroyNotify)firewall_finding_free);

  if (!network_forward_has_own_bridge (def->forward.mode) || !network_link_name_is_plain (def->bridge))
    return findings;
  for (guint n = 0; n < G_N_ELEMENTS (needs); n++)
    for (guint i = 0; i < json_array_get_length (objects); i++) {
      JsonObject *chain = object_at (objects, i, "chain");

      /* An isolated network forwards nothing. */
      if (chain != NULL && (n > 0 || def->forward.mode != NETWORK_FORWARD_NONE))
        check_chain (objects, chain, &needs[n], def, findings);
    }
  return findings;
}
