"""Where tests find what they read: the repository's root, which is the example project, and the small real exports."""

from __future__ import annotations

from pathlib import Path

import amplify_delivery

REPOSITORY = Path(__file__).resolve().parents[4]
EXPORTS = Path(__file__).resolve().parents[1] / "exports"
TEST_ROOTS = [str(path) for path in sorted((REPOSITORY / "packages").glob("*/tests"))]
"""For a process that imports what tests have: places for its `sys.path`."""
PACKAGE = Path(amplify_delivery.__file__).parent
PYTEST_AS_LOCKED = {"PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:xdist -p no:xdist.looponfail"}
"""For a project's own tests: this Python's plugins, a third of a second to load, are not in its requirements.lock."""
