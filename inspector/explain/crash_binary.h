// The binary that a crash text is said to come from: whether it does, what its functions' signatures are, and what its
// read-only data says about the words of the text.
//
//     auto binary = CrashBinary::open("./svc");
//     (*binary)->place(traceback);                  // where the process had loaded it, if the text tells
//     if (auto remark = (*binary)->contradiction(frame, next_physical)) …
#pragma once

#include "golang/arguments/word_values.h"
#include "golang/image/file_image.h"
#include "golang/signatures/signatures.h"
#include "golang/traceback/traceback_text.h"
#include "golang/types/runtime_types.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace inspect {

class CrashBinary {
public:
  static Result<std::unique_ptr<CrashBinary>> open(const std::string &path);
  ~CrashBinary();
  CrashBinary(const CrashBinary &) = delete;
  CrashBinary &operator=(const CrashBinary &) = delete;

  const std::string &path() const { return path_; }
  GoVersion version() const;
  const std::string &version_text() const;

  /// Finds the load bias that the traceback's pcs and offsets tell. False: it tells none, and the binary is position
  /// independent, so that no address of the text can be looked up in it. An error: the pcs cannot be this binary's.
  Result<bool> place(const Traceback &traceback);

  /// What speaks against the frame being of this binary, as a sentence; nothing: it fits, or cannot be checked.
  /// `physical` is the frame that an inlined one (without offset) is part of; null: not known.
  struct FrameCheck {
    std::string contradiction;
    bool checked = false; ///< the function was found, and its line compared where there was one
  };
  FrameCheck check(const TracebackFrame &frame, const TracebackFrame *physical) const;

  /// "decode_row at /src/decode.c:12" where C code of the binary lies at this address of the process, inlined calls
  /// innermost first; nothing: it is Go's, of another module, or it is not known where the binary was loaded.
  std::optional<std::string> c_function_at(std::uint64_t pc) const;

  /// Whether the address is one of program text, where no data lies. False where it is not known.
  bool is_text(std::uint64_t address) const;

  /// From DWARF; null where there is none.
  const GoSignature *signature(const TracebackFrame &frame);
  /// Memory and types only where addresses of the text can be looked up.
  ValueContext context();

private:
  struct State;
  explicit CrashBinary(std::string path, std::unique_ptr<State> state);
  std::optional<GoFunction> function_of(const TracebackFrame &frame) const;
  bool is_inlined_into_wrapper(const TracebackFrame &frame) const;
  Result<void> load_at(LoadBias bias);

  std::string path_;
  std::unique_ptr<State> state_;
};

} // namespace inspect
