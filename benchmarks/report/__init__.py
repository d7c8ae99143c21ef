"""What was measured, for a person and for a machine: report.json, report.html, the terminal."""
