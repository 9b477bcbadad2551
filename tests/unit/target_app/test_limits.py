"""The app's limits, read from made-up cgroup trees."""

from pathlib import Path

import pytest

from aegis_infra.target_app.limits import CpuLimit, Limits, MemoryLimit

MIB = 1024 * 1024
HOST_BYTES = 16 * 1024 * MIB
NO_LIMIT_V1 = "9223372036854771712"


class Tree:
    """A cgroup file system in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "cgroup"
        self.root.mkdir()
        self.own = folder / "own"
        self.own.write_text("0::/\n")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def limits(self, memory_bytes: int | None = None, cores: float | None = None) -> Limits:
        return Limits(memory_bytes, cores, HOST_BYTES, self.root, self.own)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_v2_container_is_limited_by_its_own_cgroup_and_inactive_file_cache_does_not_count(tree: Tree) -> None:
    tree.write("memory.max", str(192 * MIB))
    tree.write("memory.current", str(100 * MIB))
    tree.write("memory.stat", f"anon 1\ninactive_file {30 * MIB}\nactive_file 2")
    tree.write("cpu.max", "50000 100000")

    assert tree.limits().memory() == MemoryLimit(192 * MIB, "cgroup v2", 70 * MIB)
    assert tree.limits().memory().enforced
    assert tree.limits().cpu() == CpuLimit(0.5, "cgroup v2")


def test_a_v1_container_that_sees_its_host_path_is_limited_by_the_root_of_its_mount(tree: Tree) -> None:
    tree.own.write_text("12:cpu,cpuacct:/docker/1a2b\n4:memory:/docker/1a2b\n0::/system.slice\n")
    tree.write("memory/memory.limit_in_bytes", str(128 * MIB))
    tree.write("memory/memory.usage_in_bytes", str(90 * MIB))
    tree.write("memory/memory.stat", f"inactive_file 1\ntotal_inactive_file {10 * MIB}")
    tree.write("cpu,cpuacct/cpu.cfs_quota_us", "150000")
    tree.write("cpu,cpuacct/cpu.cfs_period_us", "100000")

    assert tree.limits().memory() == MemoryLimit(128 * MIB, "cgroup v1", 80 * MIB)
    assert tree.limits().cpu() == CpuLimit(1.5, "cgroup v1")


def test_the_limit_of_a_parent_cgroup_counts_when_it_is_lower(tree: Tree) -> None:
    tree.own.write_text("0::/shop/web\n")
    tree.write("shop/web/memory.max", "max")
    tree.write("shop/memory.max", str(300 * MIB))
    tree.write("shop/memory.current", str(60 * MIB))

    assert tree.limits().memory() == MemoryLimit(300 * MIB, "cgroup v2", 60 * MIB)


@pytest.mark.parametrize("unlimited", [NO_LIMIT_V1, str(HOST_BYTES), str(2 * HOST_BYTES)])
def test_a_limit_as_large_as_the_host_is_no_limit(tree: Tree, unlimited: str) -> None:
    tree.own.write_text("4:memory:/\n3:cpu:/\n")
    tree.write("memory/memory.limit_in_bytes", unlimited)
    tree.write("memory/memory.usage_in_bytes", str(90 * MIB))
    tree.write("cpu/cpu.cfs_quota_us", "-1")
    tree.write("cpu/cpu.cfs_period_us", "100000")

    assert tree.limits().memory().source == "default"
    assert tree.limits(memory_bytes=64 * MIB).memory() == MemoryLimit(64 * MIB, "configured")
    assert tree.limits(cores=0.25).cpu() == CpuLimit(0.25, "configured")


def test_without_any_limit_a_small_default_counts_and_never_the_host(tree: Tree) -> None:
    tree.write("memory.max", "max")
    tree.write("cpu.max", "max 100000")

    assert tree.limits().memory() == MemoryLimit(256 * MIB, "default")
    assert tree.limits().cpu() == CpuLimit(1.0, "default")
    assert not tree.limits().memory().enforced


def test_without_cgroups_the_configured_limit_counts(tree: Tree) -> None:
    tree.own.unlink()

    assert tree.limits(memory_bytes=64 * MIB).memory() == MemoryLimit(64 * MIB, "configured")


@pytest.mark.parametrize(("configured", "source"), [(100 * MIB, "configured"), (500 * MIB, "cgroup v2")])
def test_of_a_cgroup_and_a_setting_the_lower_one_counts(tree: Tree, configured: int, source: str) -> None:
    tree.write("memory.max", str(200 * MIB))
    tree.write("memory.current", str(50 * MIB))

    assert tree.limits(memory_bytes=configured).memory().source == source


def test_a_limit_that_was_raised_while_the_app_runs_is_seen(tree: Tree) -> None:
    limits = tree.limits()
    tree.write("memory.max", str(128 * MIB))
    before = limits.memory().limit_bytes
    tree.write("memory.max", str(192 * MIB))

    assert (before, limits.memory().limit_bytes) == (128 * MIB, 192 * MIB)


def test_a_path_that_leads_out_of_the_cgroup_tree_is_not_followed(tree: Tree) -> None:
    tree.own.write_text("0::/../outside\n")
    outside = tree.folder / "outside"
    outside.mkdir()
    (outside / "memory.max").write_text(str(10 * MIB))

    assert tree.limits().memory().source == "default"
