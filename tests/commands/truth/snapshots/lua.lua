-- What snapshots of lua are taken of: tables, strings, coroutines, closures, the compiler, errors, the collector.
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Point) end
Point.__lt = function(a, b) return a.x < b.x or (a.x == b.x and a.y < b.y) end
Point.__concat = function(a, b) return tostring(a) .. tostring(b) end
Point.__tostring = function(p) return string.format("<%d|%5.2f|%q>", p.x, p.y, "p" .. p.x) end
Point.__close = function() collectgarbage("step") end

local function point(i) return setmetatable({x = i * 7919 % 101, y = i / 3}, Point) end

local function tree(depth)
  if depth == 0 then return point(depth) end
  local left, right = tree(depth - 1), tree(depth - 1)
  return left + right
end

local function walker(t)
  return coroutine.wrap(function()
    for i, v in ipairs(t) do
      coroutine.yield(i, v)
    end
  end)
end

local function work(round)
  local points = {}
  for i = 1, 60 do points[#points + 1] = point(i + round) end
  table.sort(points, function(a, b) return b < a end)
  local texts = {}
  for i, p in walker(points) do texts[i] = tostring(p) end
  local joined = table.concat(texts, ", ", 3, 40)
  local replaced, count = joined:gsub("(%d+)|%s*([%d.]+)", function(x, y) return y .. "/" .. x end)
  local found = joined:find("p%f[%d](%d-)\">%s*$") or joined:match("^.-(%b<>)$")
  local chunk = assert(load("local a, b = ... ; return function(c) return a * b + c // 3 - #'" .. round .. "' end"))
  local ok, message = pcall(function()
    local guard <close> = point(1)
    return chunk(round, 2.5)(7) + nil
  end)
  local packed = string.pack("<i4s2z", round, replaced:sub(1, 9), "end")
  local map = {}
  for word in replaced:gmatch("[%d/]+") do map[word] = (map[word] or 0) + utf8.len(word) end
  return tree(6), string.unpack("<i4s2z", packed), message, select("#", table.unpack(points)), next(map)
end

for round = 1, 100000 do work(round) end
