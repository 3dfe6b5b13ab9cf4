#include "golang/signatures/declared_types.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace inspect {
namespace {

// Types of the standard library that declarations name often, so that they need not be declared: which of them are
// interfaces, which are numbers, how the few structures passed by value are laid out.
//
// Source: the library's documentation; none of these has changed its layout from Go 1.9 to 1.26.

constexpr auto interfaces = std::to_array<std::string_view>({
    "context.Context",
    "crypto.Signer",
    "driver.Conn",
    "driver.Value",
    "encoding.TextMarshaler",
    "flag.Value",
    "fmt.Formatter",
    "fmt.State",
    "fmt.Stringer",
    "fs.DirEntry",
    "fs.FS",
    "fs.File",
    "fs.FileInfo",
    "hash.Hash",
    "hash.Hash32",
    "hash.Hash64",
    "http.File",
    "http.FileSystem",
    "http.Flusher",
    "http.Handler",
    "http.Hijacker",
    "http.ResponseWriter",
    "http.RoundTripper",
    "io.ByteReader",
    "io.ByteWriter",
    "io.Closer",
    "io.ReadCloser",
    "io.ReadSeeker",
    "io.ReadWriteCloser",
    "io.ReadWriter",
    "io.Reader",
    "io.ReaderAt",
    "io.ReaderFrom",
    "io.Seeker",
    "io.StringWriter",
    "io.WriteCloser",
    "io.Writer",
    "io.WriterAt",
    "io.WriterTo",
    "json.Marshaler",
    "json.Unmarshaler",
    "net.Addr",
    "net.Conn",
    "net.Error",
    "net.Listener",
    "net.PacketConn",
    "os.FileInfo",
    "os.Signal",
    "reflect.Type",
    "sort.Interface",
    "sql.Result",
    "sql.Scanner",
    "sync.Locker",
    "syscall.Conn",
    "syscall.RawConn",
    "testing.TB",
});

struct KnownKind {
  std::string_view name;
  GoKind kind;
};

constexpr auto kinds = std::to_array<KnownKind>({
    {"context.CancelFunc", GoKind::function},
    {"filepath.WalkFunc", GoKind::function},
    {"fs.FileMode", GoKind::unsigned32},
    {"fs.WalkDirFunc", GoKind::function},
    {"http.HandlerFunc", GoKind::function},
    {"os.FileMode", GoKind::unsigned32},
    {"reflect.Kind", GoKind::unsigned_integer},
    {"syscall.Errno", GoKind::uintptr},
    {"syscall.Signal", GoKind::integer},
    {"time.Duration", GoKind::integer64},
    {"time.Month", GoKind::integer},
    {"time.Weekday", GoKind::integer},
});

GoType &named(GoTypePool &pool, std::string_view name, const GoType &underlying) {
  GoType &type = pool.add();
  type = underlying;
  type.name = name;
  return type;
}

const GoType *known_composite(std::string_view name, GoTypePool &pool) {
  const GoType &word = *pool.predeclared("uintptr");
  const GoType &pointer = *pool.predeclared("unsafe.Pointer");
  const GoType &text = *pool.predeclared("string");
  const GoType &bytes = *pool.slice_of(*pool.predeclared("byte"));
  if (name == "json.RawMessage" || name == "net.IP" || name == "net.HardwareAddr" || name == "net.IPMask")
    return &named(pool, name, bytes);
  if (name == "http.Header" || name == "url.Values" || name == "textproto.MIMEHeader")
    return &named(pool, name, *pool.map_of(text, *pool.slice_of(text)));
  if (name == "time.Time")
    return &pool.structure_of(
        {{"wall", pool.predeclared("uint64"), 0}, {"ext", pool.predeclared("int64"), 0}, {"loc", &pointer, 0}},
        "time.Time");
  if (name == "reflect.Value")
    return &pool.structure_of({{"typ", &pointer, 0}, {"ptr", &pointer, 0}, {"flag", &word, 0}}, "reflect.Value");
  return nullptr;
}

/// "context.Context", "time.Duration", …; null where it is not known.
const GoType *known_library_type(std::string_view name, GoTypePool &pool) {
  if (const auto *found = std::ranges::find(kinds, name, &KnownKind::name); found != kinds.end())
    return &pool.add(found->kind, std::string(name));
  if (std::ranges::find(interfaces, name) != interfaces.end())
    return &named(pool, name, *pool.predeclared("error"));
  return known_composite(name, pool);
}

/// Each may hold the next by value, and is laid out after it.
constexpr std::size_t max_types = 5'000;

void note_unknown(const GoType &type, std::set<const GoType *> &seen, std::vector<std::string> &into) {
  if (!seen.insert(&type).second)
    return;
  if (type.kind == GoKind::unknown)
    into.push_back(fmt::format("type {} is not declared: it is taken for one word", type.name));
  if (type.kind == GoKind::array)
    note_unknown(*type.element, seen, into);
  for (const GoField &field : type.fields)
    note_unknown(*field.type, seen, into);
}

} // namespace

const GoType &DeclaredTypes::at(const std::string &name) {
  if (const auto parameter = parameters_.find(name); parameter != parameters_.end())
    return *parameter->second;
  if (!names_.contains(name)) {
    const GoType *&known = known_[name];
    if (!known)
      known = pool_.predeclared(name);
    if (!known)
      known = known_library_type(name, pool_);
    if (known)
      return *known;
  }
  GoType *&type = names_[name];
  if (!type)
    type = &pool_.add(GoKind::unknown, name);
  return *type;
}

Result<const GoType *> DeclaredTypes::array_of(const GoType &element, std::uint64_t length) {
  GoType &type = pool_.add(GoKind::array, fmt::format("[{}]{}", length, element.name));
  type.element = &element;
  type.length = length;
  return without_size_[&type] = &type;
}

const GoType *DeclaredTypes::structure_of(std::vector<GoField> fields, std::string name) {
  GoType &type = pool_.add(GoKind::structure, std::move(name));
  type.fields = std::move(fields);
  return without_size_[&type] = &type;
}

bool DeclaredTypes::is_declared(const std::string &name) const {
  const auto found = names_.find(name);
  return found != names_.end() && places_.contains(found->second);
}

void DeclaredTypes::declare(const std::string &name, const GoType &underlying, std::size_t offset) {
  GoType *&own = names_[name];
  if (!own)
    own = &pool_.add(GoKind::unknown, name);
  underlying_.emplace_back(own, &underlying);
  places_[own] = offset;
}

void DeclaredTypes::add_parameter(const std::string &name) {
  parameters_[name] = &pool_.add(GoKind::unknown, name);
}

/// "type A B; type B C": each takes what its chain of names ends in.
std::optional<DeclaredTypes::Impossible> DeclaredTypes::resolve_chains() {
  const std::map<const GoType *, const GoType *> next(underlying_.begin(), underlying_.end());
  for (const auto &[own, direct] : underlying_) {
    const GoType *source = direct;
    std::size_t steps = 0;
    for (; steps <= underlying_.size() && next.contains(source); ++steps)
      source = next.at(source);
    if (steps > underlying_.size())
      return Impossible{places_[own], fmt::format("type {} is declared by itself", own->name)};
    const std::string name = own->name;
    *own = *source;
    own->name = name;
    if (own->kind == GoKind::array || own->kind == GoKind::structure)
      without_size_[own] = own;
  }
  return std::nullopt;
}

/// False where the type contains itself.
bool DeclaredTypes::lay_out(const GoType &type) {
  const auto found = without_size_.find(&type);
  if (found == without_size_.end())
    return true;
  if (!being_laid_out_.insert(&type).second)
    return false;
  GoType &own = *found->second;
  bool possible = own.kind != GoKind::array || lay_out(*own.element);
  for (const GoField &field : own.fields)
    possible = possible && lay_out(*field.type);
  if (!possible)
    return false;
  if (own.kind == GoKind::array) {
    own.alignment = own.element->alignment;
    if (__builtin_mul_overflow(own.element->size, own.length, &own.size))
      own.size = UINT64_MAX / 2;
  } else {
    lay_out_structure(own);
  }
  being_laid_out_.erase(&type);
  without_size_.erase(&type);
  return true;
}

std::optional<DeclaredTypes::Impossible> DeclaredTypes::complete() {
  if (underlying_.size() > max_types)
    return Impossible{0, fmt::format("it declares more than {} types", max_types)};
  if (auto impossible = resolve_chains())
    return impossible;
  // The declared ones first, whose place is known if one of them contains itself.
  for (const auto &[own, underlying] : underlying_)
    if (!lay_out(*own))
      return Impossible{places_[own], fmt::format("type {} contains itself and would be endless", own->name)};
  while (!without_size_.empty())
    if (const GoType &type = *without_size_.begin()->first; !lay_out(type))
      return Impossible{0, fmt::format("type {} contains itself and would be endless", type.name)};
  return std::nullopt;
}

std::vector<std::string> unknown_types(const GoSignature &signature) {
  std::vector<std::string> sentences;
  std::set<const GoType *> seen;
  for (const auto *list : {&signature.parameters, &signature.results})
    for (const GoParameter &parameter : *list)
      note_unknown(*parameter.type, seen, sentences);
  return sentences;
}

} // namespace inspect
