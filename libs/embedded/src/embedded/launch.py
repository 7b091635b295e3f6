"""Become a server: leave root, end when the parent ends, then exec.

Run as a script, so that whoever starts a server needs no code between fork and exec:
`launch.py PARENT SIGNAL UID GID CAPABILITY PROGRAM [ARGUMENT...]`, with `-` where nothing is to
change. The parent's end is noticed by the kernel (prctl(2), PR_SET_PDEATHSIG), so that not even a
SIGKILL leaves a server behind. The one capability that may survive the change of user does so as
an ambient one (capabilities(7)).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522


class CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def main(arguments: list[str]) -> None:
    parent, signal_number, uid, gid, capability, *argv = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if uid != "-":
        leave_root(libc, int(uid), int(gid), None if capability == "-" else int(capability))
    # After the change of user, which would clear it.
    prctl(libc, PR_SET_PDEATHSIG, int(signal_number))
    if os.getppid() != int(parent):
        sys.exit("the starting process ended first")
    os.execve(argv[0], argv, os.environ)  # noqa: S606 - `launched` says what is run, no user does


def leave_root(libc: ctypes.CDLL, uid: int, gid: int, capability: int | None) -> None:
    if capability is not None:
        # Capabilities then outlive the change of user, and access(2) counts them for a user who is
        # not root: by access(2) PostgreSQL looks for its own binaries.
        prctl(libc, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        keep(libc, capability)


def keep(libc: ctypes.CDLL, capability: int) -> None:
    header = CapabilityHeader(LINUX_CAPABILITY_VERSION_3, 0)
    bits = 1 << capability
    sets = (CapabilitySets * 2)(CapabilitySets(bits, bits, bits), CapabilitySets(0, 0, 0))
    succeed(libc.capset(ctypes.byref(header), sets))
    prctl(libc, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def prctl(libc: ctypes.CDLL, option: int, first: int, second: int = 0) -> None:
    arguments = (ctypes.c_ulong(one) for one in (first, second, 0, 0))
    succeed(libc.prctl(option, *arguments))


def succeed(answer: int) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(sys.argv[1:])
