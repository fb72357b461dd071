"""The only code that talks to the outside: one client library, one home. No source knows another."""
