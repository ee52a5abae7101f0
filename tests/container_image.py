# SPDX-License-Identifier: LGPL-2.1-or-later
"""Container images for tests, made of Python: layers, and the forms in which images are kept."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile


def entry(name, data=b"", **fields):
    """A tar member: a file with @data, or what @fields say it is."""
    member = tarfile.TarInfo(name)
    member.mode = 0o755
    for key, value in fields.items():
        setattr(member, key, value)
    member.size = len(data)
    return member, data


def folder(name, **fields):
    return entry(name, type=tarfile.DIRTYPE, **fields)


def link(name, target, kind=tarfile.SYMTYPE):
    return entry(name, type=kind, linkname=target)


def layer(*entries, **options):
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w", format=tarfile.PAX_FORMAT, **options) as archive:
        for member, data in entries:
            archive.addfile(member, io.BytesIO(data))
    return text.getvalue()


def busybox():
    """A root with Debian's static busybox in it, two users and a group."""
    program = pathlib.Path(shutil.which("busybox")).read_bytes()
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    return layer(folder("bin"), folder("etc"), folder("tmp", mode=0o1777), entry("bin/busybox", program),
                 *(link(f"bin/{name}", "busybox") for name in applets if name != "busybox"),
                 entry("etc/passwd", b"root:x:0:0::/root:/bin/sh\nanna:x:1000:100::/home/anna:/bin/sh\n", mode=0o644),
                 entry("etc/group", b"root:x:0:\nusers:x:100:\nstaff:x:50:anna\n", mode=0o644))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(layers, **members):
    return json.dumps({"architecture": "amd64", "os": "linux", "config": members,
                       "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in layers]}}).encode()


def blobs(layers, **members):
    """The files of an image in the OCI layout, by name; the layers compressed."""
    def part(data):
        files[f"blobs/sha256/{digest(data)[7:]}"] = data
        return {"digest": digest(data), "size": len(data)}

    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    manifest = json.dumps({"schemaVersion": 2, "config": part(config(layers, **members)),
                           "layers": [part(gzip.compress(one, 1, mtime=0)) for one in layers]}).encode()
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [part(manifest)]}).encode()
    return files


def oci_directory(path, layers, **members):
    for name, data in blobs(layers, **members).items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return path


def oci_archive(path, layers, **members):
    path.write_bytes(layer(*(entry(name, data) for name, data in blobs(layers, **members).items())))
    return path


def docker_archive(path, layers, tag="test:1", **members):
    text = config(layers, **members)
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [tag], "Layers": names}]).encode()
    path.write_bytes(layer(entry("manifest.json", manifest), entry("config.json", text),
                           *(entry(name, data) for name, data in zip(names, layers))))
    return path


def kernel(directory):
    """A kernel with its modules beside it, of the package that the example's guest was made of."""
    place = directory / "kernel"
    if not place.exists():
        work = directory / f"kernel.{os.getpid()}"
        subprocess.run(["dpkg-deb", "-x", directory / "kernel.deb", work], check=True)
        work.rename(place)
    return next((place / "boot").glob("vmlinuz-*"))
