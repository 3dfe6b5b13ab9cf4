#include "inspector/target/runtime_kind.h"

#include "golang/image/build_info.h"
#include "machine/elf_file.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <optional>
#include <span>
#include <string_view>

namespace inspect {
namespace {

// A search ends after this many bytes: an executable of gigabytes must not hold up a process list.
constexpr std::uint64_t max_searched = 8 << 20;
// The release of node.js lies deep in its 50 MB of constants; it is looked for in files already known to be node.
constexpr std::uint64_t max_node_searches = 64 << 20;

/// One executable under the eyes of the detectors; what several of them need is read once.
struct Candidate {
  const ElfFile &file;
  std::string_view name; ///< of the executable file
  std::vector<std::string> needed;
  std::string dynamic_names; ///< the dynamic string table: names of imported and exported symbols
  std::string comment;       ///< the compilers that made its parts
};

bool needs(const Candidate &candidate, std::string_view library_prefix) {
  return std::ranges::any_of(candidate.needed,
                             [&](const std::string &library) { return library.starts_with(library_prefix); });
}

bool has_dynamic_name(const Candidate &candidate, std::string_view name) {
  // Whole names only: each stands between two NULs.
  const std::string framed = '\0' + std::string(name) + '\0';
  return candidate.dynamic_names.find(framed) != std::string::npos;
}

std::optional<FileOffset> find_in_section(const Candidate &candidate, std::string_view section, std::string_view needle,
                                          std::uint64_t limit = max_searched) {
  const ElfSection *found = candidate.file.section(section);
  if (found == nullptr || found->type == SHT_NOBITS)
    return std::nullopt;
  return candidate.file.find(needle, found->offset, found->size, limit);
}

std::optional<FileOffset> find_in_constants(const Candidate &candidate, std::string_view needle,
                                            std::uint64_t limit = max_searched) {
  if (!candidate.file.sections().empty())
    return find_in_section(candidate, ".rodata", needle, limit);
  // Section headers are gone: constants are in the segments that are not writable.
  for (const Elf64_Phdr &segment : candidate.file.segments()) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0)
      continue;
    if (auto hit = candidate.file.find(needle, {segment.p_offset}, segment.p_filesz, limit))
      return hit;
  }
  return std::nullopt;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The digits and dots `text` starts with, without a dot at the end.
std::string leading_version(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && (is_digit(text[length]) || (text[length] == '.' && length > 0)))
    ++length;
  while (length > 0 && text[length - 1] == '.')
    --length;
  return std::string(text.substr(0, length));
}

bool detect_go(const Candidate &candidate, RuntimeInfo &info) {
  auto build = read_go_build_info(candidate.file);
  if (!build && build.error().kind() == ErrorKind::not_found)
    return false; // and a corrupt one is Go all the same, of unknown version
  info.language = "go";
  if (build) {
    // "go1.22.1 X:rangefunc" names experiments behind the version.
    info.version = build->go_version.substr(0, build->go_version.find(' '));
    info.module = build->module_path.empty() ? build->package_path : build->module_path;
  }
  return true;
}

bool detect_python(const Candidate &candidate, RuntimeInfo &info) {
  // Linking libpython alone does not make a Python process: gdb and many editors do. Entering its main function does.
  constexpr std::string_view word = "python";
  const bool named =
      candidate.name.starts_with(word) && std::ranges::all_of(candidate.name.substr(word.size()), [](char c) {
        return is_digit(c) || c == '.' || c == 'd' || c == 'm' || c == 't';
      });
  if (!named && !has_dynamic_name(candidate, "Py_BytesMain") && !has_dynamic_name(candidate, "Py_Main"))
    return false;
  info.language = word;
  if (named)
    info.version = leading_version(candidate.name.substr(word.size()));
  constexpr std::string_view library = "libpython";
  for (const std::string &needed : candidate.needed) {
    if (needed.starts_with(library))
      info.version = leading_version(std::string_view(needed).substr(library.size()));
  }
  return true;
}

bool detect_java(const Candidate &candidate, RuntimeInfo &info) {
  if (!needs(candidate, "libjli.so") && !needs(candidate, "libjvm.so") &&
      !(candidate.name == "java" && find_in_constants(candidate, "JLI_Launch")))
    return false;
  info.language = "java";
  // The launcher's full version is one of its constants: "17.0.15+6-Debian-1deb12u1". It is the only string of digits
  // and dots that goes on with '+' in these few kilobytes.
  const ElfSection *constants = candidate.file.section(".rodata");
  const std::string text =
      constants != nullptr ? candidate.file.bytes(constants->offset, constants->size, 256 << 10) : std::string();
  for (std::size_t plus = text.find('+'); plus != std::string::npos; plus = text.find('+', plus + 1)) {
    std::size_t start = plus;
    while (start > 0 && (is_digit(text[start - 1]) || text[start - 1] == '.'))
      --start;
    if (start < plus && (start == 0 || text[start - 1] == '\0')) {
      info.version = leading_version(std::string_view(text).substr(start));
      break;
    }
  }
  return true;
}

bool detect_node(const Candidate &candidate, RuntimeInfo &info) {
  const bool named = candidate.name == "node" || candidate.name == "nodejs";
  // node::Start(int, char**) is exported for add-ons, or imported from libnode.so.
  const bool starts_node = has_dynamic_name(candidate, "_ZN4node5StartEiPPc");
  if (!starts_node && !(named && (needs(candidate, "libnode.so") || needs(candidate, "libstdc++"))))
    return false;
  info.language = "node";
  constexpr std::string_view address = "nodejs.org/download/release/v";
  if (auto hit = find_in_constants(candidate, address, max_node_searches))
    info.version = leading_version(candidate.file.bytes(*hit + address.size(), 16, 16));
  return true;
}

/// "1.95.0" from "rustc version 1.95.0 (59807616e 2026-04-14)"; empty where rustc made no part of it.
std::string rustc_version(const Candidate &candidate) {
  constexpr std::string_view words = "rustc version ";
  const std::size_t at = candidate.comment.find(words);
  return at == std::string::npos ? std::string()
                                 : leading_version(std::string_view(candidate.comment).substr(at + words.size()));
}

/// Whether the text ends as the path of Rust's own sources begins: "/rustc/" and 40 hexadecimal digits as rust-lang.org
/// builds it, "rustc-1.63.0" as distributions do. A program that merely speaks of such paths (this one does) has none.
bool ends_in_rust_sources(std::string_view text) {
  constexpr std::string_view official = "/rustc/";
  constexpr std::size_t digits = 40;
  if (text.size() >= official.size() + digits &&
      text.substr(text.size() - digits - official.size()).starts_with(official))
    return text.substr(text.size() - digits).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  const std::size_t slash = text.rfind('/');
  return slash != std::string_view::npos && text.substr(slash + 1).starts_with("rustc-1.");
}

/// A source file of Rust's own library among the constants, where panics name it.
bool names_rust_source(const Candidate &candidate, std::string_view library_path) {
  const auto hit = find_in_constants(candidate, library_path);
  constexpr std::uint64_t max_prefix_length = 80;
  if (!hit || hit->value < max_prefix_length)
    return false;
  return ends_in_rust_sources(candidate.file.bytes(*hit - max_prefix_length, max_prefix_length, max_prefix_length));
}

bool detect_rust(const Candidate &candidate, RuntimeInfo &info, bool links_cxx) {
  const std::string version = rustc_version(candidate);
  bool rust = needs(candidate, "libstd-") || needs(candidate, "librustc_driver-");
  if (!rust && links_cxx) {
    // Rust parts in a C++ program, or C++ parts in a Rust program? Rust's own start-up code tells: it is linked only
    // where main is Rust's.
    rust = names_rust_source(candidate, "/library/std/src/rt.rs") ||
           find_in_section(candidate, ".strtab", "3std2rt10lang_start").has_value();
  } else if (!rust) {
    using namespace std::string_view_literals;
    rust = !version.empty() || find_in_section(candidate, ".strtab", "\0rust_eh_personality\0"sv).has_value() ||
           names_rust_source(candidate, "/library/std/src/") || names_rust_source(candidate, "/library/core/src/");
  }
  if (rust) {
    info.language = "rust";
    info.version = version;
  }
  return rust;
}

bool links_cxx_library(const Candidate &candidate) {
  return needs(candidate, "libstdc++.so") || needs(candidate, "libc++.so");
}

bool has_static_cxx(const Candidate &candidate) {
  // The first is the name of a type that every C++ library's type information needs, so stripping leaves it.
  return find_in_constants(candidate, "N10__cxxabiv117__class_type_infoE").has_value() ||
         find_in_section(candidate, ".strtab", "__gxx_personality_v0").has_value() ||
         has_dynamic_name(candidate, "__gxx_personality_v0");
}

bool is_c(const Candidate &candidate) {
  const bool links_libc = needs(candidate, "libc.so") || needs(candidate, "libc.musl-") ||
                          needs(candidate, "ld-linux") || needs(candidate, "ld-musl");
  if (links_libc || !candidate.needed.empty())
    return links_libc;
  // Static. Compilers name themselves in .comment; glibc and musl are known by texts of their own.
  return candidate.comment.find("GCC: ") != std::string::npos ||
         candidate.comment.find("clang version") != std::string::npos ||
         find_in_constants(candidate, "GNU C Library").has_value() ||
         find_in_constants(candidate, "__libc_start_main").has_value() ||
         find_in_constants(candidate, "No error information").has_value();
}

bool is_stripped(const ElfFile &file) {
  constexpr std::array<std::string_view, 3> proofs = {".symtab", ".debug_info", ".zdebug_info"};
  return std::ranges::none_of(proofs, [&](std::string_view name) { return file.section(name) != nullptr; });
}

void detect_language(const Candidate &candidate, RuntimeInfo &info) {
  if (detect_go(candidate, info) || detect_python(candidate, info) || detect_java(candidate, info) ||
      detect_node(candidate, info))
    return;
  const bool links_cxx = links_cxx_library(candidate);
  if (detect_rust(candidate, info, links_cxx))
    return;
  if (links_cxx || has_static_cxx(candidate))
    info.language = "c++";
  else
    info.language = is_c(candidate) ? "c" : "other";
}

} // namespace

Result<RuntimeInfo> detect_runtime(int descriptor, std::string_view name) {
  auto file = ElfFile::read(descriptor);
  if (!file)
    return std::unexpected(file.error());
  Candidate candidate{*file, name, file->needed_libraries(), file->dynamic_strings(4 << 20), {}};
  if (const ElfSection *comment = file->section(".comment"))
    candidate.comment = file->bytes(comment->offset, comment->size, 64 << 10);
  RuntimeInfo info;
  info.is_32_bit = !file->is_64_bit();
  info.stripped = is_stripped(*file);
  detect_language(candidate, info);
  return info;
}

} // namespace inspect
