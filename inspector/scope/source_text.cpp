#include "inspector/scope/source_text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inspect {
namespace {

/// Of languages that are compiled to machine code, of their generators, and of what they include.
constexpr auto source_suffixes = std::to_array<std::string_view>({
    "C",   "CPP",  "F",   "F03",  "F08",  "F77", "F90",  "F95", "FOR",  "H",   "S",     "ada",   "adb",  "ads",
    "asm", "bas",  "c",   "c++",  "c++m", "cbl", "cc",   "ccm", "cl",   "cob", "cp",    "cpp",   "cppm", "cr",
    "cu",  "cuh",  "cxx", "cxxm", "d",    "def", "di",   "f",   "f03",  "f08", "f77",   "f90",   "f95",  "for",
    "fpp", "ftn",  "go",  "h",    "h++",  "hh",  "hip",  "hp",  "hpp",  "hs",  "hxx",   "i",     "icc",  "idl",
    "ii",  "impl", "inc", "inl",  "ino",  "ipp", "ispc", "ixx", "java", "jl",  "kt",    "l",     "lex",  "lhs",
    "ll",  "lpp",  "lxx", "m",    "mi",   "mii", "ml",   "mli", "mll",  "mly", "mm",    "mod",   "nim",  "odin",
    "pas", "pp",   "pxd", "pxi",  "py",   "pyx", "re",   "rl",  "rs",   "s",   "scala", "swift", "sx",   "tcc",
    "td",  "tpp",  "txx", "v",    "vala", "x",   "xs",   "y",   "ym",   "yy",  "ypp",   "yxx",   "zig",
});

Error refused(const std::string &path, std::string_view why) {
  return Error(ErrorKind::unsupported,
               fmt::format("{} is named as a source file by the target and is not shown: {}", path, why));
}

Error explained(const std::string &path, const Error &error) {
  switch (error.kind()) {
  case ErrorKind::not_found:
    return Error(ErrorKind::not_found, fmt::format("there is no source file {} where the target would see it", path),
                 "put the sources at that path in the target's root, or a symbolic link to them");
  case ErrorKind::not_permitted:
    return Error(ErrorKind::not_permitted,
                 fmt::format("the source file {} is not shown: the target's own user may not read it", path),
                 "let that user read it");
  default:
    return error;
  }
}

Result<std::string> read_all(const OpenedFile &file) {
  struct stat status {};
  const int descriptor = file.descriptor.get();
  if (::fstat(descriptor, &status) != 0)
    return std::unexpected(Error::from_errno(errno, fmt::format("reading {}", file.path)));
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  if (size > max_source_size)
    return std::unexpected(refused(file.path, "it is too large to be one"));
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::pread(descriptor, text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::unexpected(Error::from_errno(errno, fmt::format("reading {}", file.path)));
    if (count == 0)
      break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return text;
}

} // namespace

bool is_source_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos)
    return !name.empty() && std::filesystem::path(path).lexically_normal().string().find("/c++/") != std::string::npos;
  return dot != 0 && std::ranges::find(source_suffixes, name.substr(dot + 1)) != source_suffixes.end();
}

Result<std::string> read_source_text(const Target &target, const std::string &path) {
  if (!is_source_name(path))
    return std::unexpected(refused(path, "source files are not called so"));
  const auto opened = target.files().open_as_target(path);
  if (!opened)
    return std::unexpected(explained(path, opened.error()));
  auto text = read_all(*opened);
  if (text && text->find('\0') != std::string::npos)
    return std::unexpected(refused(path, "it is no text"));
  return text;
}

} // namespace inspect
