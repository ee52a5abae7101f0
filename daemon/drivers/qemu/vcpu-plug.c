/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * vCPUs plugged in and out. QEMU is asked where its vCPUs can sit (socket, die, core, thread) and of which
 * type they are; in the order of the topology, place N is vCPU N's. Nothing of that is computed here from the
 * definition, so that whatever topology QEMU has made of it is the one that is served.
 */
#include "daemon/drivers/qemu/vcpu-plug.h"

#include "base/virt-error.h"
#include "domain/vcpus.h"
#include "targets/qemu/recipe.h"

#define PLACES_MAX G_MAXUINT16

/* The coarsest first. */
static const char *const levels[] = {
  "node-id", "socket-id", "die-id", "cluster-id", "core-id", "thread-id"
};

typedef struct {
  gint64 ids[G_N_ELEMENTS (levels)]; /* -1: QEMU does not say it */
  char *type;
} VcpuPlace;

static void
place_clear (gpointer data)
{
  g_free (((VcpuPlace *)data)->type);
}

static void
add_place (GArray *places, JsonObject *item)
{
  JsonObject *ids = untrusted_object (item, "props");
  const char *type = untrusted_text (item, "type");
  VcpuPlace place;

  if (ids == NULL || type == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++) {
    place.ids[i] = -1;
    untrusted_number (ids, levels[i], &place.ids[i]);
  }
  place.type = g_strdup (type);
  g_array_append_val (places, place);
}

/* A NUMA node is no part of the topology: vCPUs are numbered through all nodes. */
static int
compare_places (gconstpointer a, gconstpointer b)
{
  const VcpuPlace *left = a, *right = b;

  for (guint i = 1; i < G_N_ELEMENTS (levels); i++)
    if (left->ids[i] != right->ids[i])
      return left->ids[i] < right->ids[i] ? -1 : 1;
  return 0;
}

/* (VcpuPlace), vCPU N's at N; NULL with @error. */
static GArray *
ask_places (Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-hotpluggable-cpus", NULL, error);
  GArray *places;
  JsonArray *list;

  if (answer == NULL)
    return NULL;
  places = g_array_new (FALSE, FALSE, sizeof (VcpuPlace));
  g_array_set_clear_func (places, place_clear);
  list = untrusted_list_of (answer);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), PLACES_MAX); i++)
    add_place (places, untrusted_object_of (json_array_get_element (list, i)));
  g_array_sort (places, compare_places);
  return places;
}

static gboolean
plug_at (const GArray *places, guint number, Qmp *qmp, Job *job, GError **error)
{
  g_autofree char *alias = domain_vcpu_alias (number);
  g_autoptr (JsonNode) answer = NULL;
  const VcpuPlace *place;
  JsonObject *properties;

  if (number >= places->len) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "QEMU has no place for vcpu '%u': it has %u",
                    number, places->len);
    return FALSE;
  }
  place = &g_array_index (places, VcpuPlace, number);
  properties = props ("driver", "s", place->type, "id", "s", alias, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
    if (place->ids[i] >= 0)
      json_object_set_int_member (properties, levels[i], place->ids[i]);
  answer = qmp_call (qmp, job, "device_add", properties, error);
  return answer != NULL;
}

gboolean
vcpu_plug (guint number, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (GArray) places = ask_places (qmp, job, error);

  return places != NULL && plug_at (places, number, qmp, job, error);
}

gboolean
vcpu_unplug_request (guint number, Qmp *qmp, Job *job, GError **error)
{
  g_autofree char *alias = domain_vcpu_alias (number);
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "device_del", props ("id", "s", alias, NULL), error);

  return answer != NULL;
}

gboolean
vcpus_plug_all (DomainDef *def, Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (GArray) pluggable = NULL, places = NULL;

  if (def->vcpu_list == NULL)
    return TRUE;
  domain_vcpus_name (def, TRUE);
  pluggable = domain_vcpus_pluggable (def);
  if (pluggable->len == 0)
    return TRUE;
  places = ask_places (qmp, job, error);
  for (guint i = 0; places != NULL && i < pluggable->len; i++)
    if (!plug_at (places, g_array_index (pluggable, guint, i), qmp, job, error))
      return FALSE;
  return places != NULL;
}
