# Properties (RapidCheck) live in *_property_test.cc: the library throws, so these files alone are compiled with
# exceptions. Without RapidCheck they are left out.
find_package(rapidcheck QUIET)
get_target_property(base_tests base_test SOURCES)
list(FILTER base_tests INCLUDE REGEX "_property_test\\.cc$")
if(rapidcheck_FOUND)
  set_source_files_properties(${base_tests} PROPERTIES COMPILE_OPTIONS -fexceptions)
  target_link_libraries(base_test PRIVATE rapidcheck)
else()
  message(STATUS "RapidCheck not found: no property tests")
  set_source_files_properties(${base_tests} PROPERTIES HEADER_FILE_ONLY ON)
endif()
