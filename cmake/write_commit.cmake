# cmake -DSOURCE=… -DOUTPUT=… -P: writes a header that names the commit this tree is at, and touches it only where that
# changed. Of a tree without git (a release archive) the commit is not known.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty=+changes --abbrev=12 --exclude=*
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "")
endif()
set(text "// Written by cmake/write_commit.cmake.\n#pragma once\n#define INSPECT_COMMIT \"${commit}\"\n")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
