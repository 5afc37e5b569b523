"""Reads the ELF files themselves: are the hardening flags in what we ship?"""
from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from support.daemon import BUILD

PROGRAMS = sorted([*BUILD.glob("bin/*"), *(path for path in BUILD.glob("libexec/sandpool/*") if path.is_file())])

ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH, DT_TEXTREL, DT_FLAGS, DT_FLAGS_1 = 1, 5, 15, 29, 22, 30, 0x6FFFFFFB
DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 0x8, 0x1, 0x08000000
PF_X, PF_W = 1, 2
ENDBR64 = b"\xf3\x0f\x1e\xfa"


class Segment(NamedTuple):
    kind: int
    flags: int
    offset: int
    address: int
    size: int


class Elf:
    """As much of a 64-bit little-endian ELF file as the checks below need."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        assert self.data[:6] == b"\x7fELF\x02\x01", f"{path} is not a 64-bit ELF file"
        self.type, = struct.unpack_from("<H", self.data, 16)
        start, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        self.segments = [self._segment(start + i * size) for i in range(count)]
        self.dynamic = self._dynamic()

    def _segment(self, at: int) -> Segment:
        kind, flags, offset, address, _, size = struct.unpack_from("<IIQQQQ", self.data, at)
        return Segment(kind, flags, offset, address, size)

    def of_kind(self, kind: int) -> list[Segment]:
        return [segment for segment in self.segments if segment.kind == kind]

    def _dynamic(self) -> dict[int, int]:
        segment, = self.of_kind(PT_DYNAMIC)
        content = self.data[segment.offset:segment.offset + segment.size]
        return dict(struct.iter_unpack("<qQ", content))

    def has_symbol(self, name: bytes) -> bool:
        return b"\0" + name + b"\0" in self.data or b"\0" + name + b"@" in self.data


@pytest.fixture(params=PROGRAMS or [None], ids=lambda path: path.name if path else "nothing built")
def elf(request: pytest.FixtureRequest) -> Elf:
    if request.param is None:
        pytest.skip(f"nothing is built in {BUILD} (scripts/build)")
    return Elf(request.param)


def test_every_program_is_there() -> None:
    names = {path.name for path in PROGRAMS}
    if not names:
        pytest.skip(f"nothing is built in {BUILD} (scripts/build)")
    assert {"sandboxd", "sandpool", "sandboxd-broker", "sandboxd-front", "sandboxd-session", "sandboxd-worker"} <= names


def test_it_is_position_independent(elf: Elf) -> None:
    assert elf.type == ET_DYN and elf.of_kind(PT_INTERP) and elf.dynamic.get(DT_FLAGS_1, 0) & DF_1_PIE


def test_its_relocations_are_read_only_and_bound_at_the_start(elf: Elf) -> None:
    assert elf.of_kind(PT_GNU_RELRO)
    assert elf.dynamic.get(DT_FLAGS, 0) & DF_BIND_NOW or elf.dynamic.get(DT_FLAGS_1, 0) & DF_1_NOW
    assert DT_TEXTREL not in elf.dynamic


def test_its_stack_cannot_be_executed(elf: Elf) -> None:
    stack, = elf.of_kind(PT_GNU_STACK)
    assert not stack.flags & PF_X


def test_no_segment_is_writable_and_executable(elf: Elf) -> None:
    assert not [segment for segment in elf.segments if segment.kind == PT_LOAD and segment.flags & PF_X and segment.flags & PF_W]


def test_it_has_stack_protection_and_fortified_calls(elf: Elf) -> None:
    assert elf.has_symbol(b"__stack_chk_fail")
    assert b"_chk@" in elf.data or b"_chk\0" in elf.data.replace(b"__stack_chk_fail", b"")


def test_its_functions_are_marked_for_control_flow_enforcement(elf: Elf) -> None:
    """The note that a kernel would look for is missing: Debian's start files are built without it."""
    assert sum(elf.data.count(ENDBR64, segment.offset, segment.offset + segment.size)
               for segment in elf.of_kind(PT_LOAD) if segment.flags & PF_X) > 10


def test_it_searches_libraries_in_the_usual_places_only(elf: Elf) -> None:
    assert DT_RPATH not in elf.dynamic and DT_RUNPATH not in elf.dynamic
