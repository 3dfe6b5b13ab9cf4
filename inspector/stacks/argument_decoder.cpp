#include "inspector/stacks/argument_decoder.h"

#include "golang/signatures/signatures.h"
#include "golang/types/runtime_types.h"
#include "inspector/stacks/dump_variables.h"

#include <algorithm>
#include <optional>

namespace inspect {
namespace {

/// Until then arguments were passed on the stack, and the words are that area as it is.
constexpr GoVersion first_with_typed_words{1, 17};

class LiveArgumentValues final : public ArgumentValues {
public:
  LiveArgumentValues(Target &target, GoRuntime &runtime, std::shared_ptr<const MemoryView> captured,
                     std::vector<GoroutineStackRange> stacks, std::shared_ptr<DumpVariables> variables)
      : target_(target), runtime_(runtime), variables_(std::move(variables)), stacks_(std::move(stacks)),
        captured_(std::move(captured)), memory_({captured_.get(), &target.memory()}),
        types_(runtime.images(), runtime.version(), memory_) {
    context_.memory = &memory_;
    context_.types = &types_;
    context_.version = runtime.version();
    context_.classify = [this](RunAddress address) { return classes().phrase(address); };
  }

  std::vector<DecodedArgument> decode(const GoReport &report, const GoroutineReport &goroutine, std::size_t index,
                                      std::span<const std::uint64_t> words) override {
    const ReportFrame &frame = report.stack_of(goroutine).frames[index];
    if (frame.arguments == nullptr || !frame.arguments->known)
      return {};
    const RunAddress entry = frame.pc - frame.offset;
    const GoImage *image = runtime_.find(entry);
    context_.version = image != nullptr ? image->version : runtime_.version(); // libraries may have another one each
    const GoSignature *signature = image != nullptr ? signatures_.at(*image->module, entry, frame.function) : nullptr;
    if (signature == nullptr)
      return describe_words(frame.function, *frame.arguments, words, context_);
    auto decoded = decode_with_signature(*signature, frame, words, image->version);
    // Without time for more the words have to do.
    if (variables_->has_time())
      take_values(variables_->variables(report, goroutine, index, FrameVariables::arguments, context_.print), decoded);
    return decoded;
  }

private:
  std::vector<DecodedArgument> decode_with_signature(const GoSignature &signature, const ReportFrame &frame,
                                                     std::span<const std::uint64_t> words, GoVersion version) const {
    if (version >= first_with_typed_words)
      return decode_words(signature, *frame.arguments, words, context_);
    const bool cut = std::ranges::any_of(frame.arguments->tokens, [](const ArgumentToken &token) {
      return token.kind == ArgumentToken::Kind::ellipsis;
    });
    return decode_stack_words(signature, words, cut, context_);
  }

  /// What `args` says of the same frame: words alone know neither what is in a register, nor whether what was spilled
  /// was written since, nor more than ten of themselves.
  static void take_values(const std::vector<FrameVariable> &variables, std::vector<DecodedArgument> &decoded) {
    for (DecodedArgument &argument : decoded) {
      const auto found = std::ranges::find_if(variables, [&](const FrameVariable &variable) {
        return variable.is_parameter && !variable.is_result && variable.name == argument.name;
      });
      if (found == variables.end() || argument.result || argument.name.empty() || argument.name == "_")
        continue;
      argument.value = found->value;
      argument.beyond_words = argument.incomplete;
      argument.stale = argument.incomplete = false;
    }
  }

  /// Made when it is first asked for: there may be a million stacks to sort.
  const AddressClasses &classes() {
    if (!classes_) {
      std::vector<MappedMemory> mapped;
      for (const Mapping &mapping : target_.maps())
        mapped.push_back({mapping.range, mapping.readable, mapping.writable, mapping.path});
      classes_.emplace(runtime_.images(), target_.modules(), std::move(mapped), std::move(stacks_));
    }
    return *classes_;
  }

  Target &target_;
  GoRuntime &runtime_;
  std::shared_ptr<DumpVariables> variables_;
  std::vector<GoroutineStackRange> stacks_; ///< until classes_ takes them
  std::optional<AddressClasses> classes_;
  std::shared_ptr<const MemoryView> captured_;
  LayeredMemory memory_;
  GoRuntimeTypes types_;
  GoSignatures signatures_;
  ValueContext context_;
};

} // namespace

std::shared_ptr<ArgumentValues> make_argument_values(Target &target, GoRuntime &runtime,
                                                     std::shared_ptr<const MemoryView> captured,
                                                     std::vector<GoroutineStackRange> stacks,
                                                     std::shared_ptr<DumpVariables> variables) {
  return std::make_shared<LiveArgumentValues>(target, runtime, std::move(captured), std::move(stacks),
                                              std::move(variables));
}

} // namespace inspect
