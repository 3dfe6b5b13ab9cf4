#include "inspector/scope/go_variable_reading.h"

#include "dwarf/location/location.h"
#include "golang/arguments/argument_words.h"
#include "golang/signatures/signatures.h"
#include "inspector/scope/frame_stores.h"
#include "inspector/scope/variable_reading.h"
#include "machine/x86_64/registers.h"
#include "values/go/go_variables.h"

#include <algorithm>

namespace inspect {
namespace {

/// Larger values Go's compiler does not take apart into registers.
constexpr std::size_t max_parts_apart = 4;
constexpr std::uint64_t max_size_apart = 32;

bool is_taken_apart(const ParameterPlace &place) {
  return place.parts.size() <= max_parts_apart &&
         (place.parts.empty() || place.parts.back().offset + place.parts.back().size <= max_size_apart);
}

/// Which of a place's parts hold their value at the frame's pc: what is on the stack does, and what is spilled where
/// the compiler says so. Of what it does not describe (beyond ten words) it is not known.
std::vector<bool> written_parts(const ParameterPlace &place, const ArgumentLayout &layout) {
  std::vector<bool> written(place.parts.size(), !place.in_registers);
  for (std::size_t i = 0; i < written.size() && place.in_registers; ++i)
    written[i] = std::ranges::any_of(layout.tokens, [&](const ArgumentToken &token) {
      return token.kind == ArgumentToken::Kind::word && !token.stale &&
             token.offset == place.offset + place.parts[i].offset && token.size == place.parts[i].size;
    });
  return written;
}

/// The compiler says of every value that it does not take apart that it is spilled, and then leaves out the stores of
/// one that nobody uses: only code that stores it, or a place in the frame that debug information knows, makes it so.
void leave_out_what_is_not_stored(GoParameters::Parameter &parameter, const ScopeVariable &variable,
                                  const GoFunction &code, const FrameContext &frame, const MemoryView &memory) {
  if (!parameter.place.in_registers || is_taken_apart(parameter.place) || is_ever_in_frame(variable.die))
    return;
  const auto stack_pointer = frame.registers != nullptr ? frame.registers->get(x86_64::rsp) : std::nullopt;
  const std::vector<RunAddress> stores = stack_pointer
                                             ? frame_stores({code.entry, frame.pc}, RunAddress{*stack_pointer}, memory)
                                             : std::vector<RunAddress>();
  for (std::size_t i = 0; i < parameter.is_written.size(); ++i)
    parameter.is_written[i] =
        parameter.is_written[i] &&
        std::ranges::find(stores, parameter.address + parameter.place.parts[i].offset) != stores.end();
}

const GoImage *image_of(const FrameContext &frame, const ValueEnvironment &environment) {
  if (!environment.go || environment.go->images == nullptr)
    return nullptr;
  const auto found = std::ranges::find(*environment.go->images, frame.module, &GoImage::module);
  return found == environment.go->images->end() ? nullptr : &*found;
}

CompleteType completing(const ValueEnvironment &environment) {
  return [&environment](const GoType &type) { whole(type, environment); };
}

/// A value that is put together from its parts, each known whole or not.
class PartsOfValue {
public:
  PartsOfValue(const GoType &type, std::vector<ScalarPart> parts)
      : parts_(std::move(parts)), known_(parts_.size(), false), places_(parts_.size()),
        image_(std::make_shared<ValueImage>(static_cast<std::size_t>(type.size))) {}

  void take_location(const Location &location, const GoParameters::Parameter *parameter, const FrameContext &frame);
  void take_place(const GoParameters::Parameter &parameter, const FrameContext &frame);
  bool any() const { return std::ranges::find(known_, true) != known_.end(); }
  /// In memory where all of it lies there as a whole.
  ValueSource source(std::uint64_t size, const MemoryView &memory);

private:
  bool is_described_twice(const Location &location) const;
  void take_piece(std::size_t part, const LocationPiece &piece, const FrameContext &frame);
  void take_memory(std::size_t part, RunAddress address, const MemoryView *memory);

  std::vector<ScalarPart> parts_;
  std::vector<bool> known_;
  std::vector<std::optional<RunAddress>> places_;
  std::shared_ptr<ValueImage> image_;
};

void PartsOfValue::take_memory(std::size_t part, RunAddress address, const MemoryView *memory) {
  std::uint64_t word = 0;
  const auto size = static_cast<std::size_t>(parts_[part].size);
  if (memory == nullptr || !memory->read(address, std::as_writable_bytes(std::span(&word, 1)).first(size)))
    return;
  image_->set(static_cast<std::size_t>(parts_[part].offset), word, size);
  known_[part] = true;
  places_[part] = address;
}

void PartsOfValue::take_piece(std::size_t part, const LocationPiece &piece, const FrameContext &frame) {
  if (piece.kind == LocationPiece::Kind::memory && piece.bit_offset == 0)
    return take_memory(part, piece.address, frame.memory);
  Location alone;
  alone.pieces = {piece};
  const auto source = read_location(alone, parts_[part].size, frame);
  const auto word = source ? source->unsigned_at(0, static_cast<std::size_t>(parts_[part].size)) : std::nullopt;
  if (!word)
    return;
  image_->set(static_cast<std::size_t>(parts_[part].offset), *word, static_cast<std::size_t>(parts_[part].size));
  known_[part] = true;
}

bool PartsOfValue::is_described_twice(const Location &location) const {
  for (std::size_t i = 0; i < location.pieces.size(); ++i)
    if (location.pieces[i].bit_size != 8 * parts_[i / 2].size)
      return false;
  return true;
}

void PartsOfValue::take_location(const Location &location, const GoParameters::Parameter *parameter,
                                 const FrameContext &frame) {
  const auto fits = [&](const LocationPiece &piece, const ScalarPart &part) {
    return (!piece.bit_size && parts_.size() == 1) || piece.bit_size == 8 * part.size;
  };
  if (!parts_.empty() && std::ranges::equal(location.pieces, parts_, fits)) {
    // Go 1.16 gives the parts of an argument on the stack the place of the first.
    const LocationPiece &first = location.pieces.front();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const LocationPiece &piece = location.pieces[i];
      if (i > 0 && piece.kind == LocationPiece::Kind::memory && first.kind == piece.kind &&
          piece.address == first.address)
        take_memory(i, first.address - parts_[0].offset + parts_[i].offset, frame.memory);
      else
        take_piece(i, piece, frame);
    }
    return;
  }
  // Go 1.17 describes each part of a parameter that is assigned to twice: as what came in, and as what it is.
  if (location.pieces.size() == 2 * parts_.size() && is_described_twice(location)) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const LocationPiece &first = location.pieces[2 * i];
      take_piece(i, first.kind != LocationPiece::Kind::missing ? first : location.pieces[2 * i + 1], frame);
    }
    return;
  }
  // Of the one scalar that the function uses: which it is, its place says.
  const LocationPiece &piece = location.pieces.front();
  if (location.pieces.size() != 1 || piece.bit_size || piece.kind != LocationPiece::Kind::memory ||
      parameter == nullptr)
    return;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (piece.address == parameter->address + parts_[i].offset)
      take_memory(i, piece.address, frame.memory);
}

/// Not beside parts that are elsewhere by now: the variable was assigned to since, and its place has what it was
/// before.
void PartsOfValue::take_place(const GoParameters::Parameter &parameter, const FrameContext &frame) {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (known_[i] && places_[i] != parameter.address + parts_[i].offset)
      return;
  for (std::size_t i = 0; i < parts_.size() && i < parameter.is_written.size(); ++i)
    if (!known_[i] && parameter.is_written[i])
      take_memory(i, parameter.address + parts_[i].offset, frame.memory);
}

/// A scalar that is spilled to the stack was in a register before, and so is elsewhere at other pcs. Parameters may be
/// in memory from the start, one scalar of several, too.
bool has_place_of_its_own(const ScopeVariable &variable) {
  return (!variable.is_parameter || variable.is_result) && has_one_frame_place(variable.die);
}

ValueSource PartsOfValue::source(std::uint64_t size, const MemoryView &memory) {
  const bool has_place = !parts_.empty() && places_[0].has_value();
  const RunAddress begin = has_place ? *places_[0] - parts_[0].offset : RunAddress{};
  bool in_one_place = has_place;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    in_one_place = in_one_place && places_[i] == begin + parts_[i].offset;
  return in_one_place ? ValueSource::in_memory(memory, begin, size) : ValueSource::of_image(image_);
}

} // namespace

GoParameters::GoParameters(const FunctionScope &function, const FrameContext &frame, ValueEnvironment &environment) {
  const GoImage *image = image_of(frame, environment);
  if (function.inlined || image == nullptr || !frame.cfa)
    return;
  std::vector<const ScopeVariable *> variables;
  for (const ScopeVariable &variable : function.variables)
    if (variable.is_parameter && !variable.is_result)
      variables.push_back(&variable);
  const GoSignature signature = go_signature(function.function, {}, *environment.go->converter);
  const auto code = image->table->find(frame.lookup);
  if (!code || signature.parameters.size() != variables.size())
    return;
  const auto places = parameter_places(signature, image->version, completing(environment));
  const ArgumentLayout layout = argument_layout(*image, *code, frame.lookup, environment.memory);
  if (!places || !places_fit(*places, signature, layout))
    return;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    Parameter parameter{.place = (*places)[i],
                        .address = *frame.cfa + (*places)[i].offset,
                        .is_written = written_parts((*places)[i], layout)};
    leave_out_what_is_not_stored(parameter, *variables[i], *code, frame, environment.memory);
    known_.push_back({variables[i]->die, std::move(parameter)});
  }
}

const GoParameters::Parameter *GoParameters::of(const ScopeVariable &variable) const {
  const auto found = std::ranges::find(known_, variable.die.addr, [](const Known &known) { return known.die.addr; });
  return found == known_.end() ? nullptr : &found->parameter;
}

Value go_variable_value(const ScopeVariable &variable, const GoParameters &parameters, const FrameContext &frame,
                        ValueEnvironment &environment) {
  const ValueType type = go_value_type(variable.type, environment);
  const auto location = locate_across_call(variable.die, frame);
  const auto missing = [&](std::string reason) { return missing_value(type, SourceLanguage::go, std::move(reason)); };
  // One expression that holds everywhere is of the whole value, as it is of what escaped: of the pointer to it.
  // So is that of a variable whose address is taken: it has its place from its declaration on, and no register before.
  std::optional<std::vector<ScalarPart>> parts;
  if (has_location_list(variable.die) && !variable.escaped && !is_of_unoptimised_unit(variable.die) &&
      !has_place_of_its_own(variable))
    parts = scalar_parts(whole(*type.go, environment), completing(environment));
  if (!parts) {
    if (!location)
      return missing(location.error().message());
    auto source = read_location(*location, environment.types.size_of(variable.type).value_or(0), frame);
    if (!source)
      return missing(source.error().message());
    Value made = go_value(variable.type, *std::move(source), variable.escaped, environment);
    made.register_number = only_register(*location);
    return made;
  }
  const GoParameters::Parameter *parameter = parameters.of(variable);
  PartsOfValue value(*type.go, std::move(*parts));
  if (location)
    value.take_location(*location, parameter, frame);
  if (parameter != nullptr)
    value.take_place(*parameter, frame);
  if (!value.any() && type.go->size != 0)
    return missing("optimized out");
  Value made = go_value(variable.type, value.source(type.go->size, environment.memory), false, environment);
  made.register_number = location ? only_register(*location) : std::nullopt;
  return made;
}

} // namespace inspect
