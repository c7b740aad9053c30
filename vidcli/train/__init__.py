"""Teaching a model: data → model → loss → step → eval, and what comes out as files `ask` loads.

The only floor that imports torch, transformers, peft and safetensors (the extra `train`).
"""
