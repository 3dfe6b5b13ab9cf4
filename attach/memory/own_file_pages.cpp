#include "attach/memory/own_file_pages.h"

#include "attach/procfs/memory_map.h"
#include "attach/procfs/process_directory.h"

#include <set>
#include <sys/mman.h>
#include <unistd.h>

namespace inspect {

void forget_own_file_pages() {
  const auto maps = read_memory_map(::getpid());
  if (!maps)
    return; // then the target's figures are those with this program looking on
  const auto file_of = [](const Mapping &mapping) { return FileIdentity{mapping.device, mapping.inode}; };
  std::set<FileIdentity> of_code;
  for (const Mapping &mapping : *maps)
    if (mapping.executable)
      of_code.insert(file_of(mapping));
  for (const Mapping &mapping : *maps) {
    // Pages that were written to before they were protected (RELRO) would be lost: the loader makes them, of files
    // with code.
    if (mapping.inode == 0 || !mapping.readable || mapping.writable || of_code.contains(file_of(mapping)))
      continue;
    // One that cannot be forgotten (locked) stays: nothing is wrong but the figure.
    static_cast<void>(
        ::madvise(reinterpret_cast<void *>(mapping.range.begin.value), mapping.range.size(), MADV_DONTNEED));
  }
}

} // namespace inspect
