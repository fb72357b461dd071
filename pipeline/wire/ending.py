"""How long a service may take to end: one budget, of which each part has its share.

From the signal on, in this order: the drain (each step of it is cut off at its limit), the requests that are
still answered, the background tasks, what the process holds outside itself. Whatever is not over after
`HARD_EXIT_S` is ended by the kernel; so the parts add up to less than that, and every service that is built
is held to it (`pipeline.wire.serving.on_drain`).
"""

from __future__ import annotations

# The stack waits for 5 s after SIGTERM, a pod for longer.
HARD_EXIT_S = 4.8

# Background tasks have so long once they are cancelled; connections and files after them.
TASKS_S = 1.0
CLOSE_S = 0.3
# For a loop that comes late to its timers: the limits are no real time.
MARGIN_S = 0.2

# The drain, and the answers to what was asked before it: the one has what the other leaves.
DRAIN_S = HARD_EXIT_S - TASKS_S - CLOSE_S - MARGIN_S
