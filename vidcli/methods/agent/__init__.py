"""An agent: a planner that never sees the video, and tools that look and listen for it.

toolbox      one protocol for all tools: checked, timed, recorded, never a crash
planner      text-only prompts that fit the context, replies bound by a grammar
prompts      what the planner is asked, and the form of its replies
eyes         the model that sees: captions, answers, how well a frame fits a description
seeing, knowing   tools that look; tools that need no model
similarity   how alike two texts are
segments     temporal memory: short segments with captions and features
confidence   answer, judge the answer, look where something is missing
react        think, call a tool, read what it found
pace         rounds and seconds
offer        which tools there are for one video
conclude     the answer or the plan, and its judgement in a call of its own
run          one of the two loops, from the question to the result
"""
