// What the words of a crash text's frames mean: by a declaration that was given, by the binary, else by their shape.
#pragma once

#include "inspector/explain/crash_binary.h"
#include "inspector/explain/explanation.h"

#include <deque>
#include <unordered_map>

namespace inspect {

/// One parameter of a frame: its type and the first of its words, where the text has it.
struct FrameParameter {
  std::string name;
  const GoType *type = nullptr;
  std::optional<std::uint64_t> word;   ///< a pointer's value, a string's or slice's address, an interface's type
  std::optional<std::uint64_t> second; ///< a string's or slice's length
  bool stale = false;
  bool receiver = false;
};

class FrameDecoder {
public:
  /// `binary` may be null, else it must outlive the object.
  FrameDecoder(std::vector<GoDeclaration> declarations, CrashBinary *binary);

  /// Before the frames of a traceback: finds out which form its words have, and where the binary was loaded. Sentences
  /// about both are added to its warnings.
  void begin(const Traceback &traceback, std::vector<std::string> &warnings);
  /// Fills arguments, source and remarks.
  void decode(const TracebackFrame &frame, ExplainedFrame &into);
  /// Of a frame whose signature is known; else only the receiver that the name tells.
  std::vector<FrameParameter> parameters(const TracebackFrame &frame);
  /// Declarations that no frame was decoded with, by function.
  std::vector<std::string> unused_declarations() const;

private:
  struct Signature {
    const GoSignature *signature = nullptr;
    ArgumentSource source = ArgumentSource::none;
    const std::vector<std::string> *assumptions = nullptr;
  };
  Signature signature_of(const TracebackFrame &frame);
  void decide_form(const Traceback &traceback, std::vector<std::string> &warnings);
  void remove_impossible_values(const TracebackFrame &frame, ExplainedFrame &into);
  std::string misfit(const GoSignature &signature, const TracebackFrame &frame) const;

  std::vector<GoDeclaration> declarations_;
  std::vector<bool> used_;
  CrashBinary *binary_;
  ValueContext context_;
  bool stack_words_ = false;
};

} // namespace inspect
