"""How questions are worded: some wordings are kept from training, to ask with in the evaluation.

Those kept are other combinations of the same words.
"""

# kind of question: wordings of training, wordings kept from it
WORDINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "object": (
        (
            "What is the {colour} thing?",
            "Which object is {colour}?",
            "What {colour} object is shown?",
            "What {colour} thing is shown?",
            "Which thing is {colour}?",
            "Which {colour} object is in the video?",
            "Which {colour} thing do you see?",
            "What {colour} thing is in the video?",
        ),
        ("What is the {colour} object?", "Which {colour} thing is shown?"),
    ),
    "object alone": (
        (
            "What is in the video?",
            "Which object is shown?",
            "What thing is this?",
            "What thing is shown?",
            "Which thing is in the video?",
            "Which thing do you see?",
            "What object is this?",
            "What do you see?",
        ),
        ("What object is in the video?", "Which thing is shown?"),
    ),
    "colour": (
        (
            "What colour is the {kind}?",
            "Which colour does the {kind} have?",
            "The {kind} has which colour?",
        ),
        ("Which colour is the {kind}?", "What colour does the {kind} have?"),
    ),
    "count": (
        (
            "How many {things} are there?",
            "Count the {things}.",
            "How many {things} do you see?",
            "How many {things} can you see?",
            "How many {things} are in the video?",
        ),
        ("How many {things} are shown?",),
    ),
    "direction": (
        (
            "Which way does the {name} move?",
            "In which direction does the {name} go?",
            "Where does the {name} move?",
        ),
        ("In which direction does the {name} move?", "Which way does the {name} go?"),
    ),
    "motion": (
        ("Does the {name} move or stand still?", "Does the {name} stand still, or does it move?"),
        ("Does the {name} stand still or move?",),
    ),
    "order": (
        (
            "Which comes first, the {one} or the {two}?",
            "What appears first, the {one} or the {two}?",
            "Which is seen first, the {one} or the {two}?",
        ),
        (
            "Which appears first, the {one} or the {two}?",
            "What comes first, the {one} or the {two}?",
        ),
    ),
    "order of moves": (
        (
            "Which moves first, the {one} or the {two}?",
            "What is the first to move, the {one} or the {two}?",
        ),
        ("What moves first, the {one} or the {two}?",),
    ),
    "presence": (
        (
            "Is there {thing}?",
            "Can you see {thing}?",
            "Does the video show {thing}?",
            "Do you see {thing} in the video?",
            "Is there {thing} shown?",
            "Is {thing} in the video?",
            "Can you see {thing} in the video?",
            "Does the video show you {thing}?",
        ),
        ("Do you see {thing}?", "Is there {thing} in the video?"),
    ),
    "word": (
        (
            "What is written on the screen?",
            "What does the text say?",
            "Which word or number is shown?",
        ),
        ("What does the screen say?", "Which word or number is written on the screen?"),
    ),
    "entering": (
        ("From which side does the {name} come in?", "Where does the {name} come in?"),
        ("Which side does the {name} come in from?",),
    ),
    "leaving": (
        ("On which side does the {name} go out?", "Where does the {name} go out?"),
        ("Which side does the {name} go out on?",),
    ),
    "position": (
        ("Where is the {name}?", "In which part of the video is the {name}?"),
        ("Where in the video is the {name}?",),
    ),
    "size": (
        ("Which is bigger, the {one} or the {two}?", "What is bigger, the {one} or the {two}?"),
        ("Which is the bigger thing, the {one} or the {two}?",),
    ),
    "camera": (
        ("What does the camera do?", "How does the camera move?"),
        ("Which way does the camera move?",),
    ),
}
