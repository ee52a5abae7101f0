/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whose work is next. There is a record for each user that has work, in a ring: who is at its head and may
 * begin does, and goes to its end. What a user may have at a time is so little that nobody else feels it, and
 * so much that one long document holds up none of the same user's short ones.
 */
#include "daemon/core/work.h"

#include "daemon/core/main-loop.h"

typedef struct {
  char *name;
  gboolean owner;
  guint running;
  gsize bytes;    /* of what runs */
  GQueue waiting; /* Work */
} WorkUser;

typedef struct {
  WorkUser *user;
  gsize bytes;
  char *name;
  JobFunction function;
  gpointer input;
  GDestroyNotify free_input;
  JobDone done;
  gpointer data;
} Work;

static GHashTable *users;          /* by name; NULL: none has work */
static GQueue ring = G_QUEUE_INIT; /* WorkUser, each once */
static guint others_running;       /* of all but the owners */
static gsize others_bytes;
static guint all_waiting, all_running;
static guint all_max = WORK_ALL_DEFAULT;

static void begin_next (void);

static WorkUser *
user_of (const char *name, gboolean owner)
{
  WorkUser *user;

  if (users == NULL)
    users = g_hash_table_new (g_str_hash, g_str_equal);
  user = g_hash_table_lookup (users, name);
  if (user == NULL) {
    user = g_new0 (WorkUser, 1);
    user->name = g_strdup (name);
    user->owner = owner;
    g_queue_init (&user->waiting);
    g_hash_table_insert (users, user->name, user);
    g_queue_push_tail (&ring, user);
  }
  return user;
}

static void
drop_if_idle (WorkUser *user)
{
  if (user->running > 0 || user->waiting.length > 0)
    return;
  g_hash_table_remove (users, user->name);
  g_queue_remove (&ring, user);
  g_free (user->name);
  g_free (user);
  if (g_hash_table_size (users) == 0)
    g_clear_pointer (&users, g_hash_table_unref);
}

static gboolean
fits (gsize running, gsize bytes, gsize more, gsize most)
{
  return running == 0 || bytes + MIN (more, most) <= most;
}

static gboolean
may_begin (const WorkUser *user)
{
  const Work *next = g_queue_peek_head ((GQueue *)&user->waiting);

  return next != NULL && user->running < MAX (all_max / WORK_USER_SHARE, 1)
         && fits (user->running, user->bytes, next->bytes, WORK_USER_BYTES_MAX)
         && (user->owner
             || (others_running < all_max
                 && fits (others_running, others_bytes, next->bytes, WORK_ALL_BYTES_MAX)));
}

static void
count (Work *work, int sign)
{
  WorkUser *user = work->user;
  gsize bytes = sign > 0 ? work->bytes : -work->bytes;

  user->running += (guint)sign;
  user->bytes += bytes;
  all_running += (guint)sign;
  if (user->owner)
    return;
  others_running += (guint)sign;
  others_bytes += bytes;
}

static void
work_done (gpointer result, const GError *error, gpointer data)
{
  Work *work = data;

  if (work->done != NULL)
    work->done (result, error, work->data);
  if (work->free_input != NULL)
    work->free_input (work->input);
  count (work, -1);
  drop_if_idle (work->user);
  g_free (work->name);
  g_free (work);
  begin_next ();
}

static gpointer
work_run (Job *job, gpointer data, GError **error)
{
  Work *work = data;

  return work->function (job, work->input, error);
}

static void
begin (WorkUser *user)
{
  Work *work = g_queue_pop_head (&user->waiting);

  all_waiting--;
  count (work, 1);
  job_start (work->name, work_run, work, NULL, 0, work_done, work);
}

/* Once round the ring for each that begins. */
static void
begin_next (void)
{
  for (guint passed = 0; passed < ring.length;) {
    WorkUser *user = g_queue_pop_head (&ring);

    g_queue_push_tail (&ring, user);
    if (may_begin (user)) {
      begin (user);
      passed = 0;
    } else {
      passed++;
    }
  }
}

void
work_start (const char *user, gboolean owner, gsize bytes, const char *name, JobFunction function,
            gpointer input, GDestroyNotify free_input, JobDone done, gpointer data)
{
  MAIN_LOOP_ONLY ();

  Work *work = g_new0 (Work, 1);

  *work = (Work){ .user = user_of (user, owner),
                  .bytes = MIN (bytes, WORK_ALL_BYTES_MAX),
                  .name = g_strdup (name),
                  .function = function,
                  .input = input,
                  .free_input = free_input,
                  .done = done,
                  .data = data };
  all_waiting++;
  g_queue_push_tail (&work->user->waiting, work);
  begin_next ();
}

void
work_set_limit (guint all)
{
  MAIN_LOOP_ONLY ();

  all_max = all;
}

guint
work_waiting (void)
{
  return all_waiting;
}

guint
work_running (void)
{
  return all_running;
}
