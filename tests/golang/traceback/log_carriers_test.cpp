// One traceback in what loggers, collectors and consoles make of it: it is read as if it were plain.
#include "golang/traceback/traceback_text.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <nlohmann/json.hpp>

namespace inspect {
namespace {

using Json = nlohmann::json;

const std::string plain = R"(panic: runtime error: slice bounds out of range [:9] with capacity 4

goroutine 23 [running]:
example.com/shop/cart.(*Cart).Take(0xc0000b4000, {0xc0001c4000, 0x3, 0x4}, 0x9)
	/home/build/shop/cart/cart.go:118 +0x7d
main.checkout({0x7a1b38, 0xc0001c4000}, 0xc0001ba000?)
	/home/build/shop/main.go:52 +0x99
created by main.serve in goroutine 1
	/home/build/shop/main.go:31 +0x5cb

goroutine 1 [chan receive, 7 minutes]:
main.serve(...)
	/home/build/shop/main.go:36
main.main()
	/home/build/shop/main.go:20 +0x1d
exit status 2
)";

std::vector<std::string> plain_lines() {
  std::vector<std::string> lines;
  for (std::string_view rest = plain; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return lines;
}

using Wrapper = std::function<std::string(const std::string &line, std::size_t index)>;

std::string each_line(const Wrapper &wrap) {
  std::string text;
  std::size_t index = 0;
  for (const std::string &line : plain_lines())
    text += wrap(line, index++) + "\n";
  return text;
}

std::string exchanged(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string lines_reversed(const std::string &text) {
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    result.insert(0, std::string(rest.substr(0, end)) + "\n");
    rest.remove_prefix(end + 1);
  }
  return result;
}

std::string broken_at(const std::string &text, std::size_t width) {
  std::string result;
  std::size_t column = 0;
  for (const char c : text) {
    if (c != '\n' && column == width) {
      result += '\n';
      column = 0;
    }
    result += c;
    column = c == '\n' ? 0 : column + 1;
  }
  return result;
}

std::string json_line(const std::string &key, const std::string &value) {
  return Json({{"caller", "log/write.go:12"}, {"level", "error"}, {key, value}, {"pid", 7}}).dump();
}

/// "function file:line" of all frames, creators behind "<".
std::string outline(const std::vector<Traceback> &tracebacks) {
  std::string text;
  for (const Traceback &traceback : tracebacks) {
    text += fmt::format("[{}]", traceback.messages.empty() ? "" : traceback.messages.front());
    for (const TracebackGoroutine &goroutine : traceback.goroutines) {
      text += fmt::format(" {} {}:", goroutine.id, goroutine.status);
      for (const TracebackFrame &frame : goroutine.frames)
        text += fmt::format(" {}/{} {}:{}", frame.function, frame.words.size(), frame.file, frame.line);
      if (goroutine.created_by)
        text += fmt::format(" < {} {}:{}", goroutine.created_by->function, goroutine.created_by->file,
                            goroutine.created_by->line);
    }
  }
  return text;
}

struct Carrier {
  std::string name;
  std::string text;
};

std::vector<Carrier> carriers() {
  const std::string stack = plain.substr(plain.find("goroutine"));
  std::string columns, rows_in_quotes;
  const auto quoted = [](const std::string &text) { return "\"" + exchanged(text, "\"", "\"\"") + "\""; };
  Json array = Json::array();
  for (const std::string &line : plain_lines())
    array.push_back(line);
  const auto tag = [](std::size_t i) { return fmt::format("2024-05-01T10:00:{:02}Z", i); };
  return {
      {"a member of JSON a line", each_line([](auto &line, auto) { return json_line("message", line); })},
      {"a member of any name", each_line([](auto &line, auto) { return json_line("textPayload", line); })},
      {"JSON behind a prefix", each_line([&](auto &line, auto i) { return tag(i) + " app: " + json_line("M", line); })},
      {"JSON in JSON", each_line([](auto &line, auto) { return json_line("log", json_line("m", line) + "\n"); })},
      {"all in one member", json_line("msg", plain) + "\n"},
      {"the message beside the stack",
       Json({{"msg", plain.substr(0, plain.find('\n'))}, {"stack", stack}}).dump() + "\n"},
      {"an array of lines", Json({{"lines", array}}).dump() + "\n"},
      {"an array over several lines", Json({{"lines", array}}).dump(2) + "\n"},
      {"objects over several lines", each_line([](auto &line, auto) {
         return Json({{"at", 1}, {"line", line}, {"z", "x"}}).dump(4);
       })},
      {"one text and its lines", Json({{"stderr", plain}, {"stderr_lines", array}}).dump() + "\n"},
      {"times among an array's lines", each_line([](auto &line, auto i) {
         return Json::array({fmt::format("17145576001234{:02}", i), line}).dump() + ",";
       })},
      {"pairs", each_line([&](auto &line, auto i) {
         return fmt::format("time={} level=error msg={} pod=a", tag(i), Json(line).dump());
       })},
      {"members on lines of their own",
       each_line([](auto &line, auto) { return "---\nid: a\npayload: " + Json(line).dump() + "\nat: b"; })},
      {"columns", each_line([&](auto &line, auto) { return "2024-05-01,ERROR," + quoted(line) + ",x"; })},
      {"a column of several lines", "time,text\n2024-05-01," + quoted(plain) + "\n"},
      {"something behind each line", each_line([](auto &line, auto) { return line + "   - "; })},
      {"numbers behind each line",
       each_line([](auto &line, auto i) { return line + fmt::format(" (svc.log:{})", 95 + i); })},
      {"a table", each_line([](auto &line, auto) { return fmt::format("| {:<100} |", line); })},
      {"rsyslog", "May  1 10:00:00 host app[7]: " + exchanged(exchanged(plain, "\n", "#012"), "\t", "#011") + "\n"},
      {"escaped", "stderr: " + exchanged(exchanged(plain, "\n", "\\n"), "\t", "\\t") + "\n"},
      {"a quoted string", "recovered: " + Json(plain).dump() + " and went on\n"},
      {"quoted twice", Json(Json(plain).dump()).dump() + "\n"},
      {"a web page", "<td>" + exchanged(exchanged(plain, "\n", "<br>"), "\t", "&#9;") + "</td>\n"},
      {"signs for line ends", exchanged(exchanged(plain, "\n", "\u240a"), "\t", "\u2409") + "\n"},
      {"other signs", exchanged(exchanged(plain, "\n", " | "), "\t", "") + "\n"},
      {"blanks for line ends", exchanged(exchanged(plain, "\n", " "), "\t", "") + "\n"},
      {"a form",
       "text=" + exchanged(exchanged(exchanged(exchanged(plain, "+", "%2B"), "\n", "%0A"), "\t", "%09"), " ", "+") +
           "\n"},
      {"broken at a width", broken_at(plain, 48)},
      {"JSON broken at a width", broken_at(json_line("m", plain), 80) + "\n"},
      {"newest first", lines_reversed(plain)},
      {"newest first, in JSON", lines_reversed(each_line([](auto &line, auto) { return json_line("m", line); }))},
      {"newest first, behind times",
       lines_reversed(each_line([&](auto &line, auto i) { return tag(i) + " " + line; }))},
      {"parts of lines (CRI)", each_line([&](auto &line, auto i) {
         std::string text;
         for (std::size_t at = 0; at < std::max<std::size_t>(line.size(), 1); at += 30)
           text += fmt::format("{}{} stderr {} {}", at == 0 ? "" : "\n", tag(i), at + 30 < line.size() ? "P" : "F",
                               line.substr(std::min(at, line.size()), 30));
         return text;
       })},
      {"every line twice", each_line([](auto &line, auto) { return line + "\n" + line; })},
      {"a trace's number",
       each_line([](auto &line, auto i) { return fmt::format("[{:08x}] ", i * 2654435761U) + line; })},
      {"levels that differ", each_line([](auto &line, auto i) {
         return fmt::format("E0501 10:00:{:02} [{}] ", i, i % 2 == 0 ? "ERROR" : "INFO") + line;
       })},
      {"bytes in JSON", each_line([](auto &line, auto) {
         const std::string coloured = "\x1b[31m" + line + "\x1b[0m";
         return Json({{"MESSAGE", std::vector<unsigned char>(coloured.begin(), coloured.end())}, {"_PID", "1"}}).dump();
       })},
      {"grep's lines around", each_line([](auto &line, auto i) {
         const char sign = line.contains("goroutine ") && line.contains('[') ? ':' : '-';
         return fmt::format("svc.log{}{}{}{}", sign, 95 + i, sign, line);
       })},
      {"a benchmark's name", "BenchmarkTake-8   \t" + plain},
      {"terminal links", each_line([](auto &line, auto) { return "\x1b]8;;http://x\x1b\\app\x1b]8;;\a | " + line; })},
  };
}

} // namespace

TEST_CASE("a traceback is read out of whatever carries it") {
  const std::string expected = outline(parse_tracebacks(plain));
  REQUIRE(expected.contains("23 running: example.com/shop/cart.(*Cart).Take/5 /home/build/shop/cart/cart.go:118"));
  for (const Carrier &carrier : carriers()) {
    CAPTURE(carrier.name, carrier.text);
    CHECK(outline(parse_tracebacks(carrier.text)) == expected);
  }
}

TEST_CASE("a carrier is taken off a traceback in a large log, too") {
  std::string text;
  for (int i = 0; i < 40'000; ++i)
    text += json_line("message", fmt::format("GET /cart/{} 200", i)) + "\n";
  text += each_line([](auto &line, auto) { return json_line("message", line); });
  REQUIRE(text.size() > 3'000'000);
  CHECK(outline(parse_tracebacks(text)) == outline(parse_tracebacks(plain)));
  CHECK(parse_tracebacks(text).front().text_line == 40'001);
}

TEST_CASE("two writers whose lines are mixed are told apart") {
  const auto lines = plain_lines();
  std::string text;
  for (const std::string &line : lines)
    text += "[pod/left] " + line + "\n[pod/right] " + exchanged(line, "goroutine 23", "goroutine 77") + "\n";
  const auto tracebacks = parse_tracebacks(text);
  REQUIRE(tracebacks.size() == 2);
  CHECK(tracebacks[0].goroutines.at(0).frames.size() == 2);
  CHECK(tracebacks[1].goroutines.at(0).id == 77);
  CHECK(tracebacks[1].goroutines.at(0).frames.size() == 2);
}

} // namespace inspect
