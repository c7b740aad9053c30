"""Running a vision-language model in this process: the only door to llama.cpp.

native      library start-up, native logs, signals      owned   who frees native memory
weights     a loaded language model: vocabulary, tokens, metadata
context     its KV memory: decode tokens, inject visual tokens, snapshots
vision      the projector: pictures to visual tokens
sampler     choosing the next token       sizes   how large a frame the encoder takes
entries     a prompt as tokens and visual runs       held    what the context holds
session     all of it together behind `core.protocols.Session`
load        a session, after a trial in another process (trial) on its first use
profiles    how each model family wants a video written
template    the model's own chat template
grammar     JSON Schema to GBNF
token_cache, prefix_cache    visual tokens and KV snapshots on disk
build       what is compiled in, against what the processor has
"""
