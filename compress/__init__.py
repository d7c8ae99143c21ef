"""Makes the model: from a recipe to a trained, distilled student."""
