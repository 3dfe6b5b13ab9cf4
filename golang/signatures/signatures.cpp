#include "golang/signatures/signatures.h"

#include "dwarf/symbolize/line_resolver.h"
#include "dwarf/variables/function_signature.h"
#include "golang/arguments/receiver_name.h"
#include "golang/signatures/type_conversion.h"

#include <new>
#include <unordered_map>

namespace inspect {
namespace {

/// The compiler gives names to what has none: "~p0", "~r1", "~b2".
std::string parameter_name(const FunctionParameter &parameter) {
  if (!parameter.name.starts_with('~'))
    return parameter.name;
  return parameter.is_result ? std::string() : std::string("_");
}

GoVersion version_of(std::string_view producer) {
  const std::size_t place = producer.find(" go1.");
  if (place == std::string_view::npos)
    return {};
  producer.remove_prefix(place + 1);
  return parse_go_version(producer.substr(0, producer.find_first_of(" ;"))).value_or(GoVersion{});
}

/// With a pointer receiver the name says it; with another one the first
/// parameter's type must be the one it names.
bool has_receiver(std::string_view function, const GoSignature &signature) {
  const auto receiver = receiver_of(function);
  if (!receiver || signature.parameters.empty())
    return false;
  return receiver->pointer || signature.parameters.front().type->name == receiver->printed();
}

} // namespace

struct GoSignatures::State {
  TypeReader reader;
  GoTypePool pool;
  GoTypeConverter converter{reader, pool};
  std::unordered_map<const void *, std::unique_ptr<GoSignature>> by_die;
  /// Look-ups of an address are repeated: thousands of goroutines are at the
  /// same one.
  std::unordered_map<RunAddress, const GoSignature *> by_address;

  const GoSignature *find(Module &module, RunAddress pc, std::string_view function) {
    const auto die = lines_of(module).function_at(module.bias().to_link(pc));
    if (!die)
      return nullptr;
    std::unique_ptr<GoSignature> &signature = by_die[die->addr];
    if (!signature)
      signature = std::make_unique<GoSignature>(go_signature(*die, function, converter));
    return signature.get();
  }
};

GoSignature go_signature(const Dwarf_Die &die, std::string_view function, GoTypeConverter &converter) {
  const FunctionSignature described = function_signature(die);
  GoSignature signature;
  signature.function = function.empty() ? described.name : std::string(function);
  const GoVersion version = version_of(described.producer);
  const bool stack_arguments = version.major != 0 && version < GoVersion{1, 17};
  for (const FunctionParameter &one : described.parameters) {
    GoParameter parameter{parameter_name(one), converter.convert(one.type), std::nullopt};
    if (stack_arguments && one.frame_offset.value_or(-1) >= 0)
      parameter.offset = static_cast<std::uint64_t>(*one.frame_offset);
    (one.is_result ? signature.results : signature.parameters).push_back(std::move(parameter));
  }
  signature.has_receiver = has_receiver(signature.function, signature);
  // cmd/compile names them in DWARF since 1.22.
  signature.may_lack_blanks = version < GoVersion{1, 22};
  return signature;
}

GoSignatures::GoSignatures() : state_(std::make_unique<State>()) {}
GoSignatures::~GoSignatures() = default;

const GoSignature *GoSignatures::at(Module &module, RunAddress pc, std::string_view function) {
  const auto [place, is_new] = state_->by_address.try_emplace(pc, nullptr);
  if (!is_new)
    return place->second;
  try {
    place->second = state_->find(module, pc, function);
  } catch (const std::bad_alloc &) { // what libdw ends in when it has no memory left
    module.add_warning("not enough memory to read the types in " + module.path());
  }
  return place->second;
}

} // namespace inspect
