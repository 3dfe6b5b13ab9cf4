# The fuzz targets (tests/fuzz/fuzz_target.h), in the folders of the layers that they need: as programs with libFuzzer
# where INSPECT_FUZZ says so, which is what `./dev fuzz` builds with clang; else as one program that replays them all, with
# a test for each. Included by tests/CMakeLists.txt, whose objects a sanitized build links, and without the other tests.
set(fuzz_folder ${CMAKE_SOURCE_DIR}/tests/fuzz)
set(fuzz_layers attach dwarf golang values inspector)
set(common_sources ${fuzz_folder}/fuzz_target.cpp)
set(module_sources ${fuzz_folder}/fuzz_sections.cpp ${fuzz_folder}/fuzz_module.cpp)
# Targets that record a process, and how the tests of the layer start it and find its variables.
set(recording ${fuzz_folder}/recorded_memory.cpp)
set(tests ${CMAKE_SOURCE_DIR}/tests)
set(golang_sources ${recording} ${tests}/golang/go_process.cpp)
set(values_sources ${recording} ${tests}/values/fixture_values.cpp)
set(started ${tests}/support/child_process.cpp ${tests}/support/go_toolchain.cpp ${tests}/support/run_command.cpp
  ${tests}/support/temporary_directory.cpp ${tests}/support/this_build.cpp)
# Of commands/ only this is a reader of hostile input.
set(escaper ${CMAKE_SOURCE_DIR}/commands/cli/escape.cpp)

foreach(layer ${fuzz_layers})
  file(GLOB sources CONFIGURE_DEPENDS ${fuzz_folder}/${layer}/*.cpp)
  list(APPEND all_sources ${sources})
  if(INSPECT_FUZZ AND sources)
    add_executable(fuzz_${layer} ${sources} ${${layer}_sources} ${common_sources} ${fuzz_folder}/libfuzzer_main.cpp
      ${tests}/support/elf_writer.cpp)
    if(${layer}_sources)
      target_sources(fuzz_${layer} PRIVATE ${started})
    endif()
    if(layer STREQUAL attach)
      target_sources(fuzz_${layer} PRIVATE ${escaper})
    else()
      target_sources(fuzz_${layer} PRIVATE ${module_sources})
    endif()
    target_link_libraries(fuzz_${layer} PRIVATE inspect_${layer})
    target_compile_definitions(fuzz_${layer} PRIVATE INSPECT_FIXTURE_DIRECTORY="${INSPECT_FIXTURE_DIRECTORY}"
      INSPECT_SOURCE_DIRECTORY="${CMAKE_SOURCE_DIR}")
    target_link_options(fuzz_${layer} PRIVATE -fsanitize=fuzzer)
  endif()
endforeach()

if(NOT INSPECT_FUZZ)
  set(replay_sources ${all_sources} ${golang_sources} ${values_sources} ${common_sources} ${module_sources}
    ${fuzz_folder}/replay_main.cpp)
  list(REMOVE_DUPLICATES replay_sources)
  inspect_test_program(test_fuzz inspector ${replay_sources})
  target_sources(test_fuzz PRIVATE ${escaper})
  add_dependencies(sanitized_tests test_fuzz)
  list(FILTER all_sources INCLUDE REGEX "_target\\.cpp$")
  foreach(file ${all_sources})
    file(STRINGS ${file} name REGEX "\\.name = \"" LIMIT_COUNT 1)
    string(REGEX REPLACE ".*\\.name = \"([^\"]*)\".*" "\\1" name "${name}")
    add_test(NAME "fuzz: ${name}" COMMAND test_fuzz ${name})
    set_tests_properties("fuzz: ${name}" PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED:" TIMEOUT 120 LABELS fuzz)
  endforeach()
endif()
