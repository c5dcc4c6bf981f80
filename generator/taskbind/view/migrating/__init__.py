"""The pages for those who come from another service: what is called how there and here."""
