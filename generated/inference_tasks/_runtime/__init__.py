"""What every generated SDK ships and no spec decides. Private: import from the package itself instead."""
