// Spreads work over a few threads that live as long as the work.
#pragma once

#include <cstddef>
#include <functional>

namespace inspect {

/// How many are worth having here: as many as there are processors to run on, but few.
std::size_t worker_count();

/// Calls work(worker) once for each worker, at the same time where threads can be started, else one after the other.
/// Returns when all are done, and throws the first exception that one of them ended with. Their cancellation points
/// obey what those of the calling thread obey.
void run_workers(std::size_t workers, const std::function<void(std::size_t worker)> &work);

} // namespace inspect
