// Takes this program out of what it measures: a page of a file that both it and its target have mapped counts half in
// the target's PSS, and reading the target's executable and libraries means mapping them.
//
// Source: the kernel's fs/proc/task_mmu.c, smaps_account(): each page is divided by the number of times it is mapped.
#pragma once

namespace inspect {

/// Forgets the pages of the files that are mapped here for reading only; a page that is read again comes back from the
/// page cache by itself. Files that this program runs code from are left alone: their data has been written to.
void forget_own_file_pages();

} // namespace inspect
