# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pacemaker's VirtualDomain agent, as the cluster runs it: actions by their name, parameters in the environment."""

import pathlib
import re

import pytest
from lxml import etree

from host import URI, host, little_linux, needs  # noqa: F401

AGENT = "/usr/lib/ocf/resource.d/heartbeat/VirtualDomain"
NOT_INSTALLED, NOT_CONFIGURED, NOT_RUNNING = 5, 6, 7  # OCF_ERR_INSTALLED, OCF_ERR_CONFIGURED, OCF_NOT_RUNNING

pytestmark = needs(AGENT, "resource-agents")

# Pacemaker's own command, which the agent tells what a machine needs; here it only writes down what it was told.
CRM_RESOURCE = """#!/bin/sh
case "$*" in *" -p "*" -v "*) echo "$5=$7" >> "$HA_RSCTMP/utilization" ;; esac
"""


@pytest.fixture
def agent(host, tmp_path):
    document = tmp_path / "ha.xml"
    # No q35: the agent validates what it saves with libvirt 9.0's schema, which knows no watchdog of that chipset.
    document.write_text(host.linux("ha").replace("machine='q35'", "machine='pc'"))
    command = tmp_path / "bin" / "crm_resource"
    command.parent.mkdir()
    command.write_text(CRM_RESOURCE)
    command.chmod(0o755)

    def run(action, status=0, **parameters):
        environment = {
            "PATH": f"{command.parent}:/usr/sbin:/usr/bin:/sbin:/bin", "OCF_ROOT": "/usr/lib/ocf", "HA_RSCTMP": str(tmp_path),
            "OCF_RESOURCE_INSTANCE": "ha", "OCF_RESKEY_config": str(document), "OCF_RESKEY_hypervisor": URI,
            "OCF_RESKEY_CRM_meta_timeout": "90000", "PCMK_logfile": str(tmp_path / "pacemaker.log")}
        environment.update({f"OCF_RESKEY_{name}": value for name, value in parameters.items()})
        return host.run(AGENT, action, status=status, env=environment)

    run.host = host
    run.document = document
    run.directory = tmp_path
    return run


def test_start_monitor_stop(agent):
    agent("validate-all")
    agent("monitor", status=NOT_RUNNING)
    agent("start")
    agent("monitor")
    agent("status")
    agent("start")  # of a running one: nothing to do
    assert list(agent.host.daemon.machines()) == ["ha"]

    agent.host.console("ha", "guest: ready")  # from now on it hears the power button
    agent("stop", CRM_shutdown_mode="acpi")
    assert agent.host.daemon.machines() == {}
    agent("monitor", status=NOT_RUNNING)
    agent("stop")  # of a stopped one: nothing to do
    assert "shutting down" in agent.host.daemon.log()


def test_what_a_machine_needs_is_told_to_the_cluster(agent):
    agent("start")
    agent("monitor")
    told = (agent.directory / "utilization").read_text().split()
    assert {"cpu=1", "host_memory=128", "hv_memory=128"} == set(told)
    agent("stop", force_stop="true")


def test_forced_stop_of_a_guest_that_does_not_listen(agent):
    agent("start")
    agent.host.virsh("suspend", "ha")
    agent("monitor")  # a paused machine is a running one to the cluster
    agent("stop", force_stop="true")
    agent("monitor", status=NOT_RUNNING)
    assert agent.host.daemon.machines() == {}


def test_a_definition_left_by_others_is_taken_away_before_the_start(agent):
    agent.host.virsh("define", agent.document)
    agent("start")
    assert agent.host.virsh("list", "--persistent", "--name") == ""
    agent("stop", force_stop="true")
    assert agent.host.virsh("list", "--all", "--name") == ""


def test_the_running_definition_is_saved_to_the_file(agent):
    agent("start")
    agent("stop", save_config_on_stop="true", force_stop="false", CRM_meta_timeout="6000")
    saved = agent.document.read_text()
    assert re.search(r"^\s*<name>ha</name>\s*$", saved, re.MULTILINE)
    assert re.search(r"^\s*<emulator>/usr/bin/qemu-system-x86_64</emulator>$", saved, re.MULTILINE)
    agent("start")
    agent("stop", force_stop="true")


def test_the_emulator_is_found_without_the_daemon(agent):
    agent("start")
    agent("monitor")  # remembers the emulator's name
    pid = agent.host.daemon.machines()["ha"]
    assert "guest=ha," in pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    agent.host.daemon.kill()
    agent("monitor")  # asks ps

    agent.host.daemon.start()
    agent("stop", force_stop="true")
    agent.host.daemon.kill()
    agent("monitor", status=NOT_RUNNING)
    assert agent.host.daemon.machines() == {}


def test_what_it_says_of_itself(agent):
    described = etree.fromstring(agent("meta-data").encode())
    assert described.get("name") == "VirtualDomain"
    assert {"start", "stop", "monitor", "migrate_to", "migrate_from"} <= {
        action.get("name") for action in described.iter("action")}


@pytest.mark.parametrize("config, status, said", [
    ("/nowhere/ha.xml", NOT_INSTALLED, "/nowhere/ha.xml does not exist"),
    ("", NOT_CONFIGURED, "required parameter not set"),
])
def test_parameters_are_checked(agent, config, status, said):
    assert said in agent("start", status=status, config=config)
    assert agent.host.daemon.machines() == {}


def test_what_monitor_scripts_find(agent, tmp_path):
    script = tmp_path / "look"
    script.write_text(f"#!/bin/sh\ntest -e {tmp_path}/well || {{ echo the service is silent; exit 3; }}\n")
    script.chmod(0o755)
    agent("start")
    assert "the service is silent" in agent("monitor", status=1, monitor_scripts=str(script))
    (tmp_path / "well").touch()
    agent("monitor", monitor_scripts=f"/bin/true {script}")
    agent("stop", force_stop="true")
    agent("monitor", status=NOT_RUNNING, monitor_scripts=str(script))


def test_stop_saves_the_machine_and_start_restores_it(agent, tmp_path):
    """With a directory for "snapshots" nothing is shut down: the guest goes on where it was."""
    snapshots = tmp_path / "snapshots"
    snapshots.mkdir()
    agent("start", snapshot=str(snapshots))
    agent.host.console("ha", "guest: ready")
    agent("stop", snapshot=str(snapshots))
    assert agent.host.daemon.machines() == {}
    assert (snapshots / "ha.state").stat().st_size > 1 << 20

    agent("start", snapshot=str(snapshots))
    assert not (snapshots / "ha.state").exists()
    assert agent.host.virsh("domstate", "ha", "--reason") == "running (restored)"
    agent("monitor", snapshot=str(snapshots))
    agent("stop", force_stop="true")


def test_migration_to_the_same_host_is_refused_and_the_machine_runs_on(agent):
    other = f"qemu:///system?socket={agent.host.daemon.root}/run/domaind/libvirt-sock"
    agent("start")
    said = agent("migrate_to", status=1, remoteuri=other, CRM_meta_migrate_target="elsewhere")
    assert "live migration to elsewhere failed" in said
    assert "Attempt to migrate guest to the same host" in said
    agent("monitor")
    agent("stop", force_stop="true")
