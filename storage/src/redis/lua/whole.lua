-- Reads a collection in one piece, if it has no more parts than so many; its revision otherwise.
-- KEYS: info, parts, log, commits
-- ARGV: format, most parts, idle time in ms (0: forever)
local info, parts = KEYS[1], KEYS[2]
local at = redis.call('HMGET', info, 'format', 'incarnation', 'number')
if not at[2] then
  return {'gone'}
end
if tonumber(at[1]) > tonumber(ARGV[1]) then
  return {'newer', at[1]}
end
local all = nil
if redis.call('HLEN', parts) <= tonumber(ARGV[2]) then
  all = redis.call('HGETALL', parts)
end

-- Reading is use, too: what is read does not expire.
local idle = tonumber(ARGV[3])
if idle > 0 and redis.call('PTTL', info) < idle * 0.9 then
  local time = redis.call('TIME')
  local at_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + idle)
  for i = 1, 4 do
    redis.call('PEXPIREAT', KEYS[i], at_ms)
  end
end
return {all and 'whole' or 'large', at[2], at[3], all or {}}
