#!lua
-- Appends one packed entry to a partition's trade log, if every symbol in it stands where the writer believes.
-- Refused while Redis is over maxmemory (no allow-oom): the exchange keeps the trades for us, and commits must go on.
-- KEYS  owner hash, heads, log, position, then per block: feed hash, symbol state
-- ARGV  token, nonce, payload, blocks as JSON: a list for each of texts: symbol, expected last trade id ('' when the log has
--       none yet: a seed), first trade id ('' without trades), new last trade id, 1 if the exchange has no trades between
--       expected and first, trade time of the last trade ('' without trades), watermark ('' without), feed state; then the
--       trace context of a sampled append, which the entry carries
-- Gives {'OK', n}; {'FENCED'}; {'MISMATCH', symbol, head or '', ...} with nothing written; {'CORRUPT', reason}.
-- A second run answers MISMATCH with heads that show that the first was done. Watermarks alone move no head: a second run appends them
-- again, with the same nonce, and they change no bar.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return { 'FENCED' } end
local blocks = cjson.decode(ARGV[4])
local traceparent = ARGV[5]
local symbols = {}
for i = 1, #blocks do symbols[i] = blocks[i][1] end
local stored = redis.call('HMGET', KEYS[2], unpack(symbols))
local heads = {}
local wrong = { 'MISMATCH' }
for i = 1, #blocks do
  local symbol, expected, first, newLast, hole = unpack(blocks[i])
  local head = heads[symbol] or stored[i]
  if not head then
    -- The heads were lost and the bars were not: go on where the bars stand.
    head = redis.call('HGET', KEYS[4 + i * 2], 'lastTradeId') or ''
    if head ~= '' then redis.call('HSET', KEYS[2], symbol, head) end
  end
  if head ~= expected then
    wrong[#wrong + 1] = symbol
    wrong[#wrong + 1] = head
  elseif first ~= '' and hole ~= '1' and tonumber(first) ~= tonumber(expected) + 1 then
    return redis.error_reply('append: ' .. symbol .. ' trade ' .. first .. ' does not follow ' .. expected)
  end
  heads[symbol] = newLast
end
if #wrong > 1 then return wrong end
local seq = tonumber(redis.call('HGET', KEYS[2], 'seq'))
local n = (seq or 0) + 1
local function add()
  local id = string.format('%.0f-0', n)
  if traceparent then
    return redis.pcall('XADD', KEYS[3], id, 'nonce', ARGV[2], 'entry', ARGV[3], 'traceparent', traceparent)
  end
  return redis.pcall('XADD', KEYS[3], id, 'nonce', ARGV[2], 'entry', ARGV[3])
end
local added = seq and add()
if not seq or (type(added) == 'table' and added.err) then
  -- The last number was lost, or contradicts the log. Numbers go on after the log and after what is folded: its reader waits for
  -- nothing lower, and takes a jump for lost entries.
  n = tonumber(redis.call('HGET', KEYS[4], 'pos') or '0')
  local info = redis.pcall('XINFO', 'STREAM', KEYS[3])
  if not info.err then n = math.max(n, tonumber(string.match(info[8], '^(%d+)'))) end
  n = n + 1
  added = add()
  if type(added) == 'table' and added.err then return { 'CORRUPT', added.err } end
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local moved = { 'seq', string.format('%.0f', n) }
for i = 1, #blocks do
  local symbol, _, _, newLast, _, tradeTime, watermark, state = unpack(blocks[i])
  moved[i * 2 + 1] = symbol
  moved[i * 2 + 2] = newLast
  local feed = { 'state', state, 'lastTradeId', newLast, 'writtenTime', now }
  if tradeTime ~= '' then feed[#feed + 1] = 'lastTradeTime'; feed[#feed + 1] = tradeTime end
  if watermark ~= '' then feed[#feed + 1] = 'watermark'; feed[#feed + 1] = watermark end
  redis.call('HSET', KEYS[3 + i * 2], unpack(feed))
end
redis.call('HSET', KEYS[2], unpack(moved))
return { 'OK', string.format('%.0f', n) }
