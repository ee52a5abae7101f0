/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control groups of both versions, in a directory that stands for what the kernel has: names, numbers, and
 * which group is a machine's own. */
#include "cmocka-glib.h"
#include "daemon/host/limits.h"
#include "daemon/host/threads.h"
#include "temporary.h"

#include <string.h>
#include <unistd.h>

#define UUID  "5f2b1d0c-0a51-4a4b-9a39-8d6f7be4a101"
#define OTHER "5f2b1d0c-0a51-4a4b-9a39-8d6f7be4a102"

typedef struct {
  char *root, *own; /* where the hierarchy is mounted, and the machine's group in it */
  Cgroup *cgroup;
} Tree;

static void
put (const char *directory, const char *file, const char *text)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);

  assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static char *
get (const char *directory, const char *file)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  char *text = NULL;

  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
make_tree (Tree *tree, const char *const *files)
{
  tree->root = temporary_directory ();
  tree->own = g_build_filename (tree->root, "domaind", UUID, NULL);
  assert_int_equal (g_mkdir_with_parents (tree->own, 0755), 0);
  for (; files[0] != NULL; files += 2)
    put (tree->own, files[0], files[1]);
}

static void
find (Tree *tree, const char *type, const char *options, const char *groups)
{
  g_autofree char *mounts = g_strdup_printf ("30 20 0:5 / /proc rw - proc proc rw\n"
                                             "36 35 0:30 / %s rw,relatime shared:9 - %s none %s\n",
                                             tree->root, type, options);

  cgroup_free (tree->cgroup);
  tree->cgroup = cgroup_find_in (mounts, groups, UUID);
}

static void
tree_clear (Tree *tree)
{
  cgroup_free (tree->cgroup);
  temporary_remove (tree->root);
  g_free (tree->own);
}

static const char *const v2_files[] = { "cgroup.controllers",
                                        "cpuset cpu io memory pids\n",
                                        "cpu.weight",
                                        "100\n",
                                        "cpu.max",
                                        "max 100000\n",
                                        "memory.max",
                                        "max\n",
                                        "memory.high",
                                        "max\n",
                                        "memory.swap.max",
                                        "max\n",
                                        "io.weight",
                                        "default 100\n",
                                        "io.max",
                                        "",
                                        "cpuset.mems",
                                        "\n",
                                        NULL };
static const char *const v1_files[] = { "cpu.shares",
                                        "1024\n",
                                        "cpu.cfs_quota_us",
                                        "-1\n",
                                        "cpu.cfs_period_us",
                                        "100000\n",
                                        "memory.limit_in_bytes",
                                        "9223372036854771712\n",
                                        "memory.soft_limit_in_bytes",
                                        "9223372036854771712\n",
                                        "memory.memsw.limit_in_bytes",
                                        "9223372036854771712\n",
                                        "blkio.weight",
                                        "500\n",
                                        "cpuset.mems",
                                        "0\n",
                                        "cpuset.memory_migrate",
                                        "0\n",
                                        NULL };

#define assert_file(tree_, file_, text_)                  \
  G_STMT_START                                            \
  {                                                       \
    g_autofree char *found_ = get ((tree_).own, (file_)); \
    assert_string_equal (found_, (text_));                \
  }                                                       \
  G_STMT_END

static void
only_groups_with_the_machines_name_are_its_own (G_GNUC_UNUSED void **state)
{
  const struct {
    const char *groups;
    gboolean own;
  } cases[] = {
    { "0::/domaind/" UUID "\n", TRUE },
    { "0::/domaind/" UUID "/vcpu0\n", TRUE },
    { "0::/domaind/" OTHER "\n", FALSE },
    { "0::/user.slice/session.scope\n", FALSE },
    { "0::/\n", FALSE },
    { "4:cpu:/domaind/" UUID "\n", FALSE }, /* another hierarchy's */
    { "", FALSE },
    { "0\n::\n:::::\n", FALSE },
  };
  Tree tree = { 0 };

  make_tree (&tree, v2_files);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    find (&tree, "cgroup2", "rw", cases[i].groups);
    assert_int_equal (cgroup_has (tree.cgroup, CGROUP_CPU), cases[i].own);
    assert_int_equal (cgroup_has (tree.cgroup, CGROUP_BLKIO), cases[i].own);
  }
  tree_clear (&tree);
}

static void
a_controller_that_is_not_there_is_named (G_GNUC_UNUSED void **state)
{
  const char *const words[] = { "Requested operation is not valid: cgroup CPU controller is not mounted",
                                "Requested operation is not valid: cgroup cpuset controller is not mounted",
                                "Requested operation is not valid: cgroup memory controller is not mounted",
                                "Requested operation is not valid: blkio cgroup isn't mounted" };
  g_autoptr (Cgroup) none = cgroup_find_in ("", "", UUID);

  for (guint i = 0; i < CGROUP_CONTROLLERS; i++) {
    g_autoptr (GError) error = NULL;

    assert_false (cgroup_check (none, i, &error));
    assert_int_equal (virt_error_code (error), VIR_ERR_OPERATION_INVALID);
    assert_string_equal (error->message, words[i]);
    assert_null (cgroup_read (none, i, NULL, "cpu.max"));
  }
}

static void
limits_of_version_2 (G_GNUC_UNUSED void **state)
{
  const MemoryLimits limits = { NUMBER (1024), NUMBER (512), NUMBER (3072) };
  const MemoryLimits no_swap = { .hard = NUMBER (2048), .swap_hard = NUMBER (2048) };
  MemoryLimits found;
  Tree tree = { 0 };
  guint64 period;
  gint64 quota;

  make_tree (&tree, v2_files);
  find (&tree, "cgroup2", "rw", "0::/domaind/" UUID "\n");
  assert_int_equal (limits_get_shares (tree.cgroup), 100);
  assert_true (limits_set_shares (tree.cgroup, 7, NULL));
  assert_file (tree, "cpu.weight", "7");
  assert_false (limits_set_shares (tree.cgroup, 10001, NULL));

  limits_get_bandwidth (tree.cgroup, NULL, &period, &quota);
  assert_true (period == CPU_PERIOD_DEFAULT && quota == CPU_QUOTA_NONE);
  assert_true (limits_set_bandwidth (tree.cgroup, NULL, 0, 20000, NULL));
  assert_file (tree, "cpu.max", "20000 100000");
  assert_true (limits_set_bandwidth (tree.cgroup, NULL, 50000, 0, NULL));
  assert_file (tree, "cpu.max", "20000 50000");
  assert_true (limits_set_bandwidth (tree.cgroup, NULL, 0, -1, NULL));
  assert_file (tree, "cpu.max", "max 50000");

  assert_true (limits_set_memory (tree.cgroup, &limits, NULL));
  assert_file (tree, "memory.max", "1048576");
  assert_file (tree, "memory.high", "524288");
  assert_file (tree, "memory.swap.max", "2097152"); /* what is left for swap */
  limits_get_memory (tree.cgroup, &found);
  assert_true (found.hard.value == 1024 && found.soft.value == 512 && found.swap_hard.value == 3072);
  assert_true (limits_set_memory (tree.cgroup, &no_swap, NULL));
  assert_file (tree, "memory.swap.max", "0");

  assert_int_equal (limits_get_weight (tree.cgroup), 100);
  assert_true (limits_set_nodes (tree.cgroup, "0-1", NULL));
  assert_file (tree, "cpuset.mems", "0-1");
  tree_clear (&tree);
}

static void
limits_of_version_1 (G_GNUC_UNUSED void **state)
{
  const MemoryLimits limits = { NUMBER (1024), NUMBER (512), NUMBER (3072) };
  const MemoryLimits none = { NUMBER (MEMORY_UNLIMITED), { 0 }, NUMBER (MEMORY_UNLIMITED) };
  MemoryLimits found;
  Tree tree = { 0 };
  guint64 period;
  gint64 quota;

  make_tree (&tree, v1_files);
  find (&tree, "cgroup", "rw,cpu,cpuset,memory,blkio",
        "4:cpu,cpuset,memory,blkio:/domaind/" UUID "/emulator\n");
  assert_int_equal (limits_get_shares (tree.cgroup), 1024);
  assert_false (limits_set_shares (tree.cgroup, 1, NULL));
  assert_true (limits_set_bandwidth (tree.cgroup, NULL, 50000, 20000, NULL));
  limits_get_bandwidth (tree.cgroup, NULL, &period, &quota);
  assert_true (period == 50000 && quota == 20000);
  assert_true (limits_set_bandwidth (tree.cgroup, NULL, 0, -7, NULL));
  assert_file (tree, "cpu.cfs_quota_us", "-1");

  limits_get_memory (tree.cgroup, &found);
  assert_true (found.hard.value == MEMORY_UNLIMITED && found.swap_hard.value == MEMORY_UNLIMITED);
  assert_true (limits_set_memory (tree.cgroup, &limits, NULL));
  assert_file (tree, "memory.memsw.limit_in_bytes", "3145728");
  assert_true (limits_set_memory (tree.cgroup, &none, NULL));
  assert_file (tree, "memory.limit_in_bytes", "-1");
  assert_int_equal (limits_get_weight (tree.cgroup), 500);
  assert_true (limits_set_nodes (tree.cgroup, "0", NULL));
  assert_file (tree, "cpuset.memory_migrate", "1");
  tree_clear (&tree);
}

static void
only_block_devices_are_limited (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) missing = NULL, other = NULL;
  Tree tree = { 0 };

  make_tree (&tree, v2_files);
  find (&tree, "cgroup2", "rw", "0::/domaind/" UUID "\n");
  assert_false (limits_set_device (tree.cgroup, BLKIO_READ_BYTES, "/nowhere/sda", 5, &missing));
  assert_non_null (strstr (missing->message, "Path '/nowhere/sda' is not accessible"));
  assert_false (limits_set_device (tree.cgroup, BLKIO_READ_BYTES, "/dev/null", 5, &other));
  assert_non_null (strstr (other->message, "Path '/dev/null' must be a block device"));
  tree_clear (&tree);
}

static void
this_process_has_threads_and_places (G_GNUC_UNUSED void **state)
{
  g_autoptr (GArray) threads = machine_threads (getpid ());
  g_autoptr (CpuSet) now = thread_get_affinity (getpid ()), nowhere = cpu_set_new ();
  g_autoptr (GError) error = NULL;

  assert_true (threads->len > 0);
  assert_non_null (machine_thread_find (threads, THREAD_EMULATOR, 0));
  assert_null (machine_thread_find (threads, THREAD_VCPU, 0));
  assert_true (thread_set_affinity (getpid (), now, NULL));
  assert_false (thread_set_affinity (getpid (), nowhere, &error));
  assert_int_equal (virt_error_code (error), VIR_ERR_SYSTEM_ERROR);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (only_groups_with_the_machines_name_are_its_own),
    cmocka_unit_test (a_controller_that_is_not_there_is_named),
    cmocka_unit_test (limits_of_version_2),
    cmocka_unit_test (limits_of_version_1),
    cmocka_unit_test (only_block_devices_are_limited),
    cmocka_unit_test (this_process_has_threads_and_places),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
