"""Training a small SmolVLM from nothing on the synthetic world, in memory: two stages.

    words, writer              its vocabulary; prompts as ids, exactly those that `ask` sends
    crowd, views, motion       pictures, and what is true of every patch and every visual token
    lessons, stream            many questions a clip; batches by step, rendered ahead
    modules, convert, start    the model, its checkpoint form, its first weights
    learner, kept              AdamW on float32 copies; a run that can be killed at any step
    vision, seed, language     the two stages, and what the second begins with
    score, familiar            held-out accuracy with controls; how familiar footage looks

Not here: training on video files (`vidcli.train.run`), which starts from any pretrained model.
"""
