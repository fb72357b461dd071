"""A frame of entries -> one session: what belongs together, in order, as turns. Pure.

select       which entries mention which IDs
links        which IDs belong together, and why
presence     in which half of the system each was seen
turns, flow  what happened, and what passed through Kafka
reconstruct  all of it as one value
"""
