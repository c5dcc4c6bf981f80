"""What taskbind writes once, for people to go on with: projects (`taskbind init`) and tasks (`taskbind new`)."""
