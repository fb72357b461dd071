"""What the services share: identifiers, records, log lines, health. No service imports another."""
