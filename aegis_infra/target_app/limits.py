"""What this process may use: the limit of its own cgroup (v2 or v1), else the configured one.

The host's total is never taken for a limit. Where both a cgroup and a setting limit the process, the lower one counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024
DEFAULT_CPU_CORES = 1.0


@dataclass(frozen=True)
class MemoryLimit:
    """`source` is "cgroup v2", "cgroup v1", "configured" or "default".

    `used_bytes` is what the limiting cgroup uses without its inactive file cache (as `docker stats` counts),
    None where no cgroup sets the limit: then the caller measures the processes themselves.
    """

    limit_bytes: int
    source: str
    used_bytes: int | None = None

    @property
    def enforced(self) -> bool:
        """Whether the kernel itself kills what grows beyond the limit."""
        return self.source.startswith("cgroup")


@dataclass(frozen=True)
class CpuLimit:
    """The allowance in cores; `source` as in MemoryLimit."""

    cores: float
    source: str


class Limits:
    """Reads the limits afresh at every call, because an engine may change them while the process runs."""

    def __init__(
        self,
        memory_bytes: int | None,
        cpu_cores: float | None,
        host_memory_bytes: int,
        cgroup_root: Path = Path("/sys/fs/cgroup"),
        own_cgroup: Path = Path("/proc/self/cgroup"),
    ) -> None:
        self._memory_bytes = memory_bytes
        self._cpu_cores = cpu_cores
        self._host_memory_bytes = host_memory_bytes
        self._root = cgroup_root
        self._own_cgroup = own_cgroup

    def memory(self) -> MemoryLimit:
        """The memory limit that is reached first."""
        found = [limit for limit in self._memory_of_cgroups() if limit.limit_bytes < self._host_memory_bytes]
        if self._memory_bytes is not None:
            found.append(MemoryLimit(self._memory_bytes, "configured"))
        return min(found, key=lambda limit: limit.limit_bytes, default=MemoryLimit(DEFAULT_MEMORY_BYTES, "default"))

    def cpu(self) -> CpuLimit:
        """The CPU allowance that is reached first."""
        found = list(self._cpu_of_cgroups())
        if self._cpu_cores is not None:
            found.append(CpuLimit(self._cpu_cores, "configured"))
        return min(found, key=lambda limit: limit.cores, default=CpuLimit(DEFAULT_CPU_CORES, "default"))

    def _memory_of_cgroups(self) -> Iterator[MemoryLimit]:
        for source, folder in self._folders("memory", "memory"):
            version = _MEMORY_FILES[source]
            limit = _number(_read(folder / version.limit))
            if limit is not None:
                yield MemoryLimit(limit, source, version.used(folder))

    def _cpu_of_cgroups(self) -> Iterator[CpuLimit]:
        for source, folder in self._folders("cpu", "cpu", "cpu,cpuacct"):
            cores = _CPU_CORES[source](folder)
            if cores is not None:
                yield CpuLimit(cores, source)

    def _folders(self, controller: str, *mounts: str) -> Iterator[tuple[str, Path]]:
        """The process's cgroup folders and their ancestors, as far as they can be seen from here."""
        own = self._own_paths()
        yield from (("cgroup v2", folder) for folder in _upwards(self._root, own.get("", "/")))
        for mount in mounts:
            yield from (("cgroup v1", folder) for folder in _upwards(self._root / mount, own.get(controller, "/")))

    def _own_paths(self) -> dict[str, str]:
        """Controller → path, from lines like `4:memory:/docker/1a2b` (v1) and `0::/docker/1a2b` (v2, under "")."""
        paths: dict[str, str] = {}
        for line in (_read(self._own_cgroup) or "").splitlines():
            _, controllers, path = line.split(":", 2)
            paths.update(dict.fromkeys(controllers.split(","), path))
        return paths


@dataclass(frozen=True)
class _MemoryFiles:
    limit: str
    usage: str
    inactive: str

    def used(self, folder: Path) -> int | None:
        usage = _number(_read(folder / self.usage))
        return None if usage is None else max(0, usage - _field(_read(folder / "memory.stat"), self.inactive))


def _cores_v2(folder: Path) -> float | None:
    quota, _, period = (_read(folder / "cpu.max") or "max").partition(" ")
    return None if quota == "max" else int(quota) / int(period)


def _cores_v1(folder: Path) -> float | None:
    quota, period = _number(_read(folder / "cpu.cfs_quota_us")), _number(_read(folder / "cpu.cfs_period_us"))
    return quota / period if quota and period and quota > 0 else None  # -1: no quota


_MEMORY_FILES = {
    "cgroup v2": _MemoryFiles("memory.max", "memory.current", "inactive_file"),
    "cgroup v1": _MemoryFiles("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
_CPU_CORES: dict[str, Callable[[Path], float | None]] = {"cgroup v2": _cores_v2, "cgroup v1": _cores_v1}


def _upwards(root: Path, path: str) -> Iterator[Path]:
    """The folder of this cgroup and its ancestors, itself first.

    In a container the path is often the host's and does not exist: then the root of the mount is the own cgroup.
    """
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    folders = (root.joinpath(*parts[:length]) for length in range(len(parts), -1, -1))
    return (folder for folder in folders if folder.is_dir())


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:  # not this cgroup version, or not visible from here
        return None


def _number(text: str | None) -> int | None:
    """None also for "max", the word for no limit."""
    return int(text) if text and text.lstrip("-").isdecimal() else None


def _field(stat: str | None, name: str) -> int:
    for line in (stat or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
