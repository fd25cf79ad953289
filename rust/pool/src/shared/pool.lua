-- One call of a process about one pool: reports the permits it uses, and asks for more. Permits are
-- concurrency leases: a process that is silent for one lease time loses its permits.
--
-- KEYS: the hash of the pool, the key with the epoch of the store's state.
-- ARGV: process, seq, lease in us (0 leaves), epoch known to the process, flags (1 = strict), permits of
--   the pool, waiters, rows; then for each upstream: name, permits of the upstream, in use, may be in use
--   until the reply, wanted, needed by waiters, most, ejected, rest in ms, probe (0 none, 1 ask, 2 hold,
--   3 good, 4 + ms failed).
-- Fields: h = totals of the pool, u.NAME = totals of an upstream, p.PROCESS = what a process reported.
-- Names in values have a colon before them, so that no name is read as a number.
-- Reply: "old SEQ", or "ok" with the pool's numbers and six numbers for each upstream.
local key, process = KEYS[1], ARGV[1]
local seq, lease, known = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local strict, most, waiting = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])
local rows = tonumber(ARGV[8])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local floor, max, min = math.floor, math.max, math.min

local function words(text)
  local list = {}
  for word in string.gmatch(text, '%S+') do list[#list + 1] = tonumber(word) or word end
  return list
end

-- Integers as text. Lua's own conversion keeps 14 digits only.
local function join(list)
  for i = 1, #list do
    if type(list[i]) == 'number' then list[i] = string.format('%.0f', list[i]) end
  end
  return table.concat(list, ' ')
end

local epoch = tonumber(redis.call('GET', KEYS[2]) or 0)
if epoch == 0 then
  epoch = now
  redis.call('SET', KEYS[2], string.format('%.0f', epoch))
end
local lost = (known ~= 0 and known ~= epoch) and 1 or 0
-- After a loss of state others may use permits that are not counted yet.
local standing = strict and now < epoch + lease

local own = redis.call('HGET', key, 'p.' .. process)
own = own and words(own)
if own and seq <= own[2] then return 'old ' .. ARGV[2] end

local held, demand, waits, starves, holders, ends, last = 0, 0, 0, 0, 0, 0, 0
local totals = redis.call('HGET', key, 'h')
if totals then held, demand, waits, starves, holders, ends, last = unpack(words(totals)) end

-- The totals of an upstream: held, demand, processes that wait, processes that have too little, processes
-- that have ejected it; then the end of its rest, when it was back, the end of the probe, and whose it is.
local upstreams, order = {}, {}
local function load(name)
  local upstream = upstreams[name]
  if not upstream then
    upstream = words(redis.call('HGET', key, 'u.' .. name) or '0 0 0 0 0 0 0 0 :')
    upstreams[name] = upstream
    order[#order + 1] = name
  end
  return upstream
end

-- Takes the report of a process out of all totals.
local function remove(entry)
  holders = holders - 1
  waits, starves = waits - entry[3], starves - entry[4]
  for i = 5, #entry, 6 do
    local upstream = load(string.sub(entry[i], 2))
    held, demand = held - entry[i + 1], demand - entry[i + 2]
    for j = 1, 5 do upstream[j] = upstream[j] - entry[i + j] end
  end
end

if ends > 0 and ends <= now then
  local all = redis.call('HGETALL', key)
  ends = 0
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'p.' and string.sub(all[i], 3) ~= process then
      local entry = words(all[i + 1])
      if entry[1] <= now then
        remove(entry)
        redis.call('HDEL', key, all[i])
      elseif ends == 0 or entry[1] < ends then
        ends = entry[1]
      end
    end
  end
end
local before, had = {}, 0
if own then
  remove(own)
  for i = 5, #own, 6 do
    local permits = own[1] > now and own[i + 1] or 0
    before[string.sub(own[i], 2)] = permits
    had = had + permits
  end
end

-- What is in use is in use, whatever the totals say. Permits that may be in use stay only if they have not
-- ended: others may have them by now. What is not wanted any more goes back.
local asked, mine, wished = {}, 0, 0
for i = 1, rows do
  local at = 10 * i - 1
  local row = { name = ARGV[at] }
  for j, field in ipairs({ 'cap', 'used', 'bind', 'want', 'need', 'most', 'ejected', 'rest', 'probe' }) do
    row[field] = tonumber(ARGV[at + j])
  end
  local upstream = load(row.name)
  row.had = before[row.name] or 0
  row.least = max((lost == 1 and now < epoch + lease) and row.bind or row.used, min(row.had, row.bind))
  row.held = max(row.least, min(row.had, row.want))
  row.demand, row.waits, row.starves = row.bind + row.need, 0, 0
  upstream[1], upstream[2] = upstream[1] + row.held, upstream[2] + row.demand
  upstream[5] = upstream[5] + row.ejected
  held, demand = held + row.held, demand + row.demand
  mine, wished = mine + row.held, wished + row.demand
  asked[i] = row
end
if lease > 0 then holders = holders + 1 end
-- Where more is held than there is, as after a partition, idle permits go back at once.
for i = 1, rows do
  local row = asked[i]
  local upstream = load(row.name)
  local excess = max(0, upstream[1] - row.cap, held - most)
  excess = min(excess, row.held - row.least)
  row.held, upstream[1] = row.held - excess, upstream[1] - excess
  held, mine = held - excess, mine - excess
end

-- The part of the permits that is due to a process by its demand: at least one, if there are as many.
local function share(cap, part, whole)
  local due = whole > 0 and floor(cap * part / whole) or cap
  return holders <= cap and max(1, due) or due
end

-- What a process should hold at most: its part, if another has too little.
local goal = most
if starves > 0 or held > most then goal = share(most, wished, demand) end
-- With fewer permits than processes, those that held none are next.
local ceiling = (goal < 1 and had == 0) and 1 or goal
for i = 1, rows do
  local row = asked[i]
  local upstream = load(row.name)
  row.goal = row.cap
  if upstream[4] > 0 or upstream[1] > row.cap then
    row.goal = share(row.cap, row.demand, upstream[2])
  end
  row.ceiling = (row.goal < 1 and row.had == 0) and 1 or row.goal
end

local function grant(row, permits)
  local upstream = load(row.name)
  local room = min(row.cap - upstream[1], most - held, row.ceiling - row.held, ceiling - mine)
  permits = standing and 0 or max(0, min(permits, room))
  row.held, upstream[1] = row.held + permits, upstream[1] + permits
  held, mine = held + permits, mine + permits
  if permits > 0 then row.goal, goal = max(row.goal, row.held), max(goal, mine) end
  return permits
end

-- First the upstreams where the waiters belong, then any that has room.
local left = waiting
for i = 1, rows do left = left - grant(asked[i], min(asked[i].need, left)) end
for i = 1, rows do left = left - grant(asked[i], min(asked[i].most - asked[i].held, left)) end

-- A process with less than three quarters of its part has too little: smaller differences come and go.
local function has_little(permits, cap, part, whole)
  return (permits < 1 or 4 * permits * whole < 3 * cap * part) and 1 or 0
end
local short, little = 0, 0
if left > 0 then
  if min(most - held, ceiling - mine) <= 0 then short, little = 1, has_little(mine, most, wished, demand) end
  for i = 1, rows do
    local row = asked[i]
    local room = min(row.cap - load(row.name)[1], row.ceiling - row.held)
    if row.most > row.held and room <= 0 then
      row.waits, row.starves = 1, has_little(row.held, row.cap, row.demand, load(row.name)[2])
    end
  end
elseif waits == 0 then
  -- Permits in advance, while no caller waits: a part of the room, so that others find some.
  for i = 1, rows do
    local row = asked[i]
    local upstream = load(row.name)
    if upstream[3] == 0 and row.want > row.held then
      local room = max(0, min(row.cap - upstream[1], most - held))
      grant(row, min(row.want - row.held, floor(room / (2 * max(1, holders)))))
    end
  end
end

local reply = { 'ok', seq, now, epoch, lost, holders, held, goal, left }
local entry = { now + lease, seq, short, little }
last = max(last, now + lease)
waits, starves = waits + short, starves + little
for i = 1, rows do
  local row = asked[i]
  local upstream = load(row.name)
  upstream[3], upstream[4] = upstream[3] + row.waits, upstream[4] + row.starves
  if row.rest > 0 then upstream[6] = max(upstream[6], now + row.rest * 1000) end
  -- One probe for all processes. A probe that failed keeps the others away for a while.
  local is_mine, is_free, answer = upstream[9] == ':' .. process, upstream[8] <= now, 0
  if row.probe == 1 and row.ejected == 0 and upstream[6] > 0 and upstream[7] >= upstream[6] then
    answer = 3
  elseif row.probe == 2 or (row.probe == 1 and upstream[6] <= now) then
    if (is_free or is_mine) and lease > 0 then
      upstream[8], upstream[9], answer = now + lease, ':' .. process, 1
    else
      answer = 2
    end
  elseif is_mine then
    upstream[8], upstream[9] = 0, ':'
  end
  if row.probe == 3 then upstream[7] = now end
  if row.probe >= 4 and (is_free or is_mine) then
    upstream[8], upstream[9] = now + (row.probe - 4) * 1000, ':'
  end
  last = max(last, upstream[6], upstream[8])
  local rest = max(0, math.ceil((upstream[6] - now) / 1000))
  for _, number in ipairs({ row.held, row.goal, upstream[1], upstream[5], rest, answer }) do
    reply[#reply + 1] = number
  end
  for _, part in ipairs({ ':' .. row.name, row.held, row.demand, row.waits, row.starves, row.ejected }) do
    entry[#entry + 1] = part
  end
end

if lease > 0 then
  if ends == 0 or now + lease < ends then ends = now + lease end
  redis.call('HSET', key, 'p.' .. process, join(entry))
else
  redis.call('HDEL', key, 'p.' .. process)
end
for i = 1, #order do
  local upstream = upstreams[order[i]]
  local used = upstream[1] + upstream[2] + upstream[3] + upstream[4] + upstream[5]
  if used == 0 and max(upstream[6], upstream[7], upstream[8]) + lease <= now then
    redis.call('HDEL', key, 'u.' .. order[i])
  else
    redis.call('HSET', key, 'u.' .. order[i], join(upstream))
  end
end
redis.call('HSET', key, 'h', join({ held, demand, waits, starves, holders, ends, last }))
redis.call('PEXPIRE', key, math.ceil((last - now) / 1000) + 1000)
return join(reply)
