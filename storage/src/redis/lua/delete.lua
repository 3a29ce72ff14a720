-- Removes a collection, where it is at the expected revision.
-- KEYS: info, parts, log, commits
-- ARGV: expected incarnation ('': whichever it is), expected number, channel
local at = redis.call('HMGET', KEYS[1], 'incarnation', 'number')
if not at[1] then
  return {'gone'}
end
if ARGV[1] ~= '' and (at[1] ~= ARGV[1] or at[2] ~= ARGV[2]) then
  return {'conflict'}
end
redis.call('PUBLISH', ARGV[3], 'deleted')
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return {'done'}
