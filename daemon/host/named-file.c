/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The system's calls with a name in them, each in a thread that can be left behind. */
#include "daemon/host/named-file.h"

#include "daemon/core/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef enum { ACT_OPEN, ACT_STAT, ACT_UNLINK } Act;

typedef struct {
  Act act;
  char *path;
  int flags;
  mode_t mode;
} Request;

typedef struct {
  int result, problem;
  struct stat status;
} Result;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->path);
  g_free (request);
}

/* A result that nobody waits for. */
static void
result_free (gpointer data)
{
  Result *result = data;

  if (result->result > 0)
    close (result->result);
  g_free (result);
}

static gpointer
act (gpointer input, G_GNUC_UNUSED GError **error)
{
  const Request *request = input;
  Result *result = g_new0 (Result, 1);

  switch (request->act) {
    case ACT_OPEN:
      result->result = open (request->path, request->flags, request->mode);
      break;
    case ACT_STAT:
      result->result = stat (request->path, &result->status);
      break;
    case ACT_UNLINK:
    default:
      result->result = unlink (request->path);
      break;
  }
  result->problem = errno;
  return result;
}

static int
run (Act what, const char *path, int flags, mode_t mode, struct stat *ret_status)
{
  Request *request = g_new0 (Request, 1);
  g_autoptr (GError) late = NULL;
  g_autofree Result *result = NULL;

  *request = (Request){ what, g_strdup (path), flags, mode };
  result = blocking_run (act, request, request_free, result_free, &late);
  if (result == NULL) {
    errno = ETIMEDOUT;
    return -1;
  }
  if (ret_status != NULL)
    *ret_status = result->status;
  errno = result->problem;
  return result->result;
}

int
named_file_open (const char *path, int flags, mode_t mode)
{
  return run (ACT_OPEN, path, flags, mode, NULL);
}

int
named_file_stat (const char *path, struct stat *ret_status)
{
  return run (ACT_STAT, path, 0, 0, ret_status);
}

int
named_file_unlink (const char *path)
{
  return run (ACT_UNLINK, path, 0, 0, NULL);
}
