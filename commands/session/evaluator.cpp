#include "commands/session/evaluator.h"

#include "commands/cli/typed_text.h"
#include "inspector/scope/frame_scope.h"
#include "inspector/scope/stack_contexts.h"
#include "inspector/scope/symbol_search.h"
#include "inspector/target/module_files_memory.h"
#include "machine/x86_64/registers.h"
#include "values/expression/expression_evaluator.h"
#include "values/value_operations.h"
#include "values/value_text.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

namespace inspect {
namespace {

/// Where the last + or - outside of brackets stands, npos without: "a+b-4" is split before the 4. Not the first
/// character, which is a sign.
std::size_t last_operator(std::string_view text) {
  int depth = 0;
  for (std::size_t at = text.size(); at-- > 1;) {
    const char character = text[at];
    if (character == ')' || character == '>' || character == ']')
      ++depth;
    else if (character == '(' || character == '<' || character == '[')
      --depth;
    else if (depth == 0 && (character == '+' || character == '-'))
      return at;
  }
  return std::string_view::npos;
}

/// The address that an expression stands for: a number's or a pointer's value, where an array, a structure or a
/// function is.
Result<std::uint64_t> address_of_expression(std::string_view text, FrameScope &scope) {
  const auto value = inspect::evaluate(text, scope);
  if (!value)
    return std::unexpected(value.error());
  const ValueOperations &operations = operations_of(*value);
  if (const auto number = operations.number(*value, scope.environment());
      number && number->kind != Number::Kind::floating)
    return static_cast<std::uint64_t>(number->integer);
  if (value->source && value->source->address())
    return value->source->address()->value;
  return std::unexpected(Error(ErrorKind::usage, fmt::format("'{}' is not an address", text), "x &EXPRESSION"));
}

bool is_identifier(std::string_view text) {
  return std::ranges::all_of(text, [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
  });
}

} // namespace

/// The memory, the frames and the scope of one evaluator.
struct Evaluator::Look {
  Look(Target &target, std::shared_ptr<const SnapshotMemory> copied, const std::vector<WrittenBytes> &written)
      : captured(std::move(copied)), files(target.modules()),
        layers(captured != nullptr ? std::vector<const MemoryView *>{captured.get(), &files, &target.memory()}
                                   : std::vector<const MemoryView *>{&files, &target.memory()}),
        memory(layers, written) {}

  std::shared_ptr<const SnapshotMemory> captured;
  ModuleFilesMemory files;
  LayeredMemory layers;
  PatchedMemory memory;
  std::optional<StackContexts> contexts;
  std::optional<FrameScope> scope;
};

// Here, where Look is known.
Evaluator::Evaluator(AttachedProcess &process, Selection &selection, const Settings &settings)
    : process_(process), selection_(selection), settings_(settings) {}

Evaluator::~Evaluator() = default;

ProgramValues &Evaluator::program() {
  if (program_ == nullptr || !program_->is_current()) {
    look_.reset();
    program_ = std::make_unique<ProgramValues>(process_.target());
  }
  return *program_;
}

void Evaluator::read_names_ahead() {
  program().names().start();
}

std::vector<std::string> Evaluator::take_warnings() {
  std::vector<std::string> warnings = process_.target().take_warnings();
  if (program_ != nullptr)
    std::ranges::move(program_->names().take_warnings(), std::back_inserter(warnings));
  return warnings;
}

/// The index of a large program takes seconds to make; whoever waits sees how far it is.
void Evaluator::wait_for_names() {
  ProgramNames &names = program().names();
  if (names.progress().finished())
    return;
  names.start();
  while (!names.progress().finished() && !process_.cancellation().requested()) {
    const ProgramNames::Progress now = names.progress();
    if (process_.progress)
      process_.progress("reading the names of modules", now.modules_done, now.modules);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (process_.progress)
    process_.progress({}, 0, 0);
}

namespace {

/// Of the selected goroutine; 0 while a thread is selected.
RunAddress goroutine_address(Selection &selection) {
  if (selection.goroutine_id() == 0)
    return {};
  const auto selected = selection.goroutine();
  return selected && *selected != nullptr ? (*selected)->address : RunAddress{};
}

} // namespace

Result<FrameScope *> Evaluator::scope() {
  const auto report = selection_.last_report();
  if (!report)
    return std::unexpected(report.error());
  ProgramValues &values = program();
  if (written_since_ != selection_.looks())
    written_.clear();
  look_ = std::make_unique<Look>(process_.target(), (*report)->captured, written_);
  FrameScope::Input input{.program = values,
                          .memory = look_->memory,
                          .frame = nullptr,
                          .inlined = 0,
                          .cancellation = &process_.cancellation(),
                          .goroutine = goroutine_address(selection_),
                          .before_names = [this] { wait_for_names(); }};
  // Without frames there still are globals.
  const auto frames = selection_.frames();
  const auto stack = frames ? selection_.stack() : std::unexpected(frames.error());
  const std::size_t index = selection_.frame_index();
  const LinePlace place =
      stack && index < frames->size() ? place_of_line(*frames, index) : LinePlace{no_physical_frame};
  if (stack && place.physical < (*stack)->frames.size()) {
    input.inlined = place.inlined;
    look_->contexts.emplace(StackContexts::Input{**stack, look_->memory, process_.target().modules()});
    input.frame = (*frames)[index].tail_call ? look_->contexts->tail_caller(place.physical, (*frames)[index].pc)
                                             : &look_->contexts->at(place.physical);
  }
  look_->scope.emplace(input);
  return &*look_->scope;
}

Result<std::uint64_t> Evaluator::register_value(unsigned dwarf_number, std::string_view name) {
  const auto frame = selection_.physical_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if (dwarf_number == x86_64::return_address)
    return (*frame)->pc.value;
  if (const auto &known = (*frame)->registers; known != nullptr && known->knows(dwarf_number))
    return *known->get(dwarf_number);
  return std::unexpected(Error(ErrorKind::not_found,
                               fmt::format("{} is not recoverable in frame {}", name, selection_.frame_index()),
                               "frame 0"));
}

Result<std::uint64_t> Evaluator::address(std::string_view text) {
  text = trimmed(text);
  if (parse_number(text))
    return symbol_address(text);
  // A variable of the frame hides symbols; all else that was an address before there were expressions still is one.
  const bool name = is_identifier(text) && !x86_64::register_by_name(text);
  if (name && selection_.known_report() != nullptr) {
    const auto in_frame = scope();
    const FunctionScope *function = in_frame ? (*in_frame)->function() : nullptr;
    if (function != nullptr &&
        std::ranges::find(function->variables, text, &ScopeVariable::name) != function->variables.end())
      return address_of_expression(text, **in_frame);
  }
  auto number = symbol_address(text);
  if (number || name || number.error().kind() == ErrorKind::cancelled)
    return number;
  const auto in_frame = scope();
  auto address = in_frame ? address_of_expression(text, **in_frame) : std::unexpected(in_frame.error());
  // Where neither is valid, what was meant is an expression if it looks like one.
  const bool simple = text.find_first_of("*&[({.<>=|^~!/") == std::string_view::npos;
  return address || !simple ? address : number;
}

Result<std::uint64_t> Evaluator::symbol_address(std::string_view text) {
  text = trimmed(text);
  constexpr std::size_t max_text_length = 4096;
  if (text.empty() || text.size() > max_text_length)
    return std::unexpected(Error(ErrorKind::usage, "an address is missing", "help x"));
  if (const auto number = parse_number(text))
    return *number;
  if (text.starts_with('(') && text.ends_with(')') && text.find('(', 1) == std::string_view::npos)
    return symbol_address(text.substr(1, text.size() - 2));

  std::string_view name = text;
  const bool dollar = name.starts_with('$') || name.starts_with('%');
  const bool ampersand = name.starts_with('&');
  if (dollar || ampersand)
    name.remove_prefix(1);
  if (const auto number = ampersand ? std::nullopt : x86_64::register_by_name(name))
    return register_value(*number, name);
  if (dollar) {
    // Runbooks pass addresses in the environment: ADDR=0x… inspect attach PID -e 'x $ADDR'.
    const char *variable = std::getenv(std::string(name).c_str());
    if (const auto number = variable == nullptr ? std::nullopt : parse_number(variable))
      return *number;
  }
  // Names of operators hold + and -, so that the whole text is tried as a name first.
  const std::size_t split = last_operator(text);
  auto symbol = find_symbol(process_.target(), name, process_.cancellation());
  if (symbol)
    return symbol->address.value;
  if (split == std::string_view::npos && dollar && symbol.error().kind() == ErrorKind::not_found)
    return std::unexpected(Error(ErrorKind::not_found,
                                 fmt::format("'{}' is not a register, a number in the environment or a symbol", text),
                                 "regs -a"));
  if (split == std::string_view::npos || symbol.error().kind() == ErrorKind::cancelled)
    return std::unexpected(symbol.error());
  const auto left = symbol_address(text.substr(0, split));
  if (!left)
    return std::unexpected(left.error());
  const auto right = symbol_address(text.substr(split + 1));
  if (!right)
    return std::unexpected(right.error());
  return text[split] == '+' ? *left + *right : *left - *right;
}

PrintOptions Evaluator::print_options() const {
  PrintOptions options;
  options.limits.string_bytes = settings_.number("max-string-len");
  options.limits.elements = settings_.number("max-array-values");
  options.limits.recursion = settings_.number("max-variable-recurse");
  if (const std::size_t fields = settings_.number("max-struct-fields"); fields != 0)
    options.limits.fields = fields;
  return options;
}

Result<Evaluator::Exchange> Evaluator::write_memory(RunAddress address, std::span<const std::byte> bytes) {
  if (auto writable = process_.check_writable(); !writable)
    return std::unexpected(writable.error());
  Exchange exchange{std::vector<std::byte>(bytes.size()), std::vector<std::byte>(bytes.size())};
  const LiveMemory &memory = process_.target().memory();
  const auto done = process_.while_held([&]() -> Result<void> {
    if (auto read = memory.read(address, exchange.before); !read)
      return read;
    if (auto written = memory.write(address, bytes); !written)
      return written;
    return memory.read(address, exchange.after);
  });
  if (!done)
    return std::unexpected(done.error());
  if (std::exchange(written_since_, selection_.looks()) != selection_.looks())
    written_.clear();
  written_.push_back({address, exchange.after});
  return exchange;
}

Result<void> Evaluator::write_register(unsigned dwarf_number, std::span<const std::byte> bytes) {
  if (auto writable = process_.check_writable(); !writable)
    return writable;
  const auto frame = selection_.report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if (!process_.held())
    return std::unexpected(Error(ErrorKind::unsupported, "registers are set while the target is held", "stop"));
  const auto goroutine = selection_.goroutine();
  if ((*frame)->physical != 0 || (goroutine && *goroutine != nullptr && (*goroutine)->thread == 0))
    return std::unexpected(Error(ErrorKind::unsupported,
                                 "only the registers of the innermost frame of a thread can be set: those of its "
                                 "callers are wherever the functions they called have put them",
                                 "frame 0"));
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  RegisterSet changed;
  changed.set(dwarf_number, value);
  if (auto written = process_.write_registers(selection_.thread_id(), changed); !written)
    return written;
  const auto fresh = selection_.fresh_report();
  return fresh ? Result<void>() : std::unexpected(fresh.error());
}

} // namespace inspect
