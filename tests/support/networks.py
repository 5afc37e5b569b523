"""Networks of a test's own: a namespace that stands for the machine, with a neighbour to talk to."""
from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager
from typing import Iterator

NEIGHBOUR, MACHINE = "203.0.113.1", "203.0.113.2"
# The neighbour has these too.
FAR, PRIVATE, METADATA = "198.51.100.1", "10.1.1.1", "169.254.169.254"
NAMES = {"near.test": NEIGHBOUR, "far.test": FAR}
PORT = 4711

CLONE_NEWNET = 0x40000000

# The daemon gets a mount namespace in which anybody may open /dev/net/tun, and with a resolver of the test's.
WITH_EGRESS = ["unshare", "--mount", "sh", "-c",
               'mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && '
               'mount -t tmpfs none /run/lock && echo "nameserver 203.0.113.1" >/run/lock/resolv.conf && '
               'mount --bind /run/lock/resolv.conf /etc/resolv.conf && exec "$@"', "sh"]
WITHOUT_TUN = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"]
WITH_CLOSED_TUN = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && '
                   'mknod -m 600 /dev/net/tun c 10 200 && exec "$@"', "sh"]


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "network namespace")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)


class Network:
    """A namespace of its own; the calling thread is in it within `with network.entered()`."""

    def __init__(self) -> None:
        with self._kept():
            _checked(_libc().unshare(CLONE_NEWNET))
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            _ip("link set lo up")

    @contextmanager
    def _kept(self) -> Iterator[None]:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield
        finally:
            _checked(_libc().setns(before, CLONE_NEWNET))
            os.close(before)

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self._kept():
            _checked(_libc().setns(self.fd, CLONE_NEWNET))
            yield

    def close(self) -> None:
        os.close(self.fd)


def _serve_tcp(server: socket.socket, greeting: bytes) -> None:
    """Greets, then sends back what comes."""
    def serve(peer: socket.socket) -> None:
        with peer:
            peer.sendall(greeting)
            while data := peer.recv(65536):
                peer.sendall(data)

    while True:
        try:
            peer, _ = server.accept()
        except OSError:  # closed
            return
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


def _serve_udp(server: socket.socket) -> None:
    while True:
        try:
            data, peer = server.recvfrom(65536)
            if not peer:  # shut down
                return
            server.sendto(data, peer)
        except OSError:
            return


def _answer_name(question: bytes) -> bytes:
    """To one question for an A record (RFC 1035)."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode())
        at += 1 + question[at]
    end = at + 5
    address = NAMES.get(".".join(labels).lower())
    of_type_a = question[at + 1:at + 3] == b"\0\1"
    code = 0 if address else 3
    found = address is not None and of_type_a
    header = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, int(found), 0, 0)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(address or NEIGHBOUR)
    return header + question[12:end] + (answer if found else b"")


def _serve_names(server: socket.socket) -> None:
    while True:
        try:
            question, peer = server.recvfrom(4096)
            if not peer:
                return
            server.sendto(_answer_name(question), peer)
        except OSError:
            return


class Neighbourhood:
    """The machine's network and the neighbour's, with servers on every address of both."""

    def __init__(self) -> None:
        self.machine, self.neighbour = Network(), Network()
        self.sockets: list[socket.socket] = []
        with self.neighbour.entered():
            inside = f"/proc/{os.getpid()}/fd/{self.neighbour.fd}"
            with self.machine.entered():
                _ip(f"link add outward type veth peer name inward netns {inside}")
            _ip("link set inward up", f"address add {NEIGHBOUR}/24 dev inward",
                *(f"address add {address}/32 dev inward" for address in (FAR, PRIVATE, METADATA)))
            self._serve(b"neighbour\n")
            names = self._socket(socket.SOCK_DGRAM, NEIGHBOUR, 53)
            threading.Thread(target=_serve_names, args=(names,), daemon=True).start()
        with self.machine.entered():
            _ip("link set outward up", f"address add {MACHINE}/24 dev outward", f"route add default via {NEIGHBOUR}")
            self._serve(b"machine\n")

    def _socket(self, kind: int, address: str, port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        self.sockets.append(made)
        made.bind((address, port))
        return made

    def _serve(self, greeting: bytes) -> None:
        tcp = self._socket(socket.SOCK_STREAM, "0.0.0.0", PORT)
        tcp.listen(64)
        udp = self._socket(socket.SOCK_DGRAM, "0.0.0.0", PORT)
        threading.Thread(target=_serve_tcp, args=(tcp, greeting), daemon=True).start()
        threading.Thread(target=_serve_udp, args=(udp,), daemon=True).start()

    def close(self) -> None:
        for one in self.sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)  # wakes its thread
            except OSError:
                pass
            one.close()
        self.machine.close()
        self.neighbour.close()
