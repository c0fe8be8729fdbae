"""Names with several addresses, from a hosts file of the test's own."""
