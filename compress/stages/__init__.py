"""The stages that make the model, one package for tasks that are made alike."""
