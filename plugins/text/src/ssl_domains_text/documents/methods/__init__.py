"""Methods of the domain."""
