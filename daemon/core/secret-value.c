/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pages of their own for each value: locking and leaving out of dumps are properties of pages, and values are
 * few. Where locking is refused (a session's limit), the value is still dumped and inherited by nobody.
 */
#include "daemon/core/secret-value.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct SecretValue {
  gint ref_count;
  guint8 *pages;
  gsize size, length;
};

SecretValue *
secret_value_new_empty (gsize capacity)
{
  gsize page = (gsize)sysconf (_SC_PAGESIZE);
  SecretValue *value = g_new0 (SecretValue, 1);

  value->ref_count = 1;
  value->size = (MAX (capacity, 1) + page - 1) / page * page;
  value->pages = mmap (NULL, value->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (value->pages == MAP_FAILED)
    g_error ("no memory for a secret of %" G_GSIZE_FORMAT " bytes: %s", capacity, g_strerror (errno));
  if (mlock (value->pages, value->size) < 0)
    g_debug ("the memory of a secret cannot be locked: %s", g_strerror (errno));
  if (madvise (value->pages, value->size, MADV_DONTDUMP) < 0
      || madvise (value->pages, value->size, MADV_DONTFORK) < 0)
    g_warning ("the memory of a secret cannot be kept out of dumps: %s", g_strerror (errno));
  return value;
}

SecretValue *
secret_value_new (gconstpointer bytes, gsize length)
{
  SecretValue *value = secret_value_new_empty (length);

  if (length > 0)
    memcpy (value->pages, bytes, length);
  value->length = length;
  return value;
}

guint8 *
secret_value_room (SecretValue *value)
{
  return value->pages;
}

void
secret_value_set_length (SecretValue *value, gsize length)
{
  g_return_if_fail (length <= value->size);
  value->length = length;
}

SecretValue *
secret_value_ref (SecretValue *value)
{
  g_atomic_int_inc (&value->ref_count);
  return value;
}

void
secret_value_unref (SecretValue *value)
{
  if (value == NULL || !g_atomic_int_dec_and_test (&value->ref_count))
    return;
  explicit_bzero (value->pages, value->size);
  munmap (value->pages, value->size);
  g_free (value);
}

const guint8 *
secret_value_bytes (const SecretValue *value)
{
  return value->pages;
}

gsize
secret_value_length (const SecretValue *value)
{
  return value->length;
}
