# SPDX-License-Identifier: LGPL-2.1-or-later


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true",
                     help="write what we say of refused documents into their refusal.txt, for you to read and commit")
