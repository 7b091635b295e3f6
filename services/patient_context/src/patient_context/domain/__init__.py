"""What is true of a patient, what a patient decided, and what may be told of a patient."""
