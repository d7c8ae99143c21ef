"""The stages that write the files, one module for tasks that are exported alike."""
