"""Found instead of the standard library's file of this name."""

shadow = True
