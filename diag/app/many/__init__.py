"""All sessions of a window in one go, in bounded memory, by the same steps as one session.

intake     parts of files, or batches of a live source -> redacted frames on disk, and what they hold
plan       what they hold together -> groups of sessions that fit into memory
judging    one group -> a line for each of its sessions
matching   a session and a text that is sought -> where it has it
workers    where the work is done: here, or in processes side by side
"""
