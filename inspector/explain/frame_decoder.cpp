#include "inspector/explain/frame_decoder.h"

#include "golang/arguments/argument_words.h"
#include "golang/arguments/receiver_name.h"
#include "inspector/explain/word_shapes.h"

#include <algorithm>
#include <fmt/format.h>

namespace inspect {
namespace {

constexpr std::uint64_t word_size = 8;
constexpr std::uint64_t lowest_address = 4096; // nothing is mapped below
constexpr GoVersion first_with_braces{1, 17};
constexpr GoVersion last_without_braces{1, 16};

/// Where the arguments lie on the stack up to Go 1.16, in bytes, and how many bytes they and the results take.
std::uint64_t aligned(std::uint64_t offset, std::uint64_t alignment) {
  return alignment < 2 ? offset : (offset + alignment - 1) / alignment * alignment;
}

std::vector<std::uint64_t> stack_offsets(const std::vector<GoParameter> &parameters, std::uint64_t &end) {
  std::vector<std::uint64_t> offsets;
  for (const GoParameter &parameter : parameters) {
    const bool known = parameter.type != nullptr;
    end = parameter.offset ? *parameter.offset : aligned(end, known ? parameter.type->alignment : word_size);
    offsets.push_back(end);
    end += known ? parameter.type->size : word_size;
  }
  return offsets;
}

std::size_t stack_word_count(const GoSignature &signature) {
  std::uint64_t end = 0;
  stack_offsets(signature.parameters, end);
  if (!signature.results.empty()) {
    end = aligned(end, word_size);
    stack_offsets(signature.results, end);
  }
  return aligned(end, word_size) / word_size;
}

bool braced(const TracebackFrame &frame) {
  return std::ranges::any_of(frame.layout.tokens, [](const ArgumentToken &token) {
    return token.stale || token.kind == ArgumentToken::Kind::open ||
           token.kind == ArgumentToken::Kind::offset_too_large;
  });
}

bool of_declared_function(std::string_view function, std::string_view declared) {
  if (function == declared)
    return true;
  if (!function.ends_with(declared) || function.size() <= declared.size() + 1)
    return false;
  const std::string_view package = function.substr(0, function.size() - declared.size());
  const std::size_t slash = package.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? package : package.substr(slash + 1);
  return last.ends_with('.') && last.substr(0, last.size() - 1).find_first_of(".(") == std::string_view::npos;
}

/// Its first word is an address, or nil.
bool holds_pointer(GoKind kind) {
  switch (kind) {
  case GoKind::pointer:
  case GoKind::map:
  case GoKind::channel:
  case GoKind::function:
  case GoKind::slice:
  case GoKind::string:
  case GoKind::interface:
    return true;
  default:
    return false;
  }
}

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

} // namespace

FrameDecoder::FrameDecoder(std::vector<GoDeclaration> declarations, CrashBinary *binary)
    : declarations_(std::move(declarations)), used_(declarations_.size()), binary_(binary) {}

void FrameDecoder::begin(const Traceback &traceback, std::vector<std::string> &warnings) {
  context_ = {};
  if (binary_ != nullptr) {
    const auto placed = binary_->place(traceback);
    if (!placed)
      warnings.push_back(placed.error().message());
    else if (!*placed)
      warnings.push_back(fmt::format("{} is position independent and the text does not say where it was loaded: the "
                                     "addresses in it cannot be looked up",
                                     binary_->path()));
    if (placed)
      context_ = binary_->context();
  }
  decide_form(traceback, warnings);
}

/// Go 1.17 and later print braces around what belongs together, and `?`; before, the argument area as it is.
void FrameDecoder::decide_form(const Traceback &traceback, std::vector<std::string> &warnings) {
  bool braces = false;
  bool flat_pair = false; // of a function that is known to take an interface or a string
  bool words = false;
  for (const TracebackGoroutine &goroutine : traceback.goroutines) {
    braces = braces || goroutine.created_in.has_value();
    for (const TracebackFrame &frame : goroutine.frames) {
      braces = braces || braced(frame);
      words = words || frame.words.size() > 1;
      flat_pair = flat_pair || (frame.words.size() == 2 && !braced(frame) &&
                                (frame.function == "panic" || frame.function == "runtime.throw"));
    }
  }
  const GoVersion version = binary_ != nullptr ? binary_->version() : GoVersion{};
  if (version == GoVersion{}) {
    stack_words_ = !braces;
    if (!braces && !flat_pair && words)
      warnings.emplace_back("the text has no braces around words: it is taken for one of Go 1.16 or earlier");
  } else {
    stack_words_ = version < first_with_braces;
    if (stack_words_ ? braces : flat_pair)
      warnings.push_back(fmt::format("the text is one of Go 1.{} or {}, and {} was built with {}: it is not the binary "
                                     "that crashed",
                                     braces ? 17 : 16, braces ? "later" : "earlier", binary_->path(),
                                     binary_->version_text()));
    if (stack_words_ && braces)
      stack_words_ = false;
    else if (!stack_words_ && flat_pair && !braces)
      stack_words_ = true;
  }
  context_.version = stack_words_ ? last_without_braces : std::max(version, first_with_braces);
}

FrameDecoder::Signature FrameDecoder::signature_of(const TracebackFrame &frame) {
  for (std::size_t i = 0; i < declarations_.size(); ++i)
    if (of_declared_function(frame.function, declarations_[i].signature.function)) {
      used_[i] = true;
      return {&declarations_[i].signature, ArgumentSource::declaration, &declarations_[i].assumptions};
    }
  if (binary_ != nullptr)
    if (const GoSignature *signature = binary_->signature(frame))
      return {signature, ArgumentSource::debug_info, nullptr};
  return {};
}

/// A declaration that makes another number of words than the text has is not the function's.
std::string FrameDecoder::misfit(const GoSignature &signature, const TracebackFrame &frame) const {
  if (frame.cut || frame.words.empty() || signature.may_lack_blanks)
    return {};
  const std::size_t expected = stack_words_ ? stack_word_count(signature) : signature.parameters.size();
  const std::size_t found = stack_words_ ? frame.words.size() : word_groups(frame.layout).size();
  if (expected == found)
    return {};
  const std::string_view unit = stack_words_ ? "word" : "argument";
  return fmt::format("the signature makes {}, the text has {}: it is not that of the program that crashed",
                     plural(expected, unit), found);
}

void FrameDecoder::decode(const TracebackFrame &frame, ExplainedFrame &into) {
  if (!frame.has_arguments || frame.layout.tokens.empty())
    return;
  Signature found = signature_of(frame);
  if (found.signature != nullptr) {
    if (std::string remark = misfit(*found.signature, frame); !remark.empty()) {
      into.remarks.push_back(std::move(remark));
      found = {};
    }
  }
  if (found.signature != nullptr) {
    into.source = found.source;
    into.arguments = stack_words_ ? decode_stack_words(*found.signature, frame.words, frame.cut, context_, text_phrases)
                                  : decode_words(*found.signature, frame.layout, frame.words, context_, text_phrases);
    remove_impossible_values(frame, into);
    if (found.assumptions != nullptr)
      into.remarks.insert(into.remarks.end(), found.assumptions->begin(), found.assumptions->end());
    return;
  }
  const auto meaningful = [](const DecodedArgument &argument) { return !argument.value.empty(); };
  if (context_.memory != nullptr) {
    into.source = ArgumentSource::binary;
    into.arguments = describe_words(frame.function, frame.layout, frame.words, context_);
    remove_impossible_values(frame, into);
    if (std::ranges::any_of(into.arguments, meaningful))
      return;
  }
  into.source = ArgumentSource::shape;
  into.arguments = stack_words_ ? shapes_of_stack_words(frame.function, frame.words)
                                : shapes_of_groups(frame.function, frame.layout, frame.words);
}

/// A word that is out of date may be what another variable left in its slot, a return address for example, and what it
/// seems to be or to point to is then nothing of the argument's type: the words alone are shown.
void FrameDecoder::remove_impossible_values(const TracebackFrame &frame, ExplainedFrame &into) {
  // golang/values/value_writer.h, golang/goroutines/address_classes.h
  constexpr std::string_view unreadable = "(unreadable ", doubted = "not initialised?", in_function = "(func ";
  const std::vector<FrameParameter> known = parameters(frame);
  for (DecodedArgument &argument : into.arguments) {
    const bool named = !argument.name.empty() && argument.name != "_";
    const auto parameter = named ? std::ranges::find(known, argument.name, &FrameParameter::name) : known.end();
    const bool no_pointer = parameter != known.end() && parameter->type != nullptr && parameter->word &&
                            holds_pointer(parameter->type->kind) &&
                            ((*parameter->word != 0 && *parameter->word < lowest_address) ||
                             (binary_ != nullptr && binary_->is_text(*parameter->word)));
    const bool rest = argument.stale && (argument.value.contains(doubted) ||
                                         (argument.value.contains(in_function) && argument.value.contains("+0x")));
    if (no_pointer || rest || argument.value.contains(unreadable))
      argument.value.clear();
  }
}

std::vector<FrameParameter> FrameDecoder::parameters(const TracebackFrame &frame) {
  std::vector<FrameParameter> all;
  if (!frame.has_arguments)
    return all;
  const std::vector<WordGroup> groups = word_groups(frame.layout);
  const Signature found = signature_of(frame);
  if (found.signature == nullptr || !misfit(*found.signature, frame).empty()) {
    const auto receiver = receiver_of(frame.function);
    if (receiver && receiver->pointer && !frame.words.empty() && !groups.front().aggregate)
      all.push_back({{}, nullptr, frame.words.front(), {}, groups.front().stale, true});
    return all;
  }
  const auto &parameters = found.signature->parameters;
  std::uint64_t end = 0;
  const auto offsets = stack_offsets(parameters, end);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    FrameParameter parameter{
        parameters[i].name, parameters[i].type, {}, {}, false, i == 0 && found.signature->has_receiver};
    std::size_t first = 0, count = 0;
    if (stack_words_) {
      first = offsets[i] / word_size;
      const std::uint64_t size = parameter.type != nullptr ? parameter.type->size : word_size;
      count = offsets[i] % word_size == 0 ? aligned(size, word_size) / word_size : 0;
    } else if (i < groups.size() && (!found.signature->may_lack_blanks || groups.size() == parameters.size())) {
      first = groups[i].first_word;
      count = groups[i].word_count;
      parameter.stale = groups[i].stale;
    }
    if (count >= 1 && first < frame.words.size())
      parameter.word = frame.words[first];
    if (count >= 2 && first + 1 < frame.words.size())
      parameter.second = frame.words[first + 1];
    all.push_back(std::move(parameter));
  }
  return all;
}

std::vector<std::string> FrameDecoder::unused_declarations() const {
  std::vector<std::string> unused;
  for (std::size_t i = 0; i < declarations_.size(); ++i)
    if (!used_[i])
      unused.push_back(declarations_[i].signature.function);
  return unused;
}

} // namespace inspect
