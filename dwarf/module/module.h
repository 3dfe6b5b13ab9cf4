// A module is one ELF image in the target: the executable, a shared library, the vDSO. It joins the file (or, where the
// file is gone, the image in memory) with the place it was loaded at, and finds its separate debug files.
//
// Nothing of a file is believed before its build-id, where both have one, is the same as the one in the target's
// memory. Addresses inside are link-time addresses; `bias()` converts. Everything is loaded on first use and kept.
//
// Sources: System V gABI chapters 4 and 5; .gnu_debuglink and build-id directories as in the gdb manual, "Separate
// Debug Files".
#pragma once

#include "dwarf/split/split_place.h"
#include "machine/address.h"
#include "machine/error.h"
#include "machine/file_source.h"
#include "machine/memory_view.h"

#include <cstdint>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

namespace inspect {

class ElfImage;     // dwarf/raw/elf/elf_image.h
class SplitPackage; // dwarf/split/split_package.h

/// One mapping of a module's file, as the caller found it in the process' maps; dwarf/module/load_layout.h tells which
/// of the file's segments it shows.
struct MappedSegment {
  RunRange range;
  FileOffset offset;
  bool executable = false;
};

struct ModuleInput {
  std::string path;                    ///< as the target names it, for display and for finding debug files
  std::optional<OpenedFile> file;      ///< none: read the image from `memory`
  std::vector<MappedSegment> segments; ///< ascending, at least one
  /// Executable anonymous memory between them: the module's code, where its bytes are those of the file.
  std::vector<RunRange> anonymous_code = {};
};

struct ModuleOptions {
  /// Where debug files are looked for besides the module's own folder.
  std::vector<std::string> debug_directories = {"/usr/lib/debug"};
  bool use_debuginfod = false;
};

class Module {
public:
  /// `memory` and `files` must outlive the module. corrupt, not_found and unsupported (not ELF, 32-bit) say why.
  static Result<std::unique_ptr<Module>> open(ModuleInput input, const MemoryView &memory, const FileSource &files,
                                              const ModuleOptions &options);
  ~Module();
  Module(const Module &) = delete;
  Module &operator=(const Module &) = delete;

  const std::string &path() const;
  /// The last component of the path: "libc.so.6", "[vdso]".
  std::string_view name() const;
  LoadBias bias() const;
  /// From the lowest to the highest loaded address.
  RunRange range() const;
  /// Its loaded segments, page-aligned, ascending; the gaps between them may belong to other modules.
  const std::vector<RunRange> &ranges() const;
  bool contains(RunAddress address) const;           ///< in one of its segments
  const std::vector<std::uint8_t> &build_id() const; ///< empty: none
  bool from_memory() const; ///< the file is gone or differs; the image in memory is all there is

  /// The main image. Owned by the module; not thread-safe, as libelf is not.
  Elf *elf();
  const ElfImage &image() const;
  /// The DWARF that describes it: its own, or a separate file's; null where there is none, and then `debug_info_reason`
  /// says so. When libdw runs out of memory, here or in any later call on it, it throws std::bad_alloc.
  Dwarf *dwarf();
  /// The ELF that dwarf() came from (elf() itself or the separate file), null without.
  Elf *debug_elf();
  /// The open file that dwarf() came from; -1 without, and for an image in memory.
  int debug_descriptor();
  /// How the .dwo files that dwarf()'s units name are opened; the first that does not answer becomes a warning. It must
  /// not outlive the module.
  SkeletonFile skeleton_file();
  /// As given to open().
  const FileSource &files() const;
  /// The open file that holds what several debug files share (.gnu_debugaltlink), -1 without.
  int common_descriptor();
  /// The .dwp package of its split units, beside it, beside its debug file or in a debug directory; null without. It is
  /// looked for only where dwarf() is there.
  SplitPackage *split_package();
  /// The separate debug file's image, null without; found without reading its DWARF.
  const ElfImage *separate_debug_image();
  /// The symbols that a stripped image keeps in .gnu_debugdata (MiniDebugInfo), null without.
  const ElfImage *mini_debug_image();
  /// Where the DWARF came from (a path), or why there is none, as a sentence.
  const std::string &debug_info_reason();
  /// Link-time addresses in the debug file minus those in the image (prelink and such); nearly always 0.
  std::uint64_t debug_offset();
  /// Reads of the file's read-only segments at their run-time places, without touching the target.
  const MemoryView &file_memory() const;
  /// Sentences about files that could not be used; each is returned once.
  std::vector<std::string> take_warnings();
  /// For those who read the module's files and find something wrong with them.
  void add_warning(std::string warning);
  void warn_of_missing_memory();

  /// What is made of a module once and kept with it: its SymbolTable, its CfiTable, its LineResolver; each header has a
  /// function that asks for it (symbols_of, cfi_of, lines_of). Made from the module on first use, it goes with it.
  template <typename Reader> Reader &reader() {
    std::shared_ptr<void> &kept = kept_reader(typeid(Reader));
    if (kept == nullptr)
      kept = std::make_shared<Reader>(*this);
    return *static_cast<Reader *>(kept.get());
  }

private:
  std::shared_ptr<void> &kept_reader(const std::type_index &type);

  struct State;
  explicit Module(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
