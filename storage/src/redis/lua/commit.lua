-- Writes and removes parts, all or none, where the collection is at the expected revision.
-- KEYS: info, parts, log, commits; lease (where there is a fence)
-- ARGV: format, expected incarnation ('': none), expected number, commit id, its incarnation, fencing
--   token ('': none), changes remembered, commits remembered, idle time in ms (0: forever), channel,
--   count of parts written, then their names and bytes in turn, then the names of those removed
local info, parts, log, commits = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local text = function(number) return string.format('%.0f', number) end
local at = redis.call('HMGET', info, 'format', 'incarnation', 'number', 'first', 'remembered', 'server', 'idle')
if at[1] and tonumber(at[1]) > tonumber(ARGV[1]) then
  return {'newer', at[1]}
end
local incarnation, number = at[2] or '', tonumber(at[3] or '0')
if incarnation ~= ARGV[2] or number ~= tonumber(ARGV[3]) then
  local done = redis.call('HGET', commits, 'i' .. ARGV[4])
  if not done then
    return {'conflict'}
  end
  -- Written once more, so that WAIT on this connection waits for it.
  redis.call('HSET', commits, 'i' .. ARGV[4], done)
  return {'done', string.match(done, '(%d+)%.(%d+)')}
end
if ARGV[6] ~= '' and redis.call('HGET', KEYS[5], 'token') ~= ARGV[6] then
  return {'fenced'}
end

-- What can fail comes before the first write: a channel that is not allowed, a key of another type.
redis.call('HLEN', log)
local forgotten = 'n' .. text(number + 1 - tonumber(ARGV[8]))
local forgotten_id = redis.call('HGET', commits, forgotten)
local told = redis.call('INFO', 'replication')
local from = string.find(told, 'master_replid:', 1, true) + 14
local server = string.sub(told, from, from + 39)
number = number + 1
local now = text(number)
redis.call('PUBLISH', ARGV[10], now)

local last = 11 + 2 * tonumber(ARGV[11])
for from = 12, last, 4000 do
  redis.call('HSET', parts, unpack(ARGV, from, math.min(from + 3999, last)))
end
for from = last + 1, #ARGV, 4000 do
  redis.call('HDEL', parts, unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end

local first, remembered = tonumber(at[4] or '1'), tonumber(at[5] or '0')
if at[6] ~= server then
  -- A new collection, or one on a server that was promoted or started anew since: commits may have
  -- been lost in between, so that revisions from before must not be taken for those from now on.
  incarnation, first, remembered = ARGV[5], number, 0
  redis.call('DEL', log)
end
local names = {}
for i = 12, last, 2 do
  names[#names + 1] = ARGV[i]
end
for i = last + 1, #ARGV do
  names[#names + 1] = ARGV[i]
end
local limit = tonumber(ARGV[7])
if #names >= limit then
  redis.call('DEL', log)
  first, remembered = number + 1, 0
else
  redis.call('HSET', log, now, text(#names + 1) .. ':' .. cmsgpack.pack(names))
  remembered = remembered + #names + 1
  while remembered > limit do
    local oldest = redis.call('HGET', log, text(first))
    remembered = remembered - tonumber(string.match(oldest, '^%d+'))
    redis.call('HDEL', log, text(first))
    first = first + 1
  end
end

redis.call('HSET', commits, 'i' .. ARGV[4], incarnation .. '.' .. now, 'n' .. now, ARGV[4])
if forgotten_id then
  redis.call('HDEL', commits, forgotten, 'i' .. forgotten_id)
end
redis.call('HSET', info, 'number', now, 'first', text(first), 'remembered', text(remembered))
if at[1] ~= ARGV[1] or at[6] ~= server or at[7] ~= ARGV[9] then
  redis.call('HSET', info, 'format', ARGV[1], 'incarnation', incarnation, 'server', server, 'idle', ARGV[9])
end

local idle = tonumber(ARGV[9])
if idle > 0 then
  local time = redis.call('TIME')
  local at_ms = text(time[1] * 1000 + math.floor(time[2] / 1000) + idle)
  for i = 1, 4 do
    redis.call('PEXPIREAT', KEYS[i], at_ms)
  end
elseif tonumber(at[7] or '0') > 0 then
  for i = 1, 4 do
    redis.call('PERSIST', KEYS[i])
  end
end
return {'done', incarnation, now}
