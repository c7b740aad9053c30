"""The processor and the memory, as far as a container lets vidcli have them."""

from collections.abc import Iterator

from vidcli.core.findings import Finding, Level
from vidcli.core.units import GIB, format_size
from vidcli.models.hardware import count_free_cores, read_cpu, read_memory

LITTLE_MEMORY = 1 * GIB  # the smallest model of the catalog takes about as much


def check_processor() -> Iterator[Finding]:
    """How many cores there are, and how many are idle."""
    cpu, free = read_cpu(), count_free_cores()
    text = f"{cpu.name}, {_cores(cpu.physical_cores)}, {free} of them free now"
    facts = {"name": cpu.name, "physical_cores": cpu.physical_cores, "free_cores": free}
    yield Finding("processor", Level.OK, text, facts=facts)


def _cores(number: int) -> str:
    return "1 core" if number == 1 else f"{number} cores"


def check_memory() -> Iterator[Finding]:
    """How much memory there is, and how much is free."""
    memory = read_memory()
    facts = {"total_bytes": memory.total, "available_bytes": memory.available}
    if memory.total == 0:
        yield Finding("memory", Level.NOTE, "how much memory there is cannot be found out")
        return
    text = f"{format_size(memory.available)} of {format_size(memory.total)} free"
    if memory.available < LITTLE_MEMORY:
        remedy = "close other programs, or give the container more memory"
        yield Finding("memory", Level.WARNING, f"{text}: too little for most models", remedy, facts)
    else:
        yield Finding("memory", Level.OK, text, facts=facts)
