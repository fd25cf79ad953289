-- Token buckets, quotas and concurrency with leased credit: the one script of shared limits.
--
-- KEYS: the hash of a key, the string with the epoch of its slot.
-- ARGV: operation, process, seq, lease, epoch, strict, config, leaving, m, k,
--   m limits: name, kind (r, q, c), capacity (-1 unlimited), a, b, c, spent, debt, bind, want, restore,
--   k waiters: type (t charge, r lend), m costs.
-- Fields: n holders, d the earliest end of a lease, g config of the last writer, x when the key expires,
--   v when limits were set, c.NAME "capacity a b" set limits, l.NAME "kind level at held",
--   p.PROCESS "end seq NAME=credit,... RESULTS", z.PROCESS "seq NAME=charged:window,... RESULTS" of a lease
--   that has ended. `at` is the time up to which a rate has decayed, or the end of a quota's window.
-- Times are microseconds. Amounts are at most 2^52, so sums of two are exact.
--
-- Most of the time of a call goes into strings, conversions and tables. So numbers are printed as integers
-- (several times faster than '%.0f', and exact where a C long has 64 bits), zeros are not converted,
-- tables begin with room for three limits, and fields that stay are not written.
local call, format, match, gmatch, sub = redis.call, string.format, string.match, string.gmatch, string.sub
local rep, unpack = string.rep, unpack
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local MOST, HELD, NEVER = 4503599627370496, 9007199254740992, 18014398509481984
if format('%d', MOST) ~= '4503599627370496' then
  return redis.error_reply('ERR sluice needs a server with 64-bit integers')
end

local key, operation, me, seq, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3] + 0, ARGV[4] + 0
local m, k = ARGV[9] + 0, ARGV[10] + 0
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

if operation == 'reset' then
  local all = call('HGETALL', key)
  for i = 1, #all, 2 do
    local prefix = sub(all[i], 1, 2)
    if prefix == 'z.' then
      call('HDEL', key, all[i])
    elseif prefix == 'l.' then
      local kind, at, held = match(all[i + 1], '^(%a) %d+ (%d+) (%d+)$')
      call('HSET', key, all[i], kind .. ' 0 ' .. at .. ' ' .. held)
    end
  end
  return 'done ' .. ARGV[3] .. ' ' .. (call('HGET', key, 'v') or '0')
elseif operation == 'limits' then
  for i = 11, 7 + 4 * m, 4 do
    if ARGV[i + 1] == '-' then
      call('HDEL', key, 'c.' .. ARGV[i])
    else
      call('HSET', key, 'c.' .. ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3])
    end
  end
  call('HDEL', key, 'v', 'x')
  for _, field in ipairs(call('HKEYS', key)) do
    if sub(field, 1, 2) == 'c.' then
      local version = format('%d', now)
      call('HSET', key, 'v', version)
      call('PERSIST', key)
      return 'done ' .. ARGV[3] .. ' ' .. version
    end
  end
  -- The next call sets the expiry that usage needs.
  call('PEXPIRE', key, 367 * 86400000)
  return 'done ' .. ARGV[3] .. ' 0'
end

local is_peek, is_strict, is_leaving = operation == 'peek', ARGV[6] == '1', ARGV[8] == '1'
local fields = { 'n', 'd', 'g', 'x', 'v', 'p.' .. me, 0, 0, 0 }
for i = 1, m do
  fields[6 + i] = 'l.' .. ARGV[11 * i]
end
local stored = call('HMGET', key, unpack(fields, 1, 6 + m))
local holders, due, version = (stored[1] or 0) + 0, (stored[2] or 0) + 0, stored[5]

local epoch = call('GET', KEYS[2])
if not epoch and not is_peek then
  epoch = format('%d', now)
  call('SET', KEYS[2], epoch)
end
local born = (epoch or now) + 0
local is_lost = ARGV[5] ~= '0' and ARGV[5] ~= epoch
local is_standing = is_strict and born <= now and now < born + lease
-- Credit of before a loss may be spent for a lease. Later it has ended.
local is_revived = is_lost and now < born + lease

-- What this process holds, or held until its lease ended.
local entry, ended = stored[6], false
if not entry and stored[1] then
  ended = call('HGET', key, 'z.' .. me)
end
local list, results, is_repeated
if entry or ended then
  local last
  if entry then
    last, list, results = match(entry, '^%d+ (%d+) (%S+)(.*)$')
  else
    last, list, results = match(ended, '^(%d+) (%S+)(.*)$')
  end
  if not is_peek then
    if last + 0 > seq then
      return 'old ' .. ARGV[3]
    end
    is_repeated = last + 0 == seq
  end
end

-- The limits: what is consumed by now, and what is lent.
local kinds, capacity, step, step_us = { '', '', '' }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }
local level, at, held, mine, bound = { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }
for i = 1, m do
  local j = 11 * i
  local kind, cap, a, b = ARGV[j + 1], ARGV[j + 2] + 0, 0, 0
  if kind == 'r' then
    a, b = ARGV[j + 3] + 0, ARGV[j + 4] + 0
  elseif kind == 'q' then
    b = ARGV[j + 4] + 0
    if now >= b then
      b = ARGV[j + 5] + 0
    end
    if not is_repeated and (now < ARGV[j + 3] + 0 or now >= b) then
      return format('clock %s %d', ARGV[3], now)
    end
  end
  if version then
    local set = call('HGET', key, 'c.' .. ARGV[j])
    if set then
      local c, x, y = match(set, '^(%S+) (%S+) (%S+)$')
      cap = c + 0
      if kind == 'r' then
        a, b = x + 0, y + 0
      end
    end
  end
  local was, l, t, h = kind, 0, now, 0
  if stored[6 + i] then
    was, l, t, h = match(stored[6 + i], '^(%a) (%d+) (%d+) (%d+)$')
    l, t, h = l + 0, t + 0, h + 0
  elseif is_strict and not stored[1] and kind == 'r' then
    l, t = max(0, cap), min(born, now) + lease
  end
  if kind == 'r' then
    -- A time ahead by up to a lease stands: after a loss, or after a small step back of the clock.
    if l == 0 or was ~= 'r' or t > now + lease then
      t = now
    elseif now > t then
      local steps = floor((now - t) / b)
      l, t = l - steps * a, t + steps * b
      -- The rest of a step counts too if the bucket is empty by now: what is left of it must not serve a
      -- later charge. (A product that is rounded is never less than a smaller one.)
      if l <= 0 or l * b < a * (now - t) then
        l, t = 0, now
      end
    end
  elseif kind == 'q' then
    if was == 'q' and t < b then
      l = 0
    end
    t = b
  else
    l, t = 0, 0
  end
  kinds[i], capacity[i], step[i], step_us[i] = kind, cap, a, b
  level[i], at[i], held[i], mine[i] = l, t, h, 0
end

local index
local function number(name)
  if not index then
    index = {}
    for i = 1, m do
      index[ARGV[11 * i]] = i
    end
  end
  return index[name]
end
if list and list ~= '-' then
  for name, amount in gmatch(list, '([^=,]+)=(%d+)') do
    local i = number(name)
    if i then
      mine[i] = amount + 0
    end
  end
end

local function reply()
  -- One format is faster than one for each limit.
  local words = {
    ARGV[3], epoch or '0', now, is_lost and 1 or 0, holders, stored[3] and stored[3] ~= ARGV[7] and 1 or 0,
    version or '0', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  }
  local last = 7
  for i = 1, m do
    local left = kinds[i] == 'q' and at[i] > now and at[i] - now or 0
    words[last + 1], words[last + 2], words[last + 3] = mine[i], level[i] + held[i], capacity[i]
    words[last + 4] = left
    last = last + 4
  end
  words[last + 1] = results
  return format('ok %s %s %d %d %d %d %s' .. rep(' %d %d %d %d', m) .. '%s', unpack(words, 1, last + 1))
end

if is_repeated then
  return reply()
end

-- Leases that have ended are charged in full.
local gone, kept, others, back = {}, {}, {}, {}
local has_own = entry and true
if not entry and list then
  -- The own lease had ended before: what quotas were charged is corrected below.
  for name, amount, window in gmatch(list, '([^=,]+)=(%d+):(%d+)') do
    local i = number(name)
    if i and kinds[i] == 'q' and window + 0 == at[i] then
      back[i] = amount + 0
    end
  end
  for i = 1, m do
    mine[i] = 0
  end
end
if due > 0 and due <= now then
  local all, value = call('HGETALL', key), {}
  for i = 1, #all, 2 do
    value[all[i]] = all[i + 1]
  end
  due = 0
  for i = 1, #all, 2 do
    local field, prefix = all[i], sub(all[i], 1, 2)
    if prefix == 'p.' then
      local ends, rest = match(all[i + 1], '^(%d+) (.*)$')
      ends = ends + 0
      if ends > now then
        due = due == 0 and ends or min(due, ends)
      else
        local last, credit, answers = match(rest, '^(%d+) (%S+)(.*)$')
        local charged, has_quota = {}, false
        for name, amount in gmatch(credit, '([^=,]+)=(%d+)') do
          local j, h, window = number(name), amount + 0, ''
          if j then
            held[j] = max(0, held[j] - h)
            if kinds[j] ~= 'c' then
              level[j] = min(MOST, level[j] + h)
            end
            if kinds[j] == 'q' then
              window = format(':%d', at[j])
              if field == fields[6] then
                back[j] = h
              end
            end
          elseif value['l.' .. name] then
            -- A limit of another configuration: its rate is not known, so it just stops decaying.
            local kind, l, t, o = match(value['l.' .. name], '^(%a) (%d+) (%d+) (%d+)$')
            l, t, o = l + 0, t + 0, max(0, o - h)
            if kind == 'r' then
              l, t = min(MOST, l + h), max(t, now)
            elseif kind == 'q' and t > now then
              l, window = min(MOST, l + h), format(':%d', t)
            end
            value['l.' .. name] = format('%s %d %d %d', kind, l, t, o)
            others['l.' .. name] = value['l.' .. name]
          end
          has_quota = has_quota or window ~= ''
          charged[#charged + 1] = name .. '=' .. amount .. window
        end
        holders = holders - 1
        if field == fields[6] then
          has_own = false
          for j = 1, m do
            mine[j] = 0
          end
        else
          gone[#gone + 1] = field
          if has_quota then
            kept[#kept + 1] = 'z.' .. sub(field, 3)
            kept[#kept + 1] = last .. ' ' .. table.concat(charged, ',') .. answers
          end
        end
      end
    elseif prefix == 'z.' and field ~= 'z.' .. me then
      local is_over = true
      for window in gmatch(match(all[i + 1], '^%d+ (%S+)'), ':(%d+)') do
        is_over = is_over and window + 0 <= now
      end
      if is_over then
        gone[#gone + 1] = field
      end
    end
  end
end
if not is_peek and not has_own then
  holders = holders + 1
end

-- What the process reports.
for i = 1, m do
  local j = 11 * i
  local spent, debt, bind, restore = ARGV[j + 6], ARGV[j + 7], ARGV[j + 8], ARGV[j + 10]
  spent = spent == '0' and 0 or spent + 0
  bind = bind == '0' and 0 or bind + 0
  bound[i] = bind
  if not is_peek then
    local h, own = held[i], mine[i]
    local moved = min(spent, own)
    if kinds[i] == 'c' then
      -- What is in flight counts, whatever the store knows.
      local truth = restore == '0' and 0 or restore + 0
      if is_revived then
        truth = max(truth, bind)
      end
      own, h = own - moved, h - moved
      if own < truth then
        h, own = h + truth - own, truth
      end
    else
      local charge = debt == '0' and 0 or debt + 0
      if back[i] then
        level[i], charge = max(0, level[i] - back[i]), charge + spent
        h, own = h + bind, bind
      else
        own, h = own - moved, h - moved
        charge = charge + moved
        if is_lost then
          charge = charge + spent - moved
          if not entry and kinds[i] == 'q' then
            charge = charge + restore
          end
          if is_revived and own < bind then
            h, own = h + bind - own, bind
          end
        end
      end
      level[i] = min(MOST, level[i] + min(MOST, charge))
    end
    held[i], mine[i] = max(0, min(MOST, h)), own
  end
end

-- Those who wait, first come first served, each all or nothing.
local is_short = {}
results = ''
for w = 1, k do
  local base = 11 + 11 * m + (w - 1) * (m + 1)
  local wait, longest, costs = 0, 0, { 0, 0, 0 }
  for i = 1, m do
    local cost, cap = ARGV[base + i] + 0, capacity[i]
    costs[i] = cost
    if cost > 0 and cap >= 0 then
      local needs, top, own = 0, cap, mine[i] - bound[i]
      if is_standing and kinds[i] ~= 'r' then
        top = 0
      end
      local lack = (level[i] + held[i] - (own > 0 and own or 0)) - (top - cost)
      if cost > cap then
        needs = NEVER
      elseif lack > 0 then
        is_short[i] = true
        if top ~= cap then
          needs = born + lease - now
        elseif lack > level[i] then
          needs = HELD
        elseif kinds[i] == 'r' then
          needs = min(MOST, ceil(lack / step[i]) * step_us[i] + (at[i] - now))
        else
          needs = at[i] - now
        end
      end
      if needs > wait then
        wait, longest = needs, i
      end
    elseif cost > 0 and ARGV[base] == 'r' and held[i] - max(0, mine[i] - bound[i]) + cost > MOST then
      -- An unlimited limit lends no more than sums are exact for.
      is_short[i], longest, wait = true, wait < HELD and i or longest, max(wait, HELD)
    end
  end
  if wait > 0 then
    wait = wait == NEVER and -2 or wait == HELD and -1 or wait
    results = format('%s %d:%d', results, longest - 1, wait)
  else
    results = results .. ' 0'
    for i = 1, is_peek and 0 or m do
      local cost, own = costs[i], max(0, mine[i] - bound[i])
      if ARGV[base] == 'r' then
        local more = max(0, cost - own)
        mine[i], held[i], bound[i] = mine[i] + more, held[i] + more, bound[i] + cost
      elseif cost > 0 and kinds[i] ~= 'c' then
        local l = min(MOST, level[i] + cost)
        level[i] = l
        if own > 0 and capacity[i] >= 0 then
          -- What was free of the own credit pays for it.
          local given = max(0, min(own, l + held[i] - capacity[i]))
          mine[i], held[i] = mine[i] - given, held[i] - given
        end
      end
    end
  end
end
if is_peek then
  return reply()
end

-- Credit to hold until the next call: never less than what the process may be spending now.
local credit, values, size, life = '-', { 0, 0, 0, 0, 0, 0, 0, 0 }, 0, 0
for i = 1, m do
  local kind, l, own, target = kinds[i], level[i], mine[i], min(mine[i], bound[i])
  if is_leaving then
    if kind ~= 'c' then
      l = min(MOST, l + target)
      level[i] = l
    end
    target = 0
  elseif not is_short[i] then
    local want = ARGV[11 * i + 9]
    want = max(want == '0' and 0 or want + 0, bound[i])
    if want > 0 then
      -- What is lent above the capacity is taken back, unless it may be being spent.
      local room = capacity[i] - l - held[i]
      if capacity[i] < 0 then
        room = MOST - held[i]
      elseif is_standing and kind ~= 'r' then
        room = -l - held[i]
      end
      if room > 0 then
        room = floor(room / (2 * holders))
      end
      target = max(target, min(want, own + room))
    end
  end
  local h = max(0, min(MOST, held[i] + target - own))
  held[i], mine[i] = h, target
  if target > 0 then
    local words = format('%s=%d', ARGV[11 * i], target)
    credit = credit == '-' and words or credit .. ',' .. words
  end
  local value = format('%s %d %d %d', kind, l, at[i], h)
  if value ~= stored[6 + i] then
    values[size + 1], values[size + 2] = fields[6 + i], value
    size = size + 2
  end
  if kind == 'r' and l + h > 0 then
    life = max(life, min(MOST, ceil((l + h) / step[i]) * step_us[i] + (at[i] - now)))
  elseif kind == 'q' then
    life = max(life, at[i] - now)
  end
end
local function put(field, value)
  values[size + 1], values[size + 2] = field, value
  size = size + 2
end
if ended then
  gone[#gone + 1] = 'z.' .. me
end
if is_leaving then
  holders = holders - 1
  if entry then
    gone[#gone + 1] = fields[6]
  end
else
  local ends = now + lease
  due = due == 0 and ends or min(due, ends)
  put(fields[6], format('%d %s %s%s', ends, ARGV[3], credit, results))
end
if (stored[1] or -1) + 0 ~= holders then
  put('n', holders)
end
if (stored[2] or -1) + 0 ~= due then
  put('d', format('%d', due))
end
if stored[3] ~= ARGV[7] then
  put('g', ARGV[7])
end
for field, value in pairs(others) do
  put(field, value)
end
for i = 1, #kept, 2 do
  call('HSET', key, kept[i], kept[i + 1])
end
-- The expiry is only ever extended, and by a lease more than needed: most calls leave it alone.
local needed = now + life + lease + 1000000
local expires = not version and needed > (stored[4] or 0) + 0 and needed + lease
if expires then
  put('x', format('%d', expires))
end
if size > 0 then
  call('HSET', key, unpack(values, 1, size))
end
if expires then
  call('PEXPIRE', key, format('%d', ceil((expires - now) / 1000)))
end
for i = 1, #gone do
  call('HDEL', key, gone[i])
end
return reply()
