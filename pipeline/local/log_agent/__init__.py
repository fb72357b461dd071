"""The logging agent of a GKE node: container log files in, log entries out.

    files            complete lines of all log files, in order, from where the last read ended
    entry            one line -> one entry; with severity and special_fields the pure core
    sender           entries -> Cloud Logging, by the official client
    service          the loop around them

It keeps no state of its own on disk: started again, it reads everything again, and the entries' IDs,
made of file and offset, let Cloud Logging drop what it has already.
"""
