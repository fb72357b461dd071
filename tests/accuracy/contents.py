"""What was said: few texts, so that two sessions may well say the same at once."""

from __future__ import annotations

import random

QUESTIONS = (
    "What are your opening hours?",
    "I would like to change my order.",
    "Can you repeat that?",
    "Where is my parcel?",
    "Thank you, that is all.",
    "Yes.",
    "No, the other one.",
    "How much does it cost?",
)
_OPENINGS = ("Certainly.", "Let me see.", "Of course.", "I am sorry to hear that.", "One moment.")
_BODIES = (
    "We are open from nine to six.",
    "Your parcel is on its way and should arrive tomorrow.",
    "I have changed your order.",
    "It costs twelve euros a month.",
    "Is there anything else that I can do for you?",
    "Could you tell me the number of your order?",
)


def ask(rng: random.Random) -> str:
    """A transcript."""
    return rng.choice(QUESTIONS)


def answer(rng: random.Random) -> str:
    """A reply of the LLM."""
    return f"{rng.choice(_OPENINGS)} {rng.choice(_BODIES)}"
