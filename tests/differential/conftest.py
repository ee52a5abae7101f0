# SPDX-License-Identifier: LGPL-2.1-or-later

import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))

import golden  # noqa: E402
import private_libvirtd  # noqa: E402

REFERENCE = 9_000_000  # Debian 12's libvirt, the one we complete documents like


def pytest_addoption(parser):
    parser.addoption("--regenerate", action="store_true",
                     help="store libvirt's answers in tests/golden, the running machines' too (which takes minutes)")


def images():
    """Every image a golden document names, so that its machine can be started."""
    found = set()
    for name in golden.CASES:
        found.update(re.findall(r"/var/lib/libvirt/images/[a-z.0-9]+", golden.text(name, "domain.xml")))
    return found


@pytest.fixture(scope="session")
def libvirtd():
    why_not = private_libvirtd.why_not()
    if why_not:
        pytest.skip(why_not)
    with private_libvirtd.PrivateLibvirtd(images()) as daemon:
        if daemon.connection.getLibVersion() // 1_000_000 != REFERENCE // 1_000_000:
            pytest.skip(f"this host's libvirt is not {REFERENCE // 1_000_000}.x, the reference")
        yield daemon


@pytest.fixture
def uris(libvirtd, daemon):
    """(ours, libvirtd's)"""
    return (f"qemu:///session?socket={daemon.root}/run/domaind/libvirt-sock",
            f"qemu+unix:///system?socket={libvirtd.directory}/libvirt-sock")
