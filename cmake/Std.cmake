# What almost every source includes from other people's libraries, parsed once a build instead of once a file: a third of
# all compile time. Nothing of ours is in it, and a header of ours must still compile alone (gate `headers`, which leaves
# this out). moldau_std(TARGET [GTEST]) gives it to a target.
#
# Neither CMake's own way nor a header of this tree: the precompiled file would hold the tree's path, and ccache could not
# share objects between two clones. Its main file is the library's header, made in /.
set(MOLDAU_STD algorithm array atomic bit cerrno charconv compare concepts coroutine cstddef cstdint cstdio cstdlib
  cstring deque functional iterator limits map memory mutex new optional set source_location span string string_view
  tuple type_traits unordered_map utility variant vector)

# moldau_precompile(NAME MAIN_HEADER DEFINITION...): target moldau_NAME_pch, file NAME.pch
function(moldau_precompile name main)
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(definitions COMPILE_DEFINITIONS)
  list(FILTER options EXCLUDE REGEX "MOLDAU_EXCEPTIONS")
  list(FILTER options EXCLUDE REGEX "^-W")
  list(APPEND definitions ${ARGN})
  list(TRANSFORM definitions PREPEND -D)
  list(TRANSFORM MOLDAU_STD PREPEND "-include;" OUTPUT_VARIABLE includes)
  set(out ${CMAKE_BINARY_DIR}/${name}.pch)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_CXX_COMPILER} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} ${options} -fno-exceptions ${definitions} -w
      -x c++-header ${includes} -Xclang -fno-pch-timestamp -fpch-instantiate-templates
      -MD -MT ${name}.pch -MF ${out}.d -o ${out} ${main}
    DEPENDS ${CMAKE_SOURCE_DIR}/cmake/Std.cmake
    DEPFILE ${out}.d
    WORKING_DIRECTORY /
    COMMENT "Parsing the libraries' headers once: ${name}.pch"
    VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_target(moldau_${name}_pch DEPENDS ${out})
  add_dependencies(generated moldau_${name}_pch)
endfunction()

find_file(MOLDAU_FMT_HEADER fmt/format.h REQUIRED)
find_file(MOLDAU_GTEST_HEADER gtest/gtest.h REQUIRED)
moldau_precompile(std ${MOLDAU_FMT_HEADER} FMT_SHARED)
moldau_precompile(gtest ${MOLDAU_GTEST_HEADER} FMT_SHARED GTEST_HAS_PTHREAD=1)

function(moldau_std target)
  set(name std)
  if("GTEST" IN_LIST ARGN)
    set(name gtest)
  endif()
  target_compile_options(${target} PRIVATE "SHELL:-include-pch ${CMAKE_BINARY_DIR}/${name}.pch")
  add_dependencies(${target} moldau_${name}_pch)
endfunction()
