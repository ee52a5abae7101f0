# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's virtnbdbackup: full, incremental and differential backups of a machine, and a machine made of them."""
