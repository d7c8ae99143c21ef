"""Our files against what a user could take instead: other tools, the same student and inputs."""
