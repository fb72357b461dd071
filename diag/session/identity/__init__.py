"""Which IDs belong together, where the session was seen under each, and at which hop they part."""
