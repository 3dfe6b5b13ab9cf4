#include "commands/cli/command_spec.h"
#include "commands/cli/typed_text.h"
#include "commands/session/session.h"
#include "commands/values/memory_format.h"
#include "commands/values/memory_gap.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t max_bytes = 1000; // dlv's limit

struct Request {
  RunAddress address;
  MemoryFormat format = MemoryFormat::hexadecimal;
  bool raw = false;
  std::uint64_t count = 1;
  std::uint64_t size = 1;
};

MemoryFormat format_named(std::string_view name) {
  if (name == "dec")
    return MemoryFormat::decimal;
  if (name == "oct")
    return MemoryFormat::octal;
  return name == "bin" ? MemoryFormat::binary : MemoryFormat::hexadecimal;
}

/// gdb's "/8gx": a count, then letters for size (b h w g) and format (x d u o t), in any order.
Result<void> read_gdb_format(std::string_view text, Request &request) {
  std::string_view digits = text.substr(1);
  std::size_t length = 0;
  while (length < digits.size() && std::isdigit(static_cast<unsigned char>(digits[length])) != 0)
    ++length;
  request.size = 4; // gdb's default, a word
  if (length > 0)
    request.count = parse_number(digits.substr(0, length)).value_or(max_bytes + 1);
  for (const char letter : digits.substr(length)) {
    switch (letter) {
    case 'b':
      request.size = 1;
      break;
    case 'h':
      request.size = 2;
      break;
    case 'w':
      request.size = 4;
      break;
    case 'g':
      request.size = 8;
      break;
    case 'x':
      request.format = MemoryFormat::hexadecimal;
      break;
    case 'd':
    case 'u':
      request.format = MemoryFormat::decimal;
      break;
    case 'o':
      request.format = MemoryFormat::octal;
      break;
    case 't':
      request.format = MemoryFormat::binary;
      break;
    default:
      return std::unexpected(Error(ErrorKind::usage,
                                   fmt::format("'{}' in {} is not a size or format of x", letter, text),
                                   "b h w g for the size, x d u o t for the format; disassemble for instructions"));
    }
  }
  return {};
}

Result<void> read_number(const ParsedArguments &arguments, std::string_view option, std::uint64_t &into) {
  const auto text = arguments.value(option);
  if (!text)
    return {};
  const auto number = parse_number(*text);
  if (!number || text->starts_with('-') || *number == 0)
    return std::unexpected(Error(ErrorKind::usage, fmt::format("{} takes a number above 0, not '{}'", option, *text)));
  into = *number;
  return {};
}

Result<void> check(const Request &request) {
  if (request.size > 8)
    return std::unexpected(Error(ErrorKind::usage, "-size is 1 to 8 bytes"));
  if (request.count > max_bytes || request.count * request.size > max_bytes)
    return std::unexpected(
        Error(ErrorKind::usage, fmt::format("x shows at most {} bytes at once", max_bytes), "a smaller -count"));
  return {};
}

Result<Request> read_request(CommandContext &context) {
  const ParsedArguments &arguments = context.arguments;
  Request request;
  std::vector<std::string> words = arguments.positional();
  if (!words.empty() && words.front().starts_with('/')) {
    if (auto done = read_gdb_format(words.front(), request); !done)
      return std::unexpected(done.error());
    words.erase(words.begin());
  }
  if (const auto format = arguments.value("-fmt")) {
    request.raw = *format == "raw";
    request.format = format_named(*format);
  }
  for (const auto &[option, into] :
       {std::pair("-len", &request.count), std::pair("-count", &request.count), std::pair("-size", &request.size)}) {
    if (auto done = read_number(arguments, option, *into); !done)
      return std::unexpected(done.error());
  }
  if (auto done = check(request); !done)
    return std::unexpected(done.error());
  const auto expression = arguments.value("-x");
  if (expression && !words.empty())
    return std::unexpected(Error(ErrorKind::usage, "either an address or -x, not both", "help x"));
  const auto address =
      context.session->evaluator.address(expression ? *expression : fmt::format("{}", fmt::join(words, " ")));
  if (!address)
    return std::unexpected(address.error());
  request.address = RunAddress{*address};
  return request;
}

Result<ExitStatus> run_examine(CommandContext &context) {
  const auto request = read_request(context);
  if (!request)
    return std::unexpected(request.error());
  Session &session = *context.session;
  std::vector<std::byte> bytes(request->count * request->size);
  const auto print = [&] {
    const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    if (request->raw) // a terminal gets no control characters from the target
      context.output.write(context.output.is_terminal() ? escape(text) + "\n" : std::string(text));
    else
      context.output.write(format_memory(request->address, bytes, request->format, request->size));
  };
  if (auto read = session.target().memory().read(request->address, bytes); read) {
    print();
    return ExitStatus::success;
  }
  // What can be read is shown, then why it ends there.
  MemoryGap gap = find_gap(session.target(), request->address, bytes.size());
  bytes.resize(gap.address - request->address);
  if (!bytes.empty() && session.target().memory().read(request->address, bytes))
    print();
  return std::unexpected(std::move(gap.error));
}

} // namespace

CommandSpec make_examine_memory_command() {
  CommandSpec spec;
  spec.name = "examinemem";
  spec.aliases = {"x"};
  spec.summary = "Show memory at an address, as it is now";
  spec.help =
      "The address is a number, a register of the selected frame ($rsp), a symbol, sums of them (main+0x10), $NAME for "
      "a number in the environment, or any expression that print takes. gdb's manner works as well:\n"
      "\n"
      "  x -fmt hex -count 4 -size 8 0xc000012000\n"
      "  x/4gx $rsp\n"
      "\n"
      "At most 1000 bytes at once. Nothing is stopped to read.";
  spec.options = {
      {.name = "-fmt", .value = "hex|dec|oct|bin|raw", .help = "how to print; hex by default, raw: the bytes"},
      {.name = "-count", .value = "N", .help = "how many; 1 by default"},
      {.name = "-size", .value = "N", .help = "bytes of each, 1 to 8; 1 by default"},
      {.name = "-len", .value = "N", .help = "older word for -count"},
      {.name = "-x", .value = "EXPR", .help = "an expression in place of ADDRESS"}};
  spec.positionals = {{.name = "ADDRESS", .help = "where; see above", .repeatable = true}};
  spec.completion = CompletionKind::symbol;
  spec.in_session = true;
  spec.run = run_examine;
  return spec;
}

} // namespace inspect
