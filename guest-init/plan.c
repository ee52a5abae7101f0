/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plan: a line of KEY=VALUE words that says what is to be run (image/guest-wire.h).
 */
#include "init.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static int
digit (char c)
{
  const char *digits = "0123456789ABCDEF";
  const char *found = c != '\0' ? strchr (digits, c) : NULL;

  return found != NULL ? (int)(found - digits) : -1;
}

/* In place: it only gets shorter. */
static void
decode (char *text)
{
  char *to = text;

  for (; *text != '\0'; text++, to++) {
    if (*text == '%' && digit (text[1]) >= 0 && digit (text[2]) >= 0) {
      *to = (char)(digit (text[1]) * 16 + digit (text[2]));
      text += 2;
    } else {
      *to = *text;
    }
  }
  *to = '\0';
}

static void
add (char **list, size_t *count, size_t limit, char *value)
{
  if (*count < limit)
    list[(*count)++] = value;
}

static void
read_word (Plan *plan, const char *key, char *value)
{
  if (strcmp (key, "arg") == 0)
    add (plan->arguments, &plan->argument_count, PLAN_WORDS_MAX, value);
  else if (strcmp (key, "env") == 0)
    add (plan->environment, &plan->environment_count, PLAN_WORDS_MAX, value);
  else if (strcmp (key, "volume") == 0)
    add (plan->volumes, &plan->volume_count, PLAN_VOLUMES_MAX, value);
  else if (strcmp (key, "dir") == 0)
    plan->directory = value;
  else if (strcmp (key, "user") == 0)
    plan->user = value;
  else if (strcmp (key, "hostname") == 0)
    plan->hostname = value;
  else if (strcmp (key, "stdin") == 0)
    plan->input = true;
  else if (strcmp (key, "tty") == 0)
    plan->terminal = true;
  else if (strcmp (key, "wait") == 0)
    plan->wait = true;
  else if (strcmp (key, "stop") == 0 && atoi (value) > 0 && atoi (value) < NSIG)
    plan->stop_signal = atoi (value);
}

Plan *
plan_read (char *text)
{
  Plan *plan = take (sizeof *plan);
  char *rest = NULL;

  plan->stop_signal = SIGTERM;
  for (char *word = strtok_r (text, " \n", &rest); word != NULL; word = strtok_r (NULL, " \n", &rest)) {
    char *value = strchr (word, '=');

    if (value == NULL)
      continue;
    *value++ = '\0';
    decode (value);
    read_word (plan, word, value);
  }
  if (plan->argument_count > 0)
    return plan;
  free (plan);
  return NULL;
}

void
plan_inherit (Plan *plan, const Plan *from)
{
  char *own[PLAN_WORDS_MAX];
  size_t count = plan->environment_count;

  memcpy (own, plan->environment, count * sizeof *own);
  plan->environment_count = 0;
  for (size_t i = 0; i < from->environment_count; i++)
    add (plan->environment, &plan->environment_count, PLAN_WORDS_MAX, from->environment[i]);
  for (size_t i = 0; i < count; i++) /* the later of two of the same name counts */
    add (plan->environment, &plan->environment_count, PLAN_WORDS_MAX, own[i]);
  if (plan->directory == NULL)
    plan->directory = from->directory;
  if (plan->user == NULL)
    plan->user = from->user;
  plan->hostname = from->hostname;
}
