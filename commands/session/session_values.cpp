// The part of a session that evaluates: the scope of the selected frame, and what `set` writes.
#include "commands/session/session.h"
#include "inspector/scope/frame_scope.h"
#include "values/value_text.h"

#include "attach/procfs/process_status.h"
#include "inspector/scope/stack_contexts.h"
#include "inspector/target/module_files_memory.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <thread>

namespace inspect {

/// The memory, the frames and the scope of one evaluation.
struct Session::Look {
  Look(Session &session, const SnapshotMemory *captured)
      : files(session.target_->modules()),
        layers(captured != nullptr ? std::vector<const MemoryView *>{captured, &files, &session.target_->memory()}
                                   : std::vector<const MemoryView *>{&files, &session.target_->memory()}),
        memory(layers, session.written_) {}

  ModuleFilesMemory files;
  LayeredMemory layers;
  PatchedMemory memory;
  std::optional<StackContexts> contexts;
  std::optional<FrameScope> scope;
};

// Here, where Look is known.
Session::Session(std::unique_ptr<Target> target, bool read_only)
    : target_(std::move(target)), read_only_(read_only), selected_thread_(target_->process()) {
  if (const auto stat = read_process_stat(target_->process()))
    start_ticks_ = stat->start_ticks;
}

Session::~Session() {
  let_go();
  if (transcript != nullptr)
    std::fclose(transcript);
}

void Session::forget_look() {
  look_.reset();
}

ProgramValues &Session::program() {
  if (program_ == nullptr || !program_->is_current()) {
    look_.reset();
    program_ = std::make_unique<ProgramValues>(*target_);
  }
  return *program_;
}

void Session::read_names_ahead() {
  program().names().start();
}

/// The index of a large program takes seconds to make; whoever waits sees how far it is.
void Session::wait_for_names() {
  ProgramNames &names = program().names();
  if (names.progress().finished())
    return;
  names.start();
  while (!names.progress().finished() && !cancellation_.requested()) {
    const ProgramNames::Progress now = names.progress();
    if (progress)
      progress("reading the names of modules", now.modules_done, now.modules);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  if (progress)
    progress({}, 0, 0);
}

Result<FrameScope *> Session::scope() {
  return scope_of_frame(selected_frame_);
}

Result<FrameScope *> Session::scope_of_frame(std::size_t index) {
  const auto report = last_report();
  if (!report)
    return std::unexpected(report.error());
  ProgramValues &values = program();
  look_ = std::make_unique<Look>(*this, (*report)->captured.get());
  FrameScope::Input input{.program = values,
                          .memory = look_->memory,
                          .frame = nullptr,
                          .inlined = 0,
                          .cancellation = &cancellation_,
                          .before_names = [this] { wait_for_names(); }};
  // Without frames there still are globals.
  const auto frames = selected_frames();
  const auto stack = frames ? selected_stack() : std::unexpected(frames.error());
  if (stack && index < frames->size() && (*frames)[index].physical < (*stack)->frames.size()) {
    const std::size_t physical = (*frames)[index].physical;
    const auto first = std::ranges::find(*frames, physical, &ReportFrame::physical);
    input.inlined = index - static_cast<std::size_t>(first - frames->begin());
    look_->contexts.emplace(StackContexts::Input{**stack, look_->memory, target_->modules()});
    input.frame = &look_->contexts->at(physical);
  }
  look_->scope.emplace(input);
  return &*look_->scope;
}

PrintOptions Session::print_options() const {
  PrintOptions options;
  options.limits.string_bytes = settings_.number("max-string-len");
  options.limits.elements = settings_.number("max-array-values");
  options.limits.recursion = settings_.number("max-variable-recurse");
  if (const std::size_t fields = settings_.number("max-struct-fields"); fields != 0)
    options.limits.fields = fields;
  return options;
}

Result<void> Session::check_writable() const {
  if (!read_only_)
    return {};
  return std::unexpected(Error(ErrorKind::not_permitted, "this session was started with --read-only",
                               fmt::format("inspect attach {} without --read-only", target_->process())));
}

Result<void> Session::while_held(const std::function<Result<void>()> &job) {
  const bool was_held = held();
  if (auto holding = hold(); !holding)
    return holding;
  auto done = job();
  if (!was_held)
    let_go();
  return done;
}

Result<Session::Exchange> Session::write_memory(RunAddress address, std::span<const std::byte> bytes) {
  if (auto writable = check_writable(); !writable)
    return std::unexpected(writable.error());
  Exchange exchange{std::vector<std::byte>(bytes.size()), std::vector<std::byte>(bytes.size())};
  const LiveMemory &memory = target_->memory();
  const auto done = while_held([&]() -> Result<void> {
    if (auto read = memory.read(address, exchange.before); !read)
      return read;
    if (auto written = memory.write(address, bytes); !written)
      return written;
    return memory.read(address, exchange.after);
  });
  if (!done)
    return std::unexpected(done.error());
  written_.push_back({address, exchange.after});
  return exchange;
}

Result<void> Session::find_frame_again() {
  const auto frame = selected_report_frame();
  const auto physical = selected_physical_frame();
  if (!frame || !physical)
    return std::unexpected(frame ? physical.error() : frame.error());
  const std::string function((*frame)->function);
  const std::size_t old_index = selected_frame_;
  const auto frames_before = selected_frames();
  const auto first_before = std::ranges::find(*frames_before, (*frame)->physical, &ReportFrame::physical);
  const auto inlined = static_cast<std::ptrdiff_t>(old_index) - (first_before - frames_before->begin());
  const RunAddress cfa = (*physical)->cfa;
  const pid_t thread = selected_thread_;
  const std::uint64_t goroutine = selected_goroutine_;
  if (const auto fresh = fresh_report(); !fresh)
    return std::unexpected(fresh.error());
  const auto gone = [&] {
    return std::unexpected(
        Error(ErrorKind::not_found,
              fmt::format("{} has returned since it was shown", function.empty() ? "the selected frame" : function),
              "stop, and look again with bt"));
  };
  if (thread != selected_thread_ || goroutine != selected_goroutine_)
    return gone();
  const auto stack = selected_stack();
  const auto frames = selected_frames();
  if (!stack || !frames)
    return gone();
  for (std::size_t i = 0; i < (*stack)->frames.size(); ++i) {
    if ((*stack)->frames[i].cfa != cfa || cfa.value == 0)
      continue;
    const auto first = std::ranges::find(*frames, i, &ReportFrame::physical);
    if (first == frames->end() || frames->end() - first <= inlined)
      continue;
    const ReportFrame &again = *(first + inlined);
    if (again.function != function || again.physical != i)
      continue;
    selected_frame_ = static_cast<std::size_t>(&again - frames->data());
    return {};
  }
  return gone();
}

Result<void> Session::write_register(unsigned dwarf_number, std::span<const std::byte> bytes) {
  if (auto writable = check_writable(); !writable)
    return writable;
  const auto frame = selected_report_frame();
  if (!frame)
    return std::unexpected(frame.error());
  if (!held())
    return std::unexpected(Error(ErrorKind::unsupported, "registers are set while the target is held", "stop"));
  const auto goroutine = selected_goroutine();
  if ((*frame)->physical != 0 || (goroutine && *goroutine != nullptr && (*goroutine)->thread == 0))
    return std::unexpected(Error(ErrorKind::unsupported,
                                 "only the registers of the innermost frame of a thread can be set: those of its "
                                 "callers are wherever the functions they called have put them",
                                 "frame 0"));
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  RegisterSet changed;
  changed.set(dwarf_number, value);
  if (auto written = stopped_->write_registers(selected_thread_, changed); !written)
    return written;
  const auto fresh = fresh_report();
  return fresh ? Result<void>() : std::unexpected(fresh.error());
}

} // namespace inspect
