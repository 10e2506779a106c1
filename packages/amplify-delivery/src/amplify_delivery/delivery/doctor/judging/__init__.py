"""From facts to lines: pure, one module for each subject."""
