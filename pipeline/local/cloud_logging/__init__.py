"""Cloud Logging, as far as the stack needs it: entries are written and listed, over gRPC.

``google.logging.v2.LoggingServiceV2`` on the loopback interface, in plaintext, in memory, with the
whole query language. WriteLogEntries and ListLogEntries answer as the real service does; what else
that service can is UNIMPLEMENTED here. There is no retention: entries stay as long as the process.

    store       the entries in order, and the search through them; pure
    encoding    an entry as it arrives -> as it is kept: bytes to send, JSON form to filter
    reading     a list request -> a query; page tokens; refusals
    writing     a write request -> entries to keep; refusals
    quota       read requests a minute
    service     the two methods and their server
"""
