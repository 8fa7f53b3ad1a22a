-- wrk's script: for each request, sends a random line of a file.
--
-- Arguments after `--`: the name of this run, then the file. A line has a method, a path, `token` or `-`, and a body or
-- nothing, separated by tabs. The token comes from the environment. Marks as in post.lua: @unique@, @phone@.
--
-- `done` prints one line that bench/scale/lines.py reads.

local PHONES_PER_THREAD = 10000000

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   threads[#threads + 1] = thread
end

-- The body cut at its marks: literal texts and mark names in turn.
local function pieces(text)
   local cut, from = {}, 1
   for start, mark, after in text:gmatch("()@(%w+)@()") do
      if mark == "unique" or mark == "phone" then
         cut[#cut + 1] = { text = text:sub(from, start - 1) }
         cut[#cut + 1] = { mark = mark }
         from = after
      end
   end
   cut[#cut + 1] = { text = text:sub(from) }
   return cut
end

function init(args)
   run = args[1]
   kinds, sent = {}, 0
   ok, rejected, failed = 0, 0, 0
   for line in io.lines(args[2]) do
      local method, path, token, body = line:match("^(%S+)\t(%S+)\t(%S+)\t(.*)$")
      local headers = { ["Content-Type"] = "application/json" }
      if token == "token" then headers["OSDI-API-Token"] = os.getenv("TOKEN") end
      kinds[#kinds + 1] = { method = method, path = path, headers = headers, pieces = body ~= "" and pieces(body) }
   end
   first_phone = 13000000000 + (tonumber(run:match("%d+")) * 16 + number) * PHONES_PER_THREAD
   math.randomseed(tonumber(run:match("%d+")) * 16 + number + 1)
end

function request()
   local kind = kinds[math.random(#kinds)]
   local body = nil
   sent = sent + 1
   if kind.pieces then
      local parts = {}
      for index = 1, #kind.pieces do
         local piece = kind.pieces[index]
         if piece.mark == "unique" then
            parts[index] = string.format("%s-%d-%d", run, number, sent)
         elseif piece.mark == "phone" then
            parts[index] = string.format("%.0f", first_phone + sent)
         else
            parts[index] = piece.text
         end
      end
      body = table.concat(parts)
   end
   return wrk.format(kind.method, kind.path, kind.headers, body)
end

function response(status)
   if status < 300 then ok = ok + 1 elseif status < 500 then rejected = rejected + 1 else failed = failed + 1 end
end

function done(summary, latency, requests)
   local errors = summary.errors
   local ok, rejected, failed = 0, 0, 0
   for _, thread in ipairs(threads) do
      ok, rejected, failed = ok + thread:get("ok"), rejected + thread:get("rejected"), failed + thread:get("failed")
   end
   io.write(string.format(
      "RESULT requests=%d microseconds=%d p50=%d p99=%d connect=%d read=%d write=%d timeout=%d ok=%d rejected=%d failed=%d\n",
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.timeout, ok, rejected, failed))
end
