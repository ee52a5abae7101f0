/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What QEMU tells unasked: kept while nobody listens, then handed on in order, and never more of it than the
 * daemon can bear. Many events are the guest's to cause (it resets, it opens and closes its end of a
 * channel), and a QEMU that was taken over says what it likes. Each costs the main loop writes and messages
 * to clients. So a second has room for some hundred; beyond that, what says the same of the same thing as one
 * that waits takes its place, and what waits is handed on when the second is over. The last word is always
 * heard: only what it has overtaken is dropped, and the log says how much.
 */
#include "daemon/drivers/qemu/qmp-private.h"

static void
notice_free (gpointer data)
{
  QmpNotice *notice = data;

  g_free (notice->event);
  g_free (notice->key);
  g_clear_pointer (&notice->arguments, json_object_unref);
  g_free (notice);
}

static void
hand_on (Qmp *qmp, const QmpNotice *notice)
{
  if (notice->event == NULL) {
    if (qmp->handlers->ready != NULL)
      qmp->handlers->ready (qmp, qmp->data);
  } else if (qmp->handlers->event != NULL) {
    qmp->handlers->event (qmp, notice->event, notice->arguments, notice->microseconds, qmp->data);
  }
}

/* All that waits, as long as somebody listens. */
static void
hand_on_all (Qmp *qmp)
{
  QmpNotice *notice;

  if (qmp->handlers != NULL && qmp->by_key != NULL)
    g_hash_table_remove_all (qmp->by_key);
  while (qmp->handlers != NULL && (notice = g_queue_pop_head (&qmp->notices)) != NULL) {
    hand_on (qmp, notice);
    notice_free (notice);
  }
}

static gboolean
second_is_over (gpointer data)
{
  Qmp *qmp = data;

  qmp->flood_timer = 0;
  if (qmp->dropped > 0)
    g_warning (
        "a machine's QEMU sends more than %d events a second: %u that others had overtaken are dropped",
        QMP_EVENTS_A_SECOND, qmp->dropped);
  qmp->dropped = 0;
  qmp_ref (qmp);
  hand_on_all (qmp);
  qmp_unref (qmp);
  return G_SOURCE_REMOVE;
}

static const char *
text_of (JsonObject *arguments, const char *name)
{
  const char *text = untrusted_text (arguments, name);

  return text != NULL ? text : "";
}

/* Of two events with one key, the later one makes the earlier one needless. (transfer full) */
static char *
key_of (const char *event, JsonObject *arguments)
{
  static const char *const states_of_devices[] = { "DEVICE_TRAY_MOVED", "VSERPORT_CHANGE", NULL };
  static const char *const values[] = { "BALLOON_CHANGE", "RTC_CHANGE", NULL };
  g_autofree char *text = NULL;

  if (g_str_equal (event, "STOP") || g_str_equal (event, "RESUME"))
    return g_strdup ("runs");
  if (g_strv_contains (values, event) || arguments == NULL)
    return g_strdup (event);
  if (g_strv_contains (states_of_devices, event))
    return g_strconcat (event, " ", text_of (arguments, "id"), NULL);
  text = json_object_text (arguments);
  return g_strconcat (event, " ", text, NULL);
}

/* TRUE: it is to wait. */
static gboolean
is_too_many (Qmp *qmp)
{
  gint64 now = g_get_monotonic_time ();

  if (now - qmp->second_began >= G_USEC_PER_SEC) {
    qmp->second_began = now;
    qmp->events_in_second = 0;
  }
  return qmp->flood_timer != 0 || ++qmp->events_in_second > QMP_EVENTS_A_SECOND;
}

/* What is told first may be that the conversation is ready. */
static GList *
first_event (Qmp *qmp)
{
  GList *first = qmp->notices.head;

  return ((const QmpNotice *)first->data)->event != NULL ? first : first->next;
}

/* Takes @notice, behind all that wait; the one it overtakes goes. */
static void
let_wait (Qmp *qmp, QmpNotice *notice)
{
  GList *overtaken;

  if (qmp->by_key == NULL)
    qmp->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  notice->key = key_of (notice->event, notice->arguments);
  overtaken = g_hash_table_lookup (qmp->by_key, notice->key);
  if (overtaken == NULL && g_queue_get_length (&qmp->notices) >= QMP_MAX_EVENTS)
    overtaken = first_event (qmp); /* of so many things nothing true speaks */
  if (overtaken != NULL) {
    QmpNotice *old = overtaken->data;

    if (old->key != NULL)
      g_hash_table_remove (qmp->by_key, old->key);
    g_queue_delete_link (&qmp->notices, overtaken);
    notice_free (old);
    qmp->dropped++;
  }
  g_queue_push_tail (&qmp->notices, notice);
  g_hash_table_insert (qmp->by_key, notice->key, qmp->notices.tail);
}

void
qmp_notice (Qmp *qmp, const char *event, JsonObject *arguments, gint64 microseconds)
{
  QmpNotice *notice = g_new0 (QmpNotice, 1);

  notice->event = g_strdup (event);
  notice->arguments = arguments;
  notice->microseconds = microseconds;

  if (event != NULL && is_too_many (qmp)) {
    let_wait (qmp, notice);
    if (qmp->flood_timer == 0)
      qmp->flood_timer = g_timeout_add (QMP_FLOOD_MILLISECONDS, second_is_over, qmp);
  } else if (qmp->handlers == NULL && g_queue_get_length (&qmp->notices) < QMP_MAX_EVENTS) {
    g_queue_push_tail (&qmp->notices, notice);
  } else {
    if (qmp->handlers != NULL)
      hand_on (qmp, notice);
    notice_free (notice);
  }
}

void
qmp_notices_flush (Qmp *qmp)
{
  hand_on_all (qmp);
}

void
qmp_notices_clear (Qmp *qmp)
{
  if (qmp->flood_timer != 0)
    g_source_remove (qmp->flood_timer);
  qmp->flood_timer = 0;
  g_clear_pointer (&qmp->by_key, g_hash_table_unref);
  g_queue_clear_full (&qmp->notices, notice_free);
}
