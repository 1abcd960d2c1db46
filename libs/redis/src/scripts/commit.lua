#!lua flags=allow-oom
-- Commits what a batch of log entries made of a partition: bars, closed bars, position, update; all or nothing.
-- KEYS  owner hash, position, log, pending, updates channel, then symbol states, then bar hashes
-- ARGV  token, expected pos, expected rev, new pos, nonce of the entry at new pos, trim entries before ('' for none),
--       update ('' for none), symbols, bars as JSON: per bar the list of fields and values that HSET is to write; then per
--       symbol: how many fields and values of its state follow, and those; per closed bar: field, value
-- Gives {'OK', rev, 'TORN' or ''}; {'FENCED'}; {'CONFLICT', pos, rev} when the partition moved on, or when the last entry
-- that was folded is no longer in the log (Redis lost it, and another may stand there). A second run answers OK and does
-- nothing. TORN: a hash lacked fields that the caller left out since it has written them before; somebody has deleted it.
-- A second run does not know whether the first has found one, and says so too: it costs the caller a whole write.
-- Everything that could fail comes before the position moves, since a script that fails is not rolled back.
local FIELDS = 19
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return { 'FENCED' } end
local at = redis.call('HMGET', KEYS[2], 'pos', 'rev', 'by')
local pos, rev = at[1] or '0', at[2] or '0'
local newRev = string.format('%.0f', tonumber(ARGV[3]) + 1)
if pos == ARGV[4] and rev == newRev and at[3] == ARGV[1] then return { 'OK', rev, 'TORN' } end
if pos ~= ARGV[2] or rev ~= ARGV[3] then return { 'CONFLICT', pos, rev } end
local last = redis.call('XRANGE', KEYS[3], ARGV[4] .. '-0', ARGV[4] .. '-0')
if not last[1] or last[1][2][2] ~= ARGV[5] then return { 'CONFLICT', pos, rev } end
local symbols, bars = tonumber(ARGV[8]), cjson.decode(ARGV[9])
local next = 10
for i = 1, symbols do
  local last = next + tonumber(ARGV[next])
  redis.call('HSET', KEYS[5 + i], unpack(ARGV, next + 1, last))
  next = last + 1
end
local torn = ''
for i = 1, #bars do
  local added = redis.call('HSET', KEYS[5 + symbols + i], unpack(bars[i]))
  if added > 0 and #bars[i] < 2 * FIELDS then torn = 'TORN' end
end
for at = next, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1]) end
if ARGV[6] ~= '' then redis.call('XTRIM', KEYS[3], 'MINID', '~', ARGV[6] .. '-0') end
redis.call('HSET', KEYS[2], 'pos', ARGV[4], 'rev', newRev, 'by', ARGV[1])
if ARGV[7] ~= '' then redis.call('SPUBLISH', KEYS[5], ARGV[7]) end
return { 'OK', newRev, torn }
