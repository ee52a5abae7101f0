# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same calls to domaind and to the real libvirtd, by libvirt's Python module, and what each said."""

import contextlib

import libvirt


def outcome(call, *arguments):
    """What it answers, or the error as clients see it: (number, domain, level, text)."""
    try:
        return call(*arguments)
    except libvirt.libvirtError as error:
        return (f"error {error.get_error_code()} of {error.get_error_domain()}, level {error.get_error_level()}",
                error.get_error_message())


@contextlib.contextmanager
def connections(uris):
    """(ours, libvirtd's)"""
    libvirt.registerErrorHandler(lambda context, error: None, None)
    with contextlib.ExitStack() as stack:
        opened = [libvirt.open(uri) for uri in uris]
        for connection in opened:
            stack.callback(connection.close)
        yield opened
