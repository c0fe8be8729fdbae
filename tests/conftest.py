"""What every test needs: an environment that says nothing about the machine."""

import os

# Textual reads these at import and at start; either one changes every snapshot.
for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_FPS", "TEXTUAL_ANIMATIONS"):
    os.environ.pop(name, None)
