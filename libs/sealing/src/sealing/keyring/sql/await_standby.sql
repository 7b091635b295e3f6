-- Writes a record of the transaction's own, so that its commit waits for the synchronous standby and with it for
-- all that was committed before. What it has read may be the commit of a process that gave up that wait.
SELECT pg_logical_emit_message(true, 'careline.keyring', '');
