#!lua flags=allow-oom
-- Takes closed bars out of the outbox that PostgreSQL holds now.
-- KEYS  pending
-- ARGV  field, value, field, value, …: the very values that were stored
-- Gives the number removed. A bar that was restated since has another value and stays; so a second run removes nothing.
local removed = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then removed = removed + redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return removed
