"""How the IR changed from one version to the next: the versions that were released, and what differs between two."""
