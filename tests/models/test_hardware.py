"""The machine is read as it is: containers bound it, hyper-threads count once, load is felt."""

import os
import platform
from pathlib import Path

import pytest

from vidcli.models.hardware import count_free_cores, read_cpu, read_free_disk, read_memory

linux = pytest.mark.skipif(platform.system() != "Linux", reason="reads the Linux kernel's files")

X86 = "processor\t: 0\nmodel name\t: Some CPU @ 2.4GHz\nflags\t\t: fpu avx2 avx512f avx512_bf16\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd bf16\n"
MEMINFO = "MemTotal:       16000000 kB\nMemFree: 1000000 kB\nMemAvailable:    8000000 kB\n"


def write(root: Path, **files: str) -> Path:
    """Lay out kernel files; `__` in a name stands for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def machine(root: Path, *, cores: int, threads: int, cpuinfo: str = X86) -> Path:
    """A machine of `cores` cores of `threads` hyper-threads each."""
    write(root, proc__cpuinfo=cpuinfo, proc__meminfo=MEMINFO)
    for cpu in range(cores * threads):
        siblings = ",".join(str(cpu % cores + cores * n) for n in range(threads))
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    return root


@pytest.fixture
def idle(monkeypatch):
    """Set the number of logical processors, and how many of them this process may use."""

    def set_up(logical: int, *, allowed: int | None = None) -> None:
        monkeypatch.setattr(os, "cpu_count", lambda: logical)
        chosen = set(range(allowed or logical))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: chosen, raising=False)

    return set_up


@linux
def test_name_and_flags_of_x86_and_arm(tmp_path, idle):
    idle(4)
    x86 = read_cpu(machine(tmp_path / "x86", cores=4, threads=1))
    assert x86.name == "Some CPU @ 2.4GHz"
    assert x86.multiplies_bf16
    arm = read_cpu(machine(tmp_path / "arm", cores=4, threads=1, cpuinfo=ARM))
    assert arm.name == platform.machine()
    assert "bf16" in arm.flags
    assert not arm.multiplies_bf16


@linux
def test_hyper_threads_count_once_and_affinity_bounds(tmp_path, idle):
    root = machine(tmp_path, cores=4, threads=2)
    idle(8)
    assert read_cpu(root).physical_cores == 4
    idle(8, allowed=3)
    assert read_cpu(root).physical_cores == 3


def ticks(*busy: int, since: int = 0) -> str:
    """`/proc/stat` after 100 ticks, of which each processor was busy for so many."""
    lines = ["cpu  0 0 0 0 0 0 0 0 0 0"]
    for number, n in enumerate(busy):
        lines.append(f"cpu{number} {1000 + n} 0 0 {since + 100 - n} 0 0 0 0 0 0")
    return "\n".join([*lines, "intr 1 2 3", ""])


@linux
@pytest.mark.parametrize(
    ("busy", "free"),
    [((0, 0, 0, 0), 4), ((100, 0, 10, 0), 3), ((30, 30, 30, 30), 3), ((100, 100, 100, 100), 1)],
)
def test_cores_others_use_are_not_free(tmp_path, idle, busy, free):
    idle(4)
    root = machine(tmp_path, cores=4, threads=1)
    stat = root / "proc/stat"
    stat.write_text(ticks(0, 0, 0, 0, since=-100))
    assert count_free_cores(root, wait=lambda _s: stat.write_text(ticks(*busy))) == free


@linux
def test_only_processors_this_process_may_use_count(tmp_path, idle):
    idle(4, allowed=2)
    root = machine(tmp_path, cores=4, threads=1)
    stat = root / "proc/stat"
    stat.write_text(ticks(0, 0, 0, 0, since=-100))
    now = ticks(0, 0, 100, 100)
    assert count_free_cores(root, wait=lambda _s: stat.write_text(now)) == 2


@linux
def test_clock_that_stands_still_counts_as_idle(tmp_path, idle):
    idle(4)
    root = machine(tmp_path, cores=4, threads=1)
    (root / "proc/stat").write_text(ticks(50, 50, 50, 50))
    assert count_free_cores(root, wait=lambda _s: None) == 4


@linux
@pytest.mark.parametrize(("quota", "free"), [("200000 100000", 2), ("50000 100000", 1), ("max", 8)])
def test_cpu_quota_of_a_cgroup_v2_bounds(tmp_path, idle, quota, free):
    idle(8)
    root = machine(tmp_path, cores=8, threads=1)
    write(root, proc__self__cgroup="0::/box/inner\n", sys__fs__cgroup__box__inner__x="")
    (root / "sys/fs/cgroup/box/cpu.max").write_text(quota + "\n")  # the parent's limit counts
    assert count_free_cores(root) == free


@linux
def test_cpu_quota_of_a_cgroup_v1_bounds(tmp_path, idle):
    idle(8)
    root = machine(tmp_path, cores=8, threads=1)
    write(root, proc__self__cgroup="3:cpu,cpuacct:/box\n2:memory:/other\n")
    folder = root / "sys/fs/cgroup/cpu/box"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("300000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert count_free_cores(root) == 3


@linux
def test_memory_is_the_smaller_of_machine_and_container(tmp_path):
    root = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/box\n")
    assert read_memory(root).total == 16_000_000 * 1024
    assert read_memory(root).available == 8_000_000 * 1024
    box = root / "sys/fs/cgroup/box"
    box.mkdir(parents=True)
    (box / "memory.max").write_text("4000000000\n")
    (box / "memory.current").write_text("3000000000\n")
    (box / "memory.stat").write_text("anon 1\ninactive_file 500000000\n")
    assert read_memory(root).total == 4_000_000_000
    assert read_memory(root).available == 1_500_000_000
    (box / "memory.max").write_text("max\n")
    assert read_memory(root).total == 16_000_000 * 1024


@linux
def test_memory_limit_of_a_cgroup_v1_and_its_word_for_none(tmp_path):
    root = write(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="4:memory:/box\n")
    box = root / "sys/fs/cgroup/memory/box"
    box.mkdir(parents=True)
    (box / "memory.limit_in_bytes").write_text("2000000000\n")
    (box / "memory.usage_in_bytes").write_text("1500000000\n")
    (box / "memory.stat").write_text("total_inactive_file 0\n")
    assert read_memory(root).available == 500_000_000
    (box / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert read_memory(root).available == 8_000_000 * 1024


@linux
def test_this_machine_has_a_core_and_memory():
    assert read_cpu().physical_cores >= 1
    assert 1 <= count_free_cores() <= read_cpu().physical_cores
    assert 0 < read_memory().available <= read_memory().total


def test_free_disk_of_a_path_that_is_not_there_yet(tmp_path):
    assert read_free_disk(tmp_path / "a" / "b") > 0


def test_mac_is_read_by_its_own_programs(tmp_path, monkeypatch):
    answers = {
        "machdep.cpu.brand_string": "Apple M3",
        "hw.perflevel0.physicalcpu": "4",
        "hw.memsize": "8589934592",
        "hw.pagesize": "16384",
        "hw.optional.AdvSIMD": "1",
    }
    cases = "\n".join(f'{name}) echo "{value}";;' for name, value in answers.items())
    pages = "Mach Virtual Memory Statistics:\nPages free: 1000.\nPages inactive: 2000.\n"
    for program, body in (
        ("sysctl", f'case "$2" in\n{cases}\n*) exit 1;;\nesac'),
        ("vm_stat", f"printf '{pages}'"),
    ):
        (tmp_path / program).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    cpu, memory = read_cpu(), read_memory()
    assert (cpu.name, cpu.physical_cores) == ("Apple M3", 4)
    assert not cpu.multiplies_bf16
    assert (memory.total, memory.available) == (8589934592, 3000 * 16384)
