/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Control groups, plainly: directories, and numbers written into their files. Which hierarchy has a
 * controller is read from the mounts; where a machine is, from its process: so a machine that was found
 * again, one in a scope of systemd's and one in a group of ours are the same. Only groups that bear the
 * machine's UUID are ever written: whatever else it shares belongs to others.
 */
#include "daemon/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEMD_RUNS    "/run/systemd/system"
#define OUR_GROUP       "domaind"
#define PARTS_MAX       8192 /* groups of threads in one machine's */
#define VALUE_MAX_BYTES 4096 /* of a file that is read */

static const char *const v1_names[] = { "cpu", "cpuset", "memory", "blkio" };
static const char *const v2_names[] = { "cpu", "cpuset", "memory", "io" };

struct Cgroup {
  char *paths[CGROUP_CONTROLLERS]; /* NULL: none of its own */
  gboolean v2[CGROUP_CONTROLLERS];
};

/* A mounted hierarchy. */
typedef struct {
  char *place;
  char *root;    /* the group that is mounted there */
  char *options; /* of the file system: controllers of version 1 */
  gboolean v2;
} Hierarchy;

static void
hierarchy_free (gpointer data)
{
  Hierarchy *hierarchy = data;

  g_free (hierarchy->place);
  g_free (hierarchy->root);
  g_free (hierarchy->options);
  g_free (hierarchy);
}

/* "36 35 98:0 ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS" */
static Hierarchy *
parse_mount (const char *line)
{
  const char *rest = strstr (line, " - ");
  Hierarchy *hierarchy;

  if (rest == NULL || !g_str_has_prefix (rest, " - cgroup"))
    return NULL;
  g_auto (GStrv) words = g_strsplit (line, " ", 6);
  g_auto (GStrv) system = g_strsplit (rest + strlen (" - "), " ", 3);
  if (g_strv_length (words) < 5 || g_strv_length (system) < 3)
    return NULL;
  hierarchy = g_new0 (Hierarchy, 1);
  hierarchy->root = g_strdup (words[3]);
  hierarchy->place = g_strdup (words[4]);
  hierarchy->options = g_strdup (system[2]);
  hierarchy->v2 = g_str_equal (system[0], "cgroup2");
  return hierarchy;
}

/* (element-type Hierarchy) (transfer full) */
static GPtrArray *
parse_mounts (const char *mounts)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (hierarchy_free);
  g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    Hierarchy *hierarchy = parse_mount (lines[i]);

    if (hierarchy != NULL)
      g_ptr_array_add (list, hierarchy);
  }
  return list;
}

static gboolean
has_word (const char *list, const char *separators, const char *word)
{
  g_auto (GStrv) words = g_strsplit_set (list, separators, -1);

  return g_strv_contains ((const char *const *)words, word);
}

static char *
read_file (const char *path)
{
  char text[VALUE_MAX_BYTES];
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize length = fd >= 0 ? read (fd, text, sizeof text - 1) : -1;

  if (fd >= 0)
    close (fd);
  if (length < 0)
    return NULL;
  text[length] = '\0';
  return g_strdup (g_strchomp (text));
}

static gboolean
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  gboolean written = fd >= 0 && write (fd, text, strlen (text)) == (gssize)strlen (text);
  int problem = errno;

  if (fd >= 0)
    close (fd);
  errno = problem;
  return written;
}

static gboolean
write_in (const char *directory, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);

  return write_file (path, text);
}

/* Entering. */

/* What a new group of version 1 needs before a process can enter it; none but cpuset does. */
static void
inherit (const char *path, const char *file)
{
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *from = g_build_filename (parent, file, NULL);
  g_autofree char *value = read_file (from);

  if (value != NULL)
    write_in (path, file, value);
}

static gboolean
make_group (const char *path, const Hierarchy *hierarchy)
{
  if (mkdir (path, 0755) != 0 && errno != EEXIST)
    return FALSE;
  if (!hierarchy->v2 && has_word (hierarchy->options, ",", "cpuset")) {
    inherit (path, "cpuset.cpus");
    inherit (path, "cpuset.mems");
  }
  return TRUE;
}

/* Controllers are handed down one by one: a host may have some of them only. */
static void
hand_down (const char *path)
{
  for (guint i = 0; i < CGROUP_CONTROLLERS; i++) {
    g_autofree char *word = g_strconcat ("+", v2_names[i], NULL);

    write_in (path, "cgroup.subtree_control", word);
  }
}

static gboolean
is_wanted (const Hierarchy *hierarchy)
{
  if (hierarchy->v2)
    return TRUE;
  for (guint i = 0; i < CGROUP_CONTROLLERS; i++)
    if (has_word (hierarchy->options, ",", v1_names[i]))
      return TRUE;
  return FALSE;
}

static void
enter_hierarchy (const Hierarchy *hierarchy, const char *uuid, GPid pid)
{
  g_autofree char *ours = g_build_filename (hierarchy->place, OUR_GROUP, NULL);
  g_autofree char *own = g_build_filename (ours, uuid, NULL);
  g_autofree char *number = g_strdup_printf ("%d", pid);

  if (!make_group (ours, hierarchy))
    return;
  if (hierarchy->v2) {
    hand_down (hierarchy->place);
    hand_down (ours);
  }
  if (make_group (own, hierarchy) && !write_in (own, "cgroup.procs", number))
    g_debug ("machine %s has no control group of its own in '%s': %s", uuid, hierarchy->place,
             g_strerror (errno));
}

/* The hierarchies of a host with systemd have one writer, and that is systemd: see scope.h. */
static GPtrArray *
our_hierarchies (void)
{
  g_autofree char *mounts = NULL;

  if (access (SYSTEMD_RUNS, F_OK) == 0 || !g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL))
    return NULL;
  return parse_mounts (mounts);
}

void
cgroup_enter (const char *uuid, GPid pid)
{
  g_autoptr (GPtrArray) hierarchies = our_hierarchies ();

  for (guint i = 0; hierarchies != NULL && i < hierarchies->len; i++)
    if (is_wanted (g_ptr_array_index (hierarchies, i)))
      enter_hierarchy (g_ptr_array_index (hierarchies, i), uuid, pid);
}

static void
remove_group (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  for (guint i = 0; directory != NULL && i < PARTS_MAX && (name = g_dir_read_name (directory)) != NULL; i++) {
    g_autofree char *part = g_build_filename (path, name, NULL);

    rmdir (part); /* the kernel's own files are no directories */
  }
  rmdir (path);
}

void
cgroup_remove (const char *uuid)
{
  g_autoptr (GPtrArray) hierarchies = our_hierarchies ();

  for (guint i = 0; hierarchies != NULL && i < hierarchies->len; i++) {
    const Hierarchy *hierarchy = g_ptr_array_index (hierarchies, i);
    g_autofree char *path = g_build_filename (hierarchy->place, OUR_GROUP, uuid, NULL);

    if (is_wanted (hierarchy))
      remove_group (path);
  }
}

/* Finding. */

/* The group without that of a single thread below it: NULL when it is not the machine's own. "/domaind/UUID",
 * "/machine.slice/domaind-UUID.scope" */
static char *
own_group (const char *group, const char *uuid)
{
  const char *place = strstr (group, uuid);
  const char *end = place != NULL ? strchr (place, '/') : NULL;

  if (place == NULL)
    return NULL;
  return end != NULL ? g_strndup (group, (gsize)(end - group)) : g_strdup (group);
}

/* The process's group in that hierarchy, from lines "4:cpu,cpuacct:/GROUP" and "0::/GROUP". */
static char *
find_group (const Hierarchy *hierarchy, const char *groups, const char *controller, const char *uuid)
{
  g_auto (GStrv) lines = g_strsplit (groups, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) words = g_strsplit (lines[i], ":", 3);

    if (g_strv_length (words) == 3
        && (hierarchy->v2 ? *words[1] == '\0' : has_word (words[1], ",", controller)))
      return own_group (words[2], uuid);
  }
  return NULL;
}

static gboolean
is_beneath (const char *group, const char *root)
{
  gsize length = strlen (root);

  return g_str_equal (root, "/") || (g_str_has_prefix (group, root) && group[length] == '/');
}

/* The group's directory, where that hierarchy has the controller. */
static char *
find_path (const Hierarchy *hierarchy, const char *groups, guint controller, const char *uuid)
{
  g_autofree char *group = NULL, *path = NULL, *controllers = NULL, *file = NULL;

  if (!hierarchy->v2 && !has_word (hierarchy->options, ",", v1_names[controller]))
    return NULL;
  group = find_group (hierarchy, groups, v1_names[controller], uuid);
  if (group == NULL || !is_beneath (group, hierarchy->root))
    return NULL;
  path = g_build_filename (
      hierarchy->place, g_str_equal (hierarchy->root, "/") ? group : group + strlen (hierarchy->root), NULL);
  if (access (path, W_OK) != 0)
    return NULL;
  if (!hierarchy->v2)
    return g_steal_pointer (&path);
  file = g_build_filename (path, "cgroup.controllers", NULL);
  controllers = read_file (file);
  return controllers != NULL && has_word (controllers, " ", v2_names[controller]) ? g_steal_pointer (&path)
                                                                                  : NULL;
}

Cgroup *
cgroup_find_in (const char *mounts, const char *groups, const char *uuid)
{
  Cgroup *cgroup = g_new0 (Cgroup, 1);
  g_autoptr (GPtrArray) hierarchies = parse_mounts (mounts);

  for (guint controller = 0; controller < CGROUP_CONTROLLERS; controller++)
    for (guint i = 0; i < hierarchies->len && cgroup->paths[controller] == NULL; i++) {
      const Hierarchy *hierarchy = g_ptr_array_index (hierarchies, i);

      cgroup->paths[controller] = find_path (hierarchy, groups, controller, uuid);
      cgroup->v2[controller] = hierarchy->v2;
    }
  return cgroup;
}

Cgroup *
cgroup_find (const char *uuid, GPid pid)
{
  g_autofree char *file = g_strdup_printf ("/proc/%d/cgroup", pid);
  g_autofree char *mounts = NULL, *groups = NULL;

  if (!g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL)
      || !g_file_get_contents (file, &groups, NULL, NULL))
    return g_new0 (Cgroup, 1);
  return cgroup_find_in (mounts, groups, uuid);
}

void
cgroup_free (Cgroup *cgroup)
{
  if (cgroup == NULL)
    return;
  for (guint i = 0; i < CGROUP_CONTROLLERS; i++)
    g_free (cgroup->paths[i]);
  g_free (cgroup);
}

/* Reading and writing. */

gboolean
cgroup_has (const Cgroup *cgroup, CgroupController controller)
{
  return cgroup->paths[controller] != NULL;
}

gboolean
cgroup_is_v2 (const Cgroup *cgroup, CgroupController controller)
{
  return cgroup->v2[controller];
}

gboolean
cgroup_check (const Cgroup *cgroup, CgroupController controller, GError **error)
{
  static const char *const words[] = { "cgroup CPU controller is not mounted",
                                       "cgroup cpuset controller is not mounted",
                                       "cgroup memory controller is not mounted",
                                       "blkio cgroup isn't mounted" };

  if (!cgroup_has (cgroup, controller))
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "%s", words[controller]);
  return cgroup_has (cgroup, controller);
}

static char *
file_path (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file)
{
  if (part == NULL)
    return g_build_filename (cgroup->paths[controller], file, NULL);
  return g_build_filename (cgroup->paths[controller], part, file, NULL);
}

gboolean
cgroup_has_file (const Cgroup *cgroup, CgroupController controller, const char *file)
{
  g_autofree char *path = cgroup_has (cgroup, controller) ? file_path (cgroup, controller, NULL, file) : NULL;

  return path != NULL && access (path, F_OK) == 0;
}

char *
cgroup_read (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file)
{
  g_autofree char *path = cgroup_has (cgroup, controller) ? file_path (cgroup, controller, part, file) : NULL;

  return path != NULL ? read_file (path) : NULL;
}

gboolean
cgroup_write (const Cgroup *cgroup, CgroupController controller, const char *part, const char *file,
              const char *text, GError **error)
{
  g_autofree char *path = NULL;

  if (!cgroup_check (cgroup, controller, error))
    return FALSE;
  path = file_path (cgroup, controller, part, file);
  if (write_file (path, text))
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to write to '%s': %s", path, g_strerror (errno));
  return FALSE;
}

/* A group of threads. In version 2 such groups have a type of their own, and controllers are handed down to
 * them anew. */
static gboolean
make_part (const Cgroup *cgroup, CgroupController controller, const char *part, GError **error)
{
  g_autofree char *path = g_build_filename (cgroup->paths[controller], part, NULL);
  g_autofree char *word = g_strconcat ("+", v2_names[controller], NULL);

  if (mkdir (path, 0755) != 0 && errno != EEXIST) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the control group '%s': %s", path,
                    g_strerror (errno));
    return FALSE;
  }
  if (!cgroup->v2[controller]) {
    if (controller == CGROUP_CPUSET) {
      inherit (path, "cpuset.cpus");
      inherit (path, "cpuset.mems");
    }
    return TRUE;
  }
  write_in (path, "cgroup.type", "threaded");
  return cgroup_write (cgroup, controller, NULL, "cgroup.subtree_control", word, error);
}

gboolean
cgroup_place_thread (const Cgroup *cgroup, CgroupController controller, const char *part, pid_t thread,
                     GError **error)
{
  g_autofree char *number = g_strdup_printf ("%d", thread);

  return cgroup_check (cgroup, controller, error) && make_part (cgroup, controller, part, error)
         && cgroup_write (cgroup, controller, part, cgroup->v2[controller] ? "cgroup.threads" : "tasks",
                          number, error);
}
