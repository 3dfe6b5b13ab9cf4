// Whether a process fills its own memory on demand: it holds a userfaultfd (man page userfaultfd(2)).
#pragma once

#include <sys/types.h>

namespace inspect {

/// One of its descriptors is a userfaultfd. Costs a readlink for each descriptor; false where they may not be seen.
bool handles_page_faults(pid_t process);

} // namespace inspect
