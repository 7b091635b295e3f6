-- Has every projection begin anew: its rows are of the log as it was. No parameters.
delete from {schema}.projection_checkpoint
