"""Pictures of trainings and of attention."""
