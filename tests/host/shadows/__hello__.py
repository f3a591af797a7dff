"""Found instead of the module of this name that is frozen into Python itself."""

shadow = True
