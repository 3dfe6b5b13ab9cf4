// A Go executable or shared library that is not running: opened from its file as if it were loaded at its link
// addresses (load bias 0), so that everything that explains a live process explains the file, too.
//
//     auto image = GoFileImage::open("./svc", files);
//     if (const auto function = (*image)->image().table->find("main.handle")) …
//
// `memory()` has the file's segments with their relative relocations applied; what the program writes when it runs is
// as the linker left it (zero in .bss).
#pragma once

#include "dwarf/module/module_map.h"
#include "golang/image/go_image.h"
#include "machine/file_source.h"

#include <memory>
#include <string>
#include <vector>

namespace inspect {

class GoFileImage {
public:
  /// The errors of FileSource::open, of Module::open and of open_go_image. `files` must outlive the object.
  /// With a load bias, everything is where a process had it that was loaded there (a crash text of a PIE binary).
  static Result<std::unique_ptr<GoFileImage>> open(const std::string &path, const FileSource &files,
                                                   LoadBias bias = {});
  ~GoFileImage();
  GoFileImage(const GoFileImage &) = delete;
  GoFileImage &operator=(const GoFileImage &) = delete;

  const GoImage &image() const;
  const std::vector<GoImage> &images() const; ///< that one
  bool position_independent() const;          ///< a process may have it at any load bias
  ModuleMap &modules();
  const MemoryView &memory() const;

private:
  struct State;
  explicit GoFileImage(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
