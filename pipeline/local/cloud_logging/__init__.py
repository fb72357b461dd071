"""Cloud Logging on this machine: entries are written, listed and tailed, over gRPC.

``google.logging.v2.LoggingServiceV2`` on the loopback interface, in plaintext, in memory, with the
whole query language. WriteLogEntries, ListLogEntries and TailLogEntries answer as the real service
does; what else that service can is UNIMPLEMENTED here. What is slow, late, spent, forbidden or away is
a switch each. docs/cloud-logging-server.md tells how to test your own tools with it.

    store       the entries in order, and the search through them; pure
    encoding    an entry as it arrives -> as it is kept: bytes to send, JSON form to filter
    reading     a list request -> a query; page tokens; refusals
    writing     a write request -> entries to keep; refusals
    tailing     entries as they arrive, to the sessions that want them
    switches    how it behaves; refusals: which requests fail, and how; quota: read requests a minute
    board       the switches of a running server, and what they say of the next request
    admin       the switches over HTTP
    service     the three methods and their server
"""
