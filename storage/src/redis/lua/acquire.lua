-- Takes a lease, or renews it for who holds it.
-- KEYS: lease
-- ARGV: holder, time to live in ms, for how long an expired lease is remembered in ms
local text = function(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local at = redis.call('HMGET', KEYS[1], 'holder', 'token', 'until')
local left = tonumber(at[3] or '0') - now
if left > 0 and at[1] ~= ARGV[1] then
  return {'taken', at[1], text(left)}
end
local token = at[2]
if left <= 0 then
  -- From the clock, so that it grows even where what was known of the lease has been lost.
  token = text(math.max(now_us, tonumber(at[2] or '0') + 1))
end
local ends = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token, 'until', text(ends))
redis.call('PEXPIREAT', KEYS[1], text(ends + tonumber(ARGV[3])))
return {'held', token}
