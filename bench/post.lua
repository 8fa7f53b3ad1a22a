-- wrk's script: posts bodies made from template files, a new body for every request.
--
-- Arguments after `--`: the name of this run, then one or more pairs of path and template file. With several pairs
-- the requests alternate between them and share their marks: so Eve's two requests make one outreach.
-- The client makes the reference between the two, so it reads no response. Marks: @unique@, @phone@, @known@.
--
-- `done` prints one line that bench/load.py reads.

local FIRST_KNOWN, KNOWN_PEOPLE = 1000, 1000
local PHONES_PER_THREAD = 10000000

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

-- The template cut at its marks: literal texts and mark names in turn.
local function pieces(path)
   local file = assert(io.open(path, "r"))
   local text = file:read("*a")
   file:close()
   local cut, from = {}, 1
   for start, mark, after in text:gmatch("()@(%w+)@()") do
      cut[#cut + 1] = { text = text:sub(from, start - 1) }
      cut[#cut + 1] = { mark = mark }
      from = after
   end
   cut[#cut + 1] = { text = text:sub(from) }
   return cut
end

function init(args)
   run = args[1]
   kinds = {}
   for index = 2, #args, 2 do
      kinds[#kinds + 1] = { path = args[index], pieces = pieces(args[index + 1]) }
   end
   sent = 0
   marks = {}
   -- The run decides the phone numbers too: warm-up and measurement must not share any.
   first_phone = 12000000000 + (tonumber(run:match("%d+")) * 16 + number) * PHONES_PER_THREAD
   math.randomseed(number + 1)
end

local function fill(cut)
   local parts = {}
   for index = 1, #cut do
      local piece = cut[index]
      parts[index] = piece.text or marks[piece.mark]
   end
   return table.concat(parts)
end

function request()
   local turn = sent % #kinds
   if turn == 0 then
      local count = sent / #kinds
      marks.unique = string.format("%s-%d-%d", run, number, count)
      marks.phone = string.format("%.0f", first_phone + count)
      marks.known = tostring(FIRST_KNOWN + math.random(0, KNOWN_PEOPLE - 1))
   end
   sent = sent + 1
   local kind = kinds[turn + 1]
   return wrk.format("POST", kind.path, nil, fill(kind.pieces))
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      "RESULT requests=%d microseconds=%d p50=%d p99=%d connect=%d read=%d write=%d status=%d timeout=%d\n",
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
