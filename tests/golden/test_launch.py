# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents as launch configs of hypervisors that take JSON: the stored ones, against the hypervisors' own schemas and
what their readers demand besides.

    launch/CASE/domain.xml      the document
    launch/CASE/TARGET.json     what it becomes; absent where it is refused
    launch/CASE/TARGET.txt      what is lost, what has to be done before, and the command
"""

import json
import pathlib
import re
import subprocess

import golden
import jsonschema
import pytest
import yaml

FOLDER = golden.FOLDER / "launch"
FACTS = golden.TOP / "tests" / "facts"
LAUNCH = golden.build_directory() / "tests" / "launch"
SCHEMAS = {"firecracker": "#/definitions/FullVmConfiguration", "cloud-hypervisor": "#/components/schemas/VmConfig"}
CASES = sorted(path.parent.name for path in FOLDER.glob("*/domain.xml"))
CONFIGS = sorted((path.parent.name, path.stem) for path in FOLDER.glob("*/*.json"))


def launch(case, target, *options):
    return subprocess.run([LAUNCH, *options, target, "domain.xml"], cwd=FOLDER / case, capture_output=True, text=True,
                          check=False)


def stored(path):
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("target", SCHEMAS)
@pytest.mark.parametrize("case", CASES)
def test_config(case, target, request):
    result = launch(case, target, "--drop")
    config, losses = FOLDER / case / f"{target}.json", FOLDER / case / f"{target}.txt"
    if request.config.getoption("--accept"):
        losses.write_text(result.stderr)
        if result.returncode == 0:
            config.write_text(result.stdout)
        else:
            config.unlink(missing_ok=True)
    assert result.stdout == stored(config)
    assert result.stderr == losses.read_text()
    assert (result.returncode == 0) == config.exists()


@pytest.mark.parametrize("target", SCHEMAS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_lost_is_refused(case, target):
    """Without --drop, at the same places."""
    lost = re.findall(r"^\S+: (?:warning|error): .*", stored(FOLDER / case / f"{target}.txt"), re.MULTILINE)
    result = launch(case, target)
    if lost:
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.splitlines() == [line.replace(": warning: ", ": error: ", 1) for line in lost]
    else:
        assert (result.returncode, result.stdout) == (0, stored(FOLDER / case / f"{target}.json"))


def strict(schema):
    """No member that the schema does not name, as the readers have it."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: strict(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def schema_of(target):
    document = yaml.safe_load((FACTS / f"{target}.yaml").read_text())
    parts = {name: strict(document[name]) for name in ("definitions", "components") if name in document}
    return {"$ref": SCHEMAS[target], **parts}


@pytest.mark.parametrize("case, target", CONFIGS)
def test_config_fits_the_schema(case, target):
    config = json.loads(stored(FOLDER / case / f"{target}.json"))
    jsonschema.Draft4Validator(schema_of(target)).validate(config)


def everything(value):
    yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(part)


def of_target(target):
    return [(case, json.loads(stored(FOLDER / case / f"{target}.json"))) for case, name in CONFIGS if name == target]


@pytest.mark.parametrize("case, config", of_target("firecracker"))
def test_firecracker_reads_it(case, config):
    """The rules of its reader that the schema does not have."""
    assert {"boot-source", "drives"} <= set(config)
    assert None not in list(everything(config))
    ids = [drive["drive_id"] for drive in config["drives"]]
    ids += [card["iface_id"] for card in config.get("network-interfaces", [])]
    ids += [pmem["id"] for pmem in config.get("pmem", [])]
    assert [name for name in ids if not re.fullmatch(r"[A-Za-z0-9_]+", name)] == []
    assert len(ids) == len(set(ids))
    roots = [drive["is_root_device"] for drive in config["drives"]]
    assert sum(roots) <= 1 and not any(roots[1:])
    assert len(config["boot-source"]["boot_args"].encode()) <= 2047
    machine = config["machine-config"]
    assert not machine["smt"] or machine["vcpu_count"] == 1 or machine["vcpu_count"] % 2 == 0
    for drive in config["drives"]:
        if "socket" in drive:
            assert set(drive) == {"drive_id", "is_root_device", "cache_type", "socket"}
        else:
            assert {"path_on_host", "is_read_only"} <= set(drive)


@pytest.mark.parametrize("case, config", of_target("cloud-hypervisor"))
def test_cloud_hypervisor_reads_it(case, config):
    assert None not in list(everything(config))
    payload, cpus, memory = config["payload"], config["cpus"], config["memory"]
    assert ("kernel" in payload) != ("firmware" in payload)
    assert cpus["boot_vcpus"] <= cpus["max_vcpus"]
    if topology := cpus.get("topology"):
        product = 1
        for count in topology.values():
            product *= count
        assert product == cpus["max_vcpus"]
        assert topology["threads_per_core"] <= 2
    assert (memory["size"] == 0) == ("zones" in memory)
    zones = {zone["id"] for zone in memory.get("zones", [])}
    assert {name for node in config.get("numa", []) for name in node["memory_zones"]} <= zones
    assert [config[name]["mode"] for name in ("serial", "console")] != ["Tty", "Tty"]
    assert [card for card in config.get("net", []) if card["num_queues"] % 2 or card["num_queues"] < 2] == []
    assert [disk for disk in config.get("disks", []) if disk.get("num_queues", 1) > cpus["max_vcpus"]] == []
    ids = [part["id"] for part in everything(config) if isinstance(part, dict) and "id" in part]
    assert len(ids) == len(set(ids)) and not [name for name in ids if name.startswith("__")]
    if "fs" in config:
        assert memory.get("shared")
