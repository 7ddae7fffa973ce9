"""What a reader process may do: think for a while in limited memory; neither write a file nor speak to a network.

Memory and time are limited everywhere. The rest is what a plain user of Linux can get without help, and absent where
the kernel does not offer it: a network namespace of its own, and a Landlock rule that forbids every change to files.
"""

from __future__ import annotations

import ctypes
import os
import resource

MEMORY_BYTES = 3 * 1024**3  # address space, of which Arrow and the interpreter map about a third without using it
CPU_SECONDS = 60

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
# Landlock's rights to execute, write, remove, make and truncate files; those to read stay with the process.
_CHANGE_FILES = 0b111_1111_1111_0011
_CHANGE_FILES_BY_VERSION = {1: 0b1_1111_1111_0011, 2: 0b11_1111_1111_0011}


def confine() -> None:
    """Bind the calling process for the rest of its life. Call it before any thread starts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "unshare"):
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    if hasattr(libc, "prctl"):
        _forbid_changes_of_files(libc)


def allow_cpu_seconds(seconds: int = CPU_SECONDS) -> None:
    """Start the clock for one file: the process dies (SIGXCPU) when it computes longer."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(spent.ru_utime + spent.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _forbid_changes_of_files(libc: ctypes.CDLL) -> None:
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return
    handled = ctypes.c_uint64(_CHANGE_FILES_BY_VERSION.get(version, _CHANGE_FILES))
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if ruleset >= 0:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)
