"""Records by key in one file that only grows: the index's memory on disk.

A record is a head (mark, length, key, checksums) and its bytes. A process that is killed while it writes
leaves a torn tail, which is ignored and written over; a record that was damaged later is as good as
absent. Writers take turns by a lock on a file beside it; readers need none. The file is a cache: what is
not in it is made anew, so a file that can't be read or written is as good as an empty one.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_MARK = b"rec1"
#: mark, length of the bytes, key, checksum of the bytes; then the checksum of these.
_HEAD = struct.Struct("<4sI32sI")
_SUM = struct.Struct("<I")
_SIZE = _HEAD.size + _SUM.size
#: Heads are read in pieces of this size.
_READ = 1 << 20


class Records:
    """Bytes by key (32 bytes). Any thread, and any number of processes, may read and write.

    Args:
        limit: bytes of the file, beyond which its older half is dropped.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._file: int | None = None
        self._end = 0
        self._places: dict[bytes, tuple[int, int, int]] = {}  # key → offset of the bytes, length, checksum
        self._uses = 0
        self._used: dict[bytes, int] = {}  # key → when this process last read or wrote it

    def read(self, keys: list[bytes]) -> dict[bytes, bytes]:
        """Those that are there."""
        with self._lock, contextlib.suppress(OSError):
            self._look()
            self._use(keys)
            return {key: found for key in keys if (found := self._bytes(key)) is not None}
        return {}

    def write(self, records: Mapping[bytes, bytes]) -> None:
        """Append what is not there yet."""
        with self._lock, contextlib.suppress(OSError), self._alone():
            self._look()
            new = {key: data for key, data in records.items() if key not in self._places}
            if not new:
                return
            self._use(new)
            block = b"".join(_record(key, data) for key, data in new.items())
            if self._end + len(block) > self._limit:
                self._drop_older(len(block))
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.ftruncate(descriptor, self._end)  # a torn tail
                _write_all(descriptor, block, self._end)
            finally:
                os.close(descriptor)
            self._look()

    def close(self) -> None:
        with self._lock:
            self._forget()

    # -- under the lock

    def _use(self, keys: Iterable[bytes]) -> None:
        self._uses += 1
        self._used.update(dict.fromkeys(keys, self._uses))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        import fcntl

        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _forget(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._end, self._places = None, 0, {}

    def _look(self) -> None:
        """Read the heads of what has come since the last look, of the file that now has the name."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            self._forget()
            return
        if self._file is not None:
            ours = os.fstat(self._file)
            if (ours.st_ino, ours.st_dev) != (now.st_ino, now.st_dev) or now.st_size < self._end:
                self._forget()
        if self._file is None:
            self._file = os.open(self._path, os.O_RDONLY)
        buffer, start = b"", 0  # a piece of the file, and its offset
        while self._end + _SIZE <= now.st_size:
            if not start <= self._end <= start + len(buffer) - _SIZE:
                buffer, start = os.pread(self._file, _READ, self._end), self._end
                if len(buffer) < _SIZE:
                    return
            at = self._end - start
            head = buffer[at : at + _HEAD.size]
            mark, length, key, checksum = _HEAD.unpack(head)
            (head_sum,) = _SUM.unpack_from(buffer, at + _HEAD.size)
            if mark != _MARK or head_sum != zlib.crc32(head) or self._end + _SIZE + length > now.st_size:
                return
            self._places[key] = (self._end + _SIZE, length, checksum)
            self._end += _SIZE + length

    def _bytes(self, key: bytes) -> bytes | None:
        place = self._places.get(key)
        if place is None or self._file is None:
            return None
        offset, length, checksum = place
        data = os.pread(self._file, length, offset)
        if len(data) != length or zlib.crc32(data) != checksum:
            del self._places[key]  # damaged: whoever needs it makes it anew
            return None
        return data

    def _drop_older(self, coming: int) -> None:
        """Make the file anew, up to half of the limit: what was used last here, then what is newest."""
        room = self._limit // 2 - coming
        kept: list[bytes] = []
        for key in sorted(self._places, key=lambda k: (-self._used.get(k, 0), -self._places[k][0])):
            room -= _SIZE + self._places[key][1]
            if room < 0:
                break
            kept.append(key)
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as file:
            for key in reversed(kept):
                if (data := self._bytes(key)) is not None:
                    file.write(_record(key, data))
        beside.replace(self._path)
        self._look()


def _record(key: bytes, data: bytes) -> bytes:
    head = _HEAD.pack(_MARK, len(data), key, zlib.crc32(data))
    return head + _SUM.pack(zlib.crc32(head)) + data


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
