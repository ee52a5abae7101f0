/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the kernel's first process to a root made of the image: modules in the order in which their list has
 * them, the image read-only below, the machine's own disk above, overlayfs for both, and the folders of the
 * host that were asked for. The way back is short: everything is written, then the power goes off.
 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MODULES       "/modules/"
#define PLAN_FILE     "/sys/firmware/qemu_fw_cfg/by_name/" GUEST_PLAN_NAME "/raw"
#define DISK_PATIENCE 5000 /* ms in which a disk that is there shows itself */
#define DISK_STEP     10   /* ms */

static void
mount_at (const char *type, const char *source, const char *place, unsigned long flags, const char *options)
{
  mkdir (place, 0755);
  if (mount (source, place, type, flags, options) < 0)
    give_up ("cannot mount %s at %s", source, place);
}

static void
load_modules (void)
{
  FILE *list = fopen (MODULES "list", "re");
  char name[256];

  while (list != NULL && fgets (name, sizeof name, list) != NULL) {
    char path[sizeof MODULES + sizeof name];
    int file;

    name[strcspn (name, "\n")] = '\0';
    snprintf (path, sizeof path, MODULES "%s", name);
    file = open (path, O_RDONLY | O_CLOEXEC);
    /* One that finds no hardware of its own says so by an error, and is not missed. */
    if (file < 0 || (syscall (SYS_finit_module, file, "", 0) < 0 && errno != EEXIST && errno != ENODEV))
      say ("cannot load the module %s: %s", name, strerror (errno));
    close (file);
  }
  if (list != NULL)
    fclose (list);
}

void
setup_devices (void)
{
  mkdir ("/dev", 0755);
  if (mount ("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") < 0 && errno != EBUSY)
    give_up ("cannot mount /dev");
  mount_at ("proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mount_at ("sysfs", "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  load_modules ();
}

char *
setup_read_plan (void)
{
  FILE *file = fopen (PLAN_FILE, "re");
  char *text = take (GUEST_PLAN_MAX + 1);

  if (file == NULL)
    give_up ("cannot read the plan in " PLAN_FILE);
  text[fread (text, 1, GUEST_PLAN_MAX, file)] = '\0';
  fclose (file);
  return text;
}

/* Disks. */

static bool
has_serial (const char *disk, const char *serial)
{
  char path[320], text[64] = "";
  FILE *file;

  snprintf (path, sizeof path, "/sys/block/%.200s/serial", disk);
  file = fopen (path, "re");
  if (file == NULL)
    return false;
  if (fgets (text, sizeof text, file) == NULL)
    text[0] = '\0';
  fclose (file);
  text[strcspn (text, "\n")] = '\0';
  return strcmp (text, serial) == 0;
}

static bool
look_for_disk (const char *serial, char device[static 64])
{
  DIR *disks = opendir ("/sys/block");
  bool found = false;

  for (struct dirent *entry; disks != NULL && !found && (entry = readdir (disks)) != NULL;) {
    found = entry->d_name[0] != '.' && has_serial (entry->d_name, serial);
    snprintf (device, 64, "/dev/%.50s", entry->d_name);
  }
  if (disks != NULL)
    closedir (disks);
  return found && access (device, F_OK) == 0;
}

static void
find_disk (const char *serial, char device[static 64])
{
  const struct timespec step = { .tv_nsec = DISK_STEP * 1000000 };

  for (int waited = 0; waited < DISK_PATIENCE; waited += DISK_STEP) {
    if (look_for_disk (serial, device))
      return;
    nanosleep (&step, NULL);
  }
  errno = ENODEV;
  give_up ("there is no disk %s", serial);
}

/* The root. */

/* Creates the folders of @path. */
static void
make_folders (char *path)
{
  for (char *at = path + 1; *at != '\0'; at++) {
    if (*at != '/')
      continue;
    *at = '\0';
    mkdir (path, 0755);
    *at = '/';
  }
}

/* "TYPE:TAG:ro|rw:PATH", in the new root already. */
static void
mount_volume (char *volume)
{
  char *rest = NULL;
  const char *type = strtok_r (volume, ":", &rest);
  const char *tag = strtok_r (NULL, ":", &rest);
  const char *access = strtok_r (NULL, ":", &rest);
  char path[4096];
  bool is_9p = type != NULL && strcmp (type, "9p") == 0;

  if (access == NULL || rest == NULL || *rest != '/')
    return;
  snprintf (path, sizeof path, "%s/", rest);
  make_folders (path);
  if (mount (tag, rest, type, MS_NODEV | MS_NOSUID | (strcmp (access, "ro") == 0 ? MS_RDONLY : 0),
             is_9p ? "trans=virtio,version=9p2000.L,msize=131072,cache=mmap" : NULL)
      < 0)
    give_up ("cannot mount the volume at %s by %s", rest, type);
}

static void
write_file (const char *path, const char *text)
{
  FILE *file = fopen (path, "we");

  if (file == NULL)
    return;
  fputs (text, file);
  fclose (file);
}

static void
set_names (const Plan *plan)
{
  const char *name = plan->hostname != NULL ? plan->hostname : "localhost";
  char hosts[512];

  if (sethostname (name, strlen (name)) < 0)
    say ("the host name '%s': %s", name, strerror (errno));
  mkdir ("/etc", 0755);
  snprintf (hosts, sizeof hosts, "%s\n", name);
  write_file ("/etc/hostname", hosts);
  snprintf (hosts, sizeof hosts, "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n", name);
  write_file ("/etc/hosts", hosts);
}

static void
move_folder (const char *from, const char *to)
{
  mkdir (to, 0755);
  if (mount (from, to, NULL, MS_MOVE, NULL) < 0)
    give_up ("cannot move %s to %s", from, to);
}

void
setup_root (const Plan *plan)
{
  char image[64], layer[64];

  find_disk (GUEST_IMAGE_SERIAL, image);
  find_disk (GUEST_LAYER_SERIAL, layer);
  mount_at ("squashfs", image, "/image", MS_RDONLY, NULL);
  mount_at ("ext4", layer, "/layer", MS_NOATIME, NULL);
  mkdir ("/layer/upper", 0755);
  mkdir ("/layer/work", 0755);
  mount_at ("overlay", "overlay", "/root", 0, "lowerdir=/image,upperdir=/layer/upper,workdir=/layer/work");
  move_folder ("/dev", "/root/dev");
  move_folder ("/proc", "/root/proc");
  move_folder ("/sys", "/root/sys");
  if (chdir ("/root") < 0 || mount (".", "/", NULL, MS_MOVE, NULL) < 0 || chroot (".") < 0 || chdir ("/") < 0)
    give_up ("cannot make the image the root");
  mount_at ("devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666");
  mount_at ("tmpfs", "shm", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
  if (symlink ("/proc/self/fd", "/dev/fd") < 0 || symlink ("/proc/self/fd/0", "/dev/stdin") < 0
      || symlink ("/proc/self/fd/1", "/dev/stdout") < 0 || symlink ("/proc/self/fd/2", "/dev/stderr") < 0)
    say ("a link in /dev: %s", strerror (errno));
  mkdir ("/tmp", 01777);
  set_names (plan);
  for (size_t i = 0; i < plan->volume_count; i++)
    mount_volume (plan->volumes[i]);
}

void
setup_power_off (void)
{
  sync ();
  reboot (RB_POWER_OFF);
  for (;;)
    pause ();
}
