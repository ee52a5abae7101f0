/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/operation.h"
#include "daemon/domain/definition.h"
#include "targets/qemu/caps.h"

/*
 * The functions of the table of operations, one group a file. Each takes the call over: it answers it, now
 * or later, exactly once.
 */

/* ops/bundle/domain-export.c */
void op_domain_export (Call *call);

/* ops/bundle/domain-import.c */
void op_domain_import (Call *call);
void op_transfer_abort (Call *call);
void op_transfer_progress (Call *call);
/* ops/apply/apply-op.c */
void op_apply_documents (Call *call);
void op_plan_documents (Call *call);

/* ops/connect/capabilities.c */
void op_connect_get_capabilities (Call *call);
void op_connect_get_domain_capabilities (Call *call);
void op_connect_get_max_vcpus (Call *call);

/* ops/connect/connect.c */
void op_answer_empty_list (Call *call);
void op_answer_empty_list_and_count (Call *call);
void op_answer_none (Call *call);
void op_connect_get_lib_version (Call *call);
void op_connect_get_type (Call *call);
void op_connect_get_uri (Call *call);
void op_connect_get_version (Call *call);
void op_connect_is_encrypted (Call *call);
void op_connect_is_secure (Call *call);
void op_connect_supports_feature (Call *call);

/* ops/connect/missing.c */
void op_lookup_finds_none (Call *call);

/* ops/object/object-children.c */
void op_child_count_children (Call *call);
void op_child_current (Call *call);
void op_child_get_parent (Call *call);
void op_child_has_metadata (Call *call);
void op_child_is_current (Call *call);
void op_child_list_all (Call *call);
void op_child_list_all_children (Call *call);
void op_child_list_children_names (Call *call);
void op_child_lookup_by_name (Call *call);

/* ops/checkpoint/checkpoint-create.c */
void op_domain_checkpoint_create_xml (Call *call);

/* ops/checkpoint/checkpoint-delete.c */
void op_domain_checkpoint_delete (Call *call);

/* ops/checkpoint/checkpoint-xml.c */
void op_domain_checkpoint_get_xml_desc (Call *call);

/* ops/domain/domain-backup.c */
void op_domain_backup_begin (Call *call);
void op_domain_backup_get_xml_desc (Call *call);

/* ops/snapshot/snapshot-create.c */
void op_domain_snapshot_create_xml (Call *call);

/* ops/snapshot/snapshot-delete.c */
void op_domain_snapshot_delete (Call *call);

/* ops/snapshot/snapshot-list.c */
void op_domain_has_current_snapshot (Call *call);
void op_domain_snapshot_list_names (Call *call);
void op_domain_snapshot_num (Call *call);

/* ops/snapshot/snapshot-revert.c */
void op_domain_revert_to_snapshot (Call *call);

/* ops/snapshot/snapshot-xml.c */
void op_domain_snapshot_get_xml_desc (Call *call);

/* ops/connect/refusals.c */
void op_domain_fd_associate (Call *call);
void op_domain_get_launch_security_info (Call *call);
void op_domain_set_launch_security_state (Call *call);
void op_node_get_sev_info (Call *call);
void op_node_suspend_for_duration (Call *call);

/* ops/host/host-cpu-models.c */
void op_connect_baseline_cpu (Call *call);
void op_connect_baseline_hypervisor_cpu (Call *call);
void op_connect_compare_cpu (Call *call);
void op_connect_compare_hypervisor_cpu (Call *call);
void op_connect_get_cpu_model_names (Call *call);

/* ops/host/host-memory.c */
void op_node_get_free_pages (Call *call);
void op_node_get_memory_parameters (Call *call);
void op_node_set_memory_parameters (Call *call);

/* ops/host/host-pages.c */
void op_node_alloc_pages (Call *call);

/* ops/host/host-sysinfo.c */
void op_connect_get_sysinfo (Call *call);

/* ops/host/host.c */
void op_connect_get_hostname (Call *call);
void op_node_get_cells_free_memory (Call *call);
void op_node_get_cpu_map (Call *call);
void op_node_get_cpu_stats (Call *call);
void op_node_get_free_memory (Call *call);
void op_node_get_info (Call *call);
void op_node_get_memory_stats (Call *call);
void op_node_get_security_model (Call *call);

/* ops/domain/dirty-rate.c */
void op_domain_start_dirty_rate_calc (Call *call);

/* ops/domain/domain-agent-info.c */
void op_domain_get_fsinfo (Call *call);
void op_domain_get_guest_info (Call *call);
void op_domain_get_hostname (Call *call);

/* ops/domain/domain-agent-users.c */
void op_domain_authorized_ssh_keys_get (Call *call);
void op_domain_authorized_ssh_keys_set (Call *call);
void op_domain_set_user_password (Call *call);

/* ops/domain/domain-agent.c */
void op_domain_agent_command (Call *call);
void op_domain_agent_set_response_timeout (Call *call);
void op_domain_fsfreeze (Call *call);
void op_domain_fsthaw (Call *call);
void op_domain_fstrim (Call *call);
void op_domain_get_time (Call *call);
void op_domain_pm_suspend_for_duration (Call *call);
void op_domain_set_time (Call *call);

/* ops/domain/domain-autostart.c */
void op_domain_get_autostart_once (Call *call);
void op_domain_set_autostart (Call *call);
void op_domain_set_autostart_once (Call *call);

/* ops/domain/domain-bandwidth.c */
void op_domain_get_interface_parameters (Call *call);
void op_domain_set_interface_parameters (Call *call);

/* ops/domain/domain-blkio.c */
void op_domain_get_blkio_parameters (Call *call);
void op_domain_set_blkio_parameters (Call *call);

/* ops/domain/domain-block-commit.c */
void op_domain_block_commit (Call *call);

/* ops/domain/domain-block-copy.c */
void op_domain_block_copy (Call *call);

/* ops/domain/domain-block-jobs.c */
void op_domain_block_job_abort (Call *call);
void op_domain_block_job_set_speed (Call *call);
void op_domain_block_pull (Call *call);
void op_domain_block_rebase (Call *call);
void op_domain_get_block_job_info (Call *call);

/* ops/domain/domain-blocks.c */
void op_domain_block_resize (Call *call);
void op_domain_set_block_threshold (Call *call);

/* ops/domain/domain-check.c */
void op_connect_check_domain_xml (Call *call);
void op_domain_check (Call *call);

/* ops/domain/domain-last-end.c */
void op_domain_get_last_end (Call *call);

/* ops/domain/domain-console.c */
void op_domain_open_channel (Call *call);
void op_domain_open_console (Call *call);

/* ops/domain/domain-counters.c */
void op_domain_block_stats (Call *call);
void op_domain_block_stats_flags (Call *call);
void op_domain_get_block_info (Call *call);
void op_domain_get_vcpus (Call *call);
void op_domain_interface_stats (Call *call);

/* ops/domain/domain-define.c */
void op_domain_define_xml (Call *call);
void op_domain_undefine (Call *call);

/* ops/domain/domain-device.c */
void op_domain_attach_device (Call *call);
void op_domain_detach_device (Call *call);
void op_domain_update_device (Call *call);

/* ops/domain/domain-dump.c */
void op_domain_core_dump (Call *call);
void op_domain_core_dump_with_format (Call *call);

/* ops/domain/domain-graphics.c */
void op_domain_graphics_reload (Call *call);
void op_domain_open_graphics (Call *call);
void op_domain_open_graphics_fd (Call *call);
void op_domain_screenshot (Call *call);

/* ops/domain/domain-guest-vcpus.c */
void op_domain_get_guest_vcpus (Call *call);
void op_domain_set_guest_vcpus (Call *call);

/* ops/domain/domain-info.c */
void op_domain_get_control_info (Call *call);
void op_domain_get_info (Call *call);
void op_domain_get_max_memory (Call *call);
void op_domain_get_messages (Call *call);
void op_domain_get_os_type (Call *call);
void op_domain_get_source (Call *call);
void op_domain_get_state (Call *call);
void op_domain_get_xml_desc (Call *call);
void op_domain_has_managed_save_image (Call *call);
void op_domain_id (Call *call);
void op_domain_is_updated (Call *call);
void op_domain_messages (Call *call);
void op_domain_name (Call *call);
void op_domain_uuid (Call *call);

/* ops/domain/domain-iothreads.c */
void op_domain_add_iothread (Call *call);
void op_domain_del_iothread (Call *call);
void op_domain_set_iothread_params (Call *call);

/* ops/domain/domain-iotune.c */
void op_domain_get_block_io_tune (Call *call);
void op_domain_set_block_io_tune (Call *call);

/* ops/domain/domain-throttle.c */
void op_domain_set_throttle_group (Call *call);
void op_domain_del_throttle_group (Call *call);

/* ops/domain/domain-job.c */
void op_domain_abort_job (Call *call);
void op_domain_get_job_info (Call *call);
void op_domain_get_job_stats (Call *call);

/* ops/domain/domain-lifecycle.c */
void op_domain_destroy (Call *call);
void op_domain_inject_nmi (Call *call);
void op_domain_pm_wakeup (Call *call);
void op_domain_reboot (Call *call);
void op_domain_reset (Call *call);
void op_domain_resume (Call *call);
void op_domain_shutdown (Call *call);
void op_domain_suspend (Call *call);

/* ops/domain/domain-list.c */
void op_connect_list_defined_domains (Call *call);
void op_connect_list_domains (Call *call);
void op_connect_num_of_defined_domains (Call *call);
void op_connect_num_of_domains (Call *call);
void op_domain_lookup_by_id (Call *call);

/* ops/domain/domain-metadata.c */
void op_domain_get_metadata (Call *call);
void op_domain_set_metadata (Call *call);

/* ops/domain/domain-monitor.c */
void op_domain_monitor_command (Call *call);

/* ops/domain/domain-native.c */
void op_connect_domain_xml_to_native (Call *call);
void op_connect_domain_xml_from_native (Call *call);

/* ops/domain/domain-peek.c */
void op_domain_block_peek (Call *call);
void op_domain_memory_peek (Call *call);

/* ops/domain/domain-pinning.c */
void op_domain_get_emulator_pin_info (Call *call);
void op_domain_get_iothread_info (Call *call);
void op_domain_get_vcpu_pin_info (Call *call);
void op_domain_pin_emulator (Call *call);
void op_domain_pin_iothread (Call *call);
void op_domain_pin_vcpu (Call *call);

/* ops/domain/domain-rename.c */
void op_domain_rename (Call *call);

/* ops/domain/domain-reports.c */
void op_domain_get_cpu_stats (Call *call);
void op_domain_get_disk_errors (Call *call);
void op_domain_get_security_label (Call *call);
void op_domain_get_security_label_list (Call *call);
void op_domain_interface_addresses (Call *call);

/* ops/domain/domain-resources.c */
void op_domain_set_lifecycle_action (Call *call);
void op_domain_set_max_memory (Call *call);
void op_domain_set_memory (Call *call);
void op_domain_set_memory_stats_period (Call *call);

/* ops/domain/domain-restore.c */
void op_domain_restore (Call *call);
void op_domain_restore_params (Call *call);

/* ops/domain/domain-save-image.c */
void op_domain_managed_save_define_xml (Call *call);
void op_domain_managed_save_get_xml_desc (Call *call);
void op_domain_save_image_define_xml (Call *call);
void op_domain_save_image_get_xml_desc (Call *call);

/* ops/domain/domain-save.c */
void op_domain_managed_save (Call *call);
void op_domain_managed_save_remove (Call *call);
void op_domain_save (Call *call);
void op_domain_save_params (Call *call);

/* ops/domain/domain-scheduler.c */
void op_domain_get_scheduler_parameters (Call *call);
void op_domain_get_scheduler_type (Call *call);
void op_domain_set_scheduler_parameters (Call *call);

/* ops/domain/domain-send-key.c */
void op_domain_send_key (Call *call);

/* ops/domain/domain-start.c */
void op_domain_create (Call *call);
void op_domain_create_xml (Call *call);

/* ops/domain/domain-stats.c */
void op_connect_get_all_domain_stats (Call *call);

/* ops/domain/domain-tuning.c */
void op_domain_get_memory_parameters (Call *call);
void op_domain_get_numa_parameters (Call *call);
void op_domain_get_perf_events (Call *call);
void op_domain_set_memory_parameters (Call *call);
void op_domain_set_numa_parameters (Call *call);
void op_domain_set_perf_events (Call *call);

/* ops/domain/domain-vcpus.c */
void op_domain_get_max_vcpus (Call *call);
void op_domain_get_vcpus_flags (Call *call);
void op_domain_set_vcpu (Call *call);
void op_domain_set_vcpus (Call *call);

/* ops/domain/memory-statistics.c */
void op_domain_memory_stats (Call *call);

/* ops/object/object-define.c */
void op_object_set_autostart (Call *call); /* the second argument: not 0 */
void op_object_undefine (Call *call);

/* ops/object/object-history.c */
void op_object_list_revisions (Call *call); /* a kind, an object */
void op_object_get_revision (Call *call);   /* a kind, an object, a number */
void op_object_revert (Call *call);         /* the same */

/* ops/object/object-list.c */
void op_object_get_autostart (Call *call);
void op_object_is_active (Call *call);
void op_object_is_persistent (Call *call);
void op_object_list_all (Call *call);       /* need_results, flags */
void op_object_lookup_by_name (Call *call); /* a name */
void op_object_lookup_by_uuid (Call *call); /* a UUID's bytes */
void op_object_name (Call *call);
void op_object_uuid (Call *call);

/* ops/object/object-trash.c */
void op_object_discard (Call *call); /* a kind, an object, flags */
void op_trash_list (Call *call);
void op_trash_restore (Call *call); /* a number */
void op_trash_empty (Call *call);   /* numbers; none: all */

/* ops/domain/migrate-calls.c */
void op_domain_migrate_begin3 (Call *call);
void op_domain_migrate_begin3_params (Call *call);
void op_domain_migrate_confirm3 (Call *call);
void op_domain_migrate_confirm3_params (Call *call);
void op_domain_migrate_perform3 (Call *call);
void op_domain_migrate_perform3_params (Call *call);
void op_domain_migrate_to_uri3 (Call *call);

/* ops/domain/migrate-finish.c */
void op_domain_migrate_finish3 (Call *call);
void op_domain_migrate_finish3_params (Call *call);

/* ops/domain/migrate-prepare.c */
void op_domain_migrate_prepare3 (Call *call);
void op_domain_migrate_prepare3_params (Call *call);

/* ops/domain/migrate-tuning.c */
void op_domain_migrate_get_compression_cache (Call *call);
void op_domain_migrate_get_max_downtime (Call *call);
void op_domain_migrate_get_max_speed (Call *call);
void op_domain_migrate_set_compression_cache (Call *call);
void op_domain_migrate_set_max_downtime (Call *call);
void op_domain_migrate_set_max_speed (Call *call);
void op_domain_migrate_start_post_copy (Call *call);

/* ops/interface/interface.c */
void op_connect_list_all_interfaces (Call *call);
void op_connect_list_defined_interfaces (Call *call);
void op_connect_list_interfaces (Call *call);
void op_connect_num_of_defined_interfaces (Call *call);
void op_connect_num_of_interfaces (Call *call);
void op_interface_get_xml_desc (Call *call);
void op_interface_is_active (Call *call);
void op_interface_list_names (Call *call);
void op_interface_lookup_by_mac_string (Call *call);
void op_interface_lookup_by_name (Call *call);
void op_interface_mac (Call *call);
void op_interface_name (Call *call);

/* ops/interface/interface-change.c */
void op_interface_change_begin (Call *call);
void op_interface_change_commit (Call *call);
void op_interface_change_rollback (Call *call);
void op_interface_create (Call *call);
void op_interface_define_name (Call *call); /* answers its name alone */
void op_interface_define_xml (Call *call);
void op_interface_destroy (Call *call);
void op_interface_undefine (Call *call);

/* ops/network/network-define.c */
void op_network_create_xml (Call *call);
void op_network_create_xml_flags (Call *call);
void op_network_define_xml (Call *call);
void op_network_define_xml_flags (Call *call);

/* ops/network/network-leases.c */
void op_network_get_dhcp_leases (Call *call);

/* ops/network/network-list.c */
void op_connect_list_defined_networks (Call *call);
void op_connect_list_networks (Call *call);
void op_connect_num_of_defined_networks (Call *call);
void op_connect_num_of_networks (Call *call);

/* ops/network/network-metadata.c */
void op_network_get_metadata (Call *call);
void op_network_set_metadata (Call *call);

/* ops/network/network-port-parameters.c */
void op_network_port_get_parameters (Call *call);
void op_network_port_set_parameters (Call *call);

/* ops/network/network-port.c */
void op_network_list_all_ports (Call *call);
void op_network_port_create_xml (Call *call);
void op_network_port_delete (Call *call);
void op_network_port_get_xml_desc (Call *call);
void op_network_port_lookup_by_uuid (Call *call);

/* ops/network/network-update.c */
void op_network_update (Call *call);

/* ops/network/network.c */
void op_network_bridge_or_none (Call *call);
void op_network_check (Call *call);
void op_network_create (Call *call);
void op_network_destroy (Call *call);
void op_network_get_bridge_name (Call *call);
void op_network_get_source (Call *call);
void op_network_get_xml_desc (Call *call);
/* ops/nwfilter/filter-binding-ops.c */
void op_connect_list_all_nwfilter_bindings (Call *call);
void op_nwfilter_binding_create_xml (Call *call);
void op_nwfilter_binding_delete (Call *call);
void op_nwfilter_binding_get_xml_desc (Call *call);
void op_nwfilter_binding_lookup_by_port_dev (Call *call);

/* ops/nwfilter/filter-ops.c */
void op_connect_list_nwfilters (Call *call);
void op_connect_num_of_nwfilters (Call *call);
void op_nwfilter_define_xml (Call *call);
void op_nwfilter_define_xml_flags (Call *call);
void op_nwfilter_get_xml_desc (Call *call);

/* ops/secret/secret.c */
void op_connect_list_secrets (Call *call);
void op_connect_num_of_secrets (Call *call);
void op_secret_define_xml (Call *call);
void op_secret_get_value (Call *call);
void op_secret_get_xml_desc (Call *call);
void op_secret_lookup_by_usage (Call *call);
void op_secret_set_value (Call *call);
void op_secret_usage_id (Call *call);
void op_secret_usage_type (Call *call);

/* ops/storage/storage-capabilities.c */
void op_connect_find_storage_pool_sources (Call *call);
void op_connect_get_storage_pool_capabilities (Call *call);

/* ops/storage/storage-define.c */
void op_storage_pool_create_xml (Call *call);
void op_storage_pool_define_xml (Call *call);

/* ops/storage/storage-list.c */
void op_connect_list_defined_storage_pools (Call *call);
void op_connect_list_storage_pools (Call *call);
void op_connect_num_of_defined_storage_pools (Call *call);
void op_connect_num_of_storage_pools (Call *call);
void op_storage_pool_list_all_volumes (Call *call);
void op_storage_pool_list_volumes (Call *call);
void op_storage_pool_num_of_volumes (Call *call);

/* ops/storage/storage-pool.c */
void op_storage_pool_build (Call *call);
void op_storage_pool_create (Call *call);
void op_storage_pool_delete (Call *call);
void op_storage_pool_destroy (Call *call);
void op_storage_pool_get_info (Call *call);
void op_storage_pool_get_xml_desc (Call *call);
void op_storage_pool_lookup_by_target_path (Call *call);
void op_storage_pool_lookup_by_volume (Call *call);
void op_storage_pool_refresh (Call *call);

/* ops/storage/storage-volume-change.c */
void op_storage_vol_create_xml (Call *call);
void op_storage_vol_create_xml_from (Call *call);
void op_storage_vol_create_xml_from_key (Call *call);
void op_storage_vol_delete (Call *call);
void op_storage_vol_resize (Call *call);
void op_storage_vol_wipe (Call *call);
void op_storage_vol_wipe_pattern (Call *call);

/* ops/storage/storage-volume-data.c */
void op_storage_vol_download (Call *call);
void op_storage_vol_upload (Call *call);

/* ops/storage/storage-volume.c */
void op_storage_vol_get_info (Call *call);
void op_storage_vol_get_path (Call *call);
void op_storage_vol_get_xml_desc (Call *call);
void op_storage_vol_key (Call *call);
void op_storage_vol_lookup_by_key (Call *call);
void op_storage_vol_lookup_by_name (Call *call);
void op_storage_vol_lookup_by_path (Call *call);
void op_storage_vol_name (Call *call);

/* What several of them share. */

/* Capabilities of an emulator (NULL: the default one, for @arch or the host's), asked in a job where that may
 * take time; the call is failed when there is none. @then borrows the caps and takes the call over. */
void call_with_caps (Call *call, const char *emulator, const char *arch,
                     void (*then) (Call *call, QemuCaps *caps));
/* A shutdown or reboot by way of the guest's agent. */
void call_order_agent (Call *call, gboolean restart);
/* VIR_DOMAIN_VCPU_GUEST: counts that the guest's agent tells, or is told. */
void call_get_guest_vcpu_count (Call *call);
void call_set_guest_vcpu_count (Call *call);
/* A call of DOMAIN_INTERFACE_ADDRESSES whose source is the guest's agent. */
void call_ask_agent_for_addresses (Call *call);
/* What the DHCP servers of the networks of the call's domain, which runs, know of it: a call of
 * DOMAIN_INTERFACE_ADDRESSES, and one of DOMAIN_GET_HOSTNAME. In ops/domain/domain-leases.c. */
void call_answer_leased_addresses (Call *call);
void call_answer_leased_hostname (Call *call);
/* FALSE, and the call failed, unless its domain runs and its monitor can be asked. */
gboolean call_check_monitor (Call *call);

/* ops/connect/capabilities-xml.c: the documents. (transfer full) */
char *host_capabilities_xml (const GPtrArray *emulators); /* of QemuCaps, the host's own the last */
char *domain_capabilities_xml (QemuCaps *caps, const char *arch, const char *machine, const char *type,
                               GError **error);

/* VIR_DOMAIN_AFFECT_*: the definition that is meant; FALSE, and the call failed in libvirt's words, when
 * there is none. */
gboolean call_check_affect (Call *call, guint flags, DefinitionWhich *ret_which);
guint64 domain_memory_now (const Domain *domain, const DomainDef *def); /* KiB: the balloon's last word */
const QemuMachine *caps_machine_or_default (QemuCaps *caps, const char *name);
