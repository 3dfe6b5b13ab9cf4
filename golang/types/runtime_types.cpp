#include "golang/types/runtime_types.h"

#include "golang/pclntab/function_name.h"
#include "golang/types/type_description.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace inspect {
namespace {

/// Large programs have about a tenth of this.
constexpr std::size_t max_types = 1 << 20;
/// For one type and all that it refers to, or the list of types. All 27,846 listed types of a Prometheus take 0.8
/// million.
constexpr std::uint64_t max_reads = 20'000'000;
constexpr std::size_t max_tables = 1 << 16;
constexpr std::uint64_t max_links = 1 << 20;

/// internal/abi ITab (runtime itab), up to its first method.
struct InterfaceTableWords {
  std::uint64_t interface_type;
  std::uint64_t type;
  std::uint32_t hash;
  std::uint32_t unused;
  std::uint64_t first_method;
};

} // namespace

struct GoRuntimeTypes::State {
  State(const std::vector<GoImage> &all_images, GoVersion go_version, const MemoryView &all_memory)
      : images(all_images), version(go_version), memory(all_memory), bytes(all_images, go_version, all_memory) {
    unknown.name = "?";
  }

  /// A type being made and what it refers to.
  struct Pending {
    GoType *type;
    TypeDescription description;
  };

  std::optional<TypeDescription> read_verified(RunAddress address) {
    auto description = read_type_description(bytes, version, address);
    if (!description || description->image)
      return description;
    auto name = verified_type_name(bytes, version, address);
    if (!name)
      return std::nullopt;
    description->name = std::move(*name);
    return description;
  }

  /// From the cache, or made with its parts still missing and put at the end of `pending`; null where no type is.
  const GoType *begin(RunAddress address, std::vector<Pending> &pending) {
    if (const auto known = types.find(address.value); known != types.end())
      return known->second;
    if (types.size() >= max_types)
      return nullptr;
    auto description = read_verified(address);
    if (!description) {
      if (bytes.image_of(address)) // memory elsewhere may change
        types.emplace(address.value, nullptr);
      return nullptr;
    }
    GoType &type = pool.add();
    type.kind = description->kind;
    type.name = description->name;
    type.size = description->size;
    type.alignment = description->alignment;
    type.length = description->length;
    type.has_methods = description->method_count > 0;
    type.runtime_type = address;
    types.emplace(address.value, &type);
    pending.push_back({&type, std::move(*description)});
    return &type;
  }

  const GoType *at(RunAddress address) {
    // A list and not recursion: types refer to each other through chains as long as the program is large.
    std::vector<Pending> pending;
    bytes.allow(max_reads);
    const GoType *root = begin(address, pending);
    const auto part = [&](RunAddress of) {
      const GoType *type = of.value == 0 ? nullptr : begin(of, pending);
      return type ? type : &unknown;
    };
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      if (has_element(next.type->kind))
        next.type->element = part(next.description.element);
      if (next.type->kind == GoKind::map)
        next.type->key = part(next.description.key);
      for (const TypeDescription::Field &field : next.description.fields)
        next.type->fields.push_back({field.name, part(field.type), field.offset, field.embedded});
    }
    return root;
  }

  static bool has_element(GoKind kind) {
    return kind == GoKind::array || kind == GoKind::channel || kind == GoKind::map || kind == GoKind::pointer ||
           kind == GoKind::slice;
  }

  /// Of a table made at run time, which has no hash (runtime/iface.go, itab.init: only type switches use it): its first
  /// method is a function, or -1 where the linker left the method out because nothing calls it.
  bool made_at_run_time(RunAddress address, const InterfaceTableWords &words) const {
    if (words.hash != 0)
      return false;
    const auto holds_method = [&](const GoImage &image) {
      if (!image.data.text.contains({words.first_method}))
        return false;
      const auto function = image.table->find(RunAddress{words.first_method});
      return function && function->entry.value == words.first_method;
    };
    return std::ranges::none_of(images, [&](const GoImage &image) { return image.module->contains(address); }) &&
           (words.first_method == ~std::uint64_t{0} || std::ranges::any_of(images, holds_method));
  }

  std::optional<InterfaceTable> read_interface_table(RunAddress address) {
    if (address.value == 0 || address.value % 8 != 0)
      return std::nullopt;
    const auto words = read_value<InterfaceTableWords>(memory, address);
    if (!words || words->unused != 0)
      return std::nullopt;
    bytes.allow(max_reads);
    const auto hash = bytes.value<std::uint32_t>(RunAddress{words->type} + 16);
    if (!hash || (*hash != words->hash && !made_at_run_time(address, *words)))
      return std::nullopt;
    const GoType *interface_type = at({words->interface_type});
    const GoType *type = at({words->type});
    if (!interface_type || interface_type->kind != GoKind::interface || !interface_type->has_methods || !type)
      return std::nullopt;
    return InterfaceTable{interface_type, type};
  }

  void add_title(const TypeTitle &title, RunAddress address) {
    by_name.try_emplace(title.name, address);
    if (!title.package_path.empty())
      by_path.try_emplace(title.package_path + '.' + std::string(split_qualified_name(title.name).name), address);
  }

  void build_index() {
    if (indexed)
      return;
    indexed = true;
    bytes.allow(max_reads);
    for (const GoImage &image : images) {
      for (const RunAddress address : listed_types(image)) {
        const auto title = read_type_title(bytes, address);
        if (!title)
          continue;
        add_title(*title, address);
        if (const auto element = read_type_title(bytes, title->element))
          add_title(*element, title->element);
      }
    }
  }

  std::vector<RunAddress> listed_types(const GoImage &image) {
    if (image.data.type_descriptions.size() > 0)
      return described_in_a_row(image);
    std::vector<std::int32_t> offsets(std::min(image.data.type_links.length, max_links));
    std::vector<RunAddress> listed;
    if (memory.read(image.data.type_links.data, std::as_writable_bytes(std::span(offsets))))
      for (const std::int32_t offset : offsets)
        listed.push_back(image.data.types.begin + static_cast<std::uint64_t>(std::int64_t{offset}));
    return listed;
  }

  /// runtime/type.go, moduleTypelinks, Go 1.27: the first one lies behind a word of padding, the others each behind the
  /// one before. All types are there, those with a name, too.
  std::vector<RunAddress> described_in_a_row(const GoImage &image) {
    std::vector<RunAddress> listed;
    const RunRange range = image.data.type_descriptions;
    RunAddress at{(range.begin.value + 8 + 7) / 8 * 8};
    while (at < range.end && listed.size() < max_links) {
      const auto size = type_description_bytes(bytes, image.version, at);
      if (!size)
        break; // where the next one begins only this one would tell
      listed.push_back(at);
      at = RunAddress{(at.value + *size + 7) / 8 * 8};
    }
    return listed;
  }

  const std::vector<GoImage> &images;
  GoVersion version;
  const MemoryView &memory;
  TypeBytes bytes;
  GoTypePool pool;
  GoType unknown;
  std::unordered_map<std::uint64_t, const GoType *> types; ///< null: in an image, but no type
  std::unordered_map<std::uint64_t, InterfaceTable> tables;
  bool indexed = false;
  std::unordered_map<std::string, RunAddress> by_name;
  std::unordered_map<std::string, RunAddress> by_path; ///< "net/http.Server"
};

GoRuntimeTypes::GoRuntimeTypes(const std::vector<GoImage> &images, GoVersion version, const MemoryView &memory)
    : state_(std::make_unique<State>(images, version, memory)) {}

GoRuntimeTypes::~GoRuntimeTypes() = default;

const GoType *GoRuntimeTypes::at(RunAddress description) {
  return state_->at(description);
}

std::optional<GoRuntimeTypes::InterfaceTable> GoRuntimeTypes::interface_table(RunAddress address) {
  if (const auto known = state_->tables.find(address.value); known != state_->tables.end())
    return known->second;
  auto table = state_->read_interface_table(address);
  if (table && state_->tables.size() < max_tables)
    state_->tables.emplace(address.value, *table);
  return table;
}

const GoType *GoRuntimeTypes::find(std::string_view name) {
  state_->build_index();
  const auto found = state_->by_name.find(std::string(name));
  return found == state_->by_name.end() ? nullptr : at(found->second);
}

const GoType *GoRuntimeTypes::find(std::string_view package_path, std::string_view name) {
  state_->build_index();
  const auto found = state_->by_path.find(std::string(package_path) + '.' + std::string(name));
  return found == state_->by_path.end() ? nullptr : at(found->second);
}

} // namespace inspect
