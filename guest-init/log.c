/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the init has to say goes to the kernel's log and so to the console: it has no other place before the
 * image's root is there, and the program's output is the program's alone.
 */
#include "init.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__ ((format (printf, 1, 0)))
say_with (const char *format, va_list arguments, const char *behind)
{
  FILE *log = fopen ("/dev/kmsg", "we");

  if (log == NULL)
    return;
  fputs ("<3>domaind: ", log);
  vfprintf (log, format, arguments);
  fprintf (log, "%s\n", behind);
  fclose (log);
}

void
say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  say_with (format, arguments, "");
  va_end (arguments);
}

void
give_up (const char *format, ...)
{
  char behind[128];
  va_list arguments;

  snprintf (behind, sizeof behind, ": %s", strerror (errno));
  va_start (arguments, format);
  say_with (format, arguments, behind);
  va_end (arguments);
  setup_power_off ();
}

void *
take (size_t size)
{
  void *memory = calloc (1, size);

  if (memory == NULL)
    give_up ("no memory");
  return memory;
}
