"""The machine as a model sees it: cores that are free, memory, disk, what the processor can do.

Containers count: affinity, CPU quota and memory limit of the cgroup (v1 and v2) bound what the
machine has. Not here: graphics cards, which llama.cpp finds by itself.
"""

import math
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
WATCH_S = 0.1  # ten clock ticks of each processor
NEVER_LIMITED = 2**60  # cgroup v1 writes a number near 2**63 for "no limit"


@dataclass(frozen=True, slots=True)
class Cpu:
    """A processor.

    Attributes:
        name: As it calls itself, such as `AMD EPYC 9554P`; the architecture where it does not.
        flags: Instruction sets, in Linux's spelling (`avx2`, `avx512_bf16`, `asimd`, `bf16`).
        physical_cores: This process may run on; hyper-threads of one core count once.
    """

    name: str
    flags: frozenset[str]
    physical_cores: int

    @property
    def multiplies_bf16(self) -> bool:
        """Whether llama.cpp computes in bf16 here faster than in f16.

        It has bf16 dot products for AVX512_BF16 only; on other processors, ARM ones with bf16
        included, it widens each value and is slower than with f16.
        """
        return "avx512_bf16" in self.flags


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of memory in all and free to take, within the container's limit."""

    total: int
    available: int


def read_cpu(root: Path = ROOT) -> Cpu:
    """Find out what the processor is.

    Args:
        root: Of the file system that holds `proc` and `sys`.
    """
    if platform.system() == "Darwin":
        return _read_mac_cpu()
    name, flags = _parse_cpuinfo(_read(root / "proc/cpuinfo"))
    return Cpu(name or platform.machine(), flags, _physical_cores(root))


def count_free_cores(root: Path = ROOT, *, wait: Callable[[float], object] = time.sleep) -> int:
    """How many threads to compute with: physical cores that others leave idle, at least 1.

    More threads than free cores are slower than one thread, since they wait for each other at
    every layer: 2 threads with one core taken took 1.4 times as long as 1 thread. Idleness is
    watched for a tenth of a second; the load average would still count our own run of a minute
    ago. On macOS all performance cores count as free.

    Args:
        root: Of the file system that holds `proc` and `sys`.
        wait: Sleeps for so many seconds.
    """
    cores = read_cpu(root).physical_cores
    before = _idle_ticks(root)
    if before:
        wait(WATCH_S)
    idle = _idle_share(before, _idle_ticks(root))
    return max(1, min(round(cores * idle), _quota_cores(root)))


def read_memory(root: Path = ROOT) -> Memory:
    """Memory in all and available, the smaller of the machine's and the container's."""
    if platform.system() == "Darwin":
        return _read_mac_memory()
    lines = (line.split() for line in _read(root / "proc/meminfo").splitlines())
    kib = {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1}
    total = kib.get("MemTotal", 0) * 1024
    available = kib.get("MemAvailable", kib.get("MemFree", 0)) * 1024
    for limit, used in _memory_limits(root):
        total = min(total, limit)
        available = min(available, max(limit - used, 0))
    return Memory(total, available)


def read_free_disk(path: Path) -> int:
    """Bytes free where `path` is or would be made."""
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free


def _parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Name and flags from Linux's `/proc/cpuinfo`, x86 or ARM."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip().lower(), value.strip())
    flags = fields.get("flags") or fields.get("features") or ""
    return fields.get("model name", ""), frozenset(flags.split())


def _physical_cores(root: Path) -> int:
    """Distinct cores among the logical ones this process may run on."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    topology = root / "sys/devices/system/cpu"
    siblings = [_read(topology / f"cpu{n}/topology/thread_siblings_list") for n in allowed]
    if allowed and all(siblings):
        return len(set(siblings))
    return len(allowed) or os.cpu_count() or 1


def _idle_ticks(root: Path) -> dict[str, tuple[int, int]]:
    """Idle and all clock ticks so far of each processor this process may run on."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    names = {f"cpu{n}" for n in allowed}
    ticks = {}
    for line in _read(root / "proc/stat").splitlines():
        name, *counts = line.split()
        if name in names and len(counts) > 4:
            numbers = [int(count) for count in counts]
            ticks[name] = numbers[3] + numbers[4], sum(numbers[:8])  # idle and waiting for a disk
    return ticks


def _idle_share(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> float:
    """Share of the time between two counts that processors were idle; 1 where none passed."""
    both = before.keys() & after.keys()
    idle = sum(after[name][0] - before[name][0] for name in both)
    total = sum(after[name][1] - before[name][1] for name in both)
    return min(max(idle / total, 0.0), 1.0) if total > 0 else 1.0


def _quota_cores(root: Path) -> int:
    """Whole cores the cgroup's CPU quota allows, at least 1; very many where there is none."""
    cores = [math.inf]
    for folder in _cgroup_folders(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us").strip()
            period = _read(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            cores.append(int(quota) / int(period))
    least = min(cores)
    return 2**31 if math.isinf(least) else max(1, math.floor(least))


def _memory_limits(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use, in bytes, of every cgroup this process is in; cached files count as free."""
    names = (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    )
    for folder in _cgroup_folders(root, "memory"):
        for limit_name, used_name, cached_name in names:
            limit, used = _read(folder / limit_name).strip(), _read(folder / used_name).strip()
            if not (limit.isdigit() and used.isdigit()) or int(limit) >= NEVER_LIMITED:
                continue
            stat = dict(line.split()[:2] for line in _read(folder / "memory.stat").splitlines())
            yield int(limit), max(int(used) - int(stat.get(cached_name, 0)), 0)


def _cgroup_folders(root: Path, controller: str) -> Iterator[Path]:
    """Directories of this process's cgroup and its parents, v2 and v1, as mounted by default."""
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = mounts / controller if controllers else mounts
        own = top / path.lstrip("/")
        yield own
        yield from (parent for parent in own.parents if parent.is_relative_to(top))


def _read(path: Path) -> str:
    """Text of a file of the kernel's, empty where there is none."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _read_mac_cpu() -> Cpu:
    names = ("hw.optional.arm.FEAT_BF16", "hw.optional.AdvSIMD", "hw.optional.avx2_0")
    spellings = ("bf16", "asimd", "avx2")
    flags = {flag for flag, name in zip(spellings, names, strict=True) if _sysctl(name) == "1"}
    # Efficiency cores would hold the others up at every layer.
    cores = _sysctl("hw.perflevel0.physicalcpu") or _sysctl("hw.physicalcpu")
    name = _sysctl("machdep.cpu.brand_string") or platform.machine()
    return Cpu(name, frozenset(flags), int(cores or os.cpu_count() or 1))


def _read_mac_memory() -> Memory:
    total = int(_sysctl("hw.memsize") or 0)
    pages = 0
    for line in _run("vm_stat").splitlines():
        key, _, value = line.partition(":")
        if key in ("Pages free", "Pages inactive", "Pages speculative", "Pages purgeable"):
            pages += int(value.strip().rstrip("."))
    return Memory(total, min(total, pages * int(_sysctl("hw.pagesize") or 4096)))


def _sysctl(name: str) -> str:
    return _run("sysctl", "-n", name).strip()


def _run(*command: str) -> str:
    """What a program of the system prints, empty where it fails."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=5, check=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
