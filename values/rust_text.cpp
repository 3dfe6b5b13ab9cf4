#include "values/native_printer.h"

namespace inspect {

void NativePrinter::rust(const Value &value, const DwarfType &type, int depth) {
  by_kind(value, type, depth);
}

} // namespace inspect
