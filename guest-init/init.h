/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "image/guest-wire.h"

/*
 * PID 1 of a machine that runs a container image. All of it is one thread; what cannot be done is said on the
 * console, and where it is needed the machine is switched off with the status 125.
 */

/* log.c */
void say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
/* Says it, with errno's words, and switches the machine off. */
void give_up (const char *format, ...) __attribute__ ((format (printf, 1, 2), noreturn));
void *take (size_t size); /* zeroed memory, never NULL */

/* plan.c */
#define PLAN_WORDS_MAX   4096
#define PLAN_VOLUMES_MAX 32

typedef struct {
  char *arguments[PLAN_WORDS_MAX + 1];
  char *environment[PLAN_WORDS_MAX + 4]; /* with room for what every program has */
  char *volumes[PLAN_VOLUMES_MAX];
  size_t argument_count, environment_count, volume_count;
  char *directory, *user, *hostname;
  bool input, terminal, wait;
  int stop_signal;
} Plan;

/* NULL: no plan. The text is changed and kept: the plan's words are parts of it. */
Plan *plan_read (char *text);
/* What an exec's plan leaves open is as the image's program has it. */
void plan_inherit (Plan *plan, const Plan *from);

/* setup.c */
void setup_devices (void); /* /dev, /proc, /sys, modules */
char *setup_read_plan (void);
void setup_root (const Plan *plan); /* the image is / from then on */
void setup_power_off (void) __attribute__ ((noreturn));

/* network.c */
void network_start (void); /* has an address, or said that nobody gave one */

/* process.c */
typedef struct {
  pid_t pid;
  int input, output, errors; /* ours; a terminal is both of the first, and -1 the last */
  const char *why;           /* pid is -1: it could not be started, and status is what a shell would say */
  int status;
} Process;

void process_start (const Plan *plan, Process *ret_process);

/* port.c */
typedef struct Port Port;
struct Port {
  char name[64];
  int fd; /* -1: there is no such port */
  bool connected;
  uint8_t *in, *out;
  size_t in_length, out_start, out_length;
};

#define PORT_OUT_HIGH (64 * 1024) /* bytes waiting, from which on no more is to be asked for */

void port_open (Port *port, const char *name);
/* Looks whether somebody is at the other end; true when that has changed. */
bool port_check (Port *port);
/* A frame; nothing when nobody is there. */
void port_send (Port *port, GuestFrame type, const void *bytes, size_t length);
void port_send_raw (Port *port, const void *bytes, size_t length);
void port_flush (Port *port);                /* what goes out without waiting */
void port_finish (Port *port, int patience); /* all of it, within so many milliseconds */
/* Reads what there is; then port_next gives frames until it is false. The payload is good until the next
 * call. */
void port_fill (Port *port);
bool port_next (Port *port, GuestFrame *ret_type, const uint8_t **ret_bytes, size_t *ret_length);

/* session.c */
void sessions_run (Plan *plan) __attribute__ ((noreturn));
