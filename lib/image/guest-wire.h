/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What domctl and the init of a machine that runs an image (guest/) say to each other. No code, so that the
 * init, which is linked statically and has nothing but the C library, can read it as well.
 *
 * What is to be run is a line of words "KEY=VALUE" with %XX for every byte that is no letter, digit or one of
 * -._~/ : in the machine's document it is the fw_cfg entry GUEST_PLAN_NAME, to an exec port it is said in a
 * GUEST_START. Keys: "arg" and "env" (again for each), "dir", "user", "hostname", "stdin", "tty" and "wait"
 * (1), "stop" (a signal's number), "volume" (TYPE:TAG:ro|rw:PATH).
 *
 * Each virtio-serial port carries one conversation of frames: a byte of GuestFrame, three of 0, the payload's
 * length in four bytes, the lowest first, and the payload. A client begins with GUEST_HELLO and sixteen bytes
 * of its own choice, which come back: what it reads before them was for the client before it.
 */
#define GUEST_PLAN_NAME    "opt/org.domaind/run"
#define GUEST_PLAN_MAX     (96 * 1024) /* bytes; Linux takes words of 128 KiB on a command line */
#define GUEST_MAIN_PORT    "org.domaind.run"
#define GUEST_LOG_PORT     "org.domaind.log"
#define GUEST_STATUS_PORT  "org.domaind.status"
#define GUEST_EXEC_PORT    "org.domaind.exec." /* and a number */
#define GUEST_EXEC_PORTS   4
#define GUEST_IMAGE_SERIAL "domaind-image"
#define GUEST_LAYER_SERIAL "domaind-layer"
#define GUEST_HELLO_BYTES  16
#define GUEST_HEADER_BYTES 8
#define GUEST_FRAME_MAX    (128 * 1024)

typedef enum {
  GUEST_HELLO = 1,
  GUEST_START,     /* to an exec port: the plan */
  GUEST_INPUT,     /* bytes of standard input */
  GUEST_INPUT_END, /* nothing */
  GUEST_SIGNAL,    /* one byte: its number */
  GUEST_SIZE,      /* of the terminal: rows and columns, two bytes each */
  GUEST_OUTPUT = 64,
  GUEST_ERROR_OUTPUT,
  GUEST_FAILED, /* why the program could not be started, in words; GUEST_EXIT follows */
  GUEST_EXIT,   /* one byte: the status, as a shell has it */
} GuestFrame;
