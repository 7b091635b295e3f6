-- Has every build begin at the start of the restored log: nothing of it was projected. No parameters.
update {schema}.projection_build set position = 0, epoch = (select epoch from {schema}.log_state)
