"""Will it fit? The arithmetic that file sizes allow before a model is downloaded.

Once a model is on the disk its headers say more: `models.memory` has the exact sum.
"""

from vidcli.core.catalog import Kind, MemoryBill, ModelSpec
from vidcli.core.units import format_size
from vidcli.models.hardware import Memory

KV_BYTES = 2  # float16
ASSUMED_KV_NUMBERS = 65_536  # near the largest of the catalog: rather refuse than swap
MARGIN_BYTES = 512 * 1024**2  # working memory of both graphs, Python and the decoder


def bill_of(spec: ModelSpec | None, weights: int, mmproj: int, *, n_ctx: int) -> MemoryBill:
    """Add up what a model of these files will take.

    Args:
        spec: Its entry in the catalog, which knows the shape of the KV cache; None where unknown.
        weights: Bytes of the language model's files.
        mmproj: Bytes of the projector.
        n_ctx: Context cells; they hold the planned frames, the question and the answer.
    """
    embeds = spec is not None and spec.kind is Kind.EMBEDDING  # keeps no cache
    known = embeds or (spec is not None and spec.kv_numbers > 0)
    numbers = spec.kv_numbers if spec is not None and known else ASSUMED_KV_NUMBERS
    return MemoryBill(
        weights=weights,
        mmproj=mmproj,
        kv_cache=numbers * KV_BYTES * n_ctx,
        margin=MARGIN_BYTES,
        n_ctx=n_ctx,
        is_kv_known=known,
    )


def fits_memory(bill: MemoryBill, memory: Memory) -> bool:
    """Whether the model can be loaded into what is free now; yes where that is not known."""
    return memory.total == 0 or bill.total <= memory.available


def say_bill(bill: MemoryBill, memory: Memory) -> str:
    """The arithmetic on one line: parts, sum, and what is free."""
    about = "" if bill.is_kv_known else "at most "
    parts = (
        f"weights {format_size(bill.weights)}",
        f"projector {format_size(bill.mmproj)}",
        f"context of {bill.n_ctx} cells {about}{format_size(bill.kv_cache)}",
        f"margin {format_size(bill.margin)}",
    )
    return (
        f"{' + '.join(parts)} = {format_size(bill.total)} of memory, of"
        f" {format_size(memory.available)} free"
    )
