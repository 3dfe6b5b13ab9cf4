#include "golang/types/known_types.h"

#include <algorithm>
#include <array>

namespace inspect {
namespace {

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

} // namespace

const GoType *known_library_type(std::string_view name, GoTypePool &pool) {
  if (const auto *found = std::ranges::find(kinds, name, &KnownKind::name); found != kinds.end())
    return &pool.add(found->kind, std::string(name));
  if (std::ranges::find(interfaces, name) != interfaces.end())
    return &named(pool, name, *pool.predeclared("error"));
  return known_composite(name, pool);
}

} // namespace inspect
