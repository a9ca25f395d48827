"""Which file system a path is on. Over a network, SQLite's WAL loses data: its index is shared memory."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "smbfs",
            "smb2",
            "ncpfs",
            "afs",
            "9p",
            "ceph",
            "glusterfs",
            "lustre",
        ),
        *("gpfs", "beegfs", "orangefs", "pvfs2", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph"),
        *("fuse.davfs2", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.drvfs", "drvfs", "vboxsf"),
    }
)
MOUNTS = Path("/proc/mounts")


def is_network(path: Path, mounts: Path = MOUNTS) -> bool:
    """Whether `path` is on a network file system; False where the system does not say."""
    return mount_type(path, mounts) in NETWORK


def mount_type(path: Path, mounts: Path = MOUNTS) -> str:
    """Type of the innermost mount that holds `path`, or an empty string."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        where = path.resolve()
    except OSError:
        return ""
    best, found = -1, ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # A later line with the same place hides the earlier one.
        if len(point.parts) >= best and (where == point or point in where.parents):
            best, found = len(point.parts), fields[2]
    return found


def _unescaped(text: str) -> str:
    """Blanks and the like are written in octal there."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
