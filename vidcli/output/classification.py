"""The document `classification`: labels of a video, the likeliest first."""

from vidcli.core.results import Answer
from vidcli.output.documents import Document, account_entries, choice_entry, head, video_entry


def classification_document(answer: Answer, *, multi: bool) -> Document:
    """The document `classification`, the likeliest label first.

    Args:
        answer: With a choice for each label.
        multi: Whether each label was judged by itself.
    """
    ranked = sorted(answer.choices, key=lambda choice: choice.probability, reverse=True)
    labels = [choice_entry(choice) for choice in ranked]
    return {
        "schema": head("classification"),
        "video": video_entry(answer.video),
        "question": answer.question,
        "multi": multi,
        "labels": [{"label": entry.pop("text"), **entry} for entry in labels],
        "labels_left_out": 0,
        **account_entries(answer),
    }


def keep_top(document: Document, top: int) -> Document:
    """A document `classification` with at most so many labels; it says how many it leaves out."""
    labels = document["labels"]
    left_out = document["labels_left_out"] + max(0, len(labels) - top)
    return {**document, "labels": labels[:top], "labels_left_out": left_out}
