"""gRPC and FHIR in front, SQL behind."""
