// Expressions in a session: what names mean in the selected frame, addresses as people type them, and what `set`
// writes.
#pragma once

#include "commands/session/selection.h"
#include "commands/session/settings.h"
#include "inspector/target/patched_memory.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace inspect {

class FrameScope;    // inspector/scope/frame_scope.h
class ProgramValues; // inspector/scope/program_values.h
struct PrintOptions; // values/value_text.h

class Evaluator {
public:
  /// All of them must outlive it.
  Evaluator(AttachedProcess &process, Selection &selection, const Settings &settings);
  ~Evaluator();
  Evaluator(const Evaluator &) = delete;
  Evaluator &operator=(const Evaluator &) = delete;

  /// What names mean in the selected frame; without a frame, what the whole program has. Valid, as are the values that
  /// it finds, until the next call or the next command.
  Result<FrameScope *> scope();
  /// "0x10", "-5", "$rip", "rsp+8", "symbol", "symbol+0x10", "$NAME" of the environment, an expression: a number. usage
  /// or not_found where it is none of these.
  Result<std::uint64_t> address(std::string_view text);
  /// As config has them.
  PrintOptions print_options() const;

  /// Types and names of the target's present modules.
  ProgramValues &program();
  /// Until the index of names is made, with progress; Ctrl-C ends the wait.
  void wait_for_names();
  /// What files could not say of names, types and lines since it was last asked, each sentence once.
  std::vector<std::string> take_warnings();
  /// Begins to read the names of the whole program, in the background.
  void read_names_ahead();

  struct Exchange {
    std::vector<std::byte> before;
    std::vector<std::byte> after; ///< as read back
  };
  /// Reads, writes and reads back, inside one short stop unless held. not_permitted with --read-only.
  Result<Exchange> write_memory(RunAddress address, std::span<const std::byte> bytes);
  /// Of the selected thread, whose innermost frame must be selected, in a held target. `bytes` are the whole
  /// register's.
  Result<void> write_register(unsigned dwarf_number, std::span<const std::byte> bytes);

private:
  Result<std::uint64_t> register_value(unsigned dwarf_number, std::string_view name);
  Result<std::uint64_t> symbol_address(std::string_view text);
  struct Look; ///< what the last scope() stands on

  AttachedProcess &process_;
  Selection &selection_;
  const Settings &settings_;
  std::unique_ptr<ProgramValues> program_; ///< of the target's present modules
  std::vector<WrittenBytes> written_;      ///< since the last report was taken, which does not know of it
  std::size_t written_since_ = 0;          ///< Selection::looks() of that report
  std::unique_ptr<Look> look_;             ///< after the program's values, which it speaks of
};

} // namespace inspect
