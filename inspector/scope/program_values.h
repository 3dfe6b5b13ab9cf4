// What reading values of a process needs that outlives one look at it: the types read so far, the index of names, Go's
// type data. Of one generation of the target's modules: when libraries come or go, it is made anew.
//
//     ProgramValues program(target);
//     program.names().start();                                    // in the background
//     const auto environment = program.environment(memory);       // of one look: the copied stacks first
#pragma once

#include "dwarf/names/program_names.h"
#include "dwarf/types/type_reader.h"
#include "golang/goroutines/address_classes.h"
#include "golang/signatures/type_conversion.h"
#include "golang/types/runtime_types.h"
#include "inspector/target/target.h"
#include "values/value_environment.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inspect {

class ProgramValues {
public:
  /// The target must outlive the object, and keep its modules: see is_current().
  explicit ProgramValues(Target &target);
  ~ProgramValues();
  ProgramValues(const ProgramValues &) = delete;
  ProgramValues &operator=(const ProgramValues &) = delete;

  Target &target() { return target_; }
  /// Whether the target still has the modules that this was made of.
  bool is_current() const { return generation_ == target_.generation(); }
  TypeReader &types() { return types_; }
  ProgramNames &names() { return names_; }
  /// A Go function as a value that prints as its name.
  Value go_function(const NamedDie &named, const MemoryView &memory);
  /// Null: no Go in the process.
  GoTypePool *go_types() { return go_ ? &go_->pool : nullptr; }

  /// For one look at the process, whose memory it is; `memory` and this object must outlive it.
  ValueEnvironment environment(const MemoryView &memory, const Cancellation *cancellation);

private:
  struct GoPart {
    explicit GoPart(TypeReader &reader) : converter(reader, pool) {}
    GoTypePool pool;
    GoTypeConverter converter;
    GoVersion version;
    const std::vector<GoImage> *images = nullptr;
    std::optional<GoRuntimeTypes> types;
    std::optional<AddressClasses> classes; ///< made when it is first asked for
  };
  std::optional<ValueType> find_type(std::string_view name, SourceLanguage language, const Cancellation *cancellation);
  std::optional<Value> find_go_function(std::string_view name, const MemoryView &memory,
                                        const Cancellation *cancellation);
  std::optional<TypeHandle> find_rust_table(RunAddress address, const Cancellation *cancellation);
  std::string classify(RunAddress address);

  Target &target_;
  std::uint64_t generation_;
  TypeReader types_;
  ProgramNames names_;
  std::optional<GoPart> go_;
  std::unordered_map<std::string, std::optional<ValueType>> found_types_; ///< by language and name
  /// By address what the tables of Rust's trait objects are for; made when one is first asked for.
  std::optional<std::unordered_map<std::uint64_t, TypeHandle>> rust_tables_;
};

} // namespace inspect
