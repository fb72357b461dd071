"""Diagnosis -> text. Pure but for reading the packaged templates; it knows the model and nothing else."""
