/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"

typedef enum { CHANNEL_NONE, CHANNEL_GUESTFWD, CHANNEL_VIRTIO, CHANNEL_XEN } ChannelTarget;
typedef enum { CHANNEL_STATE_NONE, CHANNEL_STATE_CONNECTED, CHANNEL_STATE_DISCONNECTED } ChannelState;

#define CHANNEL_OF_AGENT "org.qemu.guest_agent.0" /* the name by which a guest's agent finds its channel */

typedef struct {
  Device device;
  Chardev source;
  int target;            /* ChannelTarget */
  char *forward_address; /* guestfwd: where the guest connects to */
  Number forward_port;
  char *name; /* virtio: "org.qemu.guest_agent.0" */
  int state;  /* ChannelState: live only */
} DeviceChannel;

extern const DeviceKind channel_kind;
extern const EnumTable channel_targets, channel_states;
