"""How to watch: from a plan and a session to an answer with its evidence.

watch      planned instants to visual tokens, through the cache, inside the context
compose    visual tokens to a prompt, in the family's own video recipe
ask        a prompt to an answer (caption and check are asks with a set question)
cite       frame numbers in an answer to evidence with times
converse   many turns over one video
near       a closer look at one moment, merged with what was seen
estimate   what an answer would cost, from one probed frame

Functions over the protocols of `core.protocols`; nothing here opens a file or prints.
"""
