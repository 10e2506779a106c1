"""What several commands print, for people and for machines."""
