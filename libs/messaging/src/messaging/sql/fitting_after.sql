-- The position after which a log's events, published, take at most so many bytes; 0 when all do.
--   $1 bigint bytes   $2 bigint bytes that a message has besides data and metadata
select coalesce((
  select position
    from (select position,
                 sum(octet_length(data) + 2 * octet_length(metadata) + $2) over (order by position desc) as bytes
            from {schema}.event) counted
   where bytes > $1
   order by position desc
   limit 1), 0) as position
