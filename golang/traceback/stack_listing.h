// Stacks that are written without a goroutine's header and without argument words, by what collects frames itself:
//
//     main.load                         main.load            at main.load ( load.go:12 )      pkg/errors, zap, gccgo,
//         /src/load.go:12 (0x4b3f)          /src/load.go:12                                   Cloud Error Reporting
//
//     /src/load.go:12 (0x4b3f)          gin, whose functions lack their package
//         load: rows := read(path)
//
// and what is on one line, "main.load /src/load.go:12" or "/src/load.go:12 main.load"; also the runtime's own form
// where a log was cut behind the header.
//
// Source: github.com/pkg/errors stack.go (%+v), go.uber.org/zap stacktrace.go, github.com/gin-gonic/gin recovery.go.
#pragma once

#include "golang/traceback/traceback_text.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inspect {

class StackListing {
public:
  /// False: the line is none of the listing's. All lines that may be part of it have to be given; of the first
  /// function's line it is known only with the next one, so that this is refused.
  bool take(std::string_view line, std::size_t number);
  const std::vector<TracebackFrame> &frames() const { return frames_; }
  /// The frames, and begins anew; fewer than two may be anything.
  std::vector<TracebackFrame> finish();

private:
  bool take_position(std::string_view line, std::size_t number);

  std::vector<TracebackFrame> frames_;
  std::string function_; ///< whose position has not come
  std::size_t function_line_ = 0;
  std::optional<TracebackFrame> call_; ///< with brackets, whose position has not come
  bool nameless_ = false;              ///< the last frame is gin's, whose function may follow
};

/// A linked name that stands alone on its line.
bool is_function_line(std::string_view line);

} // namespace inspect
