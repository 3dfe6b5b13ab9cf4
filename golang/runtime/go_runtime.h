// The Go runtime of one live process: its images, its version's layout, and where its list of goroutines is. Opened
// while the target runs, used inside and after the stop. A process has several where it has loaded several c-shared
// libraries; each has goroutines of its own. They share the list of images, so that each names the functions of all.
//
//     auto runtime = GoRuntime::open(modules, memory);
//     if (!runtime && runtime.error().kind() == ErrorKind::not_found) …   // no Go in this process
#pragma once

#include "golang/image/go_image.h"
#include "golang/runtime/goroutine.h"
#include "golang/runtime/runtime_layout.h"

#include <memory>
#include <string>
#include <vector>

namespace inspect {

class GoRuntime {
public:
  /// Finds the images, the list of goroutines in one of them, and the layout that fits what is in the list. not_found:
  /// no Go image. unsupported, corrupt: there is one, and why it cannot be used. `modules` and `memory` must outlive
  /// the object.
  static Result<std::unique_ptr<GoRuntime>> open(ModuleMap &modules, const MemoryView &memory);
  /// All runtimes of the process, at least one, in the order of their images. The errors of open().
  static Result<std::vector<std::unique_ptr<GoRuntime>>> open_all(ModuleMap &modules, const MemoryView &memory);
  ~GoRuntime();
  GoRuntime(const GoRuntime &) = delete;
  GoRuntime &operator=(const GoRuntime &) = delete;

  const std::vector<GoImage> &images() const;
  /// The one that the runtime is in: a plugin uses that of the program that loaded it.
  const GoImage &own_image() const;
  /// Whether code of this image runs on goroutines of this runtime: it is its own, or a plugin's.
  bool runs(const GoImage &image) const;
  /// The image whose text has this pc, or null.
  const GoImage *find(RunAddress pc) const;
  /// The function whose code has this pc (for a return address pass it minus one byte), in whichever image.
  struct Place {
    const GoImage *image = nullptr;
    GoFunction function;
  };
  std::optional<Place> function_at(RunAddress pc) const;
  /// Of its own image.
  GoVersion version() const;
  const std::string &version_text() const;
  /// That of the version, or, where it does not fit or the version is not known, the nearest one that does.
  const RuntimeLayout &layout() const;
  /// Where that is not the version's own, for a heading: "newer than this program knows; 31 of 31 checks held", each
  /// check one goroutine or M that was looked at (golang/runtime/layout_check.h). Else empty.
  std::string layout_note() const;

  /// Where the slice header runtime.allgs lies: by symbol, else by scanning data and bss for a slice whose elements are
  /// g structures. (DWARF is not asked: linkers and strip drop the symbol table with or after it.) not_found: nowhere,
  /// with what was tried. unsupported: no known layout fits the goroutines.
  Result<RunAddress> goroutine_list();
  /// Where runtime.allm, the head of the list of Ms, lies; found in the same ways. 0: not found.
  RunAddress m_list();

  /// Sentences about a version that is not known, a layout that is a guess; each is returned once.
  std::vector<std::string> take_warnings();

private:
  struct Images;
  struct State;
  explicit GoRuntime(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace inspect
