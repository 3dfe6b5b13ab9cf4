// Decodes the argument words of Go frames: by DWARF's signatures where the binary has them, by the runtime's types and
// by what pointers lead to where not. What words point to is in the heap, which a snapshot does not copy: it is read
// from the process as it is when the writer asks.
#pragma once

#include "golang/goroutines/address_classes.h"
#include "inspector/stacks/goroutine_report.h"
#include "inspector/target/target.h"

#include <memory>
#include <vector>

namespace inspect {

class DumpVariables; // inspector/stacks/dump_variables.h

/// With debug information values are what `variables` has for the same frames. `captured` are the copied stacks,
/// `stacks` where all of them lie. The target must outlive the result, and keep its modules.
std::shared_ptr<ArgumentValues> make_argument_values(Target &target, GoRuntime &runtime,
                                                     std::shared_ptr<const MemoryView> captured,
                                                     std::vector<GoroutineStackRange> stacks,
                                                     std::shared_ptr<DumpVariables> variables);

} // namespace inspect
