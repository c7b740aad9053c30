"""The header of a text-embedding model, and one tensor."""

import tempfile
from pathlib import Path

import numpy as np
from gguf import GGUFWriter


def make_embedder() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embedder.gguf"
        writer = GGUFWriter(path, "nomic-bert")
        writer.add_block_count(1)
        writer.add_uint32("nomic-bert.pooling_type", 1)
        writer.add_tensor("token_embd.weight", np.zeros((8, 64), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()
