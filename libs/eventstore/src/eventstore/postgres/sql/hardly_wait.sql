-- For finding out which of many appends another writer's lock holds up; wait_again undoes it. No parameters.
set lock_timeout = '2ms'
