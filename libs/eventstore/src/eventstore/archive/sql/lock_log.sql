-- Keeps everybody else from appending until the transaction ends. No parameters.
lock table {schema}.event in share row exclusive mode
