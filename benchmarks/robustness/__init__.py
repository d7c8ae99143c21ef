"""Quality on damaged inputs, and on items whose popularity moved: teacher and student."""
