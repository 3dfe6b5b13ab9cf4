#include "machine/cancellation_point.h"

namespace inspect {
namespace {

thread_local const Cancellation *obeyed = nullptr;

} // namespace

CancellationScope::CancellationScope(const Cancellation *cancellation) : outer_(obeyed) {
  obeyed = cancellation;
}

CancellationScope::~CancellationScope() {
  obeyed = outer_;
}

const Cancellation *current_cancellation() {
  return obeyed;
}

void cancellation_point() {
  if (obeyed != nullptr && obeyed->requested())
    throw Cancelled();
}

} // namespace inspect
